"""The Services table: the catalogue."""

from collections.abc import Callable

from globalconnect.domain.service import Catalogue, Service
from globalconnect.store.cache import Cache
from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import Dynamo

_WHOLE = "catalogue"
_CODEC = Codec(Service)


class Services:
    """Services by code; the whole catalogue is remembered for `cache_seconds`."""

    def __init__(self, db: Dynamo, table: str, cache_seconds: int, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[Catalogue] = Cache(cache_seconds, now)

    def catalogue(self) -> Catalogue:
        """Return all services by code, as they were at most `cache_seconds` ago."""
        return self._cache.get(_WHOLE, self._read_all) or {}

    def find(self, code: str) -> Service | None:
        """Return one service, None when there is none; one we don't remember is looked up, since it may be new."""
        service = self.catalogue().get(code)
        if service is not None:
            return service
        item = self._db.get(self._table, {"code": code})
        return _CODEC.from_item(item) if item else None

    def put(self, service: Service) -> None:
        self._db.put(self._table, _CODEC.to_item(service))
        self._cache.forget(_WHOLE)

    def _read_all(self) -> Catalogue:
        services = [_CODEC.from_item(item) for item in self._db.scan_all(self._table)]
        return {service.code: service for service in services}

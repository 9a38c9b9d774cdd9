"""The Sources table: inbound gateways."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.domain.errors import NotFound
from globalconnect.store.cache import Cache
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, expression


@dataclass(frozen=True, slots=True)
class Source:
    """An inbound gateway: the provider whose payload it speaks, and the secret it signs with (contract 4)."""

    source_id: str
    name: str
    provider: str
    secret: str
    created_at: int

    def __repr__(self) -> str:
        """Leave the secret out: a repr ends up in logs."""
        return f"Source({self.source_id!r})"


class Sources:
    """Sources by id; what is read is remembered for `cache_seconds`."""

    def __init__(self, db: Dynamo, table: str, cache_seconds: int, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[Source] = Cache(cache_seconds, now)

    def find(self, source_id: str) -> Source | None:
        """Give a source as it was at most `cache_seconds` ago."""
        return self._cache.get(source_id, lambda: self._read(source_id))

    def page(self, limit: int, after: Item | None) -> tuple[list[Source], Item | None]:
        """Give one page of all sources, and the key to go on from."""
        page = self._db.scan(self._table, limit=limit, after=after)
        return [_to_source(item) for item in page.items], page.next_key

    def add(self, source: Source) -> None:
        """Store a new source. Raises ConditionFailed when its id is taken."""
        item = {
            "source_id": source.source_id,
            "name": source.name,
            "provider": source.provider,
            "secret": source.secret,
            "created_at": source.created_at,
        }
        self._db.put(self._table, item, expression("attribute_not_exists(#source_id)"))

    def remove(self, source_id: str) -> None:
        """Remove a source. Raises NotFound."""
        try:
            self._db.delete(self._table, {"source_id": source_id}, expression("attribute_exists(#source_id)"))
        except ConditionFailed:
            raise NotFound("source") from None
        self._cache.forget(source_id)

    def _read(self, source_id: str) -> Source | None:
        item = self._db.get(self._table, {"source_id": source_id})
        return _to_source(item) if item else None


def _to_source(item: Item) -> Source:
    return Source(
        source_id=item["source_id"],
        name=item["name"],
        provider=item["provider"],
        secret=item["secret"],
        created_at=item["created_at"],
    )

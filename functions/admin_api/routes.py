"""What a route is: how its request is read into types, and its answer written (contract 5)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from admin_api.models import NoFields, NoQuery, Shown
from admin_api.wiring import Admin
from globalconnect import web
from globalconnect.domain.errors import InvalidInput, NotFound, TooLarge
from globalconnect.domain.requests import LARGEST_BODY, read_json_object
from globalconnect.telemetry import Event, log

LARGEST_UPLOAD = 2 * 1024 * 1024

# API Gateway passes on no more than this.
_LARGEST_REQUEST = 10 * 1024 * 1024
_LONGEST_NAME = 100
_ID = re.compile(r"[a-z0-9]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that its use case reads by itself."""

    content: bytes
    media_type: str

    def __repr__(self) -> str:
        """Leave the content out."""
        return f"Upload({self.media_type!r})"


@dataclass(frozen=True, slots=True)
class Call[Q, B]:
    """A request, read: the parts of its path, its query, its body, and which operator sent it."""

    path: Mapping[str, str]
    query: Q
    body: B
    operator: str
    event: web.ProxyEvent

    def log_change(self, action: str, changed_id: str | None = None, **counts: int) -> None:
        """Log what the operator has changed, by ids only."""
        log(Event.CHANGED, operator=self.operator, action=action, id=changed_id, **counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route[Q, B, A: Shown]:
    """A method and path of template.yaml, the types of what goes in and out, and the use case between them.

    `errors` are the statuses of its refusals other than 400, 401 and 5xx; docs/openapi.json lists them.
    """

    method: str
    path: str
    use: Callable[[Admin, Call[Q, B]], A]
    answer: type[A]
    summary: str
    # What a use case takes and what its route names can't differ: tests/unit/test_admin_routes.py compares them.
    query: type[Q] = NoQuery  # type: ignore[assignment]
    body: type[B] = NoFields  # type: ignore[assignment]
    status: int = 200
    errors: tuple[int, ...] = ()

    def run(self, admin: Admin, event: web.ProxyEvent) -> web.Answer:
        """Read the request, let the use case do its work, and give the answer. Raises GlobalConnectError."""
        call = Call(
            operator=_operator(event),
            path=event.get("pathParameters") or {},
            query=_read(self.query, _query_fields(event)),
            body=self._read_body(event),
            event=event,
        )
        return web.Answer(self.status, self.use(admin, call).model_dump(mode="json"))

    def _read_body(self, event: web.ProxyEvent) -> B:
        if self.body is Upload:
            return cast("B", _read_upload(event))
        content = web.read_body(event, largest=LARGEST_BODY)
        if self.body is NoFields and not content.strip():
            return _read(self.body, {})
        return _read(self.body, read_json_object(content))


def id_in(path: Mapping[str, str], name: str, what: str) -> str:
    """Give the id of a partner or source in a path. What can't be one of ours can't be found: NotFound(what)."""
    if _ID.fullmatch(path[name]):
        return path[name]
    raise NotFound(what)


def _operator(event: web.ProxyEvent) -> str:
    """Give the id of the signed-in operator.

    The API's authorizer is what lets operators in. Without its claims a route has been deployed without it, and the
    KeyError keeps that route shut.
    """
    return str(event["requestContext"]["authorizer"]["claims"]["sub"])


def _query_fields(event: web.ProxyEvent) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, values in (event.get("multiValueQueryStringParameters") or {}).items():
        if len(values) != 1:
            raise InvalidInput(_named(name), "expected once")
        fields[name] = values[0]
    return fields


def _read_upload(event: web.ProxyEvent) -> Upload:
    content = web.read_body(event, largest=_LARGEST_REQUEST)
    if len(content) > LARGEST_UPLOAD:
        raise TooLarge(f"body: expected at most {LARGEST_UPLOAD} bytes")
    media_type = (web.header(event, "content-type") or "").partition(";")[0]
    return Upload(content, media_type.strip().lower())


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read[T](kind: type[T], fields: Mapping[str, object]) -> T:
    adapter: TypeAdapter[T] = _adapter(cast("Any", kind))
    try:
        return adapter.validate_python(fields)
    except ValidationError as error:
        refusal = _refusal(adapter, error)
    # Outside the except clause: pydantic's error quotes what was sent, and must not be the context of ours.
    raise refusal


def _refusal(adapter: TypeAdapter[Any], error: ValidationError) -> InvalidInput:
    """Say the first thing that is wrong in our words: the field, and its description; never the value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # A name that is no Unicode has no place at all.
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden" or not first["loc"]:
        return InvalidInput(_named(name), "unknown field")
    return InvalidInput(name, f"expected {adapter.json_schema()['properties'][name]['description']}")


def _named(name: str) -> str:
    """Give the name of a field that we don't know, fit to be sent back."""
    return name[:_LONGEST_NAME] if name and name.isprintable() else "body"

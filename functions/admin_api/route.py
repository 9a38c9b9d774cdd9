"""What a route is: how its request is read into types, and its answer written (contract 5)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast, get_args

from pydantic import TypeAdapter, ValidationError

from admin_api.schema import Body, BodyWithReason, View
from admin_api.wiring import Parts
from globalconnect.domain.audit import AuditDetail, AuditEntry, AuditResult
from globalconnect.domain.errors import (
    Busy,
    GlobalConnectError,
    InvalidInput,
    NotFound,
    RoleNeeded,
    TooLarge,
    Unavailable,
)
from globalconnect.domain.ids import is_token, new_token
from globalconnect.domain.numerals import plain_number
from globalconnect.domain.staff import Role, StaffMember
from globalconnect.runtime import http
from globalconnect.runtime.logs import Event, log, log_failure

PAGE = 100
# The least role that sees texts of SMS, and what partners answered to pushes.
SEES_TEXTS = Role.SUPPORT
HIDDEN = "hidden"
LARGEST_UPLOAD = 2 * 1024 * 1024

# API Gateway passes on no more than this.
_LARGEST_REQUEST = 10 * 1024 * 1024
_LONGEST_NAME = 100
_LONGEST_ID = 30
_TOKEN_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that its use case reads by itself."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(slots=True)
class AuditNote:
    """What a use case tells of its change beyond what its route and path say."""

    action: str | None = None
    changed_id: str | None = None
    details: dict[str, AuditDetail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call[Q, B]:
    """A request, read: the parts of its path, its query, its body, and who of the staff sent it.

    `staff` is Cognito's id of the person, `staff_name` the name by which people know them.
    """

    path: Mapping[str, str]
    query: Q
    body: B
    staff: str
    staff_name: str
    member: StaffMember
    request: http.Request
    told: AuditNote = field(default_factory=AuditNote)

    def log_change(self, action: str | None = None, changed_id: str | None = None, **details: AuditDetail) -> None:
        """Tell more of this change than its route and path do, for the log and the audit log.

        Takes a more exact name for it, the id when the path has none, and ids, counts and names of fields: never a
        value that was set, never a secret.
        """
        self.told.action = action or self.told.action
        self.told.changed_id = changed_id or self.told.changed_id
        self.told.details |= details

    def log_look(self, parts: Parts, action: str, seen_id: str | None = None, **details: AuditDetail) -> None:
        """Enter in the audit log that this person is about to be shown something. Raises Busy: then it isn't shown."""
        _record(parts, self.entry(parts, action, seen_id, details, AuditResult.DONE))

    def entry(
        self, parts: Parts, action: str, named: str | None, details: Mapping[str, AuditDetail], result: AuditResult
    ) -> AuditEntry:
        return AuditEntry(
            parts.now(),
            new_token(_TOKEN_LENGTH, parts.rng),
            self.staff,
            self.staff_name,
            action,
            named,
            result,
            details,
        )


type UseCase[Q, B, A] = Callable[[Parts, Call[Q, B]], A]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route[Q, B, A: View]:
    """A method and path below /admin, and the use case behind it; the types of what goes in and out are those of that.

    `role` is who may use it. `action` is what the audit log calls a change; every route that changes something has one.
    `status` is that of its answer, `errors` are those of its refusals other than 400, 401 and 5xx; docs/openapi.json lists
    them. `shortened` names the list of its answer that loses its first entries when they are too many to be given.
    """

    method: str
    path: str
    role: Role
    summary: str
    action: str | None
    status: int
    errors: tuple[int, ...]
    shortened: str | None
    use: UseCase[Q, B, A]
    query: type[Q]
    body: type[B]
    answer: type[A]

    @property
    def has_texts(self) -> bool:
        """Return whether it shows texts of SMS, unless they are asked to be hidden."""
        return "texts" in self.query.__annotations__

    @property
    def may_lack_body(self) -> bool:
        """Return whether no body says the same as `{}`, which is enough."""
        body: type[object] = self.body
        return issubclass(body, Body) and not any(field.is_required() for field in body.model_fields.values())

    def run(self, parts: Parts, request: http.Request, path: Mapping[str, str], member: StaffMember) -> http.Response:
        """Read a person's request, let the use case do its work, and return the answer. Raises GlobalConnectError.

        `path` is what the request's path says for the names in the route's.
        """
        call = Call(
            staff=str(request.claims["sub"]),
            staff_name=_staff_name(request),
            path=path,
            member=member,
            query=_read(self.query, self._query_of(request, member)),
            body=self._read_body(request),
            request=request,
        )
        shown = self.use(parts, call) if self.action is None else self._recorded(self.action, parts, call)
        ask_for_less = "ask with texts=hidden" if self.has_texts else None
        return http.Response(
            self.status, shown.model_dump(mode="json"), shortened=self.shortened, ask_for_less=ask_for_less
        )

    def _query_of(self, request: http.Request, member: StaffMember) -> dict[str, str]:
        """Return the fields of a query; who may not see texts has them hidden, and raises RoleNeeded by asking for them."""
        fields = _query_fields(request)
        if self.has_texts and not member.role.may_do_as(SEES_TEXTS) and fields.setdefault("texts", HIDDEN) != HIDDEN:
            raise RoleNeeded(SEES_TEXTS)
        return fields

    def _recorded(self, action: str, parts: Parts, call: Call[Q, B]) -> A:
        """Let the use case change something, with an entry in the audit log that is written before it begins.

        Raises Busy when that can't be written: then nothing was changed. Afterwards the entry is told how it ended. It
        goes on saying `started` when that can't be written, in which case the answer stands all the same, and when
        nobody knows: after a failure of ours, or a Busy, something may have been changed.
        """
        named, details = self._named_in(call.path)
        if isinstance(call.body, BodyWithReason):
            details["reason"] = call.body.reason
        entry = call.entry(parts, action, named, details, AuditResult.STARTED)
        _record(parts, entry)
        try:
            shown = self.use(parts, call)
        except Busy:
            raise
        except GlobalConnectError:
            _record_end(parts, _ended(entry, call.told, AuditResult.REFUSED))
            raise
        entry = _ended(entry, call.told, AuditResult.DONE)
        # What people write is for the audit log only.
        told = {name: detail for name, detail in entry.details.items() if name != "reason"}
        log(Event.CHANGED, staff=entry.staff, action=entry.action, id=entry.changed_id, **told)
        _record_end(parts, entry)
        return shown

    def _named_in(self, path: Mapping[str, str]) -> tuple[str | None, dict[str, AuditDetail]]:
        """Return the id of what a path is about, its first field, and its other fields; nothing that can't be shown."""
        names = re.findall(r"\{(\w+)\}", self.path)
        # What is longer than an id may be a key that was pasted in its place.
        longest = {name: _LONGEST_ID if name.endswith("Id") else _LONGEST_NAME for name in names}
        shown = {name: path[name] for name in names if len(path[name]) <= longest[name] and path[name].isprintable()}
        details: dict[str, AuditDetail] = {name: shown[name] for name in names[1:] if name in shown}
        return (shown.get(names[0]) if names else None), details

    def _read_body(self, request: http.Request) -> B:
        if self.body is Upload:
            return cast("B", _read_upload(request))
        content = request.body()
        if not content.strip() and self.may_lack_body:
            return _read(self.body, {})
        return _read(self.body, http.read_json_object(content, plain_number))


def route[Q, B, A: View](  # noqa: PLR0913 - what makes a route, most of it by name
    method: str,
    path: str,
    role: Role,
    summary: str,
    *,
    action: str | None = None,
    status: int = 200,
    errors: tuple[int, ...] = (),
    shortened: str | None = None,
) -> Callable[[UseCase[Q, B, A]], Route[Q, B, A]]:
    def make(use: UseCase[Q, B, A]) -> Route[Q, B, A]:
        _, call, answer = use.__annotations__.values()
        query, body = get_args(call)
        return Route(
            method=method,
            path=path,
            role=role,
            summary=summary,
            action=action,
            status=status,
            errors=errors,
            shortened=shortened,
            use=use,
            query=query,
            body=body,
            answer=answer,
        )

    return make


def id_in(path: Mapping[str, str], name: str, what: str) -> str:
    """Return the id of a partner or source in a path. What can't be one of ours can't be found: NotFound(what)."""
    if is_token(path[name]):
        return path[name]
    raise NotFound(what)


def _staff_name(request: http.Request) -> str:
    """Return the name by which people know who is signed in: an address only if Cognito knows that it is theirs."""
    claims = request.claims
    # API Gateway hands on every claim as a text.
    verified = claims.get("email_verified") == "true"
    return str((verified and claims.get("email")) or claims["cognito:username"])


def _record(parts: Parts, entry: AuditEntry) -> None:
    """Enter what is about to be done. Raises Busy when that fails, whatever the reason: then it must not be done."""
    try:
        parts.audit.write(entry)
    except Unavailable as error:
        log_failure(Event.NOT_RECORDED, error, action=entry.action)
        raise Busy from error


def _record_end(parts: Parts, entry: AuditEntry) -> None:
    """Enter how it ended. When that fails, the entry goes on saying that it was started, and a line is logged."""
    try:
        parts.audit.write(entry)
    except (Busy, Unavailable) as error:
        # What was done is done: its answer, which may hold the only copy of a key, matters more than this.
        log_failure(Event.NOT_RECORDED, error, action=entry.action, result=entry.result.value)


def _ended(entry: AuditEntry, told: AuditNote, result: AuditResult) -> AuditEntry:
    return replace(
        entry,
        action=told.action or entry.action,
        changed_id=told.changed_id or entry.changed_id,
        result=result,
        details={**entry.details, **told.details},
    )


def _query_fields(request: http.Request) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, values in request.query.items():
        if len(values) != 1:
            raise InvalidInput(_named(name), "expected once")
        fields[name] = values[0]
    return fields


def _read_upload(request: http.Request) -> Upload:
    content = request.body(largest=_LARGEST_REQUEST)
    if len(content) > LARGEST_UPLOAD:
        raise TooLarge(f"body: expected at most {LARGEST_UPLOAD} bytes")
    return Upload(content, (request.header("content-type") or "").partition(";")[0].strip().lower())


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
    schema = adapter.json_schema()
    known = list(_fields_along(schema, schema, first["loc"]))
    path = [name for name, _ in known]
    if first["type"] == "extra_forbidden" or not known:
        unknown = map(str, first["loc"][len(path) : len(path) + 1])
        return InvalidInput(_named(".".join([*path, *unknown])), "unknown field")
    return InvalidInput(".".join(path), f"expected {known[-1][1]}")


def _fields_along(
    schema: Mapping[str, Any], whole: Mapping[str, Any], loc: Sequence[int | str]
) -> Iterator[tuple[str, str]]:
    """Return the fields that lead to a place in a body, each with its description, as far as they are fields of objects."""
    for name in loc:
        if "anyOf" in schema:
            schema = next((one for one in schema["anyOf"] if one.get("type") != "null"), {})
        if "$ref" in schema:
            schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
        if name not in schema.get("properties", {}):
            return
        schema = schema["properties"][name]
        yield str(name), schema["description"]


def _named(name: str) -> str:
    """Return the name of a field that we don't know, fit to be sent back."""
    return name[:_LONGEST_NAME] if name and name.isprintable() else "body"

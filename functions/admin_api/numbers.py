"""Numbers: import, browse, read with history, withdraw and restore (contract 5)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, Self, TypedDict

from pydantic import with_config

from admin_api.activations import ActivationView
from admin_api.devices import is_online
from admin_api.import_rows import WRITERS, enter, read_rows
from admin_api.route import PAGE, Call, Upload, route
from admin_api.schema import STRICT, Body, Cursor, Filter, Flag, NoFields, NoQuery, OfflineOnly, Phones, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, existing
from globalconnect.domain.import_job import RejectedRow
from globalconnect.domain.names import StoredNames
from globalconnect.domain.number import Cause, Number
from globalconnect.domain.phones import check_phone
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso

_HISTORY = 50


class NumberChange(Body):
    """Whether a number is on sale."""

    enabled: Flag


class NumbersChange(Body):
    """Whether these numbers are on sale."""

    phones: Phones
    enabled: Flag


@with_config(STRICT)
class NumbersQuery(TypedDict, total=False):
    """Which numbers; an operator only within a country."""

    country: Filter
    operator: Filter
    online: OfflineOnly
    cursor: Cursor


class OfflineView(View):
    """Since when a number's line is offline, and how that is known: its device says so, or says nothing any more."""

    since: Time
    reason: Literal["reported", "silent"]


class NumberView(View):
    """A number, and what outcomes left on it: for which services it is blocked, and its cancels per service.

    `heldUntil` and `activationId` while a live activation holds it, `restingUntil` while it rests after a sale, or
    staff try it out. `offline` while its line is, which has nothing to do with `enabled`.
    """

    phone: str
    country: str
    operator: str
    enabled: bool
    offline: OfflineView | None
    held_until: Time | None
    activation_id: int | None
    resting_until: Time | None
    blocked: list[str]
    cancels: dict[str, int]

    @classmethod
    def of(cls, number: Number, now: int, **more: Any) -> Self:
        """Return a number as staff see it at `now` (ms); `more` are the fields of a subclass."""
        held = number.is_held(now)
        until = to_iso(number.available_from) if number.available_from > now else None
        return cls(
            phone=number.phone,
            country=number.country,
            operator=number.operator,
            enabled=number.enabled,
            offline=number.offline
            and OfflineView(since=to_iso(number.offline.since), reason=number.offline.reason.value),
            held_until=until if held else None,
            activation_id=number.activation_id if held else None,
            resting_until=until if number.resting else None,
            blocked=sorted(number.blocked),
            cancels=dict(number.cancels),
            **more,
        )


class NumberPage(View):
    """A page of numbers."""

    numbers: list[NumberView]
    cursor: str | None


class RejectedRowView(View):
    """A row that was not imported, counted from 1 without the header and without empty lines."""

    row: int
    reason: str

    @classmethod
    def of(cls, rejected: RejectedRow) -> Self:
        return cls(row=rejected.row, reason=rejected.reason)


class ImportResult(View):
    """What an import did; each row is counted in one of the three."""

    imported: int
    updated: int
    rejected: list[RejectedRowView]


class NumbersChangeResult(View):
    """How many numbers were not so before, and which of those asked for we don't have."""

    changed: int
    unknown: list[str]


class CauseView(View):
    """Whose outcome blocked a number for a service. Of cancels (4) it is the last, which stands for all of them."""

    activation_id: int
    partner_id: str
    outcome: Literal[1, 3, 4]
    at: Time

    @classmethod
    def of(cls, cause: Cause) -> Self:
        return cls(
            activation_id=cause.activation_id,
            partner_id=cause.partner_id,
            outcome=cause.outcome.value,
            at=to_iso(cause.at),
        )


class MarkView(View):
    """What outcomes left on a number for a service; a block without causes is older than they are."""

    service: str
    blocked: bool
    cancels: int
    causes: list[CauseView]


class NumberWithMarks(NumberView):
    """A number with its marks, by service."""

    marks: list[MarkView]

    @classmethod
    def of(cls, number: Number, now: int, **more: Any) -> Self:
        """Return a number as `NumberView.of` does, with its marks and where they come from."""
        marks = [
            MarkView(
                service=service,
                blocked=service in number.blocked,
                cancels=number.cancels.get(service, 0),
                causes=[CauseView.of(cause) for cause in number.causes.get(service, ())],
            )
            for service in sorted({*number.blocked, *number.cancels})
        ]
        return super().of(number, now, marks=marks, **more)


class NumberWithHistory(NumberWithMarks):
    """A number with its marks and its last activations, the newest 50 at most, newest first.

    `online` tells of its line, null when nothing says; `sourceId` is the gateway whose `line` it is, else the one that its
    last SMS came by.
    """

    online: bool | None
    source_id: str | None
    line: str | None
    activations: list[ActivationView]


@route(
    "POST",
    "/admin/numbers",
    Role.STOCK,
    "Import up to 5,000 numbers. A known number only changes its pool: its lease, history and withdrawal "
    "stay. Good rows are imported whatever is wrong with others.",
    action="numbers.imported",
    errors=(413,),
)
def import_numbers(parts: Parts, call: Call[NoQuery, Upload]) -> ImportResult:
    outcome = enter(parts, *read_rows(call.body))
    call.log_change(imported=outcome.imported, updated=outcome.updated, rejected=len(outcome.rejected))
    return ImportResult(
        imported=outcome.imported,
        updated=outcome.updated,
        rejected=[RejectedRowView.of(row) for row in outcome.rejected],
    )


@route(
    "GET",
    "/admin/numbers",
    Role.VIEW,
    "List numbers: all of them, of a country, or of an operator in it; with online=false those whose lines are offline, "
    "of all countries or one.",
)
def browse(parts: Parts, call: Call[NumbersQuery, NoFields]) -> NumberPage:
    country, operator = _stored(parts, call.query.get("country"), call.query.get("operator"))
    cursor = call.query.get("cursor")
    if "online" in call.query:
        if operator is not None:
            raise InvalidInput("operator", "expected without online")
        page = parts.numbers.offline(PAGE, cursor, country)
    else:
        page = parts.numbers.page(PAGE, cursor, country=country, operator=operator)
    now = parts.now()
    return NumberPage(numbers=[NumberView.of(number, now) for number in page.items], cursor=page.cursor)


@route(
    "GET",
    "/admin/numbers/{phone}",
    Role.VIEW,
    "Read a number as it is now, with its marks and their causes, and its last activations (the newest 50) and their outcomes. "
    "GET /admin/activations?phone= lists all that are kept.",
    errors=(404,),
)
def read(parts: Parts, call: Call[NoQuery, NoFields]) -> NumberWithHistory:
    phone = check_phone(call.path["phone"], "phone")
    number = existing(parts.numbers.get(phone), "number")
    now = parts.now()
    history = [ActivationView.of(activation, now) for activation in parts.activations.last_of_phone(phone, _HISTORY)]
    mapped = parts.inbound.lines.line_of(phone)
    return NumberWithHistory.of(
        number,
        now,
        online=is_online(parts, number, mapped),
        source_id=mapped.source_id if mapped else number.heard_by,
        line=mapped and mapped.line,
        activations=history,
    )


@route(
    "PATCH",
    "/admin/numbers/{phone}",
    Role.STOCK,
    "Withdraw a number from sale, or restore it. A live activation goes on to its end.",
    action="number.changed",
    errors=(404,),
)
def change(parts: Parts, call: Call[NoQuery, NumberChange]) -> NumberView:
    phone = check_phone(call.path["phone"], "phone")
    now = parts.now()
    if call.body.enabled:
        call.log_change("number.restored", phone)
        number = parts.numbers.restore(phone, now)
    else:
        call.log_change("number.withdrawn", phone)
        number = parts.numbers.withdraw(phone)
    return NumberView.of(number, now)


@route(
    "POST",
    "/admin/numbers/{phone}/test",
    Role.STOCK,
    "Take a free number off sale for 5 minutes, to send it an SMS from a telephone: what arrives is listed by "
    "GET /admin/tests, and pushed to nobody. 409 when it is held, rests or is withdrawn.",
    action="number.tested",
    errors=(404, 409),
)
def test(parts: Parts, call: Call[NoQuery, NoFields]) -> NumberView:
    phone = check_phone(call.path["phone"], "phone")
    call.log_change(changed_id=phone)
    now = parts.now()
    return NumberView.of(parts.numbers.test(phone, now), now)


@route(
    "POST",
    "/admin/numbers/{phone}/online",
    Role.STOCK,
    "Put a number on sale again whose line was offline: it is not, until it goes offline once more.",
    action="number.online",
    errors=(404,),
)
def put_online(parts: Parts, call: Call[NoQuery, NoFields]) -> NumberView:
    phone = check_phone(call.path["phone"], "phone")
    call.log_change(changed_id=phone)
    now = parts.now()
    return NumberView.of(existing(parts.numbers.prove_alive(phone, now, now), "number"), now)


@route(
    "PATCH",
    "/admin/numbers",
    Role.STOCK,
    "Withdraw up to 500 numbers from sale, or restore them. Numbers that we don't have are named, the others "
    "are changed all the same. Live activations go on to their end.",
    action="numbers.changed",
)
def change_many(parts: Parts, call: Call[NoQuery, NumbersChange]) -> NumbersChangeResult:
    enabled, now = call.body.enabled, parts.now()
    known = {number.phone: number for number in parts.numbers.get_many(list(dict.fromkeys(call.body.phones)))}
    changing = [phone for phone, number in known.items() if number.enabled is not enabled]
    call.log_change("numbers.restored" if enabled else "numbers.withdrawn", phones=changing)
    switch = partial(parts.numbers.restore, now=now) if enabled else parts.numbers.withdraw
    with ThreadPoolExecutor(WRITERS) as threads:
        changed = len(list(threads.map(switch, changing)))
    unknown = [phone for phone in dict.fromkeys(call.body.phones) if phone not in known]
    return NumbersChangeResult(changed=changed, unknown=unknown)


def _stored(parts: Parts, country: str | None, operator: str | None) -> tuple[str | None, str | None]:
    """Return what is asked for under the names by which it is stored. Raises InvalidInput."""
    if country is None:
        if operator is not None:
            raise InvalidInput("country", "expected with operator")
        return None, None
    pools = [(pool.country, pool.operator) for pool in parts.pool_counts.all()]
    if operator is None:
        # Two countries may be the same but for their form; then the one that is spelled so is meant.
        return (country if country in {of for of, _ in pools} else StoredNames(pools).country(country)), None
    return (country, operator) if (country, operator) in pools else StoredNames(pools).pool(country, operator)

"""Numbers: import, browse, read with history, withdraw and restore (contract 5)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from admin_api import activations
from admin_api.models import (
    CauseView,
    ImportResult,
    MarkView,
    NoFields,
    NoQuery,
    NumberChange,
    NumberPage,
    NumbersChange,
    NumbersChangeResult,
    NumbersQuery,
    NumberView,
    NumberWithHistory,
)
from admin_api.number_import import WRITERS, enter, read_rows
from admin_api.routes import PAGE, Call, Route, Upload
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, NotFound
from globalconnect.domain.names import StoredNames
from globalconnect.domain.number import Cause, Number
from globalconnect.domain.phones import check_phone
from globalconnect.domain.times import to_iso

_HISTORY = 50


def import_numbers(parts: Parts, call: Call[NoQuery, Upload]) -> ImportResult:
    """Import numbers: new ones are for sale at once; known ones only change their pool."""
    outcome = enter(parts, *read_rows(call.body))
    call.log_change(imported=outcome.new, updated=outcome.updated, rejected=len(outcome.rejected))
    return ImportResult(imported=outcome.new, updated=outcome.updated, rejected=list(outcome.rejected))


def browse(parts: Parts, call: Call[NumbersQuery, NoFields]) -> NumberPage:
    """List numbers: all of them, of a country, or of an operator in it."""
    country, operator = _stored(parts, call.query.get("country"), call.query.get("operator"))
    page = parts.numbers.page(PAGE, call.query.get("cursor"), country=country, operator=operator)
    now = parts.now()
    return NumberPage(numbers=[_shown(number, now) for number in page.items], cursor=page.cursor)


def read(parts: Parts, call: Call[NoQuery, NoFields]) -> NumberWithHistory:
    """Read a number as it is now, with its last activations."""
    phone = check_phone(call.path["phone"], "phone")
    number = parts.numbers.get(phone)
    if number is None:
        raise NotFound("number")
    now = parts.now()
    found = parts.activations.last_of_phone(phone, _HISTORY)
    history = [activations.shown(activation, now) for activation in found]
    return NumberWithHistory(**with_marks(number, now), activations=history)


def change(parts: Parts, call: Call[NoQuery, NumberChange]) -> NumberView:
    """Withdraw a number from sale, or restore it; a live activation goes on to its end."""
    phone = check_phone(call.path["phone"], "phone")
    now = parts.now()
    if call.body.enabled:
        call.log_change("number.restored", phone)
        number = parts.numbers.restore(phone, now)
    else:
        call.log_change("number.withdrawn", phone)
        number = parts.numbers.withdraw(phone)
    return _shown(number, now)


def change_many(parts: Parts, call: Call[NoQuery, NumbersChange]) -> NumbersChangeResult:
    """Withdraw numbers from sale, or restore them; those that are so already are left alone."""
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
    pools = [(pool.country, pool.operator) for pool in parts.availability.all()]
    if operator is None:
        # Two countries may be the same but for their form; then the one that is spelled so is meant.
        return (country if country in {of for of, _ in pools} else StoredNames(pools).country(country)), None
    return (country, operator) if (country, operator) in pools else StoredNames(pools).pool(country, operator)


def _shown(number: Number, now: int) -> NumberView:
    return NumberView(**_fields(number, now))


def with_marks(number: Number, now: int) -> dict[str, Any]:
    """Return the fields of a number as staff see it at `now` (ms), with its marks and where they come from."""
    marks = [
        MarkView(
            service=service,
            blocked=service in number.blocked,
            cancels=number.cancels.get(service, 0),
            causes=[_cause(cause) for cause in number.causes.get(service, ())],
        )
        for service in sorted({*number.blocked, *number.cancels})
    ]
    return {**_fields(number, now), "marks": marks}


def _cause(cause: Cause) -> CauseView:
    return CauseView(
        activation_id=cause.activation_id,
        partner_id=cause.partner_id,
        outcome=cause.outcome.value,
        at=to_iso(cause.at),
    )


def _fields(number: Number, now: int) -> dict[str, Any]:
    held = number.is_held(now)
    until = to_iso(number.available_from) if number.available_from > now else None
    return {
        "phone": number.phone,
        "country": number.country,
        "operator": number.operator,
        "enabled": number.enabled,
        "held_until": until if held else None,
        "activation_id": number.activation_id if held else None,
        "resting_until": until if number.resting else None,
        "blocked": sorted(number.blocked),
        "cancels": dict(number.cancels),
    }


ROUTES = (
    Route(
        method="POST",
        path="/admin/numbers",
        action="numbers.imported",
        use=import_numbers,
        body=Upload,
        answer=ImportResult,
        errors=(413,),
        summary="Import up to 5,000 numbers. A known number only changes its pool: its lease, history and withdrawal "
        "stay. Good rows are imported whatever is wrong with others.",
    ),
    Route(
        method="GET",
        path="/admin/numbers",
        use=browse,
        query=NumbersQuery,
        answer=NumberPage,
        summary="List numbers: all of them, of a country, or of an operator in it.",
    ),
    Route(
        method="PATCH",
        path="/admin/numbers",
        action="numbers.changed",
        use=change_many,
        body=NumbersChange,
        answer=NumbersChangeResult,
        summary="Withdraw up to 500 numbers from sale, or restore them. Numbers that we don't have are named, the others "
        "are changed all the same. Live activations go on to their end.",
    ),
    Route(
        method="GET",
        path="/admin/numbers/{phone}",
        use=read,
        answer=NumberWithHistory,
        errors=(404,),
        summary="Read a number as it is now, with its marks and their causes, and its last activations (the newest 50) and their outcomes. "
        "GET /admin/activations?phone= lists all that are kept.",
    ),
    Route(
        method="PATCH",
        path="/admin/numbers/{phone}",
        action="number.changed",
        use=change,
        body=NumberChange,
        answer=NumberView,
        errors=(404,),
        summary="Withdraw a number from sale, or restore it. A live activation goes on to its end.",
    ),
)

"""Numbers: import, browse, read with history, withdraw and restore (contract 5)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from itertools import batched
from typing import Any

from admin_api import activations
from admin_api.cursors import PAGE, Listing, has
from admin_api.models import (
    ImportShown,
    NoFields,
    NoQuery,
    NumberChange,
    NumberShown,
    NumbersQuery,
    NumbersShown,
    NumberWithHistory,
    RejectedRow,
)
from admin_api.number_import import Row, read_rows
from admin_api.routes import Call, Route, Upload
from admin_api.wiring import Admin
from globalconnect.domain.errors import InvalidInput, NotFound
from globalconnect.domain.number import Number, check_phone
from globalconnect.domain.times import to_iso
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.numbers import operator_phone_of

# 5,000 writes have to be done within the 29 s that API Gateway waits; the client keeps 50 connections.
_WRITERS = 32
_READ_AT_ONCE = 100
_HISTORY = 50


class _Placed(StrEnum):
    IMPORTED = "imported"
    UPDATED = "updated"
    CONTESTED = "contested"


def import_numbers(admin: Admin, call: Call[NoQuery, Upload]) -> ImportShown:
    """Import numbers: new ones are for sale at once; known ones only change their pool."""
    rows, rejected = read_rows(call.body)
    placed = _place_all(admin, rows)
    contested = [
        RejectedRow(row=row.row, reason="phone: changed by others meanwhile; import it again")
        for row, how in zip(rows, placed, strict=True)
        if how is _Placed.CONTESTED
    ]
    shown = ImportShown(
        imported=placed.count(_Placed.IMPORTED),
        updated=placed.count(_Placed.UPDATED),
        rejected=sorted(rejected + contested, key=lambda refused: refused.row),
    )
    call.log_change("numbers.imported", imported=shown.imported, updated=shown.updated, rejected=len(shown.rejected))
    return shown


def browse(admin: Admin, call: Call[NumbersQuery, NoFields]) -> NumbersShown:
    """List numbers: all of them, of a country, or of an operator in it."""
    country, operator = call.query.get("country"), call.query.get("operator")
    if operator is not None and country is None:
        raise InvalidInput("country", "expected with operator")
    listing = _listing(country, operator)
    found, next_key = admin.numbers.page(country, operator, PAGE, listing.key(call.query.get("cursor")))
    now = admin.now()
    return NumbersShown(numbers=[_shown(number, now) for number in found], cursor=listing.cursor(next_key))


def read(admin: Admin, call: Call[NoQuery, NoFields]) -> NumberWithHistory:
    """Read a number as it is now, with its last activations."""
    phone = check_phone(call.path["phone"], "phone")
    number = admin.numbers.get(phone)
    if number is None:
        raise NotFound("number")
    now = admin.now()
    found, _ = admin.activations.page(None, phone, _HISTORY, None, now)
    history = [activations.shown(activation, now) for activation in found]
    return NumberWithHistory(**_fields(number, now), activations=history)


def change(admin: Admin, call: Call[NoQuery, NumberChange]) -> NumberShown:
    """Withdraw a number from sale, or restore it; a live activation goes on to its end."""
    phone = check_phone(call.path["phone"], "phone")
    now = admin.now()
    if call.body.enabled:
        number = admin.numbers.restore(phone, now)
        call.log_change("number.restored", phone)
    else:
        number = admin.numbers.withdraw(phone)
        call.log_change("number.withdrawn", phone)
    return _shown(number, now)


def _place_all(admin: Admin, rows: Sequence[Row]) -> list[_Placed]:
    """Enter each row's number in its pool, many at a time, leaving alone those that are in it already."""
    with ThreadPoolExecutor(_WRITERS) as threads:
        phones = batched((row.phone for row in rows), _READ_AT_ONCE, strict=False)
        known = {number.phone: number for found in threads.map(admin.numbers.get_many, phones) for number in found}
        moving = [row for row in rows if not _is_in_place(known.get(row.phone), row)]
        # Pools first, so that the number can be found and counted as soon as it is there.
        pools = sorted({(row.country, row.operator) for row in moving})
        list(threads.map(lambda pool: admin.availability.open_pool(*pool), pools))
        placed = dict(zip((row.row for row in moving), threads.map(partial(_place, admin), moving), strict=True))
    return [placed.get(row.row, _Placed.UPDATED) for row in rows]


def _is_in_place(number: Number | None, row: Row) -> bool:
    return number is not None and (number.country, number.operator) == (row.country, row.operator)


def _place(admin: Admin, row: Row) -> _Placed:
    try:
        admin.numbers.add(Number(row.phone, row.country, row.operator, available_from=admin.now()))
    except ConditionFailed:
        pass
    else:
        return _Placed.IMPORTED
    try:
        admin.numbers.move(row.phone, row.country, row.operator, admin.now())
    except ConditionFailed:
        return _Placed.CONTESTED
    return _Placed.UPDATED


def _listing(country: str | None, operator: str | None) -> Listing:
    if country is None:
        return Listing("numbers", partial(has, phone=str))

    def is_key(key: object) -> bool:
        return has(key, phone=str, country=country, operator_phone=str) and (
            operator is None or key["operator_phone"] == operator_phone_of(operator, key["phone"])  # type: ignore[index]
        )

    return Listing("numbers", is_key, (country, operator))


def _shown(number: Number, now: int) -> NumberShown:
    return NumberShown(**_fields(number, now))


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
        use=import_numbers,
        body=Upload,
        answer=ImportShown,
        errors=(413,),
        summary="Import up to 5,000 numbers. A known number only changes its pool: its lease, history and withdrawal "
        "stay. Good rows are imported whatever is wrong with others.",
    ),
    Route(
        method="GET",
        path="/admin/numbers",
        use=browse,
        query=NumbersQuery,
        answer=NumbersShown,
        summary="List numbers: all of them, of a country, or of an operator in it.",
    ),
    Route(
        method="GET",
        path="/admin/numbers/{phone}",
        use=read,
        answer=NumberWithHistory,
        errors=(404,),
        summary="Read a number as it is now, with its last activations (the newest 50) and their outcomes. "
        "GET /admin/activations?phone= lists all that are kept.",
    ),
    Route(
        method="PATCH",
        path="/admin/numbers/{phone}",
        use=change,
        body=NumberChange,
        answer=NumberShown,
        errors=(404,),
        summary="Withdraw a number from sale, or restore it. A live activation goes on to its end.",
    ),
)

"""Numbers: import, browse, read with history, withdraw and restore (contract 5)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from admin_api.activations.views import ActivationView
from admin_api.numbers.rows import WRITERS, enter, read_rows
from admin_api.numbers.views import (
    ImportResult,
    NumberChange,
    NumberPage,
    NumbersChange,
    NumbersChangeResult,
    NumbersQuery,
    NumberView,
    NumberWithHistory,
    RejectedRowView,
)
from admin_api.route import PAGE, Call, Upload
from admin_api.schema import NoFields, NoQuery
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, NotFound
from globalconnect.domain.names import StoredNames
from globalconnect.domain.phones import check_phone

_HISTORY = 50


def import_numbers(parts: Parts, call: Call[NoQuery, Upload]) -> ImportResult:
    """Import numbers: new ones are for sale at once; known ones only change their pool."""
    outcome = enter(parts, *read_rows(call.body))
    call.log_change(imported=outcome.new, updated=outcome.updated, rejected=len(outcome.rejected))
    return ImportResult(
        imported=outcome.new, updated=outcome.updated, rejected=[RejectedRowView.of(row) for row in outcome.rejected]
    )


def browse(parts: Parts, call: Call[NumbersQuery, NoFields]) -> NumberPage:
    """List numbers: all of them, of a country, or of an operator in it."""
    country, operator = _stored(parts, call.query.get("country"), call.query.get("operator"))
    page = parts.numbers.page(PAGE, call.query.get("cursor"), country=country, operator=operator)
    now = parts.now()
    return NumberPage(numbers=[NumberView.of(number, now) for number in page.items], cursor=page.cursor)


def read(parts: Parts, call: Call[NoQuery, NoFields]) -> NumberWithHistory:
    """Read a number as it is now, with its last activations."""
    phone = check_phone(call.path["phone"], "phone")
    number = parts.numbers.get(phone)
    if number is None:
        raise NotFound("number")
    now = parts.now()
    found = parts.activations.last_of_phone(phone, _HISTORY)
    history = [ActivationView.of(activation, now) for activation in found]
    return NumberWithHistory.of(number, now, activations=history)


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
    return NumberView.of(number, now)


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
    pools = [(pool.country, pool.operator) for pool in parts.pool_counts.all()]
    if operator is None:
        # Two countries may be the same but for their form; then the one that is spelled so is meant.
        return (country if country in {of for of, _ in pools} else StoredNames(pools).country(country)), None
    return (country, operator) if (country, operator) in pools else StoredNames(pools).pool(country, operator)

"""A partner's own forms: the switches of its dialect, what it is answered and pushed, by example, and its names (contract 1.8)."""

import json
from collections.abc import Callable, Mapping

from globalconnect.domain.activation import Activation
from globalconnect.domain.errors import Busy, NotFound, Unavailable
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.partner_names import PartnerNames
from globalconnect.domain.pool_counts import OnSale, PoolCounts
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.answers import error_body, messages_body, number_body, services_body
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.push import push_body, push_headers
from globalconnect.hub_protocol.switches import switches_of
from globalconnect.store.names import Names

# Where the key would be.
_KEY = "…"
_RECEIVED_AT = 1_705_322_096_000
_POOL = PoolCounts("england", "Hutchison 3G UK Ltd", total=5, free=5)
_ON_SALE = OnSale({"tg": "tg"}, {_POOL.country: {_POOL.operator: [_POOL]}})
_ACTIVATION = Activation(
    activation_id=ActivationId(12_345_678_901_234),
    partner_id=PartnerId(""),
    phone="447472190082",
    country="england",
    operator="Hutchison 3G UK Ltd",
    service="tg",
    started_at=_RECEIVED_AT,
    expires_at=_RECEIVED_AT,
)
_SMS = Sms(
    sms_id=SmsId(36_532),
    activation_id=_ACTIVATION.activation_id,
    partner_id=_ACTIVATION.partner_id,
    phone=_ACTIVATION.phone,
    phone_from="Telegram",
    text="Your code: 50151",
    received_at=_RECEIVED_AT,
    stored_at=_RECEIVED_AT,
)


def own_dialect(partner: Partner, dialects: Mapping[str, Dialect]) -> Dialect | None:
    """Return a partner's dialect, None if the code does not know it."""
    return _readable(lambda: dialect_of(partner, dialects))


def own_of(partner: Partner, dialect: Dialect | None, names: Names) -> dict[str, object]:
    """Return what the page tells a partner of itself. `forms` and `names` are each None if they can't be read now.

    That fails nothing: with a link, this answer is the only one with the key.
    """
    return {
        "name": partner.name,
        "dialect": partner.dialect,
        "forms": None if dialect is None else forms_of(dialect),
        "names": _readable(lambda: names_of(names.of(partner), partner)),
    }


def _readable[T](read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Busy:
        return None
    # LookupError: a dialect that the code does not know, or names that are not there.
    except (LookupError, Unavailable) as error:
        # Imported here as endpoint does: it is nearly never needed.
        from globalconnect.runtime.logs import Event, log_failure  # noqa: PLC0415

        log_failure(Event.UNEXPECTED, error)
        return None


def forms_of(dialect: Dialect) -> dict[str, object]:
    """Return what the page says of a dialect. The examples are made as answers and pushes are."""
    return {
        "title": dialect.title,
        "switches": switches_of(dialect),
        "examples": {
            "counts": {
                action: json.loads(services_body(_ON_SALE, form, dialect.operators))
                for action, form in dialect.counts.items()
            },
            "number": number_body(_ACTIVATION, dialect),
            "messages": messages_body([_SMS], _ACTIVATION.state(_RECEIVED_AT), dialect),
            "error": error_body(NotFound("activation"), dialect),
            "push": push_body(_SMS, _KEY, dialect),
            "pushHeaders": push_headers(_KEY, dialect),
        },
    }


def names_of(names: PartnerNames, partner: Partner) -> dict[str, object]:
    """Return what a partner calls countries, the operators of each, and the services that it may buy, as far as it was said."""
    operators: dict[str, set[str]] = {}
    for country, own in names.operators.items():
        theirs = names.country(country)
        if theirs is not None:
            operators.setdefault(theirs, set()).update(own.values())
    return {
        "countries": sorted({*names.countries.values()}),
        "operators": {country: sorted(operators[country]) for country in sorted(operators)},
        "services": sorted(theirs for ours, theirs in names.services.items() if partner.may_buy(ours)),
        "unmapped": "hide" if names.hides_unmapped else "pass",
    }

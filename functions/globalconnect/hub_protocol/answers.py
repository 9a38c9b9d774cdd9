"""What hubs are answered: results become bodies (contract 1 and 2)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from globalconnect.domain.activation import Activation, State
from globalconnect.domain.errors import GlobalConnectError
from globalconnect.domain.sms import Sms
from globalconnect.domain.times import to_iso
from globalconnect.hub_protocol.dialect import CountsForm, Dialect, ListedOperators

if TYPE_CHECKING:
    # getsms writes no counts: their rules would make its cold start longer.
    from globalconnect.domain.pool_counts import OnSale, PoolCounts

SUCCESS = "SUCCESS"
NO_NUMBERS = "NO_NUMBERS"
WAIT_CODE = "WAIT_CODE"
EXPIRED = "EXPIRED"
ERROR = "ERROR"

# What hubs call all operators of a country.
ANY_OPERATOR = "any"

# The field of getsms that holds the list: of one too long for an answer the newest are given.
MESSAGES = "messages"

type Body = dict[str, object]

_quoted = json.JSONEncoder(ensure_ascii=False).encode


def services_body(on_sale: "OnSale", form: CountsForm, operators: ListedOperators) -> str:
    """Return the answer to GET_SERVICES as JSON, in a dialect's form and with the operators that it lists.

    It is text because a hub may ask for 100,000 counts at once, and writing them down costs less than half of what
    building them as an object and turning that into text does.
    """
    counts = (
        "{" + ",".join(f"{_quoted(code).replace('%', '%%')}:{form.count}" for code in on_sale.services.values()) + "}"
    )
    return form.whole.format(
        ",".join(
            form.country.format(_quoted(country), ",".join(_operators(on_sale, pools, counts, operators)))
            for country, pools in on_sale.countries.items()
        )
    )


def _operators(
    on_sale: "OnSale", pools: Mapping[str, Sequence["PoolCounts"]], counts: str, listed: ListedOperators
) -> Iterator[str]:
    # An operator that the partner calls so is no other than all.
    if listed.total or ANY_OPERATOR in pools:
        yield f'"{ANY_OPERATOR}":{counts % on_sale.counts([*chain.from_iterable(pools.values())])}'
    if listed.each:
        for operator, its_pools in pools.items():
            if operator != ANY_OPERATOR:
                yield f"{_quoted(operator)}:{counts % on_sale.counts(its_pools)}"


def number_body(activation: Activation | None, dialect: Dialect) -> Body:
    if activation is None:
        return {"status": NO_NUMBERS}
    return {
        "number": dialect.number(activation.phone),
        "activationId": activation.activation_id,
        "status": SUCCESS,
        **dialect.number_extras,
    }


def finished_body() -> Body:
    return {"status": SUCCESS}


def messages_body(sms: Iterable[Sms], state: State, dialect: Dialect) -> Body:
    messages = [{**sms_fields(one, dialect), "receivedAt": to_iso(one.received_at)} for one in sms]
    if messages:
        return {"status": SUCCESS, MESSAGES: messages}
    return {"status": WAIT_CODE if state is State.LIVE else EXPIRED}


def sms_fields(sms: Sms, dialect: Dialect) -> Body:
    """Return what getsms and pushes say of an SMS."""
    return {
        "smsId": dialect.sms_id(sms.sms_id),
        "phone": dialect.phone(sms.phone),
        "phoneFrom": sms.phone_from,
        "text": sms.text,
    }


def error_body(error: GlobalConnectError, dialect: Dialect) -> Body:
    return {"status": ERROR, **dict.fromkeys(dialect.error_fields, str(error))}

"""The real stores on DynamoDB's tables, with the calls of MemoryStore."""

from collections.abc import Callable, Mapping
from typing import Any

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Sms
from globalconnect.domain.times import DAY, MINUTE
from globalconnect.store.activations import ENTRY, from_activation, from_sms
from globalconnect.store.dynamo import Dynamo, expression
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes

_KEEP = 30 * DAY


class TableStore:
    """Messages, activations and partners in tables, whose names are in the functions' environment."""

    def __init__(self, db: Dynamo, env: Mapping[str, str], now: Callable[[], int]) -> None:
        self._db = db
        self._table = env["ACTIVATIONS_TABLE"]
        self._pushes = Pushes(db, self._table, _KEEP)
        self._partners = Partners(db, env["PARTNERS_TABLE"], 0, now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pushes if hasattr(self._pushes, name) else self._partners, name)

    def add_partner(self, partner: Partner) -> None:
        self._partners.add(partner)

    def store_sms(self, sms: Sms) -> None:
        ends = sms.stored_at + 20 * MINUTE
        activation = Activation(
            sms.activation_id, sms.partner_id, sms.phone, "england", "any", "tg", sms.stored_at, ends
        )
        self._db.put_many(self._table, [from_activation(activation, _KEEP), from_sms(sms, _KEEP)])

    def finish(self, activation_id: int) -> None:
        key: dict[str, str | int] = {"activation_id": activation_id, "entry": ENTRY}
        self._db.update(self._table, key, expression("SET #outcome = :outcome", outcome=Outcome.SUCCESS.value))

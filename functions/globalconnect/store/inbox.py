"""The Inbox table: every delivery of a gateway once, and what could not be given to an activation."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from globalconnect.domain.sms import InboundSms
from globalconnect.store.activations import expire_at
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, expression, put

NEW = expression("attribute_not_exists(#inbox_id)")


class Kind(StrEnum):
    """What operators look for in the inbox; a routed SMS has no kind."""

    UNCLAIMED = "unclaimed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery we have seen: which one, and when it was stored (ms)."""

    source_id: str
    delivery: str
    stored_at: int


class Inbox:
    """Deliveries by SMS id. Kept for `keep` ms."""

    def __init__(self, db: Dynamo, table: str, keep: int) -> None:
        self._db = db
        self.table = table
        self.keep = keep

    def seen(self, sms_id: int) -> Delivery | None:
        """Give the delivery that was stored under an SMS id."""
        item = self._db.get(self.table, {"inbox_id": str(sms_id)})
        return Delivery(item["source_id"], item["delivery"], item["stored_at"]) if item else None

    def routed(self, sms_id: int, source_id: str, sms: InboundSms, now: int) -> Mapping[str, Any]:
        """Give the action that notes a delivery whose SMS is stored with its activation."""
        return put(self.table, self._delivery(sms_id, source_id, sms, now), NEW)

    def keep_unclaimed(self, sms_id: int, source_id: str, sms: InboundSms, now: int) -> None:
        """Keep an SMS that no activation holds, for operators. Raises ConditionFailed when the id has been used."""
        text = {
            "kind": Kind.UNCLAIMED.value,
            "phone": sms.phone,
            "phone_from": sms.phone_from,
            "text": sms.text,
            "received_at": now if sms.received_at is None else sms.received_at,
        }
        self._db.put(self.table, self._delivery(sms_id, source_id, sms, now) | text, NEW)

    def keep_unreadable(self, inbox_id: str, source_id: str, payload: str, reason: str, now: int) -> None:
        """Keep a payload that its adapter could not read, for operators; a second time changes nothing."""
        item = {
            "inbox_id": inbox_id,
            "kind": Kind.UNREADABLE.value,
            "source_id": source_id,
            "payload": payload,
            "reason": reason,
            "stored_at": now,
            "expire_at": expire_at(now, self.keep),
        }
        try:
            self._db.put(self.table, item, NEW)
        except ConditionFailed:
            return

    def page(self, kind: Kind, limit: int, after: Item | None) -> tuple[list[Item], Item | None]:
        """Give one page of what was kept for operators, newest first, and the key to go on from."""
        page = self._db.query(
            self.table,
            expression("#kind = :kind", kind=kind.value),
            index="by-kind",
            limit=limit,
            after=after,
            newest_first=True,
        )
        return page.items, page.next_key

    def _delivery(self, sms_id: int, source_id: str, sms: InboundSms, now: int) -> Item:
        return {
            "inbox_id": str(sms_id),
            "source_id": source_id,
            "delivery": sms.delivery,
            "stored_at": now,
            "expire_at": expire_at(now, self.keep),
        }

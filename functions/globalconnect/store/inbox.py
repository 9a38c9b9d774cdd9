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
    """A delivery of a source: what identifies it there, and when it was stored (ms)."""

    source_id: str
    identity: str
    stored_at: int

    def is_same(self, other: "Delivery") -> bool:
        """Tell whether the two are one delivery, whenever they came."""
        return (self.source_id, self.identity) == (other.source_id, other.identity)


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

    def routed(self, sms_id: int, delivery: Delivery) -> Mapping[str, Any]:
        """Give the action that notes a delivery whose SMS is stored with its activation."""
        return put(self.table, self._noted(sms_id, delivery), NEW)

    def keep_unclaimed(self, sms_id: int, delivery: Delivery, sms: InboundSms) -> None:
        """Keep an SMS that no activation holds, for operators. Raises ConditionFailed when the id has been used."""
        content = {
            "kind": Kind.UNCLAIMED.value,
            "phone": sms.phone,
            "phone_from": sms.phone_from,
            "text": sms.text,
            "received_at": delivery.stored_at if sms.received_at is None else sms.received_at,
        }
        self._db.put(self.table, self._noted(sms_id, delivery) | content, NEW)

    def keep_unreadable(self, inbox_id: str, source_id: str, payload: bytes, reason: str, now: int) -> None:
        """Keep a payload that its adapter could not read, for operators; a second time changes nothing."""
        item = {
            "inbox_id": inbox_id,
            "kind": Kind.UNREADABLE.value,
            "source_id": source_id,
            # As bytes: it may be no text at all, and spelling it out could outgrow the item.
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

    def _noted(self, sms_id: int, delivery: Delivery) -> Item:
        return {
            "inbox_id": str(sms_id),
            "source_id": delivery.source_id,
            "delivery": delivery.identity,
            "stored_at": delivery.stored_at,
            "expire_at": expire_at(delivery.stored_at, self.keep),
        }

"""The Inbox table: every SMS of a gateway once, what was heard of its words, and what no activation got."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from globalconnect.domain.ids import ActivationId, SmsId, SourceId
from globalconnect.domain.inbound import (
    Identity,
    InboundSms,
    InboxKind,
    Receipt,
    UnclaimedReason,
    UnclaimedSms,
    UnreadablePayload,
    WordsRecord,
)
from globalconnect.domain.times import SECOND
from globalconnect.store.activations import expire_at, is_kept
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, Key, expression, put

# DynamoDB takes no more in an item.
_LONGEST_PAYLOAD = 256 * 1024


# Before the id of the SMS of which an entry is a copy.
COPY = "copy#"


class Inbox:
    """Entries by SMS id, by words, and by what could not be read. Kept for `retention` ms."""

    def __init__(self, db: Dynamo, table: str, retention: int) -> None:
        self._db = db
        self.table = table
        self.retention = retention

    def has(self, receipt: Receipt) -> bool | None:
        """Return whether what is stored under a delivery's SMS id is the same SMS; None when nothing is."""
        item = self._db.get(self.table, inbox_key(receipt.sms_id))
        if item is None or not is_kept(item, receipt.stored_at):
            return None
        return is_entry_of(item, receipt.identity)

    def keep_doubtful(self, receipt: Receipt, heard: WordsRecord, received_at: int) -> None:
        """Keep for staff what may be a repeat of an SMS that the holder of the number did not get; one entry, which
        counts how often it came.
        """
        item = self.noted_unclaimed(receipt, received_at, UnclaimedReason.DOUBTFUL)
        del item["inbox_id"]
        first = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in item if name != "expire_at")
        change = expression(f"SET #expire_at = :expire_at, {first} ADD #repeats :one", one=1, **item)
        # What was unclaimed is counted itself.
        key = inbox_key(heard.sms_id) if heard.activation_id is None else {"inbox_id": f"{COPY}{heard.sms_id}"}
        self._db.update(self.table, key, change)

    def keep_unreadable(self, inbox_id: str, source_id: SourceId, payload: bytes, reason: str, now: int) -> None:
        """Keep a payload that its adapter could not read, for staff; a second time changes nothing."""
        item = {
            "inbox_id": inbox_id,
            "kind": InboxKind.UNREADABLE.value,
            "source_id": source_id,
            # As bytes: it may be no text at all, and spelling it out could outgrow the item.
            "payload": payload[:_LONGEST_PAYLOAD],
            "reason": reason,
            "stored_at": now,
            "expire_at": expire_at(now, self.retention),
        }
        with suppress(ConditionFailed):
            self._db.put(self.table, item, is_new(now))

    def unclaimed(self, limit: int, cursor: str | None, now: int) -> Page[UnclaimedSms]:
        """Return one page of the SMS that no activation got and that are kept at `now` (ms), newest first.

        Raises InvalidInput for a cursor of something else.
        """
        page = self._page(InboxKind.UNCLAIMED, limit, cursor, now)
        return Page([_to_unclaimed(item) for item in page.items], page.cursor)

    def unreadable(self, limit: int, cursor: str | None, now: int) -> Page[UnreadablePayload]:
        """Return one page of the payloads that could not be read and are kept at `now` (ms), newest first.

        Raises InvalidInput for a cursor of something else.
        """
        page = self._page(InboxKind.UNREADABLE, limit, cursor, now)
        return Page([_to_unreadable(item) for item in page.items], page.cursor)

    def _page(self, kind: InboxKind, limit: int, cursor: str | None, now: int) -> Page[Item]:
        listing = Listing(kind.value, partial(has, inbox_id=str, kind=kind.value, stored_at=int))
        page = self._db.query(
            self.table,
            expression("#kind = :kind", kind=kind.value),
            index="by-kind",
            limit=limit,
            after=listing.key(cursor),
            newest_first=True,
        )
        return Page([item for item in page.items if is_kept(item, now)], listing.cursor(page.next_key))

    def noted(self, receipt: Receipt) -> Item:
        return {
            **inbox_key(receipt.sms_id),
            "source_id": receipt.source_id,
            "delivery": receipt.identity.name,
            "stored_at": receipt.stored_at,
            "expire_at": expire_at(receipt.stored_at, self.retention),
        }

    def noted_unclaimed(self, receipt: Receipt, received_at: int, reason: UnclaimedReason) -> Item:
        """Return the entry of an SMS that no activation gets: it holds the SMS."""
        return self.noted(receipt) | {
            "kind": InboxKind.UNCLAIMED.value,
            "phone": receipt.sms.phone,
            "phone_from": receipt.sms.phone_from,
            "text": receipt.sms.text,
            "received_at": received_at,
            "reason": reason.value,
        }

    def hear(
        self, receipt: Receipt, heard: WordsRecord | None, activation_id: ActivationId | None
    ) -> list[Mapping[str, Any]]:
        """Return the action, if one is needed, that notes the words of an SMS with the activation that gets it, if one does.

        `heard` is how they were read: the action fails if they were heard again since. Words stay with the activation
        that got them first, or with nobody.
        """
        sms = receipt.sms
        if heard is not None and (sms.provider_id is not None or activation_id is None):
            return []
        noted = {
            **words_key(sms),
            "sms_id": receipt.sms_id,
            "activation_id": activation_id,
            "stored_at": receipt.stored_at,
            "stated_at": sms.stated_at,
            "expire_at": expire_at(receipt.stored_at, self.retention),
        }
        is_as_read = is_new(receipt.stored_at) if heard is None else expression("#sms_id = :heard", heard=heard.sms_id)
        return [put(self.table, noted, is_as_read)]


def _to_unclaimed(item: Item) -> UnclaimedSms:
    return UnclaimedSms(
        sms_id=item["inbox_id"].removeprefix(COPY),
        source_id=item["source_id"],
        phone=item["phone"],
        phone_from=item["phone_from"],
        text=item["text"],
        received_at=item["received_at"],
        stored_at=item["stored_at"],
        # An earlier version did not keep why.
        reason=item.get("reason", UnclaimedReason.NOT_HELD.value),
        repeats=item.get("repeats", 0),
    )


def _to_unreadable(item: Item) -> UnreadablePayload:
    return UnreadablePayload(item["source_id"], item["payload"], item["reason"], item["stored_at"])


def is_new(now: int) -> Expression:
    """Return the condition that there is no entry at `now` (ms), or one that is past its retention: it counts no more."""
    return expression("attribute_not_exists(#inbox_id) OR #expire_at <= :now", now=now // SECOND)


def inbox_key(sms_id: SmsId) -> Key:
    return {"inbox_id": str(sms_id)}


def words_key(sms: InboundSms) -> Key:
    return {"inbox_id": f"words#{sms.words}"}


def heard_from(item: Item) -> WordsRecord:
    return WordsRecord(item["sms_id"], item.get("activation_id"), item["stored_at"], item.get("stated_at"))


def is_entry_of(item: Item, identity: Identity) -> bool:
    same_source: bool = identity.source_id in {"", item["source_id"]}
    return same_source and item["delivery"] == identity.name

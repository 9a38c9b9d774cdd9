"""The Inbox table: every SMS of a gateway once, what was heard of its words, and what no activation got."""

from contextlib import suppress
from functools import partial

from globalconnect.domain.ids import ActivationId, SmsId, SourceId
from globalconnect.domain.inbound import (
    Identity,
    InboundSms,
    InboxKind,
    Receipt,
    UnclaimedReason,
    UnclaimedSms,
    UnreadablePayload,
    WaitingSms,
    WordsRecord,
)
from globalconnect.domain.times import SECOND
from globalconnect.store.activations import expire_at, is_kept
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, Key, changing, expression, put, update

# DynamoDB takes no more in an item.
_LONGEST_PAYLOAD = 256 * 1024


# Before the id of the SMS of which an entry is a copy.
COPY = "copy#"
_SMS = Codec(InboundSms)
_SMS_ATTRIBUTES = ("kind", "phone", "phone_from", "text", "received_at", "arrived_at", "reason", "line", "sms")


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

    def came_at(self, sms_id: SmsId) -> int | None:
        """Return when an SMS was stored (ms), None when none is under that id."""
        item = self._db.get(self.table, inbox_key(sms_id))
        return None if item is None else int(item["stored_at"])

    def waits(self, sms_id: SmsId) -> bool:
        """Return whether an SMS waits for its line to be mapped."""
        item = self._db.get(self.table, inbox_key(sms_id))
        return item is not None and item.get("kind") == InboxKind.WAITING

    def keep_doubtful(self, receipt: Receipt, heard: WordsRecord, *, in_test: bool) -> None:
        """Keep for staff what may be a repeat of an SMS that the holder of the number did not get; one entry, which
        counts how often it came. A test counts only what comes while its number is tried out (`in_test`).
        """
        item = self._noted(receipt) | self._kept(receipt, InboxKind.UNCLAIMED, UnclaimedReason.DOUBTFUL)
        del item["inbox_id"]
        item = {name: value for name, value in item.items() if value is not None}
        first = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in item if name != "expire_at")
        change = expression(f"SET #expire_at = :expire_at, {first} ADD #repeats :one", one=1, **item)
        if heard.activation_id is None:
            # What was unclaimed is counted itself.
            is_no_test = expression("attribute_not_exists(#kind) OR #kind <> :test", test=InboxKind.TEST.value)
            with suppress(ConditionFailed):
                self._db.update(self.table, inbox_key(heard.sms_id), change, None if in_test else is_no_test)
                return
        self._db.update(self.table, {"inbox_id": f"{COPY}{heard.sms_id}"}, change)

    def keep_unreadable(self, payload: UnreadablePayload) -> None:
        """Keep a payload that its adapter could not read, for staff; a second time changes nothing."""
        item = {
            "inbox_id": payload.payload_id,
            "kind": InboxKind.UNREADABLE.value,
            "source_id": payload.source_id,
            # As bytes: it may be no text at all, and spelling it out could outgrow the item.
            "payload": payload.body[:_LONGEST_PAYLOAD],
            "reason": payload.reason,
            "method": payload.method,
            "query": payload.query or None,
            "content_type": payload.content_type or None,
            "stored_at": payload.stored_at,
            "expire_at": expire_at(payload.stored_at, self.retention),
        }
        with suppress(ConditionFailed):
            self._db.put(self.table, item, is_new(payload.stored_at))

    def note_arrival(self, payload_id: str, source_id: SourceId, now: int) -> None:
        """Note that a delivery came at `now` (ms) of which something could not be read; a second time changes nothing."""
        item = {"inbox_id": payload_id, "source_id": source_id, "stored_at": now}
        with suppress(ConditionFailed):
            self._db.put(self.table, {**item, "expire_at": expire_at(now, self.retention)}, is_new(now))

    def payload(self, payload_id: str, now: int) -> UnreadablePayload | None:
        """Return a payload that could not be read, None when none is kept under that id at `now` (ms)."""
        item = self._db.get(self.table, {"inbox_id": payload_id})
        is_there = item is not None and item.get("kind") == InboxKind.UNREADABLE and is_kept(item, now)
        return _to_unreadable(item) if item is not None and is_there else None

    def was_read(self, payload_id: str) -> bool:
        """Return whether a payload that could not be read when it came has been read since."""
        item = self._db.get(self.table, {"inbox_id": payload_id})
        return item is not None and "kind" not in item

    def note_read(self, payload_id: str) -> None:
        """Take a payload that has been read after all off what could not be; when it came stays known."""
        with suppress(ConditionFailed):
            self._db.update(
                self.table,
                {"inbox_id": payload_id},
                changing(removes=["kind", "payload", "query", "reason"]),
                expression("#kind = :kind", kind=InboxKind.UNREADABLE.value),
            )

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

    def tests(self, limit: int, cursor: str | None, now: int) -> Page[WaitingSms]:
        """Return one page of the SMS by which staff tried numbers out, newest first.

        Raises InvalidInput for a cursor of something else.
        """
        page = self._page(InboxKind.TEST, limit, cursor, now)
        return Page([_to_waiting(item) for item in page.items], page.cursor)

    def waiting(self, limit: int, cursor: str | None, now: int) -> Page[WaitingSms]:
        """Return one page of the SMS that wait for their lines to be mapped, newest first.

        Raises InvalidInput for a cursor of something else.
        """
        page = self._page(InboxKind.WAITING, limit, cursor, now)
        return Page([_to_waiting(item) for item in page.items], page.cursor)

    def _page(self, kind: InboxKind, limit: int, cursor: str | None, now: int) -> Page[Item]:
        return page_of(self._db, self.table, kind, limit, cursor, now)

    def entering(self, receipt: Receipt, kind: InboxKind | None = None, reason: UnclaimedReason | None = None) -> Item:
        """Return the action that notes the delivery of an SMS; with a `kind`, which no activation gets, it holds the SMS.

        It fails when it was noted before, or waits no more for its line.
        """
        kept = self._kept(receipt, kind, reason) if kind else {}
        if not receipt.is_waiting:
            return put(self.table, self._noted(receipt) | kept, is_new(receipt.stored_at))
        change = changing(
            {name: value for name, value in kept.items() if value is not None} or None,
            removes=[name for name in _SMS_ATTRIBUTES if kept.get(name) is None],
        )
        is_waiting = expression("#kind = :waiting", waiting=InboxKind.WAITING.value)
        return update(self.table, inbox_key(receipt.sms_id), change, is_waiting)

    def _noted(self, receipt: Receipt) -> Item:
        return {
            **inbox_key(receipt.sms_id),
            "source_id": receipt.source_id,
            "delivery": receipt.identity.name,
            "stored_at": receipt.stored_at,
            "expire_at": expire_at(receipt.stored_at, self.retention),
        }

    @staticmethod
    def _kept(receipt: Receipt, kind: InboxKind, reason: UnclaimedReason | None) -> Item:
        sms = receipt.sms
        kept = {"kind": kind.value, "line": sms.line, "arrived_at": receipt.arrived_at}
        if kind is not InboxKind.UNCLAIMED:
            # Whole: it may be placed later as if it came now.
            return {**kept, "sms": _SMS.to_item(sms)}
        return {
            **kept,
            # Of one that was given up, what its gateway takes for its number is all there is.
            "phone": sms.phone or next(iter(sms.readings), ""),
            "phone_from": sms.phone_from,
            "text": sms.text,
            "received_at": receipt.received_at,
            "reason": None if reason is None else reason.value,
        }

    def hearing(
        self, receipt: Receipt, heard: tuple[WordsRecord | None, ...], activation_id: ActivationId | None
    ) -> list[Item]:
        """Return the actions, if any are needed, that note the words of an SMS with the activation that gets it, if one does.

        `heard` is how they were read: an action fails if they were heard again since. Words stay with the activation
        that got them first, or with nobody.
        """
        sms = receipt.sms
        actions = []
        for key, record in zip(words_keys(sms, receipt.source_id), heard, strict=True):
            is_its_own = record is not None and record.sms_id == receipt.sms_id
            if record is not None and (activation_id is None or (sms.provider_id is not None and not is_its_own)):
                continue
            noted = {
                **key,
                "sms_id": receipt.sms_id,
                "activation_id": activation_id,
                # What counts is when it reached us.
                "stored_at": receipt.arrived_at,
                "stated_at": sms.stated_at,
                "expire_at": expire_at(receipt.stored_at, self.retention),
            }
            is_as_read = (
                is_new(receipt.stored_at) if record is None else expression("#sms_id = :heard", heard=record.sms_id)
            )
            actions.append(put(self.table, noted, is_as_read))
        return actions


def page_of(  # noqa: PLR0913, PLR0917 - what any listing takes, and where
    db: Dynamo, table: str, kind: InboxKind, limit: int, cursor: str | None, now: int
) -> Page[Item]:
    """Return one page of the entries of a kind that are kept at `now` (ms), newest first.

    Raises InvalidInput for a cursor of something else.
    """
    listing = Listing(kind.value, partial(has, inbox_id=str, kind=kind.value, stored_at=int))
    page = db.query(
        table,
        expression("#kind = :kind", kind=kind.value),
        index="by-kind",
        limit=limit,
        after=listing.key(cursor),
        newest_first=True,
    )
    return Page([item for item in page.items if is_kept(item, now)], listing.cursor(page.next_key))


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


def _to_waiting(item: Item) -> WaitingSms:
    source_id, sms = item["source_id"], _SMS.from_item(item["sms"])
    identity = Identity(source_id, item["delivery"])
    sms_id = SmsId(int(item["inbox_id"]))
    return WaitingSms(sms_id, source_id, identity, sms, item["arrived_at"], item.get("repeats", 0))


def _to_unreadable(item: Item) -> UnreadablePayload:
    return UnreadablePayload(
        payload_id=item["inbox_id"],
        source_id=item["source_id"],
        body=item["payload"],
        reason=item["reason"],
        stored_at=item["stored_at"],
        # An earlier version kept no more, and took no other.
        method=item.get("method", "POST"),
        query=item.get("query", ""),
        content_type=item.get("content_type", ""),
    )


def is_new(now: int) -> Expression:
    """Return the condition that there is no entry at `now` (ms), or one that is past its retention: it counts no more."""
    return expression("attribute_not_exists(#inbox_id) OR #expire_at <= :now", now=now // SECOND)


def inbox_key(sms_id: SmsId) -> Key:
    return {"inbox_id": str(sms_id)}


def words_keys(sms: InboundSms, source_id: SourceId) -> list[Key]:
    return [{"inbox_id": f"words#{words}"} for words in sms.words(source_id)]


def heard_from(item: Item) -> WordsRecord:
    return WordsRecord(item["sms_id"], item.get("activation_id"), item["stored_at"], item.get("stated_at"))


def is_entry_of(item: Item, identity: Identity) -> bool:
    same_source: bool = identity.source_id in {"", item["source_id"]}
    return same_source and item["delivery"] == identity.name

"""Long SMS of which parts have come, in the table Inbox."""

from contextlib import suppress
from dataclasses import dataclass, replace

from globalconnect.domain.inbound import InboundSms, InboxKind, SmsPart
from globalconnect.domain.long_sms import OPEN_FOR, KeptPart, LongSms, PartIdentity, kept_part
from globalconnect.store.activations import expire_at, is_kept
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Page
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, Key, changing, expression, put, update
from globalconnect.store.inbox import is_new, page_of

_SMS = Codec(InboundSms)
_PART = Codec(KeptPart)
# A part's number is a name in an expression, which can't be digits alone.
_NUMBERED = "p"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known when a part comes: the SMS of its name, whether the part itself has come, and when (ms) the delivery
    came first if it could not be read then.
    """

    long: LongSms | None
    came_before: bool
    unread_at: int | None


class LongSmsStore:
    """Long SMS by what their parts have in common. Kept for `retention` ms."""

    def __init__(self, db: Dynamo, table: str, retention: int) -> None:
        self._db = db
        self._table = table
        self._retention = retention

    def find(self, name: str, identity: PartIdentity, payload_id: str | None, now: int) -> Found:
        """Return what is known at `now` (ms) when a part of an SMS of a name comes."""
        places: list[Key] = [
            _key(name),
            _part_key(identity),
            *([] if payload_id is None else [{"inbox_id": payload_id}]),
        ]
        long, part, *payload = (
            item if item and is_kept(item, now) else None
            for item in self._db.get_each(*((self._table, place) for place in places))
        )
        unread_at = payload[0]["stored_at"] if payload and payload[0] else None
        return Found(_to_long(long) if long else None, part is not None, unread_at)

    def begin(self, long: LongSms, before: LongSms | None, identity: PartIdentity, now: int) -> None:
        """Store an SMS that begins with a part at `now` (ms), in the place of one before it, which stays for staff to see
        if it lacks parts.

        Raises ConditionFailed when that has changed since it was read, or the part has come.
        """
        item = self._to_item(replace(long, version=1 if before is None else before.version + 1))
        is_as_read = is_new(now) if before is None else expression("#version = :known", known=before.version)
        kept = []
        if before is not None and not before.is_joined:
            kept = [put(self._table, self._to_item(replace(before, name=f"{before.name}#{before.version}")))]
        self._db.transact(put(self._table, item, is_as_read), self._noted(identity, now), *kept)

    def add(self, long: LongSms, part: SmsPart, arrived_at: int, identity: PartIdentity, now: int) -> LongSms:
        """Add a part that reached us at `arrived_at`, at `now` (ms), and return the SMS with it.

        Raises ConditionFailed as `begin` does.
        """
        began_at = min(long.began_at, arrived_at)
        change = changing(
            {
                f"parts.{_NUMBERED}{part.number}": _PART.to_item(kept_part(part)),
                "began_at": began_at,
                "stored_at": began_at,
                "version": long.version + 1,
            }
        )
        is_as_read = expression("#version = :known", known=long.version)
        self._db.transact(update(self._table, _key(long.name), change, is_as_read), self._noted(identity, now))
        parts = {**long.parts, part.number: kept_part(part)}
        return replace(long, parts=parts, began_at=began_at, version=long.version + 1)

    def _noted(self, identity: PartIdentity, now: int) -> Item:
        kept_for = self._retention if identity.has_id else OPEN_FOR
        item = {**_part_key(identity), "stored_at": now, "expire_at": expire_at(now, kept_for)}
        return put(self._table, item, is_new(now))

    def end(self, long: LongSms) -> None:
        """Note that a whole SMS has been stored as one. Its parts stay, for repeats to be known as such."""
        change = changing({"is_joined": True}, removes=["kind"])
        with suppress(ConditionFailed):
            self._db.update(self._table, _key(long.name), change, expression("#version = :known", known=long.version))

    def count_repeat(self, long: LongSms) -> None:
        with suppress(ConditionFailed):
            self._db.update(
                self._table,
                _key(long.name),
                expression("ADD #repeats :one", one=1),
                expression("attribute_exists(#inbox_id)"),
            )

    def incomplete(self, limit: int, cursor: str | None, now: int) -> Page[LongSms]:
        """Return one page of the SMS that are not joined and are kept at `now` (ms), newest first.

        Raises InvalidInput for a cursor of something else.
        """
        page = page_of(self._db, self._table, InboxKind.INCOMPLETE, limit, cursor, now)
        return Page([_to_long(item) for item in page.items], page.cursor)

    def _to_item(self, long: LongSms) -> Item:
        return {
            **_key(long.name),
            "kind": None if long.is_joined else InboxKind.INCOMPLETE.value,
            "source_id": long.source_id,
            "sms": _SMS.to_item(long.sms),
            "total": long.total,
            "parts": {f"{_NUMBERED}{number}": _PART.to_item(part) for number, part in long.parts.items()},
            "began_at": long.began_at,
            "holder": long.holder,
            "stored_at": long.began_at,
            "is_joined": long.is_joined,
            "version": long.version,
            "expire_at": expire_at(long.began_at, self._retention),
        }


def _to_long(item: Item) -> LongSms:
    return LongSms(
        name=item["inbox_id"].removeprefix(_PREFIX),
        source_id=item["source_id"],
        sms=_SMS.from_item(item["sms"]),
        total=item["total"],
        began_at=item["began_at"],
        parts={int(name.removeprefix(_NUMBERED)): _PART.from_item(part) for name, part in item["parts"].items()},
        holder=item.get("holder"),
        version=item["version"],
        is_joined=item["is_joined"],
    )


_PREFIX = "parts#"


def _key(name: str) -> Key:
    return {"inbox_id": f"{_PREFIX}{name}"}


def _part_key(identity: PartIdentity) -> Key:
    return {"inbox_id": f"part#{identity.digest}"}

"""The Activations table: sales and their messages. How the pushing of each message stands is in `pushes`."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from globalconnect.domain.activation import Activation
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.sms import ActivationWithSms, AttemptTally, DuePush, PushState, Sms, SmsRef
from globalconnect.domain.times import DAY, SECOND, day_of
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, Key, changing, expression, from_wire

ENTRY = "activation"
PENDING_SHARDS = tuple(str(shard) for shard in range(8))

_SMS_PREFIX = "sms#"
# Sorted after all of "sms#...".
ATTEMPT_PREFIX = "sms-attempt#"
# What is read of a sale before it is known whose it is: the activation, which comes first, and more messages than most
# have.
_FIRST_READ = 5

_ACTIVATION = Codec(Activation)
to_activation = _ACTIVATION.from_item
_SMS = Codec(Sms)
to_sms = _SMS.from_item


class Activations:
    """Activations by id, partner, phone and day; messages by activation. Kept for `retention` ms, and then given no more."""

    def __init__(self, db: Dynamo, table: str, retention: int, now: Callable[[], int]) -> None:
        self._db = db
        self.table = table
        self.retention = retention
        self._now = now

    def get(self, activation_id: ActivationId) -> Activation | None:
        item = self._db.get(self.table, {"activation_id": activation_id, "entry": ENTRY})
        return to_activation(item) if item and is_kept(item, self._now()) else None

    def sale(self, activation_id: ActivationId, owner: PartnerId | None = None) -> ActivationWithSms | None:
        """Return an activation with its messages as it is now, in one read unless there are many.

        With an owner, also None when it is another partner's; that takes no longer, however many messages there are.
        """
        # Everything but the attempts, which come after the messages.
        condition = expression("#activation_id = :id AND #entry < :attempts", id=activation_id, attempts=ATTEMPT_PREFIX)
        page = self._db.query(self.table, condition, limit=_FIRST_READ)
        now = self._now()
        # What is left of a sale that is being purged begins with a message.
        if not page.items or page.items[0]["entry"] != ENTRY or not is_kept(page.items[0], now):
            return None
        activation = to_activation(page.items[0])
        if owner not in {None, activation.partner_id}:
            return None
        items = page.items[1:]
        while page.next_key is not None:
            page = self._db.query(self.table, condition, after=page.next_key)
            items += page.items
        messages = [to_sms(item) for item in items if is_kept(item, now)]
        messages.sort(key=lambda sms: (sms.received_at, sms.stored_at, sms.sms_id))
        return ActivationWithSms(activation, tuple(messages))

    def note_line_offline(self, activation_id: ActivationId, at: int) -> None:
        """Note when (ms) an activation's line went offline, if that is the first time.

        Raises ConditionFailed when it is the first time and yet could not be noted.
        """
        try:
            self._db.update(
                self.table,
                {"activation_id": activation_id, "entry": ENTRY},
                changing({"line_offline_at": at}),
                expression("attribute_exists(#entry) AND attribute_not_exists(#line_offline_at)"),
            )
        except ConditionFailed:
            found = self.get(activation_id)
            if found is not None and found.line_offline_at is None:
                raise

    # -------------------------------------------------------------- listings

    def page(  # noqa: PLR0913 - what there is to filter by, by name
        self,
        limit: int,
        cursor: str | None,
        *,
        partner_id: PartnerId | None = None,
        phone: str | None = None,
        now: int,
        filters: tuple[str | None, ...] = (),
    ) -> Page[Activation]:
        """Return one page of activations, newest first: of a partner, of a phone, or all that there are at `now` (ms).

        Takes what the caller filters by besides: cursors are bound to it. Raises InvalidInput for a cursor of something
        else.
        """
        listing = listing_of(partner_id, phone, now, filters)
        after = listing.key(cursor)
        if phone is not None:
            found, next_key = self._listed("by-phone", "phone", phone, limit, after)
            found = [one for one in found if partner_id in {None, one.partner_id}]
        elif partner_id is not None:
            found, next_key = self._listed("by-partner", "partner_id", partner_id, limit, after)
        else:
            found, next_key = self._list_by_day(limit, after, now)
        return Page(found, listing.cursor(next_key))

    def overdue(
        self, holding: Iterable[ActivationId], limit: int, cursor: str | None, now: int, **wanted: str | None
    ) -> Page[Activation]:
        """Return one page of those that are overdue at `now` (ms) among activations, newest first.

        `wanted` are what attributes have to be, None for anything. Raises InvalidInput for a cursor of something else.
        """
        listing = Listing("overdue", partial(has, started_at=int, activation_id=int), tuple(wanted.values()))
        after = listing.key(cursor)
        fitting = {name: value for name, value in wanted.items() if value is not None}
        found = [
            one
            for one in self._many(holding)
            if one.is_overdue(now) and all(getattr(one, name) == value for name, value in fitting.items())
        ]
        found.sort(key=_place, reverse=True)
        if after is not None:
            found = [one for one in found if _place(one) < (after["started_at"], after["activation_id"])]
        page = found[:limit]
        more = {"started_at": page[-1].started_at, "activation_id": page[-1].activation_id} if found[limit:] else None
        return Page(page, listing.cursor(more))

    def _many(self, ids: Iterable[ActivationId]) -> list[Activation]:
        """Return those of the activations that are kept."""
        keys: list[Key] = [{"activation_id": activation_id, "entry": ENTRY} for activation_id in ids]
        now = self._now()
        return [to_activation(item) for item in self._db.get_many(self.table, keys) if is_kept(item, now)]

    def started_since(self, partner_id: PartnerId, since: int, limit: int, cursor: str | None) -> Page[Activation]:
        """Return one page of a partner's activations that began from `since` (ms) on, newest first, as they are now.

        Raises InvalidInput for a cursor of something else.
        """
        listing = Listing("marks", _is_key_of(partner_id=partner_id), (partner_id, str(since)))
        condition = expression("#partner_id = :value AND #started_at >= :since", value=partner_id, since=since)
        found, next_key = self._read_listed("by-partner", condition, limit, listing.key(cursor))
        return Page(found, listing.cursor(next_key))

    def last_of_phone(self, phone: str, limit: int) -> list[Activation]:
        """Return the last activations of a number, newest first."""
        return self._listed("by-phone", "phone", phone, limit, None)[0]

    def held_at(self, phone: str, at: int) -> Activation | None:
        """Return the activation that had a number at a time (ms), by what the index shows; None when none had."""
        condition = expression("#phone = :phone AND #started_at <= :at", phone=phone, at=at)
        # The newest that began by then: they follow one another.
        found = self._read_listed("by-phone", condition, 1, None)[0]
        return next((one for one in found if one.held_at(at)), None)

    def last_of_partner(self, partner_id: PartnerId, limit: int) -> list[Activation]:
        """Return the last activations of a partner, newest first."""
        return self._listed("by-partner", "partner_id", partner_id, limit, None)[0]

    def _list_by_day(self, limit: int, after: Item | None, now: int) -> tuple[list[Activation], Item | None]:
        """Go back day by day until the page is full or nothing older is kept."""
        found: list[Activation] = []
        day = now if after is None else after["day_at"]
        start = None if after is None else after.get("key")
        while day > now - self.retention - DAY:
            listed, next_key = self._listed("by-day", "started_day", day_of(day), limit - len(found), start)
            found += listed
            if next_key is not None:
                return found, {"day_at": day, "key": next_key}
            day, start = day - DAY, None
            if len(found) >= limit:
                return found, {"day_at": day}
        return found, None

    def _listed(
        self, index: str, attribute: str, value: str, limit: int, after: Item | None
    ) -> tuple[list[Activation], Item | None]:
        return self._read_listed(index, expression(f"#{attribute} = :value", value=value), limit, after)

    def _read_listed(
        self, index: str, condition: Expression, limit: int, after: Item | None
    ) -> tuple[list[Activation], Item | None]:
        page = self._db.query(self.table, condition, index=index, limit=limit, after=after, newest_first=True)
        ids = [item["activation_id"] for item in page.items]
        found = {one.activation_id: one for one in self._many(ids)}
        return [found[activation_id] for activation_id in ids if activation_id in found], page.next_key


def _place(activation: Activation) -> tuple[int, int]:
    return activation.started_at, activation.activation_id


def listing_of(
    partner_id: PartnerId | None, phone: str | None, now: int, filters: tuple[str | None, ...] = ()
) -> Listing:
    """Return the listing of activations of a phone, of a partner, or of all that there are at `now` (ms)."""
    bound = (partner_id, phone, *filters)
    if phone is not None:
        return Listing("activations", _is_key_of(phone=phone), bound)
    if partner_id is not None:
        return Listing("activations", _is_key_of(partner_id=partner_id), bound)
    return Listing("activations", partial(_is_key_by_day, now), bound)


def _is_key_of(**attribute: str) -> Callable[[object], bool]:
    return partial(has, activation_id=int, entry=ENTRY, started_at=int, **attribute)


def _is_key_by_day(now: int, key: object) -> bool:
    """Return whether a key is one of the listing that goes back day by day: a day, and the last one seen of it if any."""
    if not isinstance(key, dict) or not has({"day_at": key.get("day_at")}, day_at=int) or key["day_at"] > now:
        return False
    if key.keys() == {"day_at"}:
        return True
    return key.keys() == {"day_at", "key"} and _is_key_of(started_day=day_of(key["day_at"]))(key["key"])


def pending_shard(sms_id: SmsId) -> str:
    """Return the shard of the index of undelivered messages in which an SMS is entered."""
    return PENDING_SHARDS[zlib.crc32(str(sms_id).encode()) % len(PENDING_SHARDS)]


def sms_id_of_entry(entry: str) -> SmsId:
    return SmsId(int(entry.removeprefix(_SMS_PREFIX)))


def expire_at(stored_at: int, retention: int) -> int:
    """Return the TTL attribute (s) of something stored at `stored_at` and kept for `retention` (ms)."""
    return (stored_at + retention) // SECOND


def is_kept(item: Item, now: int) -> bool:
    """Return whether an item with a TTL is within its time at `now` (ms): DynamoDB deletes it up to days after that."""
    return bool(now < item["expire_at"] * SECOND)


def from_activation(activation: Activation, retention: int) -> Item:
    return {
        **_ACTIVATION.to_item(activation),
        "entry": ENTRY,
        "started_day": day_of(activation.started_at),
        "finished_day": None if activation.finished_at is None else day_of(activation.finished_at),
        "expire_at": expire_at(activation.started_at, retention),
    }


def from_sms(sms: Sms, retention: int) -> Item:
    pending = sms.push_state is PushState.PENDING
    return {
        **sms_key(SmsRef(sms.activation_id, sms.sms_id)),
        **_SMS.to_item(sms),
        "pending_shard": pending_shard(sms.sms_id) if pending else None,
        "expire_at": expire_at(sms.stored_at, retention),
    }


def first_push(change: Mapping[str, Any]) -> DuePush:
    """Return the first push of the SMS that a record of the table's stream is about: its `dynamodb` part."""
    image = change["NewImage"]
    sms = from_wire({name: image[name] for name in ("activation_id", "sms_id", "partner_id")})
    # It is due at once, and stored with no attempt.
    return DuePush(SmsRef(sms["activation_id"], sms["sms_id"]), sms["partner_id"], due=0, tally=AttemptTally())


def sms_key(ref: SmsRef) -> dict[str, str | int]:
    return {"activation_id": ref.activation_id, "entry": f"{_SMS_PREFIX}{ref.sms_id}"}

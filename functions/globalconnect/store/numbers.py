"""The Numbers table: leases, marks, whether lines are offline, and the four indexes over them."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, repeat
from typing import Any

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import Busy, Conflict, NotFound, existing
from globalconnect.domain.ids import ActivationId, SourceId
from globalconnect.domain.marks import RemainingMarks
from globalconnect.domain.number import (
    TEST_FOR,
    Candidate,
    Cause,
    EndedLease,
    Number,
    Offline,
    OfflineReason,
    is_tested,
    pool_of,
    rests_until,
)
from globalconnect.domain.times import MINUTE
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import (
    ConditionFailed,
    Dynamo,
    Expression,
    Item,
    ItemPage,
    changing,
    expression,
    from_wire,
    update,
)

HELD_SHARDS = tuple(str(shard) for shard in range(8))

# Whose a number is, and with that where the sweep finds it. A resting number has only the latter.
HOLDER = ("activation_id", "partner_id", "held_from", "free_since", "held_for", "overdue_at")
LEASE = (*HOLDER, "held_shard")
NEXT_VERSION = {"version": 1}

# How many numbers are read at once: a pool of which little can be sold is read in larger steps. The first four are more
# than a request looks at that wants none of a pool. DynamoDB ends a page at 1 MB, about as many numbers as the last.
_PAGES = (50, 200, 1_000, 4_000, 10_000)

# When a writer has looked at the clock, what it writes is in the index within this time (docs/adr/0021).
_SETTLED = MINUTE

_MOVES = 5
_TRIES = 10

# The index of numbers that are offline holds them under this.
_OFFLINE = "offline"


class Numbers:
    """Numbers by phone, by pool, and those that are held or rest; `rest` is how long that is after a sale (ms)."""

    def __init__(self, db: Dynamo, table: str, rest: int = 0) -> None:
        self._db = db
        self.table = table
        self.rest = rest
        # By pool and service: whatever came free before this time (ms) stays blocked there (docs/adr/0021).
        self._used_up: dict[tuple[str, str], int] = {}

    def get(self, phone: str) -> Number | None:
        item = self._db.get(self.table, {"phone": phone})
        return to_number(item) if item else None

    def eligible(self, country: str, operator: str, service: str, now: int) -> Iterator[Candidate]:
        """Return the numbers of a pool that may be issued for a service at `now` (ms), longest-rested first.

        The index is a little stale and does not tell who still has to rest: whoever issues one of them states all
        conditions again. What was found used up for the service is not read again (docs/adr/0021).
        """
        pool = pool_of(country, operator)
        condition = expression(
            "#pool = :pool AND #available_from BETWEEN :since AND :now",
            pool=pool,
            since=min(self._used_up.get((pool, service), 0), now),
            now=now,
        )
        only = _not_blocked(service)
        after: Item | None = None
        all_blocked = True
        for size in chain(_PAGES, repeat(_PAGES[-1])):
            page = self._db.query(self.table, condition, index="by-pool", only=only, limit=size, after=after)
            if all_blocked and after is not None:
                # Not what one page shows: pools that don't exist must leave nothing behind.
                before = min(_read_to(page, now), now - _SETTLED)
                self._used_up[pool, service] = max(before, self._used_up.get((pool, service), 0))
            for item in page.items:
                all_blocked = False
                yield Candidate(item["available_from"], item["phone"], country, operator)
            if page.next_key is None:
                return
            after = page.next_key

    def add(self, number: Number) -> None:
        """Store a new number. Raises ConditionFailed when it is known already."""
        self._db.put(self.table, to_item(number), expression("attribute_not_exists(#phone)"))

    def move(self, known: Number, country: str, operator: str, now: int, entered_by: str | None = None) -> None:
        """Enter a number in a pool at `now` (ms); its lease, rest, marks and withdrawal stay.

        `known` is how it was read; it is read again only when it has changed since. Without an `entered_by`, what it
        has of that stays as well. In its new pool it is the one that came free last. Raises ConditionFailed when
        others keep changing it.
        """
        number: Number | None = known
        for _ in range(_MOVES):
            if number is None:
                break
            placed: dict[str, object] = {
                "country": country,
                "operator": operator,
                "operator_phone": operator_phone_of(operator, number.phone),
                # Never in the past of the new pool: what is used up there has been read (docs/adr/0021).
                "available_from": max(now, number.available_from),
            }
            if entered_by is not None:
                placed["entered_by"] = entered_by
            if number.enabled:
                placed[_pool_attribute(number)] = pool_of(country, operator)
            try:
                moved = changing(placed, adds=NEXT_VERSION)
                self._db.update(self.table, {"phone": number.phone}, moved, unchanged(number))
            except ConditionFailed:
                number = self.get(number.phone)
            else:
                return
        raise ConditionFailed

    def withdraw(self, phone: str) -> Number:
        """Take a number off sale; a live activation goes on to its end. Raises NotFound."""
        withdrawn = changing(removes=["pool", "offline_pool"], adds=NEXT_VERSION)
        return self._change(phone, withdrawn, expression("attribute_exists(#phone)"))

    def restore(self, phone: str, now: int) -> Number:
        """Put a number on sale again, from the later of `now` and the end of its lease (ms). Raises NotFound."""
        number = existing(self.get(phone), "number")
        if number.enabled:
            return number
        placed = {
            _pool_attribute(number): pool_of(number.country, number.operator),
            "available_from": max(now, number.available_from),
        }
        try:
            return self._change(phone, changing(placed, adds=NEXT_VERSION), unchanged(number))
        except NotFound:
            return self.restore(phone, now)

    def test(self, phone: str, now: int) -> Number:
        """Take a number off sale from `now` (ms) on for TEST_FOR, to be tried out by staff.

        Raises NotFound, and Conflict when it is held, rests or is withdrawn; one that is being tried out is taken anew.
        """
        number = existing(self.get(phone), "number")
        is_free = number.enabled and number.available_from <= now and number.activation_id is None
        if not is_free and not is_tested(number, now):
            raise Conflict("number: expected one that is on sale and free")
        until = now + TEST_FOR
        tested = {"available_from": until, "test_until": until, "held_shard": held_shard(phone)}
        try:
            return self._change(phone, changing(tested, adds=NEXT_VERSION), unchanged(number))
        except NotFound:
            raise Conflict("number: it was changed meanwhile; try again") from None

    def set_offline(self, number: Number, offline: Offline) -> Number:
        """Take a number off sale whose line is offline. Raises ConditionFailed when it has changed since it was read."""
        change: dict[str, object] = {
            "offline_since": offline.since,
            "offline_reason": offline.reason,
            "offline_shard": _OFFLINE,
        }
        if number.enabled:
            change["offline_pool"] = pool_of(number.country, number.operator)
        wanted = changing(change, removes=["pool"], adds=NEXT_VERSION)
        return to_number(self._db.update(self.table, {"phone": number.phone}, wanted, unchanged(number)))

    def set_online(self, number: Number, now: int, alive_at: int | None = None) -> Number:
        """Put a number whose line isn't offline any more on sale again, if staff have not withdrawn it, from the later of `now`
        and the end of its lease (ms). `alive_at`: it has proved to be alive then.

        Raises ConditionFailed when it has changed since it was read.
        """
        change: dict[str, object] = {} if alive_at is None else {"alive_at": alive_at}
        if number.enabled:
            pool = pool_of(number.country, number.operator)
            change |= {"pool": pool, "available_from": max(now, number.available_from)}
        removes = ["offline_since", "offline_reason", "offline_shard", "offline_pool"]
        wanted = changing(change, removes=removes, adds=NEXT_VERSION)
        return to_number(self._db.update(self.table, {"phone": number.phone}, wanted, unchanged(number)))

    def prove_alive(self, phone: str, alive_at: int, now: int) -> Number | None:
        """Let a number be offline no more that was alive at a time (ms), after it went offline; returns it as it is then.

        What was said of its line until then, and is not written yet, counts no more either. None when it doesn't exist.
        Raises Busy when it keeps changing.
        """
        for _ in range(_TRIES):
            # As whoever takes in SMS reads numbers.
            number = next(iter(self.get_many([phone])), None)
            if number is None or (number.alive_at or 0) >= alive_at:
                return number
            if number.offline is not None and number.offline.since >= alive_at:
                return number
            with suppress(ConditionFailed):
                return self.set_online(number, now, alive_at)
        raise Busy

    def note_heard_by(self, number: Number, source_id: SourceId) -> None:
        """Note the source that a number's last SMS came by."""
        with suppress(ConditionFailed):
            change = changing({"heard_by": source_id})
            self._db.update(self.table, {"phone": number.phone}, change, expression("attribute_exists(#phone)"))

    def offline(self, limit: int, cursor: str | None, country: str | None = None) -> Page[Number]:
        """Return one page of the numbers that are offline, of all countries or one, by phone.

        Raises InvalidInput for a cursor of something else.
        """
        listing = Listing("offline", partial(has, phone=str, offline_shard=_OFFLINE), (country,))
        condition = expression("#offline_shard = :shard", shard=_OFFLINE)
        only = None if country is None else expression("#country = :country", country=country)
        page = self._db.query(self.table, condition, index="offline", only=only, limit=limit, after=listing.key(cursor))
        numbers = [number for number in self._listed(page.items) if number.offline is not None]
        return Page(numbers, listing.cursor(page.next_key))

    def lift(self, number: Number, left: RemainingMarks, now: int) -> Number:
        """Leave these marks on a number, as of `now` (ms), and return it as it is then. Raises ConditionFailed."""
        key = {"phone": number.phone}

        def is_lifted() -> bool:
            found = self.get(number.phone)
            return found is not None and found.lifted.get(left.service) == number.version + 1

        self._db.transact(update(self.table, key, lifting(number, left, now), unchanged(number)), was_done=is_lifted)
        return to_number(self._db.get(self.table, key) or {})

    def held_until(self, shard: str, now: int) -> Iterator[EndedLease]:
        """Return the numbers of a shard whose lease or rest has ended by `now` (ms)."""
        condition = expression("#held_shard = :shard AND #available_from <= :now", shard=shard, now=now)
        for item in self._db.query_all(self.table, condition, index="held"):
            yield EndedLease(item["phone"], item["available_from"], item.get("activation_id"))

    def held(self, shard: str, now: int) -> Iterator[str]:
        """Return the numbers of a shard that activations hold at `now` (ms), as the index shows them."""
        return (item["phone"] for item in self._held(shard, now))

    def holding(self, now: int) -> Iterator[ActivationId]:
        """Return the activations that hold numbers at `now` (ms), as the index shows them."""
        return (item["activation_id"] for shard in HELD_SHARDS for item in self._held(shard, now))

    def _held(self, shard: str, now: int) -> Iterator[Item]:
        condition = expression("#held_shard = :shard AND #available_from > :now", shard=shard, now=now)
        found = self._db.query_all(self.table, condition, index="held")
        return (item for item in found if "activation_id" in item)

    def let_go(self, ended: EndedLease, now: int) -> Number | None:
        """Free a number whose lease or rest has ended by `now` (ms), or let it rest first after its lease.

        Returns it as it was before, None when it no longer was as it was found.
        """
        lease = "attribute_not_exists(#activation_id)" if ended.activation_id is None else "#activation_id = :id"
        values: dict[str, object] = {} if ended.activation_id is None else {"id": ended.activation_id}
        rested_at = None if ended.activation_id is None else rests_until(ended.until, self.rest, now)
        if rested_at is None:
            freed = changing(removes=LEASE, adds=NEXT_VERSION)
        else:
            freed = changing({"available_from": rested_at}, removes=HOLDER, adds=NEXT_VERSION)
        condition = expression(
            f"attribute_exists(#held_shard) AND {lease} AND #available_from = :until", until=ended.until, **values
        )
        try:
            return to_number(self._db.replace(self.table, {"phone": ended.phone}, freed, condition))
        except ConditionFailed:
            return None

    def page(
        self, limit: int, cursor: str | None, *, country: str | None = None, operator: str | None = None
    ) -> Page[Number]:
        """Return one page of all numbers, of a country, or of an operator in it.

        Raises InvalidInput for a cursor of something else.
        """
        listing = listing_of(country, operator)
        after = listing.key(cursor)
        if country is None:
            page = self._db.scan(self.table, limit=limit, after=after)
            return Page([to_number(item) for item in page.items], listing.cursor(page.next_key))
        condition = expression("#country = :country", country=country)
        if operator is not None:
            condition = expression(
                "#country = :country AND begins_with(#operator_phone, :operator)",
                country=country,
                operator=operator_phone_of(operator, ""),
            )
        page = self._db.query(self.table, condition, index="by-country", limit=limit, after=after)
        return Page(self._listed(page.items), listing.cursor(page.next_key))

    def get_many(self, phones: Sequence[str]) -> list[Number]:
        """Return those of the numbers that exist."""
        return [to_number(item) for item in self._db.get_many(self.table, [{"phone": phone} for phone in phones])]

    def _listed(self, entries: Sequence[Item]) -> list[Number]:
        """Return the numbers that entries of an index name, in their order, as they are now."""
        phones = [entry["phone"] for entry in entries]
        found = {number.phone: number for number in self.get_many(phones)}
        return [found[phone] for phone in phones if phone in found]

    def _change(self, phone: str, wanted: Expression, condition: Expression) -> Number:
        try:
            return to_number(self._db.update(self.table, {"phone": phone}, wanted, condition))
        except ConditionFailed:
            raise NotFound("number") from None


def listing_of(country: str | None, operator: str | None) -> Listing:
    if country is None:
        return Listing("numbers", partial(has, phone=str))

    def is_key(key: object) -> bool:
        return has(key, phone=str, country=country, operator_phone=str) and (
            operator is None or key["operator_phone"] == operator_phone_of(operator, key["phone"])  # type: ignore[index]
        )

    return Listing("numbers", is_key, (country, operator))


def for_sale(pool: str, service: str, now: int, rest: int) -> Expression:
    """Return `Number.is_for_sale` as a condition."""
    blocked = _not_blocked(service)
    text = f"#pool = :pool AND #available_from <= :now AND attribute_not_exists(#overdue_at) AND {blocked.text}"
    values: dict[str, object] = {"pool": pool, "now": now, **blocked.values}
    if rest:
        text += " AND (attribute_not_exists(#activation_id) OR #available_from <= :rested)"
        values["rested"] = now - rest
    return Expression(text, values)


def lifting(number: Number, left: RemainingMarks, now: int) -> Expression:
    """Return the change that leaves these marks on a number; its lease stays.

    Above the marks that environments hold, so that they find it (docs/adr/0021).
    """
    causes = from_causes({**number.causes, left.service: left.causes})
    sets: dict[str, object] = {"available_from": max(now, number.available_from), "causes": causes}
    if left.cancels:
        sets["cancels.service"] = left.cancels
    if left.anew:
        sets["lifted"] = {**number.lifted, left.service: number.version + 1}
    return changing(
        sets,
        removes=[] if left.cancels else ["cancels.service"],
        adds=NEXT_VERSION,
        deletes={} if left.blocked else {"blocked": {left.service}},
        names={"service": left.service},
    )


def _not_blocked(service: str) -> Expression:
    return expression("NOT contains(#blocked, :service)", service=service)


def _read_to(page: ItemPage, now: int) -> int:
    """Return when the first number of a page came free (ms); of a page without any, how far it was read."""
    if page.items:
        first: int = page.items[0]["available_from"]
        return first
    return now if page.next_key is None else int(page.next_key["available_from"])


def operator_phone_of(operator: str, phone: str) -> str:
    """Return the sort key of a number within its country; no operator's begins with that of another."""
    return pool_of(operator, phone)


def held_shard(phone: str) -> str:
    """Return the shard of the index of held numbers in which a phone is entered."""
    return HELD_SHARDS[zlib.crc32(phone.encode()) % len(HELD_SHARDS)]


def to_item(number: Number) -> Item:
    """Return a number that nobody holds as it is stored; one without a pool is withdrawn."""
    return {
        "phone": number.phone,
        "country": number.country,
        "operator": number.operator,
        "operator_phone": operator_phone_of(number.operator, number.phone),
        **({_pool_attribute(number): pool_of(number.country, number.operator)} if number.enabled else {}),
        "available_from": number.available_from,
        # Never absent: a count in it can only be set when the map is there.
        "cancels": dict(number.cancels),
        "blocked": number.blocked,
        "causes": from_causes(number.causes) or None,
        "lifted": dict(number.lifted) or None,
        "version": number.version,
        "entered_by": number.entered_by,
        "test_until": number.test_until,
        "offline_since": number.offline.since if number.offline else None,
        "offline_reason": number.offline.reason if number.offline else None,
        "offline_shard": _OFFLINE if number.offline else None,
        "alive_at": number.alive_at,
        "heard_by": number.heard_by,
    }


def to_whole_item(number: Number) -> Item:
    """Return a number as it is stored, with who holds it, or its rest."""
    held = {name: getattr(number, name) for name in HOLDER}
    in_use = number.activation_id is not None or number.resting
    return {**to_item(number), **held, "held_shard": held_shard(number.phone) if in_use else None}


def to_number(item: Item) -> Number:
    return Number(
        phone=item["phone"],
        country=item["country"],
        operator=item["operator"],
        available_from=item["available_from"],
        enabled="pool" in item or "offline_pool" in item,
        activation_id=item.get("activation_id"),
        partner_id=item.get("partner_id"),
        held_from=item.get("held_from"),
        free_since=item.get("free_since"),
        held_for=item.get("held_for"),
        overdue_at=item.get("overdue_at"),
        resting="held_shard" in item and "activation_id" not in item,
        blocked=frozenset(item.get("blocked", ())),
        cancels=item.get("cancels", {}),
        causes={service: _to_causes(packed) for service, packed in item.get("causes", {}).items()},
        lifted=item.get("lifted", {}),
        version=item["version"],
        entered_by=item.get("entered_by"),
        test_until=item.get("test_until"),
        offline=_to_offline(item),
        alive_at=item.get("alive_at"),
        heard_by=item.get("heard_by"),
    )


def _to_offline(item: Item) -> Offline | None:
    since = item.get("offline_since")
    return None if since is None else Offline(since, OfflineReason(item["offline_reason"]))


def _pool_attribute(number: Number) -> str:
    # What is offline is in no index of what is for sale.
    return "pool" if number.offline is None else "offline_pool"


def changed_phone(keys: Mapping[str, Any]) -> str:
    """Return the number that a record of the table's stream is about: of its keys."""
    phone: str = from_wire(keys)["phone"]
    return phone


def changed_number(change: Mapping[str, Any]) -> Number | None:
    """Return a number after the change that a record of the table's stream is about: its `dynamodb` part.

    None when it was removed.
    """
    image = change.get("NewImage")
    return to_number(from_wire(image)) if image else None


def from_causes(causes: Mapping[str, Sequence[Cause]]) -> dict[str, list[list[str | int]]]:
    """Return why a number is blocked as it is stored, without names: there may be hundreds."""
    return {
        service: [[cause.activation_id, cause.partner_id, cause.outcome.value, cause.at] for cause in known]
        for service, known in causes.items()
        if known
    }


def _to_causes(packed: Sequence[Sequence[Any]]) -> tuple[Cause, ...]:
    return tuple(
        Cause(activation_id, partner_id, Outcome(outcome), at) for activation_id, partner_id, outcome, at in packed
    )


def unchanged(number: Number) -> Expression:
    """Return the condition that a number is as it was read."""
    return expression("#version = :version", version=number.version)

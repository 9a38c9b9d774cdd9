"""The Numbers table: leases, marks, and the three indexes over them."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from globalconnect.domain.errors import NotFound
from globalconnect.domain.number import Number, pool_of
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, expression

HELD_SHARDS = tuple(str(shard) for shard in range(8))

_FIRST_PAGE = 50
_LARGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A number that may be issued, as an index has it; the smallest has rested longest."""

    available_from: int
    phone: str
    operator: str


class Numbers:
    """Numbers by phone, by pool, and those that are held."""

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self.table = table

    def get(self, phone: str) -> Number | None:
        """Give a number as it is now."""
        item = self._db.get(self.table, {"phone": phone})
        return to_number(item) if item else None

    def eligible(self, country: str, operator: str, service: str, now: int) -> Iterator[Candidate]:
        """Give the numbers of a pool that may be issued for a service at `now` (ms), longest-rested first.

        The index is a little stale: whoever issues one of them states the same conditions again.
        """
        condition = expression("#pool = :pool AND #available_from <= :now", pool=pool_of(country, operator), now=now)
        only = not_blocked(service)
        after: Item | None = None
        size = _FIRST_PAGE
        while True:
            page = self._db.query(self.table, condition, index="by-pool", only=only, limit=size, after=after)
            for item in page.items:
                yield Candidate(item["available_from"], item["phone"], operator)
            if page.next_key is None:
                return
            after = page.next_key
            # A pool that is used up for this service is read in larger steps.
            size = min(size * 4, _LARGEST_PAGE)

    def add(self, number: Number) -> None:
        """Store a new number. Raises ConditionFailed when it is known already."""
        self._db.put(self.table, to_item(number), expression("attribute_not_exists(#phone)"))

    def move(self, phone: str, country: str, operator: str) -> None:
        """Enter a known number in a pool; its lease, marks and withdrawal stay. Raises ConditionFailed."""
        key = {"phone": phone}
        placed = "#country = :country, #operator = :operator, #operator_phone = :operator_phone"
        values: dict[str, object] = {
            "country": country,
            "operator": operator,
            "operator_phone": operator_phone_of(operator, phone),
            "one": 1,
        }
        try:
            self._db.update(
                self.table,
                key,
                expression(f"SET {placed}, #pool = :pool ADD #version :one", pool=pool_of(country, operator), **values),
                expression("attribute_exists(#pool)"),
            )
        except ConditionFailed:
            self._db.update(
                self.table,
                key,
                expression(f"SET {placed} ADD #version :one", **values),
                expression("attribute_exists(#phone) AND attribute_not_exists(#pool)"),
            )

    def withdraw(self, phone: str) -> Number:
        """Take a number off sale; a live activation goes on to its end. Raises NotFound."""
        change = expression("REMOVE #pool ADD #version :one", one=1)
        return self._change(phone, change, expression("attribute_exists(#phone)"))

    def restore(self, phone: str, now: int) -> Number:
        """Put a number on sale again, from the later of `now` and the end of its lease (ms). Raises NotFound."""
        number = self.get(phone)
        if number is None:
            raise NotFound("number")
        if number.enabled:
            return number
        change = expression(
            "SET #pool = :pool, #available_from = :since ADD #version :one",
            pool=pool_of(number.country, number.operator),
            since=max(now, number.available_from),
            one=1,
        )
        try:
            return self._change(phone, change, _unchanged(number))
        except NotFound:
            return self.restore(phone, now)

    def held_until(self, shard: str, now: int) -> Iterator[tuple[str, int]]:
        """Give phones of a shard, with the activation that holds each, whose lease has ended by `now` (ms)."""
        condition = expression("#held_shard = :shard AND #available_from <= :now", shard=shard, now=now)
        for item in self._db.query_all(self.table, condition, index="held"):
            yield item["phone"], item["activation_id"]

    def let_go(self, phone: str, activation_id: int, now: int) -> bool:
        """End the lease of an activation that has run out by `now` (ms); tell whether it still was there to end."""
        try:
            self._db.update(
                self.table,
                {"phone": phone},
                expression("REMOVE #activation_id, #partner_id, #held_from, #held_shard ADD #version :one", one=1),
                expression("#activation_id = :id AND #available_from <= :now", id=activation_id, now=now),
            )
        except ConditionFailed:
            return False
        return True

    def page(
        self, country: str | None, operator: str | None, limit: int, after: Item | None
    ) -> tuple[list[Number], Item | None]:
        """Give one page of all numbers, of a country, or of an operator in it, and the key to go on from."""
        if country is None:
            page = self._db.scan(self.table, limit=limit, after=after)
            return [to_number(item) for item in page.items], page.next_key
        condition = expression("#country = :country", country=country)
        if operator is not None:
            condition = expression(
                "#country = :country AND begins_with(#operator_phone, :operator)",
                country=country,
                operator=operator_phone_of(operator, ""),
            )
        page = self._db.query(self.table, condition, index="by-country", limit=limit, after=after)
        phones = [item["phone"] for item in page.items]
        found = {number.phone: number for number in self.get_many(phones)}
        return [found[phone] for phone in phones if phone in found], page.next_key

    def get_many(self, phones: Sequence[str]) -> list[Number]:
        """Give those of the numbers that exist."""
        return [to_number(item) for item in self._db.get_many(self.table, [{"phone": phone} for phone in phones])]

    def _change(self, phone: str, change: Expression, condition: Expression) -> Number:
        try:
            return to_number(self._db.update(self.table, {"phone": phone}, change, condition))
        except ConditionFailed:
            raise NotFound("number") from None


def not_blocked(service: str) -> Expression:
    """Give the condition that a number may be issued for a service at all."""
    return expression("NOT contains(#blocked, :service)", service=service)


def operator_phone_of(operator: str, phone: str) -> str:
    """Give the sort key of a number within its country; no operator's begins with that of another."""
    return pool_of(operator, phone)


def held_shard(phone: str) -> str:
    """Give the shard of the index of held numbers in which a phone is entered."""
    return HELD_SHARDS[zlib.crc32(phone.encode()) % len(HELD_SHARDS)]


def to_item(number: Number) -> Item:
    """Give a number that nobody holds as it is stored; one without a pool is withdrawn."""
    return {
        "phone": number.phone,
        "country": number.country,
        "operator": number.operator,
        "operator_phone": operator_phone_of(number.operator, number.phone),
        "pool": pool_of(number.country, number.operator) if number.enabled else None,
        "available_from": number.available_from,
        # Never absent: a count in it can only be set when the map is there.
        "cancels": dict(number.cancels),
        "blocked": number.blocked,
        "version": number.version,
    }


def to_number(item: Item) -> Number:
    """Give a number from its item."""
    return Number(
        phone=item["phone"],
        country=item["country"],
        operator=item["operator"],
        available_from=item["available_from"],
        enabled="pool" in item,
        activation_id=item.get("activation_id"),
        partner_id=item.get("partner_id"),
        held_from=item.get("held_from"),
        blocked=frozenset(item.get("blocked", ())),
        cancels=item.get("cancels", {}),
        version=item["version"],
    )


def _unchanged(number: Number) -> Expression:
    return expression("#version = :version", version=number.version)

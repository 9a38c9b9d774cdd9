"""The Partners table."""

from collections.abc import Callable
from typing import TypedDict

from globalconnect.domain.errors import Conflict, InvalidKey, NotFound
from globalconnect.domain.partner import Partner, partner_id_of
from globalconnect.store.cache import Cache
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, expression

_EXISTS = expression("attribute_exists(#partner_id)")
_WORKING = expression("attribute_exists(#partner_id) AND attribute_not_exists(#revoked_at)")


class Change(TypedDict, total=False):
    """What is to change about a partner; None removes the Push URL, or allows all services."""

    name: str
    push_url: str | None
    services: frozenset[str] | None
    dialect: str


class Partners:
    """Partners by id and by key; what is read is remembered for `cache_seconds`."""

    def __init__(self, db: Dynamo, table: str, cache_seconds: int, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[Partner] = Cache(cache_seconds, now)

    def authenticate(self, key: str) -> Partner:
        """Give the partner whose key this is. Raises InvalidKey when it is nobody's, or no longer works."""
        partner_id = partner_id_of(key)
        partner = self.cached(partner_id) if partner_id else None
        if partner is not None and not partner.accepts_key(key):
            # The key may be newer than what we remember.
            partner = self.fresh(partner.partner_id)
        if partner is None or not partner.accepts_key(key):
            raise InvalidKey
        return partner

    def cached(self, partner_id: str) -> Partner | None:
        """Give a partner as it was at most `cache_seconds` ago."""
        return self._cache.get(partner_id, lambda: self._read(partner_id))

    def fresh(self, partner_id: str) -> Partner | None:
        """Give a partner as it is now."""
        self._cache.forget(partner_id)
        return self.cached(partner_id)

    def get(self, partner_id: str) -> Partner:
        """Give a partner as it is now. Raises NotFound."""
        partner = self.fresh(partner_id)
        if partner is None:
            raise NotFound("partner")
        return partner

    def page(self, limit: int, after: Item | None) -> tuple[list[Partner], Item | None]:
        """Give one page of all partners, and the key to go on from."""
        page = self._db.scan(self._table, limit=limit, after=after)
        return [_to_partner(item) for item in page.items], page.next_key

    def add(self, partner: Partner) -> None:
        """Store a new partner. Raises ConditionFailed when its id is taken."""
        self._db.put(self._table, _to_item(partner), expression("attribute_not_exists(#partner_id)"))

    def change(self, partner_id: str, change: Change) -> Partner:
        """Set what is given (at least one thing) and leave the rest as it is. Raises NotFound, and Conflict when the
        partner is revoked.
        """
        values: dict[str, object] = dict(change)
        if change.get("services") is not None:
            # An empty list of services is not the same as none given (all): sets can't be empty, so it is a list.
            values["services"] = sorted(change["services"] or ())
        kept = {attribute: value for attribute, value in values.items() if value is not None}
        removed = [f"#{attribute}" for attribute, value in values.items() if value is None]
        clauses = []
        if kept:
            clauses.append("SET " + ", ".join(f"#{attribute} = :{attribute}" for attribute in kept))
        if removed:
            clauses.append("REMOVE " + ", ".join(removed))
        return self._update(partner_id, expression(" ".join(clauses), **kept), _WORKING)

    def rotate_key(self, partner_id: str, key: str) -> Partner:
        """Replace a partner's key; the old one stops working. Raises NotFound, and Conflict when it is revoked."""
        return self._update(partner_id, expression("SET #key = :key", key=key), _WORKING)

    def revoke(self, partner_id: str, now: int) -> Partner:
        """Make a partner's key stop working for good. Raises NotFound."""
        change = expression("SET #revoked_at = if_not_exists(#revoked_at, :now)", now=now)
        return self._update(partner_id, change, _EXISTS)

    def note_trouble(self, partner_id: str, until: int) -> None:
        """Note that a partner's server is in trouble until then (ms); an earlier end changes nothing."""
        later = expression(
            "attribute_exists(#partner_id) AND (attribute_not_exists(#troubled_until) OR #troubled_until < :until)",
            until=until,
        )
        try:
            self._db.update(
                self._table, {"partner_id": partner_id}, expression("SET #troubled_until = :until", until=until), later
            )
        except ConditionFailed:
            return

    def _update(self, partner_id: str, change: Expression, condition: Expression) -> Partner:
        try:
            item = self._db.update(self._table, {"partner_id": partner_id}, change, condition)
        except ConditionFailed:
            refusal = NotFound("partner") if self._read(partner_id) is None else Conflict("partner: is revoked")
            raise refusal from None
        self._cache.forget(partner_id)
        return _to_partner(item)

    def _read(self, partner_id: str) -> Partner | None:
        item = self._db.get(self._table, {"partner_id": partner_id})
        return _to_partner(item) if item else None


def _to_item(partner: Partner) -> Item:
    return {
        "partner_id": partner.partner_id,
        "name": partner.name,
        "key": partner.key,
        "push_url": partner.push_url,
        "services": None if partner.services is None else sorted(partner.services),
        "dialect": partner.dialect,
        "created_at": partner.created_at,
        "revoked_at": partner.revoked_at,
    }


def _to_partner(item: Item) -> Partner:
    services = item.get("services")
    return Partner(
        partner_id=item["partner_id"],
        name=item["name"],
        key=item["key"],
        push_url=item.get("push_url"),
        services=None if services is None else frozenset(services),
        dialect=item["dialect"],
        created_at=item["created_at"],
        revoked_at=item.get("revoked_at"),
        troubled_until=item.get("troubled_until", 0),
    )

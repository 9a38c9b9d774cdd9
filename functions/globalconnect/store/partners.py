"""The Partners table."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import TypedDict

from globalconnect.domain.errors import Conflict, InvalidKey, NotFound
from globalconnect.domain.partner import Partner, Pause, SigningSecret, partner_id_of, rotated
from globalconnect.store.cache import Cache
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, expression

_WORKING = expression("attribute_exists(#partner_id) AND attribute_not_exists(#revoked_at)")
# Of every change by staff.
_NEXT = "ADD #version :one"
_LISTING = Listing("partners", partial(has, partner_id=str))


class PartnerUpdate(TypedDict, total=False):
    """What is to change about a partner; None removes the Push URL or the limit, or allows all services."""

    name: str
    push_url: str | None
    services: frozenset[str] | None
    dialect: str
    max_live: int | None


class Partners:
    """Partners by id and by key; what is read is remembered for `cache_seconds`."""

    def __init__(self, db: Dynamo, table: str, cache_seconds: int, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[Partner] = Cache(cache_seconds, now)

    def authenticate(self, key: str) -> Partner:
        """Return the partner whose key this is. Raises InvalidKey when it is nobody's, or no longer works."""
        partner_id = partner_id_of(key)
        partner = self.cached(partner_id) if partner_id else None
        if partner is not None and not partner.accepts_key(key):
            # The key may be newer than what we remember.
            partner = self.fresh(partner.partner_id)
        if partner is None or not partner.accepts_key(key):
            raise InvalidKey
        return partner

    def cached(self, partner_id: str) -> Partner | None:
        """Return a partner as it was at most `cache_seconds` ago."""
        return self._cache.get(partner_id, lambda: self._read(partner_id))

    def fresh(self, partner_id: str) -> Partner | None:
        self._cache.forget(partner_id)
        return self.cached(partner_id)

    def get(self, partner_id: str) -> Partner:
        """Return a partner as it is now. Raises NotFound."""
        partner = self.fresh(partner_id)
        if partner is None:
            raise NotFound("partner")
        return partner

    def page(self, limit: int, cursor: str | None) -> Page[Partner]:
        """Return one page of all partners, in no order. Raises InvalidInput for a cursor of something else."""
        page = self._db.scan(self._table, limit=limit, after=_LISTING.key(cursor))
        return Page([_to_partner(item) for item in page.items], _LISTING.cursor(page.next_key))

    def add(self, partner: Partner) -> None:
        """Store a new partner. Raises ConditionFailed when its id is taken."""
        self._db.put(self._table, _to_item(partner), expression("attribute_not_exists(#partner_id)"))

    def change(self, partner_id: str, change: PartnerUpdate, version: int | None = None) -> Partner:
        """Set what is given (at least one thing) and leave the rest as it is.

        Raises NotFound, and Conflict when the partner is revoked or has another version than the one given, if one is.
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
        wanted = expression(" ".join([*clauses, _NEXT]), **kept, one=1)
        if version is None:
            return self._update(partner_id, wanted, _WORKING)

        def is_done(partner: Partner) -> bool:
            # Our own change, which AWS did without an answer, or somebody's that is the same.
            same = all(getattr(partner, attribute) == value for attribute, value in change.items())
            return same and partner.version == version + 1 and partner.revoked_at is None

        return self._update(partner_id, wanted, _working_at(version), is_done)

    def rotate_key(self, partner_id: str, key: str) -> Partner:
        """Replace a partner's key; the old one stops working. Raises NotFound, and Conflict when it is revoked."""
        return self._update(partner_id, expression(f"SET #key = :key {_NEXT}", key=key, one=1), _WORKING)

    def rotate_signing_secret(self, partner_id: str, secret: str, now: int) -> Partner:
        """Sign a partner's pushes with a new secret, and for a while (`domain.partner.rotated`) with those before it.

        Raises NotFound, and Conflict when the partner is revoked or somebody else changed its secrets meanwhile: of
        two new secrets neither may go missing, both have been shown.
        """
        before = self.get(partner_id).signing_secrets
        secrets = _from_secrets(rotated(before, secret, now))
        change = expression(f"SET #signing_secrets = :secrets {_NEXT}", secrets=secrets, one=1)

        def is_done(partner: Partner) -> bool:
            # By a try of ours that AWS did not answer.
            return partner.revoked_at is None and any(known.secret == secret for known in partner.signing_secrets)

        return self._update(partner_id, change, _working_with(before), is_done)

    def remove_signing_secrets(self, partner_id: str) -> Partner:
        """Have a partner's pushes no longer signed; a second time changes nothing.

        Raises NotFound, and Conflict when it is revoked.
        """
        change = expression(f"REMOVE #signing_secrets {_NEXT}", one=1)
        condition = expression(f"{_WORKING.text} AND attribute_exists(#signing_secrets)")
        return self._update(
            partner_id, change, condition, lambda partner: not partner.is_signed and partner.revoked_at is None
        )

    def pause(self, partner_id: str, reason: str, now: int) -> Partner:
        """Sell a partner nothing from `now` (ms) on; one that is paused already is so for another reason.

        Raises NotFound, and Conflict when it is revoked.
        """
        change = expression(
            f"SET #paused_at = if_not_exists(#paused_at, :now), #pause_reason = :reason {_NEXT}",
            now=now,
            reason=reason,
            one=1,
        )
        return self._update(partner_id, change, _WORKING)

    def resume(self, partner_id: str) -> Partner:
        """Sell to a partner again; a second time changes nothing. Raises NotFound, and Conflict when it is revoked."""
        change = expression(f"REMOVE #paused_at, #pause_reason {_NEXT}", one=1)
        condition = expression(f"{_WORKING.text} AND attribute_exists(#paused_at)")
        return self._update(
            partner_id, change, condition, lambda partner: partner.paused is None and partner.revoked_at is None
        )

    def revoke(self, partner_id: str, now: int) -> Partner:
        """Make a partner's key stop working for good; a second time changes nothing. Raises NotFound."""
        change = expression(f"SET #revoked_at = :now {_NEXT}", now=now, one=1)
        return self._update(partner_id, change, _WORKING, lambda partner: partner.revoked_at is not None)

    def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
        """Return those of the partners that exist, as they are now. Raises Busy."""
        keys = [{"partner_id": partner_id} for partner_id in partner_ids]
        found = map(_to_partner, self._db.get_many(self._table, keys))
        return {partner.partner_id: partner for partner in found}

    def note_slow(self, partner_id: str, until: int) -> None:
        """Note that a partner's server is slow until then (ms); an earlier end changes nothing. Raises Busy."""
        self._note_later("slow_until", partner_id, until)

    def note_success(self, partner_id: str, at: int) -> None:
        """Note that a partner took a push then (ms); an earlier time changes nothing. Raises Busy."""
        self._note_later("last_success_at", partner_id, at)

    def _note_later(self, attribute: str, partner_id: str, time: int) -> None:
        change = expression(f"SET #{attribute} = :time", time=time)
        later = expression(
            f"attribute_exists(#partner_id) AND (attribute_not_exists(#{attribute}) OR #{attribute} < :time)", time=time
        )
        # Who pushes may write nothing else of a partner, and be given nothing back (template.yaml).
        with suppress(ConditionFailed):
            self._db.update_unseen(self._table, {"partner_id": partner_id}, change, later)

    def _update(
        self,
        partner_id: str,
        change: Expression,
        condition: Expression,
        is_done: Callable[[Partner], bool] = lambda _: False,
    ) -> Partner:
        """Change a partner on a condition. One that is in the way is given as it is when `is_done` says that it needs
        no change, else refused.
        """
        try:
            item = self._db.update(self._table, {"partner_id": partner_id}, change, condition)
        except ConditionFailed:
            found = self._read(partner_id)
        else:
            self._cache.forget(partner_id)
            return _to_partner(item)
        return _unchanged(found, is_done)

    def _read(self, partner_id: str) -> Partner | None:
        item = self._db.get(self._table, {"partner_id": partner_id})
        return _to_partner(item) if item else None


def _unchanged(partner: Partner | None, is_done: Callable[[Partner], bool]) -> Partner:
    """Return what a change found in its way, if it `is_done`. Raises NotFound, and Conflict."""
    if partner is None:
        raise NotFound("partner")
    if is_done(partner):
        return partner
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    raise Conflict("partner: was changed meanwhile; read it again")


def _working_at(version: int) -> Expression:
    # Partners from before there were versions have none.
    known = "#version = :version" if version else "(attribute_not_exists(#version) OR #version = :version)"
    return expression(f"{_WORKING.text} AND {known}", version=version)


def _working_with(secrets: Sequence[SigningSecret]) -> Expression:
    if not secrets:
        return expression(f"{_WORKING.text} AND attribute_not_exists(#signing_secrets)")
    return expression(f"{_WORKING.text} AND #signing_secrets = :known", known=_from_secrets(secrets))


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
        "signing_secrets": _from_secrets(partner.signing_secrets) or None,
        "version": partner.version,
        "max_live": partner.max_live,
        "paused_at": partner.paused.at if partner.paused else None,
        "pause_reason": partner.paused.reason if partner.paused else None,
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
        slow_until=item.get("slow_until", 0),
        last_success_at=item.get("last_success_at"),
        signing_secrets=tuple(SigningSecret(**secret) for secret in item.get("signing_secrets", ())),
        version=item.get("version", 0),
        max_live=item.get("max_live"),
        paused=Pause(item["paused_at"], item["pause_reason"]) if "paused_at" in item else None,
    )


def _from_secrets(secrets: Sequence[SigningSecret]) -> list[Item]:
    return [{"secret": secret.secret, "until": secret.until} for secret in secrets]

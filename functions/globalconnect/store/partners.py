"""The Partners table."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict

from globalconnect.domain.errors import Busy, Conflict, InvalidKey, NotFound, Unavailable, existing
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.offer import Offer, Turn
from globalconnect.domain.partner import (
    KeyHolder,
    KeyLink,
    Partner,
    Pause,
    PushSecrets,
    SigningSecret,
    digest_of,
    in_clear,
    offered_percent,
    partner_id_of,
    partner_id_of_link,
    rotated,
    turns,
)
from globalconnect.domain.times import MINUTE
from globalconnect.store.cache import Cache
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import TRIES, ConditionFailed, Dynamo, Expression, Item, changing, expression, update
from globalconnect.store.encryption import NO_ENCRYPTION, Context, Encryption

_WORKING = expression("attribute_exists(#partner_id) AND attribute_not_exists(#revoked_at)")
# Of every change by staff.
_NEXT = "ADD #version :one"
_LISTING = Listing("partners", partial(has, partner_id=str))

_CODEC = Codec(
    Partner,
    parts={"paused": Codec(Pause, {"at": "paused_at", "reason": "pause_reason"})},
    unwritten={"slow_until", "last_success_at", "last_polled_at"},
)
_to_partner = _CODEC.from_item
_SECRET = Codec(SigningSecret)
_OFFER = Codec(Offer)
_TURN = Codec(Turn)
_SECRETS = ("key", "signing_secrets")
# How often it is tried to write a key in another form while somebody changes the partner, and turns while others do.
_TRIES = 8
# How often it is written that a partner polls.
_POLL_NOTED_EVERY = MINUTE
# All that is known of a partner but its key, its secrets and its address: who sells to it needs none of them.
_OF_BUYERS = sorted({*_CODEC.attributes, "key_sha256"} - {*_SECRETS, "push_url"})
_WITHOUT_SECRETS = sorted({*_CODEC.attributes} - {*_SECRETS})
# A link to the key goes with it: who makes a key worthless has not left a way to another. `taken_by` names who took the
# last one.
_LINK = Codec(KeyLink, {"digest": "link_sha256", "until": "link_until"})
LINK = frozenset({*_LINK.attributes, "link_taken_by"})
_NO_LINK = "REMOVE #link_sha256, #link_until"


class PartnerUpdate(TypedDict, total=False):
    """What is to change about a partner; None removes the Push URL, the limit or the offer, or allows all services."""

    name: str
    push_url: str | None
    services: frozenset[str] | None
    dialect: str
    overrides: Mapping[str, Any]
    max_live: int | None
    offer: Offer | None


class Partners:
    """Partners by id and by key; whose a key is, is remembered for `cache_seconds`.

    Keys and secrets are given as they are kept. Only `secrets` decrypts, and who needs none takes no `encryption`.
    """

    def __init__(
        self,
        db: Dynamo,
        table: str,
        cache_seconds: int,
        now: Callable[[], int],
        encryption: Encryption = NO_ENCRYPTION,
    ) -> None:
        self._db = db
        self._table = table
        self._encryption = encryption
        self._cache: Cache[KeyHolder] = Cache(cache_seconds, now)
        self._polled: dict[PartnerId, int] = {}
        self._poll_noted: dict[PartnerId, int] = {}

    def authenticate(self, key: str) -> Partner:
        """Return the partner whose key this is, without key and secrets (docs/adr/0008).

        Raises InvalidKey when it is nobody's, or no longer works.
        """
        partner_id = partner_id_of(key)
        if partner_id is None:
            raise InvalidKey
        holder = self._holder(partner_id)
        if holder is not None and not holder.accepts(key):
            # The key may be newer than what we remember.
            self._cache.forget(partner_id)
            holder = self._holder(partner_id)
        if holder is None or not holder.accepts(key):
            raise InvalidKey
        return holder.partner

    def _holder(self, partner_id: PartnerId) -> KeyHolder | None:
        return self._cache.get(partner_id, lambda: self._read_holder(partner_id))

    def _read_holder(self, partner_id: PartnerId) -> KeyHolder | None:
        key = {"partner_id": partner_id}
        item = self._db.get(self._table, key, _OF_BUYERS)
        if item is not None and "key_sha256" not in item:
            # Its key is from before there were digests, and was not rotated since.
            item = self._db.get(self._table, key, [*_OF_BUYERS, "key"])
        if item is None:
            return None
        digest = item.get("key_sha256") or digest_of(item["key"])
        return KeyHolder(_to_partner(item | {"key": ""}), digest)

    def get(self, partner_id: PartnerId) -> Partner:
        """Return a partner as it is now. Raises NotFound."""
        return existing(self._read(partner_id), "partner")

    def page(self, limit: int, cursor: str | None) -> Page[Partner]:
        """Return one page of all partners, in no order. Raises InvalidInput for a cursor of something else."""
        page = self._db.scan(self._table, limit=limit, after=_LISTING.key(cursor))
        return Page([_to_partner(item) for item in page.items], _LISTING.cursor(page.next_key))

    def add(self, partner: Partner) -> None:
        """Store a new partner, whose key is in clear. Raises ConditionFailed when its id is taken, Busy and Unavailable."""
        item = _to_item(self._as_written(partner), digest_of(in_clear(partner.key)))
        self._db.put(self._table, item, expression("attribute_not_exists(#partner_id)"))

    def change(self, partner_id: PartnerId, change: PartnerUpdate, version: int | None = None) -> Partner:
        """Set what is given (at least one thing) and leave the rest as it is.

        Raises NotFound, and Conflict when the partner is revoked or has another version than the one given, if one is.
        """
        values: dict[str, object] = dict(change)
        if change.get("services") is not None:
            # An empty list of services is not the same as none given (all): sets can't be empty, so it is a list.
            values["services"] = sorted(change["services"] or ())
        if "offer" in change:
            offer = change["offer"]
            values |= {"turn": None} if offer is None else {"offer": _OFFER.to_item(offer)}
        wanted = changing(
            {attribute: value for attribute, value in values.items() if value is not None},
            removes=[attribute for attribute, value in values.items() if value is None],
            adds={"version": 1},
        )
        if version is None:
            return self._update(partner_id, wanted, _WORKING)

        def is_done(partner: Partner) -> bool:
            # Our own change, which AWS did without an answer, or somebody's that is the same.
            same = all(getattr(partner, attribute) == value for attribute, value in change.items())
            return same and partner.version == version + 1 and partner.revoked_at is None

        return self._update(partner_id, wanted, _working_at(version), is_done)

    def put_names(self, partner_id: PartnerId, version: str | None, names: Item) -> None:
        """Do the write that stores a partner's names, and let them be its own, by their version; None for none.

        Raises NotFound, and Conflict when the partner is revoked.
        """
        change = changing(
            {} if version is None else {"names_version": version},
            removes=["names_version"] if version is None else [],
            adds={"version": 1},
        )
        partner = update(self._table, {"partner_id": partner_id}, change, _WORKING)
        try:
            self._db.transact(partner, names, was_done=lambda: self.get(partner_id).names_version == version)
        except ConditionFailed:
            _unchanged(self._read(partner_id), lambda _: False)
        self._cache.forget(partner_id)

    def rotate_key(self, partner_id: PartnerId, key: str) -> Partner:
        """Replace a partner's key; the old one stops working. Raises NotFound, and Conflict when it is revoked."""
        kept = self._encryption.written(key, _context(partner_id))
        change = expression(
            f"SET #key = :key, #key_sha256 = :digest {_NO_LINK} {_NEXT}", key=kept, digest=digest_of(key), one=1
        )
        return self._update(partner_id, change, _WORKING)

    def put_link(self, partner_id: PartnerId, link: KeyLink) -> None:
        """Let a link hand out a partner's key; a former one no longer does. It is no change of what staff see.

        Raises NotFound, and Conflict when the partner is revoked.
        """
        self._update(partner_id, changing(_LINK.to_item(link)), _WORKING)

    def follow_link(self, token: str, now: int, taken_by: str) -> tuple[Partner, str]:
        """Return whose link a token opens at `now` (ms), without secrets, and the key; then the link is gone.

        Of several at once one wins; `taken_by` is a name of the caller's that nobody else has. Raises NotFound when the
        link is unknown, taken or too old, Busy and Unavailable.
        """
        partner_id = partner_id_of_link(token)
        item = partner_id and self._read_linked(partner_id)
        if not partner_id or not item or "link_sha256" not in item or not _LINK.from_item(item).opens(token, now):
            raise NotFound("link")
        # Read first: once the link is gone, nothing must keep the key from being shown.
        key = self._encryption.opened(item["key"], _context(partner_id))
        taken = expression(f"SET #link_taken_by = :taken_by {_NO_LINK}", taken_by=taken_by)
        as_read = expression("#link_sha256 = :digest", digest=item["link_sha256"])
        try:
            self._db.update_unseen(self._table, {"partner_id": partner_id}, taken, as_read)
        except ConditionFailed:
            # Unless by a try of ours that AWS did not answer, somebody else was faster.
            if (self._read_linked(partner_id) or {}).get("link_taken_by") != taken_by:
                raise NotFound("link") from None
        return _to_partner(item | {"key": ""}), key

    def _read_linked(self, partner_id: PartnerId) -> Item | None:
        return self._db.get(self._table, {"partner_id": partner_id}, [*_OF_BUYERS, "key", *sorted(LINK)])

    def rotate_signing_secret(self, partner_id: PartnerId, secret: str, now: int) -> Partner:
        """Sign a partner's pushes with a new secret, and for a while (`domain.partner.rotated`) with those before it.

        Raises NotFound, and Conflict when the partner is revoked or somebody else changed it meanwhile: of
        two new secrets neither may go missing, both have been shown.
        """
        before = self.get(partner_id)
        kept = self._signing_as_written(partner_id, rotated(before.signing_secrets, secret, now))
        secrets = [_SECRET.to_item(known) for known in kept]
        change = expression(f"SET #signing_secrets = :secrets {_NEXT}", secrets=secrets, one=1)

        def is_done(partner: Partner) -> bool:
            # By a try of ours that AWS did not answer.
            return partner.revoked_at is None and any(
                known.secret == kept[0].secret for known in partner.signing_secrets
            )

        return self._update(partner_id, change, _working_at(before.version), is_done)

    def remove_signing_secrets(self, partner_id: PartnerId) -> Partner:
        """Have a partner's pushes no longer signed; a second time changes nothing.

        Raises NotFound, and Conflict when it is revoked.
        """
        change = expression(f"REMOVE #signing_secrets {_NEXT}", one=1)
        condition = expression(f"{_WORKING.text} AND attribute_exists(#signing_secrets)")
        return self._update(
            partner_id, change, condition, lambda partner: not partner.is_signed and partner.revoked_at is None
        )

    def pause(self, partner_id: PartnerId, reason: str, now: int) -> Partner:
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

    def resume(self, partner_id: PartnerId) -> Partner:
        """Sell to a partner again; a second time changes nothing. Raises NotFound, and Conflict when it is revoked."""
        change = expression(f"REMOVE #paused_at, #pause_reason {_NEXT}", one=1)
        condition = expression(f"{_WORKING.text} AND attribute_exists(#paused_at)")
        return self._update(
            partner_id, change, condition, lambda partner: partner.paused is None and partner.revoked_at is None
        )

    def revoke(self, partner_id: PartnerId, now: int) -> Partner:
        """Make a partner's key stop working for good; a second time changes nothing. Raises NotFound."""
        change = expression(f"SET #revoked_at = :now {_NO_LINK} {_NEXT}", now=now, one=1)
        return self._update(partner_id, change, _WORKING, lambda partner: partner.revoked_at is not None)

    def many(self, partner_ids: Collection[PartnerId]) -> dict[PartnerId, Partner]:
        """Return those of the partners that exist, as they are now. Raises Busy."""
        keys = [{"partner_id": partner_id} for partner_id in partner_ids]
        return {partner.partner_id: partner for partner in map(_to_partner, self._db.get_many(self._table, keys))}

    def secrets(self, partner: Partner, now: int) -> PushSecrets:
        """Return what of a push to a partner at `now` (ms) is secret. Raises Busy and Unavailable."""
        return partner.push_secrets(now, partial(self._encryption.opened, context=_context(partner.partner_id)))

    def every(self) -> Iterator[Partner]:
        return map(_to_partner, self._db.scan_all(self._table, consistent=True))

    def arrange_turns(self) -> int:
        """Give those with an offer their turns, and return how many percent of what is free they are offered together.

        Whoever changes which partners have one has to call it then; it is no change of what staff see. Who writes last looks
        again after it, so that it ends right whoever else does so at once. Raises Busy and Unavailable.
        """
        for _ in range(_TRIES):
            partners = list(self.every())
            wanted = [(partner, turn) for partner, turn in turns(partners) if partner.turn != turn]
            if not wanted:
                return offered_percent(partners)
            for partner, turn in wanted:
                self._put_turn(partner, turn)
        raise Busy

    def _put_turn(self, partner: Partner, turn: Turn) -> None:
        known = {} if partner.turn is None else _TURN.to_item(partner.turn)
        as_read = " AND ".join(f"#turn.#{name} = :{name}" for name in known) or "attribute_not_exists(#turn)"
        condition = expression(f"attribute_exists(#offer) AND {as_read}", **known)
        change = changing({"turn": _TURN.to_item(turn)})
        with suppress(ConditionFailed):
            self._db.update_unseen(self._table, {"partner_id": partner.partner_id}, change, condition)

    def write_again(self, partner: Partner) -> bool:
        """Write a partner's key and secrets in the form in which they are written now, and nothing else of it.

        Returns whether any was in the other. Raises Busy and Unavailable.
        """
        found: Partner | None = partner
        for _ in range(_TRIES):
            if found is None or (wanted := self._as_written(found)) == found:
                return False
            kept = _CODEC.to_item(wanted)
            secrets = {name: kept[name] for name in _SECRETS if kept[name] is not None}
            # An encrypted key is never without: who sells to the partner can't read it.
            digest = {"key_sha256": digest_of(found.key)} if isinstance(found.key, str) else {}
            as_read = expression(
                f"attribute_exists(#partner_id) AND #key = :known_key AND {_of_version(found.version)}",
                known_key=found.key,
                version=found.version,
            )
            try:
                self._db.update_unseen(
                    self._table, {"partner_id": found.partner_id}, changing(secrets | digest), as_read
                )
            except ConditionFailed:
                found = self._read(found.partner_id)
            else:
                return True
        raise Busy

    def _as_written(self, partner: Partner) -> Partner:
        """Return a partner with its key and secrets in the form in which they are written. Raises Busy and Unavailable."""
        key = self._encryption.written(partner.key, _context(partner.partner_id))
        signing = self._signing_as_written(partner.partner_id, partner.signing_secrets)
        return replace(partner, key=key, signing_secrets=signing)

    def _signing_as_written(self, partner_id: PartnerId, secrets: Sequence[SigningSecret]) -> tuple[SigningSecret, ...]:
        written = partial(self._encryption.written, context=_context(partner_id))
        return tuple(replace(known, secret=written(known.secret)) for known in secrets)

    def without_secrets(self, partner_ids: Collection[PartnerId]) -> dict[PartnerId, Partner]:
        """Return those of the partners that exist, as they are now, without key and signing secrets. Raises Busy."""
        keys = [{"partner_id": partner_id} for partner_id in partner_ids]
        items = self._db.get_many(self._table, keys, _WITHOUT_SECRETS)
        return {partner.partner_id: partner for partner in (_to_partner(item | {"key": ""}) for item in items)}

    def note_slow(self, partner_id: PartnerId, until: int) -> None:
        """Note that a partner's server is slow until then (ms); an earlier end changes nothing. Raises Busy."""
        self._note_later("slow_until", partner_id, until)

    def note_success(self, partner_id: PartnerId, at: int) -> None:
        """Note that a partner took a push then (ms); an earlier time changes nothing. Raises Busy."""
        self._note_later("last_success_at", partner_id, at)

    def note_poll(self, partner: Partner, at: int) -> None:
        """Note that a partner asked for the counts then (ms). It is written once a minute at most, and not when that fails: who
        asks needs an answer, and soon.
        """
        partner_id = partner.partner_id
        self._polled[partner_id] = at
        if at < max(partner.last_polled_at or 0, self._poll_noted.get(partner_id, 0)) + _POLL_NOTED_EVERY:
            return
        self._poll_noted[partner_id] = at
        with suppress(Busy, Unavailable):
            self._note_later("last_polled_at", partner_id, at, tries=1)

    def last_poll(self, partner: Partner) -> int | None:
        """Return when a partner asked for the counts (ms), as far as is known here: it may have asked again up to a minute
        after that, and `cache_seconds`. None if it never did.
        """
        return max(partner.last_polled_at or 0, self._polled.get(partner.partner_id, 0)) or None

    def _note_later(self, attribute: str, partner_id: PartnerId, time: int, tries: int = TRIES) -> None:
        change = expression(f"SET #{attribute} = :time", time=time)
        later = expression(
            f"attribute_exists(#partner_id) AND (attribute_not_exists(#{attribute}) OR #{attribute} < :time)", time=time
        )
        # Who pushes or sells may write nothing else of a partner, and be given nothing back (template.yaml).
        with suppress(ConditionFailed):
            self._db.update_unseen(self._table, {"partner_id": partner_id}, change, later, tries)

    def _update(
        self,
        partner_id: PartnerId,
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

    def _read(self, partner_id: PartnerId) -> Partner | None:
        item = self._db.get(self._table, {"partner_id": partner_id})
        return _to_partner(item) if item else None


def _unchanged(partner: Partner | None, is_done: Callable[[Partner], bool]) -> Partner:
    """Return what a change found in its way, if it `is_done`. Raises NotFound, and Conflict."""
    partner = existing(partner, "partner")
    if is_done(partner):
        return partner
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    raise Conflict("partner: was changed meanwhile; read it again")


def _working_at(version: int) -> Expression:
    return expression(f"{_WORKING.text} AND {_of_version(version)}", version=version)


def _of_version(version: int) -> str:
    # Partners from before there were versions have none.
    return "#version = :version" if version else "(attribute_not_exists(#version) OR #version = :version)"


def _context(partner_id: PartnerId) -> Context:
    return {"partner": partner_id}


def _to_item(partner: Partner, digest: str) -> Item:
    # Sets can't be empty.
    services = None if partner.services is None else sorted(partner.services)
    return _CODEC.to_item(partner) | {"services": services, "key_sha256": digest}

"""Putting back what a table lost, from a copy of it as it was before (docs/adr/0039).

Every write is conditional on what was read, so that nothing newer is undone and all of it may be done again, while the
stack is at work. What belongs to live activations comes first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import batched, groupby
from threading import Lock

from deployment.restored import (
    activation_of,
    is_lost,
    live_among,
    may_have_taken,
    restored_number,
    with_marks_of,
)
from globalconnect.domain.activation import LONGEST_LIFETIME, Activation
from globalconnect.domain.audit import AuditEntry, AuditResult
from globalconnect.domain.ids import ActivationId, PartnerId, Rng, new_token
from globalconnect.domain.number import Number
from globalconnect.domain.partner import digest_of, new_key
from globalconnect.domain.service import cancel_limit_of
from globalconnect.domain.sms import PushState
from globalconnect.domain.times import DAY, MINUTE, day_of
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.store.activations import ENTRY, from_activation, is_kept, to_activation
from globalconnect.store.audit import Audit
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, Key, expression
from globalconnect.store.lines import fitting
from globalconnect.store.numbers import HELD_SHARDS, to_number, to_whole_item, unchanged
from globalconnect.store.partners import LINK, Partners
from globalconnect.store.services import Services

# What the projection and the recount make anew from Numbers.
RECOUNTED = frozenset({"Availability", "Counted", "Holders"})
# Whose former content would let in who was let out since; the owners say it anew.
GRANTED = frozenset({"Staff"})

_AT_ONCE = 100
# As many connections as boto3 keeps.
_THREADS = 10
_TRIES = 5
# Clocks differ, and what was written in a second may be in the copy or not.
_MARGIN = MINUTE

# What staff do to make a key or secret no longer good, and to remove what has one.
_KEY_CHANGES = frozenset({"partner.key_rotated"})
_REVOCATIONS = frozenset({"partner.revoked"})
_SIGNING_CHANGES = frozenset({"partner.signing_secret_rotated", "partner.signing_secrets_removed"})
_PAUSES = frozenset({"partner.paused", "partner.resumed"})
_SECRET_CHANGES = frozenset({"source.secret_replaced"})
_REMOVALS = frozenset({"source.removed"})
# Whose changes are in which table: what actions begin with.
_CHANGES_OF = {
    "Partners": ("partner.",),
    "Names": ("partner.names_",),
    "Services": ("service.",),
    "Sources": ("source.",),
    "Lines": ("source.lines_", "source.changed", "source.removed"),
    "Numbers": ("number.", "numbers.", "import.", "partner.marks_lifted"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a table is put back, and from what.

    `tables` are the stack's by their names in docs/architecture.md, `copy` is the table that holds what `name` did at
    `since` (ms). `exact`: nothing happened to the table after that, since it was deleted then. `rest` and `retention` are
    the deployment's (ms).
    """

    name: str
    tables: Mapping[str, str]
    copy: str
    since: int
    exact: bool
    cancel_limit: int
    rest: int
    retention: int


@dataclass(slots=True)
class RestoreReport:
    """How many items the copy had that were looked at, and how many were put back; `running`: of live activations.

    `stopped` SMS are not pushed again, since their partner may have them; `unknown` numbers are held by activations that
    could not be made again; `disarmed` are keys and secrets that no longer work, `paused` partners that staff had paused;
    `expired` is past its retention; `encrypted` and `in_clear` count items by the form of their key or secret.
    """

    looked_at: int = 0
    put_back: int = 0
    running: int = 0
    made_again: int = 0
    expired: int = 0
    stopped: int = 0
    unknown: list[str] = field(default_factory=list)
    disarmed: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    encrypted: int = 0
    in_clear: int = 0


class Restoring:
    """Puts back one table, once. `now` is in ms; `rng` makes keys that nobody has."""

    def __init__(self, db: Dynamo, setting: Setting, now: Callable[[], int], rng: Rng) -> None:
        self._db = db
        self._of = setting
        self._table = setting.tables[setting.name]
        self._now = now
        self._rng = rng
        self._report = RestoreReport()
        self._services = Services(db, setting.tables["Services"], 3_600, now)
        self._partners = Partners(db, setting.tables["Partners"], 0, now)
        self._took: dict[PartnerId, bool] = {}
        self._lock = Lock()

    def run(self, running: Callable[[], None] = lambda: None) -> RestoreReport:
        """Put back what is lost; `running` is called when what live activations need is there again.

        Raises Busy and Unavailable: then it is to be done again.
        """
        match self._of.name:
            case "Numbers":
                self._put_back_numbers(running)
            case "Activations":
                self._put_back_activations(running)
            case name:
                self._put_back(self._db.scan_all(self._of.copy), self._adapted(name))
                if name == "Partners":
                    # Some were paused, and places come back that others have now.
                    self._partners.arrange_turns()
                running()
        return self._report

    def changes_by_staff(self) -> list[AuditEntry]:
        """Return what staff changed in this table since; what of it got lost nothing tells, they have to look."""
        begins = _CHANGES_OF.get(self._of.name)
        if begins is None or self._of.exact:
            return []
        return [entry for entry in self._staff_did() if entry.action.startswith(begins)]

    def _staff_did(self) -> Iterator[AuditEntry]:
        audit = Audit(self._db, self._of.tables["Audit"], 0)
        found = audit.since(self._of.since - _MARGIN, self._now())
        return (entry for entry in found if entry.result is not AuditResult.REFUSED)

    # -------------------------------------------------------------- any table

    def _put_back(self, items: Iterable[Item], adapted: Callable[[Item], Item | None]) -> None:
        with ThreadPoolExecutor(_THREADS) as threads:
            for some in batched(batched(items, _AT_ONCE, strict=False), _THREADS, strict=False):
                self._report.looked_at += sum(map(len, some))
                list(threads.map(partial(self._put_missing, adapted=adapted), some))

    def _put_missing(self, items: Sequence[Item], adapted: Callable[[Item], Item | None]) -> None:
        """Put those of the items that are not there, one after the other."""
        names = _key_of(self._of.name)
        there = {tuple(item[name] for name in names) for item in self._there(items, names)}
        for item in items:
            if tuple(item[name] for name in names) in there:
                continue
            if "expire_at" in item and not is_kept(item, self._now()):
                # What is past its retention stays purged (contract 2).
                self._count("expired")
            elif (wanted := adapted(item)) is not None:
                self._put(self._table, wanted, expression(f"attribute_not_exists(#{names[0]})"))

    def _there(self, items: Sequence[Item], names: Sequence[str]) -> list[Item]:
        keys: list[Key] = [{name: item[name] for name in names} for item in items]
        return self._db.get_many(self._table, keys)

    def _put(self, table: str, item: Mapping[str, object], condition: Expression) -> bool:
        with suppress(ConditionFailed):
            self._db.put(table, item, condition)
            self._count("put_back")
            return True
        # It is there by now: somebody else's, and newer.
        return False

    def _count(self, what: str, by: int = 1) -> None:
        with self._lock:
            setattr(self._report, what, getattr(self._report, what) + by)

    def _adapted(self, name: str) -> Callable[[Item], Item | None]:
        """Return what makes of an item of the copy what is to be put back, None for nothing.

        A key or secret that staff have since made worthless stays worthless (contract 5).
        """
        if name == "Lines":
            return lambda item: fitting(item, partial(self._db.get, self._table))
        if name not in {"Partners", "Sources"} or self._of.exact:
            return lambda item: item
        did, paused = self._did_since()
        its_name = "partner_id" if name == "Partners" else "source_id"
        secret = "key" if name == "Partners" else "secret"

        def disarmed(item: Item) -> Item | None:
            its_id = item[its_name]
            its_actions: AbstractSet[str] = did.get(its_id, frozenset())
            if its_actions & _REMOVALS:
                return None
            self._count("encrypted" if isinstance(item.get(secret), bytes) else "in_clear")
            if its_actions & (_KEY_CHANGES | _REVOCATIONS | _SECRET_CHANGES | _SIGNING_CHANGES):
                self._report.disarmed.append(its_id)
            changed = self._without_what_was_replaced(item, its_id, its_actions)
            if its_id in paused:
                self._report.paused.append(its_id)
                changed |= {"paused_at": self._now(), "pause_reason": "Paused before the table was restored"}
            return changed

        return disarmed

    def _did_since(self) -> tuple[dict[str, set[str]], set[str]]:
        """Return what staff did since to each partner and source, and whom they paused last."""
        did: dict[str, set[str]] = {}
        pauses: dict[str, tuple[int, str]] = {}
        for entry in self._staff_did():
            its_id = entry.changed_id or ""
            did.setdefault(its_id, set()).add(entry.action)
            if entry.action in _PAUSES:
                pauses[its_id] = max((entry.at, entry.action), pauses.get(its_id, (0, "")))
        return did, {its_id for its_id, (_, action) in pauses.items() if action == "partner.paused"}

    def _without_what_was_replaced(self, item: Item, its_id: str, its_actions: AbstractSet[str]) -> Item:
        # A link to a key may have been taken since.
        changed = {attribute: value for attribute, value in item.items() if attribute not in LINK}
        if its_actions & _KEY_CHANGES:
            changed["key"] = new_key(PartnerId(its_id), self._rng)
            changed["key_sha256"] = digest_of(changed["key"])
        if its_actions & _SIGNING_CHANGES:
            changed.pop("signing_secrets", None)
        if its_actions & _REVOCATIONS:
            changed["revoked_at"] = item.get("revoked_at", self._now())
        if its_actions & _SECRET_CHANGES:
            changed["secret"] = new_token(32, self._rng)
            changed.pop("former_secrets", None)
        return changed

    # -------------------------------------------------------------- Numbers

    def _put_back_numbers(self, running: Callable[[], None]) -> None:
        sold = self._sold_since()
        with ThreadPoolExecutor(_THREADS) as threads:
            for live in (True, False):
                # Those that are held come first: their SMS have to find their buyers.
                wanted = [phone for phone, some in sold.items() if (live_among(some, self._now()) is not None) is live]
                list(threads.map(partial(self._put_numbers, sold=sold), batched(wanted, _AT_ONCE, strict=False)))
                if live:
                    self._report.running = self._report.put_back
                    running()
            phones = (item["phone"] for item in self._db.scan_all(self._of.copy))
            for some in batched(batched(phones, _AT_ONCE, strict=False), _THREADS, strict=False):
                self._report.looked_at += sum(map(len, some))
                list(threads.map(partial(self._put_numbers, sold=sold), some))

    def _put_numbers(self, phones: Sequence[str], sold: Mapping[str, Sequence[Activation]]) -> None:
        keys: list[Key] = [{"phone": phone} for phone in phones]
        before = self._numbers(self._of.copy, keys)
        current = self._numbers(self._table, keys)
        counted = {item["phone"]: item["version"] for item in self._db.get_many(self._of.tables["Counted"], keys)}
        for phone in phones:
            found = current.get(phone)
            for _ in range(_TRIES):
                if self._put_number(phone, before.get(phone), found, sold.get(phone, ()), counted.get(phone, 0)):
                    break
                found = self._numbers(self._table, [{"phone": phone}]).get(phone)

    def _put_number(
        self, phone: str, before: Number | None, current: Number | None, sold: Sequence[Activation], counted: int
    ) -> bool:
        """Put a number back if it is lost; tells whether it stood still for that."""
        now = self._now()
        if not is_lost(current, before, live_among(sold, now)):
            return True
        if current is not None:
            # It may have been sold, or finished, since that was read.
            sold = self._activations({current.activation_id, *(one.activation_id for one in sold)} - {None})
            its_buyer_is_lost = current.is_held(now) and current.activation_id not in {
                one.activation_id for one in sold
            }
            if its_buyer_is_lost or not is_lost(current, before, live_among(sold, now)):
                return True
        restored = restored_number(
            _base(before, current) or _entered(phone, sold),
            sold,
            version=max(counted, 0 if current is None else current.version),
            now=now,
            rest=self._of.rest,
            cancel_limit=self._cancel_limit,
        )
        condition = expression("attribute_not_exists(#phone)") if current is None else unchanged(current)
        return self._put(self._table, to_whole_item(restored), condition)

    def _numbers(self, table: str, keys: Sequence[Key]) -> dict[str, Number]:
        return {item["phone"]: to_number(item) for item in self._db.get_many(table, keys)}

    def _cancel_limit(self, activation: Activation) -> int:
        service = self._services.find(activation.service)
        partner = self._partners.many([activation.partner_id]).get(activation.partner_id)
        partners = None if partner is None else dialect_of(partner).cancel_limit
        return cancel_limit_of(service, self._of.cancel_limit, partners)

    def _sold_since(self) -> dict[str, list[Activation]]:
        """Return the activations that began or were finished since, or are live, by phone."""
        since, now = self._of.since - _MARGIN, self._now()
        ids: set[int] = set()
        for day in _days(min(since, now - LONGEST_LIFETIME), now):
            began = expression("#started_day = :day", day=day)
            for item in self._db.query_all(self._of.tables["Activations"], began, index="by-day"):
                is_live = item.get("outcome") is None and now < item["expires_at"]
                if is_live or item["started_at"] >= since:
                    ids.add(item["activation_id"])
        for day in _days(since, now):
            ended = expression("#finished_day = :day AND #finished_at >= :since", day=day, since=since)
            found = self._db.query_all(self._of.tables["Activations"], ended, index="finished")
            ids.update(item["activation_id"] for item in found)
        sold: dict[str, list[Activation]] = {}
        for activation in self._activations(ids):
            sold.setdefault(activation.phone, []).append(activation)
        return sold

    def _activations(self, ids: Iterable[int | None]) -> list[Activation]:
        keys: list[Key] = [{"activation_id": its_id, "entry": ENTRY} for its_id in ids if its_id is not None]
        return [to_activation(item) for item in self._db.get_many(self._of.tables["Activations"], keys)]

    # -------------------------------------------------------------- Activations

    def _put_back_activations(self, running: Callable[[], None]) -> None:
        for number in self._held():
            self._put_back_sale(number)
        self._report.running = self._report.put_back
        running()
        # An activation comes before its messages, and all of it in one go: a push of a message whose activation is not
        # there takes it for finished.
        by_activation = groupby(self._db.scan_all(self._of.copy), key=lambda item: item["activation_id"])
        whole = (list(items) for _, items in by_activation)
        with ThreadPoolExecutor(_THREADS) as threads:
            for some in batched(whole, _AT_ONCE * _THREADS, strict=False):
                self._report.looked_at += sum(map(len, some))
                list(threads.map(self._put_entries, some))

    def _held(self) -> Iterator[Number]:
        """Return the numbers that live activations hold, as they are now."""
        for shard in HELD_SHARDS:
            condition = expression("#held_shard = :shard AND #available_from > :now", shard=shard, now=self._now())
            found = self._db.query_all(self._of.tables["Numbers"], condition, index="held")
            for some in batched(found, _AT_ONCE, strict=False):
                keys: list[Key] = [{"phone": item["phone"]} for item in some]
                numbers = self._numbers(self._of.tables["Numbers"], keys).values()
                yield from (number for number in numbers if number.is_held(self._now()))

    def _put_back_sale(self, number: Number) -> None:
        """Put back the activation that holds a number, with its messages; make it again if the copy has none."""
        its_id = number.activation_id or ActivationId(0)
        if self._db.get(self._table, {"activation_id": its_id, "entry": ENTRY}) is None:
            before = list(self._db.query_all(self._of.copy, expression("#activation_id = :id", id=its_id)))
            if before:
                self._put_entries(before)
                return
            activation = activation_of(number)
            if activation is None:
                self._report.unknown.append(number.phone)
                return
            item = from_activation(activation, self._of.retention)
            if self._put(self._table, item, expression("attribute_not_exists(#activation_id)")):
                self._report.made_again += 1

    def _put_entries(self, entries: Sequence[Item]) -> None:
        """Put those entries of one activation that are not there."""
        ordered = sorted(entries, key=lambda item: str(item["entry"]))
        is_over = self._was_finished(ordered[0])

        def adapted(item: Item) -> Item:
            if item["entry"] == ENTRY:
                # Its outcome is lost. Nothing goes on for it, and a partner that repeats the outcome is heard.
                return {**item, "expires_at": self._now()} if is_over else item
            if item.get("push_state") != PushState.PENDING or not (is_over or self._has_taken(item["partner_id"])):
                return item
            # Its partner may have taken it, and must not get it twice (contract 3).
            self._count("stopped")
            return {**item, "push_state": PushState.STOPPED.value, "pending_shard": None}

        self._put_missing(ordered, adapted if not self._of.exact else lambda item: item)

    def _was_finished(self, item: Item) -> bool:
        """Return whether an activation that was live before has been finished since: its number is not its any more."""
        if self._of.exact or item["entry"] != ENTRY or "outcome" in item or item["expires_at"] <= self._now():
            return False
        number = self._numbers(self._of.tables["Numbers"], [{"phone": item["phone"]}]).get(item["phone"])
        return number is not None and number.activation_id != item["activation_id"]

    def _has_taken(self, partner_id: PartnerId) -> bool:
        if partner_id not in self._took:
            partner = self._partners.many([partner_id]).get(partner_id)
            self._took[partner_id] = may_have_taken(partner, self._of.since)
        return self._took[partner_id]


def _base(before: Number | None, current: Number | None) -> Number | None:
    """Return what is to be put back of a number, but for its lease and newer marks."""
    if before is None or current is None:
        return before or current
    if current.version < before.version:
        return with_marks_of(before, current)
    return before if current.version == before.version else current


def _entered(phone: str, sold: Sequence[Activation]) -> Number:
    newest = max(sold, key=lambda one: one.started_at)
    return Number(phone, newest.country, newest.operator, available_from=newest.started_at)


def _days(since: int, until: int) -> list[str]:
    return sorted({day_of(at) for at in range(since, until, DAY)} | {day_of(until)})


_KEYS: dict[str, tuple[str, ...]] = {
    "Partners": ("partner_id",),
    "Names": ("partner_id",),
    "Services": ("code",),
    "Numbers": ("phone",),
    "Activations": ("activation_id", "entry"),
    "Sources": ("source_id",),
    "Lines": ("source_id", "line"),
    "Devices": ("source_id", "device"),
    "Inbox": ("inbox_id",),
    "Audit": ("month", "entry"),
    "Statistics": ("kind", "at"),
    "Imports": ("collection", "entry"),
}
RESTORED = tuple(_KEYS)


def _key_of(name: str) -> tuple[str, ...]:
    return _KEYS[name]

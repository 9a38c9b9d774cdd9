"""The Statistics table, and what it is counted from: the indexes by-day, delivered and finished of Activations."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from globalconnect.domain.activation import Outcome
from globalconnect.domain.backlog import PartnerPending, PendingNote
from globalconnect.domain.ids import PartnerId, SourceId
from globalconnect.domain.outcomes import COUNTED, ByPartner, FinishedActivation, Outcomes, together
from globalconnect.domain.statistics import (
    STATES,
    Histogram,
    Hour,
    HourCounts,
    StartedActivation,
    Stock,
    histogram,
    hour_of,
)
from globalconnect.domain.times import DAY, day_of
from globalconnect.store.activations import expire_at
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, Key, changing, expression
from globalconnect.store.packing import pack_histogram, unpack_histogram

# How long hours are kept: a year can be compared with the one before.
KEPT = 400 * DAY
# Outcomes by partner are looked at for a day.
OUTCOMES_KEPT = 3 * DAY
GAPS_KEPT = 9 * DAY
# Of an hour; those with the most outcomes. An item must stay small.
MOST_PARTNERS = 2_000

_HOUR = "hour"
_OUTCOMES = "outcomes"
_STOCK = "stock"
_PENDING = "pending"
# Of these there is only the newest.
_ONLY = 0


class Statistics:
    """Hours, and what there was of numbers and waiting SMS last. What was measured earlier never replaces a later."""

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def put_hour(self, hour: Hour) -> None:
        """Keep an hour, in place of what was kept of it. Raises Busy."""
        counts = hour.counts
        states = {name: getattr(counts, name) for name in STATES}
        content = {**states, "times": pack_histogram(counts.times), "expire_at": expire_at(hour.at, KEPT)}
        self._put(_HOUR, hour.at, hour.measured_at, content)

    def put_outcomes(self, at: int, measured_at: int, by_partner: ByPartner) -> None:
        """Keep the outcomes of the hour that begins at `at` (ms), in place of what was kept of it. Raises Busy."""
        most = sorted(by_partner.items(), key=lambda entry: entry[1].finished, reverse=True)[:MOST_PARTNERS]
        partners = {
            partner_id: ",".join(str(getattr(outcomes, name)) for name in COUNTED) for partner_id, outcomes in most
        }
        self._put(_OUTCOMES, at, measured_at, {"partners": partners, "expire_at": expire_at(at, OUTCOMES_KEPT)})

    def put_stock(self, stock: Stock) -> None:
        self._put(_STOCK, _ONLY, stock.measured_at, {"numbers": stock.numbers, "free": stock.free})

    def put_pending(self, note: PendingNote) -> None:
        partners = {
            partner_id: {"waiting": pending.waiting, "oldest_at": pending.oldest_at}
            for partner_id, pending in note.partners.items()
        }
        content = {"waiting": note.waiting, "oldest_at": note.oldest_at, "partners": partners}
        self._put(_PENDING, _ONLY, note.measured_at, content)

    def hours(self, first: int, last: int) -> list[Hour]:
        """Return the hours that are kept of those that begin from `first` to `last` (ms), oldest first."""
        condition = expression("#kind = :kind AND #at BETWEEN :first AND :last", kind=_HOUR, first=first, last=last)
        return [_to_hour(item) for item in self._db.query_all(self._table, condition)]

    def outcomes(self, first: int, last: int) -> dict[PartnerId, Outcomes]:
        """Return the outcomes by partner of the hours that begin from `first` to `last` (ms), together."""
        condition = expression("#kind = :kind AND #at BETWEEN :first AND :last", kind=_OUTCOMES, first=first, last=last)
        return together(_to_outcomes(item) for item in self._db.query_all(self._table, condition))

    def stock(self) -> Stock | None:
        """Return what there was of numbers last, None before it was measured."""
        item = self._only(_STOCK)
        return None if item is None else Stock(item["measured_at"], item["numbers"], item["free"])

    def pending(self) -> PendingNote | None:
        """Return what the last sweep found waiting, None before there was one."""
        item = self._only(_PENDING)
        if item is None:
            return None
        return PendingNote(
            measured_at=item["measured_at"],
            waiting=item["waiting"],
            oldest_at=item.get("oldest_at"),
            partners={partner_id: PartnerPending(**pending) for partner_id, pending in item["partners"].items()},
        )

    def _only(self, kind: str) -> Item | None:
        return self._db.get(self._table, {"kind": kind, "at": _ONLY})

    def _put(self, kind: str, at: int, measured_at: int, content: Item) -> None:
        item = {"kind": kind, "at": at, "measured_at": measured_at, **content}
        not_older = expression("attribute_not_exists(#measured_at) OR #measured_at <= :at", at=measured_at)
        with suppress(ConditionFailed):
            self._db.put(self._table, item, not_older)


class SmsGaps:
    """How far apart a source's SMS came, by the hour (docs/adr/0045)."""

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def note(self, source_id: SourceId, now: int, gap: int, closer: int) -> None:
        """Note that an SMS came at `now` (ms), a gap (ms) after the one before, and others in between, closer together."""
        added = Counter({f"g{bound}": count for bound, count in histogram([gap, *[0] * closer]).items()})
        change = changing({"expire_at": expire_at(now, GAPS_KEPT)}, adds=added)
        self._db.update(self._table, {"kind": _gaps(source_id), "at": hour_of(now)}, change)

    def at_hour(self, source_id: SourceId, now: int) -> Histogram:
        """Return the gaps of the seven days before `now` (ms) at that hour of the day."""
        keys: list[Key] = [{"kind": _gaps(source_id), "at": hour_of(now) - days * DAY} for days in range(1, 8)]
        counts: Counter[int] = Counter()
        for item in self._db.get_many(self._table, keys):
            counts.update({int(name[1:]): int(count) for name, count in item.items() if name[0] == "g"})
        return dict(counts)


def _gaps(source_id: SourceId) -> str:
    return f"gaps#{source_id}"


class HourEvents:
    """What happened in a span of time, from indexes: they are a little late."""

    def __init__(self, db: Dynamo, activations_table: str) -> None:
        self._db = db
        self._table = activations_table

    def begun(self, since: int, until: int) -> Iterator[StartedActivation]:
        """Return the activations that began from `since` to before `until` (ms, of one UTC day)."""
        for item in self._of("by-day", "started_day", "started_at", since, until):
            outcome = item.get("outcome")
            yield StartedActivation(
                item["activation_id"], None if outcome is None else Outcome(outcome), item["expires_at"]
            )

    def delivered(self, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Return the activation of each SMS that was first delivered from `since` to before `until` (ms, of one day), and how
        long (ms) that took.
        """
        for item in self._of("delivered", "delivered_day", "first_delivered_at", since, until):
            yield item["activation_id"], item["first_delivered_at"] - item["stored_at"]

    def finished(self, since: int, until: int) -> Iterator[FinishedActivation]:
        """Return the activations whose outcome was recorded from `since` to before `until` (ms, of one day)."""
        for item in self._of("finished", "finished_day", "finished_at", since, until):
            yield FinishedActivation(item["activation_id"], item["partner_id"], Outcome(item["outcome"]))

    def _of(self, index: str, day: str, at: str, since: int, until: int) -> Iterator[Item]:
        condition = expression(
            f"#{day} = :day AND #{at} BETWEEN :first AND :last", day=day_of(since), first=since, last=until - 1
        )
        return self._db.query_all(self._table, condition, index=index)


def _to_hour(item: Item) -> Hour:
    counts = HourCounts(**{name: item[name] for name in STATES}, times=unpack_histogram(item["times"]))
    return Hour(item["at"], item["measured_at"], counts)


def _to_outcomes(item: Item) -> ByPartner:
    return {partner_id: Outcomes(*map(int, packed.split(","))) for partner_id, packed in item["partners"].items()}

"""The account of what a supplier did: events in, findings out.

Only what is certain is a finding. When something happened is known from its request's beginning to its answer: an activation
is certainly live from the answer that gave it until its first FINISH was sent, and may be live from the one's beginning to the
other's answer.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from math import inf
from operator import attrgetter

from conformance.hubs import Hub
from conformance.hubsim.events import (
    ANY,
    Action,
    Arrived,
    Asked,
    Counted,
    Down,
    Event,
    Finished,
    Pushed,
    Refused,
    Reply,
    Sold,
    Stray,
    Unanswered,
    action_of,
)

PROHIBITED, SUCCESS, CANCELED, RETURNED = 1, 3, 4, 5


class Kind(StrEnum):
    """Ways in which a supplier may be wrong, as they are told."""

    LIVE_TWICE = "a number live twice"
    ID_TWICE = "an activationId given twice"
    EXCLUDED = "a number with an excepted prefix"
    ISSUED_AGAIN = "a number issued again that was not to be"
    OVERSTATED = "counts above what can be bought"
    UNANSWERED = "a request without a usable answer"
    FINISH_REFUSED = "a FINISH that was no SUCCESS"
    SLOW = "an answer too late"
    FORM = "a wrong type or form"
    SMS_LOST = "an SMS lost"
    SMS_REPEATED = "an SMS repeated"
    SMS_ALTERED = "an SMS that nobody sent"
    SMS_MISDIRECTED = "an SMS at a wrong partner"
    ID_SHARED = "a smsId of several SMS"
    PUSHED_AFTER_FINISH = "a push after FINISH"
    TOO_SOON = "a push again too soon"
    TOO_LATE = "a push too late"
    AT_ONCE = "two pushes of an SMS at once"


# The rule of a hub (conformance/hubs.py) that each of them breaks.
RULES: Mapping[Kind, str] = {
    Kind.LIVE_TWICE: "never-twice",
    Kind.ID_TWICE: "activation-id",
    Kind.EXCLUDED: "excluded-prefix",
    Kind.ISSUED_AGAIN: "prohibited-gone",
    Kind.OVERSTATED: "counts-sold",
    Kind.UNANSWERED: "counts-form",
    Kind.FINISH_REFUSED: "finish-repeated",
    Kind.SLOW: "answers-in-time",
    Kind.FORM: "push-types",
    Kind.SMS_LOST: "push-again-later",
    Kind.SMS_REPEATED: "push-stops",
    Kind.SMS_ALTERED: "push-content",
    Kind.SMS_MISDIRECTED: "push-content",
    Kind.ID_SHARED: "push-new-id",
    Kind.PUSHED_AFTER_FINISH: "push-after-finish",
    Kind.TOO_SOON: "push-again-500",
    Kind.TOO_LATE: "push-again-500",
    Kind.AT_ONCE: "push-again-500",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still right, in seconds; no hub says more than the interval.

    `lease` is how long an activation lasts that nobody finishes, `leases` that of partners who were promised another. Pushes are tried again `interval` after the beginning or
    the end of an attempt, `early` sooner or `late` later, and first within `first`. After `settled` an SMS has to have been
    taken. `count_lag` is how far counts may be behind, `after_finish` pushes behind FINISH. From `score_from` requests between
    two polls a hub judges counts: `score_least` is the share of them that has to get a number.
    """

    lease: float = 3600.0
    leases: Mapping[str, float] = field(default_factory=dict)
    interval: float = 10.0
    early: float = 2.0
    late: float = 5.0
    first: float = 10.0
    settled: float = 30.0
    count_lag: float = 5.0
    after_finish: float = 2.0
    score_from: int = 10
    score_least: float = 0.31


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a supplier did wrong to a partner, at a time; `partner` is empty where it is nobody's in particular."""

    kind: Kind
    at: float
    partner: str
    text: str


@dataclass(slots=True)
class Score:
    """What a hub makes of a supplier's counts: of the requests within what was shown, so many got a number."""

    asked: int = 0
    sold: int = 0

    @property
    def overstated(self) -> float:
        """The share that was shown and not to be had."""
        return 1 - self.sold / self.asked if self.asked else 0.0


@dataclass(slots=True)
class Tally:
    """What a partner did and got."""

    hub: str
    polls: int = 0
    sold: int = 0
    refused: int = 0
    outcomes: Counter[int] = field(default_factory=Counter)
    unfinished: int = 0
    repeats: int = 0
    sms: int = 0
    taken: int = 0
    unjudged: int = 0
    attempts: int = 0
    whole: int = 0
    score: Score = field(default_factory=Score)
    answers: dict[Action, list[float]] = field(default_factory=lambda: {action: [] for action in Action})


@dataclass(frozen=True, slots=True)
class Account:
    """All that there is to say at a time. `whole` are the times at which whole sales (bought, SMS, push, success) were done.

    `gaps` are pairs of when an attempt began and how much later than the one before; `firsts` of when an SMS arrived and how
    soon its first attempt began.
    """

    until: float
    findings: Sequence[Finding]
    tallies: Mapping[str, Tally]
    whole: Sequence[float]
    gaps: Sequence[tuple[float, float]]
    firsts: Sequence[tuple[float, float]]

    @property
    def counted(self) -> Mapping[Kind, int]:
        """How many findings there are of each kind, of all kinds."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in Kind}


# A partner and an id that it was given.
type _Name = tuple[str, str]


@dataclass(slots=True)
class _Activation:
    sale: Sold
    lease: float
    finishes: list[Finished] = field(default_factory=list)

    @property
    def partner(self) -> str:
        return self.sale.partner

    @property
    def ends(self) -> float:
        """When it may have ended at the earliest."""
        return min([one.began for one in self.finishes] + [self.sale.began + self.lease])

    @property
    def ended(self) -> float:
        """When it has ended, at the latest; a FINISH without an answer may have been heard, or not."""
        return min([one.ended for one in self.finishes if one.accepted] + [self.sale.ended + self.lease])

    @property
    def first(self) -> Finished | None:
        """The FINISH that counts."""
        return next((one for one in self.finishes if one.accepted), None)

    @property
    def key(self) -> _Name:
        return self.partner, self.sale.activation

    @property
    def name(self) -> str:
        return f"{self.sale.activation} of {self.partner}"


def account(events: Iterable[Event], hubs: Mapping[str, Hub], until: float, limits: Limits | None = None) -> Account:
    """Account for everything that happened until a time; `hubs` are the partners' by name."""
    return _Ledger(events, hubs, until, limits or Limits()).account()


class _Ledger:
    def __init__(self, events: Iterable[Event], hubs: Mapping[str, Hub], until: float, limits: Limits) -> None:
        self.hubs, self.until, self.limits = hubs, until, limits
        ordered = sorted(events, key=attrgetter("began", "ended"))
        self.requests: list[Asked] = [
            one for one in ordered if isinstance(one, Counted | Sold | Refused | Finished | Unanswered)
        ]
        self.arrivals = [one for one in ordered if isinstance(one, Arrived)]
        self.pushes = [one for one in ordered if isinstance(one, Pushed)]
        self.strays = [one for one in ordered if isinstance(one, Stray)]
        self.down: dict[str, list[Down]] = _grouped((one.partner, one) for one in ordered if isinstance(one, Down))
        self.sales = [one for one in self.requests if isinstance(one, Sold)]
        self.activations = [_Activation(sale, limits.leases.get(sale.partner, limits.lease)) for sale in self.sales]
        self.by_id = {one.key: one for one in self.activations}
        for request in self.requests:
            if isinstance(request, Finished) and (request.partner, request.activation) in self.by_id:
                self.by_id[request.partner, request.activation].finishes.append(request)
        self.by_number = _grouped((one.sale.number, one) for one in self.activations)
        self.attempts = _grouped(((one.partner, one.sms_id), one) for one in self.pushes)
        self.tallies = {name: Tally(hub.name) for name, hub in hubs.items()}
        self.whole: dict[_Name, float] = {}
        self.gaps: list[tuple[float, float]] = []
        self.firsts: list[tuple[float, float]] = []

    def account(self) -> Account:
        findings = [
            *self._answers(),
            *self._activations(),
            *self._exclusions(),
            *self._issues(),
            *self._counts(),
            *self._forms(),
            *self._sms(),
            *self._strangers(),
            *self._retries(),
        ]
        self._tally()
        findings.sort(key=attrgetter("at"))
        return Account(self.until, findings, self.tallies, sorted(self.whole.values()), self.gaps, self.firsts)

    # ------------------------------------------------------------ requests

    def _answers(self) -> Iterator[Finding]:
        for request in self.requests:
            action, limit = action_of(request), self.hubs[request.partner].answers_within
            self.tallies[request.partner].answers[action].append(request.seconds)
            if limit is not None and request.seconds > limit:
                text = f"{action} was answered after {request.seconds:.1f} s, at most {limit:g} s"
                yield Finding(Kind.SLOW, request.began, request.partner, text)
            match request:
                case Unanswered():
                    yield Finding(Kind.UNANSWERED, request.began, request.partner, f"{action}: {request.why}")
                case Finished(accepted=False):
                    text = f"activation {request.activation}, status {request.outcome}: {request.why}"
                    yield Finding(Kind.FINISH_REFUSED, request.began, request.partner, text)

    def _forms(self) -> Iterator[Finding]:
        for one in (*self.requests, *self.pushes):
            what = "push" if isinstance(one, Pushed) else action_of(one)
            for wrong in one.wrong:
                yield Finding(Kind.FORM, one.began, one.partner, f"{what}: {wrong}")
        for stray in self.strays:
            yield Finding(Kind.FORM, stray.began, "", stray.what)

    # ------------------------------------------------------------ activations

    def _activations(self) -> Iterator[Finding]:
        for number, activations in self.by_number.items():
            # Of those before, the one that is certainly live for longest.
            longest: _Activation | None = None
            for one in sorted(activations, key=lambda one: one.sale.ended):
                if longest and longest.ends > one.sale.ended:
                    text = f"{number} in activation {one.name} while in {longest.name}"
                    yield Finding(Kind.LIVE_TWICE, one.sale.ended, one.partner, text)
                longest = max(longest or one, one, key=lambda one: one.ends)
        for (partner, activation), sales in _grouped(
            ((one.partner, one.activation), one) for one in self.sales
        ).items():
            for sale in sales[1:]:
                yield Finding(Kind.ID_TWICE, sale.ended, partner, f"activation {activation}: {sale.number}")

    def _exclusions(self) -> Iterator[Finding]:
        for sale in self.sales:
            whole = not self.hubs[sale.partner].excludes_prefixes
            excluding = [
                one for one in sale.prefixes if sale.number == one or (not whole and sale.number.startswith(one))
            ]
            if excluding:
                text = f"{sale.number}, without {', '.join(excluding)}"
                yield Finding(Kind.EXCLUDED, sale.ended, sale.partner, text)

    def _issues(self) -> Iterator[Finding]:
        """Give numbers that a partner was given again for a service though it had said 1, or had cancelled too often."""
        for (partner, _, number), group in _grouped(
            ((one.partner, one.sale.place[2], one.sale.number), one) for one in self.activations
        ).items():
            limit = self.hubs[partner].cancel_limit
            for one in group:
                before = [
                    said.outcome for said in (other.first for other in group) if said and said.ended < one.sale.began
                ]
                canceled = before.count(CANCELED)
                if PROHIBITED in before:
                    yield Finding(Kind.ISSUED_AGAIN, one.sale.ended, partner, f"{number}, after 1 for the same service")
                elif limit is not None and canceled >= limit:
                    text = f"{number}, after {canceled} cancels for the same service"
                    yield Finding(Kind.ISSUED_AGAIN, one.sale.ended, partner, text)

    # ------------------------------------------------------------ counts

    def _counts(self) -> Iterator[Finding]:
        for partner in self.hubs:
            polls = [one for one in self.requests if isinstance(one, Counted) and one.partner == partner]
            asked = [one for one in self.requests if isinstance(one, Sold | Refused) and one.partner == partner]
            names = {place[:2] for poll in polls for place in poll.counts}
            for poll, following in zip_longest(polls, polls[1:]):
                end = following.ended if following else inf
                since = [one for one in asked if poll.ended <= one.began < end]
                yield from self._window(partner, poll, since, names)

    def _window(
        self, partner: str, poll: Counted, asked: Sequence[Sold | Refused], names: set[tuple[str, str]]
    ) -> Iterator[Finding]:
        """Judge counts by what was asked within them until the next poll."""
        window, left = Score(), dict(poll.counts)
        for one in asked:
            if left.get(one.place, 0) <= 0 or one.prefixes:
                continue
            window.asked += 1
            if isinstance(one, Sold):
                window.sold += 1
                left[one.place] -= 1
            else:
                gone = sum(_may_be_of(sale, one.place, names) for sale in self._sales_since(poll, one.ended))
                missing = poll.counts[one.place] - gone
                if missing > 0:
                    text = (
                        f"{poll.counts[one.place]} shown of {'/'.join(one.place)}, {gone} sold since to anybody, "
                        f"refused {one.began - poll.began:.1f} s later"
                    )
                    yield Finding(Kind.OVERSTATED, one.began, partner, text)
        score = self.tallies[partner].score
        score.asked += window.asked
        score.sold += window.sold
        if window.asked >= self.limits.score_from and window.sold < self.limits.score_least * window.asked:
            text = f"{window.sold} sold of {window.asked} asked within what was shown: a hub would block"
            yield Finding(Kind.OVERSTATED, poll.began, partner, text)

    def _sales_since(self, poll: Counted, until: float) -> Iterator[Sold]:
        end = bisect_right(self.sales, until, key=attrgetter("began"))
        # A sale takes some seconds at most, which the counts may be behind too.
        for sale in reversed(self.sales[:end]):
            if sale.ended >= poll.began - self.limits.count_lag:
                yield sale
            elif sale.began < poll.began - 10 * self.limits.count_lag:
                return

    # ------------------------------------------------------------ SMS

    def _sms(self) -> Iterator[Finding]:
        """Account for every SMS that was made arrive."""
        by_text = _grouped((one.text, one) for one in self.pushes)
        for arrival in self.arrivals:
            pushes = by_text.get(arrival.text, [])
            yield from self._misdirected(arrival, pushes)
            for partner, attempts in _grouped((one.partner, one) for one in pushes).items():
                ids = {one.sms_id: one for one in reversed(attempts)}
                for sms_id in [*ids][:-1]:
                    text = f"{arrival.text!r} with smsId {sms_id}, too"
                    yield Finding(Kind.SMS_REPEATED, ids[sms_id].began, partner, text)
            holder = self._holder(arrival)
            if holder:
                mine = [one for one in pushes if one.partner == holder.partner]
                yield from self._delivery(arrival, holder, mine)
        for (partner, sms_id), attempts in self.attempts.items():
            first = attempts[0]
            for one in attempts[1:]:
                if (one.phone, one.text) != (first.phone, first.text):
                    yield Finding(
                        Kind.ID_SHARED, one.began, partner, f"smsId {sms_id}: {first.text!r} and {one.text!r}"
                    )
                    break

    def _holders(self, phone: str, began: float, ended: float) -> list[_Activation]:
        """Return the activations that may have held a number at some time between two."""
        return [one for one in self.by_number.get(phone, ()) if one.sale.began <= ended and one.ended >= began]

    def _holder(self, arrival: Arrived) -> _Activation | None:
        """Return whose an SMS is, if that is certain."""
        match self._holders(arrival.phone, arrival.began, arrival.ended):
            case [one] if arrival.accepted and one.sale.ended <= arrival.began and arrival.ended <= one.ends:
                return one
        return None

    def _misdirected(self, arrival: Arrived, pushes: Sequence[Pushed]) -> Iterator[Finding]:
        partners = {one.partner for one in self._holders(arrival.phone, arrival.began, arrival.ended)}
        for (partner, phone), attempts in _grouped(((one.partner, one.phone), one) for one in pushes).items():
            if partner not in partners:
                whose = " or ".join(sorted(partners)) or "nobody"
                text = f"{arrival.text!r} to {arrival.phone}, which was {whose}'s"
                yield Finding(Kind.SMS_MISDIRECTED, attempts[0].began, partner, text)
            if phone != arrival.phone:
                text = f"{arrival.text!r} came to {arrival.phone} and was pushed as one to {phone}"
                yield Finding(Kind.SMS_ALTERED, attempts[0].began, partner, text)

    def _delivery(self, arrival: Arrived, holder: _Activation, pushes: Sequence[Pushed]) -> Iterator[Finding]:
        """Judge whether an SMS came to its holder, and how soon."""
        partner, tally = holder.partner, self.tallies[holder.partner]
        tally.sms += 1
        done = [one for one in pushes if one.reply in {Reply.TAKEN, Reply.STOPPED}]
        end = min(holder.ends, self.until)
        if pushes:
            delay = pushes[0].began - arrival.ended
            self.firsts.append((arrival.ended, max(0.0, delay)))
        else:
            delay = end - arrival.ended
        if delay > self.limits.first:
            text = f"{arrival.text!r} was {'first' if pushes else 'not'} pushed within {delay:.1f} s"
            yield Finding(Kind.TOO_LATE, arrival.ended, partner, text)
        if done:
            tally.taken += 1
            successes = [one for one in holder.finishes if one.accepted and one.outcome == SUCCESS]
            if successes and done[0].reply is Reply.TAKEN:
                self._whole_sale(holder, max(done[0].ended, successes[0].ended))
            return
        # What it had while the partner could take something, after its last attempt that was not.
        since = max([arrival.ended, *(one.ended for one in pushes)])
        since = max([since, *(one.ended for one in self.down.get(partner, ()) if one.ended >= arrival.ended)])
        if any(one.reply is Reply.UNSURE for one in pushes) or end - since < self.limits.settled:
            tally.unjudged += 1
        else:
            text = (
                f"{arrival.text!r} to {arrival.phone}: {len(pushes)} pushes in {end - arrival.ended:.0f} s, none taken"
            )
            yield Finding(Kind.SMS_LOST, arrival.ended, partner, text)

    def _whole_sale(self, activation: _Activation, at: float) -> None:
        # Of several SMS the first makes it whole.
        if activation.key not in self.whole:
            self.whole[activation.key] = at
            self.tallies[activation.partner].whole += 1

    def _strangers(self) -> Iterator[Finding]:
        """Give pushes of what did not arrive, of numbers that weren't the partner's, and at another's address."""
        texts = {one.text for one in self.arrivals}
        for (partner, sms_id), attempts in self.attempts.items():
            first = attempts[0]
            if self.arrivals and first.text not in texts:
                yield Finding(
                    Kind.SMS_ALTERED, first.began, partner, f"smsId {sms_id}: {first.text!r} to {first.phone}"
                )
            if first.text not in texts:
                holders = self._holders(first.phone, first.began - self.limits.settled, first.ended)
                if partner not in {one.partner for one in holders}:
                    text = f"smsId {sms_id} to {first.phone}, which was not its number"
                    yield Finding(Kind.SMS_MISDIRECTED, first.began, partner, text)
            for one in attempts:
                if one.address not in {"", partner}:
                    text = f"smsId {sms_id} came to the address of {one.address}"
                    yield Finding(Kind.SMS_MISDIRECTED, one.began, partner, text)
                    break

    # ------------------------------------------------------------ attempts

    def _retries(self) -> Iterator[Finding]:
        for (partner, sms_id), attempts in self.attempts.items():
            done, last = False, None
            for one in attempts:
                if done:
                    yield Finding(Kind.SMS_REPEATED, one.began, partner, f"smsId {sms_id} again, after it was taken")
                elif last:
                    yield from self._gap(last, one)
                done = done or one.reply in {Reply.TAKEN, Reply.STOPPED}
                last = one
            yield from self._after_finish(attempts)

    def _gap(self, last: Pushed, one: Pushed) -> Iterator[Finding]:
        limits, gap = self.limits, one.began - last.began
        self.gaps.append((one.began, gap))
        if one.began < last.ended:
            # What was cut or is still held open is seen by the supplier a little earlier or later than here.
            if last.ended - one.began > limits.early:
                yield Finding(Kind.AT_ONCE, one.began, one.partner, f"smsId {one.sms_id}")
        elif gap < limits.interval - limits.early:
            text = f"smsId {one.sms_id} after {gap:.1f} s ({last.script})"
            yield Finding(Kind.TOO_SOON, one.began, one.partner, text)
        elif one.began - last.ended > limits.interval + limits.late:
            text = f"smsId {one.sms_id} again after {one.began - last.ended:.1f} s ({last.script})"
            yield Finding(Kind.TOO_LATE, one.began, one.partner, text)

    def _after_finish(self, attempts: Sequence[Pushed]) -> Iterator[Finding]:
        first = attempts[0]
        # The activation that the number was this partner's in, when the first attempt came.
        mine = [one for one in self.by_number.get(first.phone, ()) if one.partner == first.partner]
        held = [one for one in mine if one.sale.began <= first.ended]
        if not held:
            return
        finish = max(held, key=lambda one: one.sale.began).first
        if finish is None:
            # Pushes outlive the lease.
            return
        for one in attempts:
            if one.began > finish.ended + self.limits.after_finish:
                text = f"smsId {one.sms_id}, {one.began - finish.ended:.1f} s after the answer"
                yield Finding(Kind.PUSHED_AFTER_FINISH, one.began, one.partner, text)
                return

    # ------------------------------------------------------------ figures

    def _tally(self) -> None:
        for request in self.requests:
            tally = self.tallies[request.partner]
            match request:
                case Counted():
                    tally.polls += 1
                case Sold():
                    tally.sold += 1
                case Refused():
                    tally.refused += 1
                case Finished():
                    tally.repeats += 1
        for one in self.activations:
            tally = self.tallies[one.partner]
            if one.first:
                tally.outcomes[one.first.outcome] += 1
                tally.repeats -= 1
            else:
                tally.unfinished += 1
        for push in self.pushes:
            self.tallies[push.partner].attempts += 1


def _grouped[K: Hashable, V](pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)


def _may_be_of(sale: Sold, place: tuple[str, str, str], names: set[tuple[str, str]]) -> bool:
    """Tell whether a number that was sold to anybody may be one of those that a partner was shown at a place.

    `names` are the countries and operators that the partner was ever shown: who calls them otherwise may mean the same. A
    number is no more to be had for any service once it is sold.
    """
    country, operator, _ = sale.place
    if country not in {name for name, _ in names}:
        return True
    if country != place[0]:
        return False
    return operator == place[1] or ANY in {operator, place[1]} or (country, operator) not in names

"""The account of what a supplier did: events in, findings out.

Only what is certain is a finding. When something happened is known from its request's beginning to its answer: an activation
is certainly live from the answer that gave it until its first FINISH was sent, and may be live from the one's beginning to the
other's answer.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from math import inf
from operator import attrgetter

from conformance.hubs import Basis, Hub, Level
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
# After these a push is tried no more.
_DONE = {Reply.TAKEN, Reply.STOPPED}


class Kind(StrEnum):
    """Ways in which a supplier may be wrong, as they are told."""

    LIVE_TWICE = "a number live twice"
    ID_TWICE = "an activationId given twice"
    EXCLUDED = "a number with an excepted prefix"
    ISSUED_AGAIN = "a number issued again that was not to be"
    SOLD_AGAIN = "a number sold again for a service that it was sold for"
    TWO_POOLS = "a number of two countries or operators"
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


# The rule of a hub (conformance/hubs.py) that each of them breaks, where it breaks no other. None is of numbers in two pools.
RULES: Mapping[Kind, str] = {
    Kind.LIVE_TWICE: "never-twice",
    Kind.ID_TWICE: "activation-id",
    Kind.EXCLUDED: "excluded-prefix",
    Kind.ISSUED_AGAIN: "prohibited-gone",
    Kind.SOLD_AGAIN: "sold-gone",
    Kind.OVERSTATED: "counts-sold",
    Kind.UNANSWERED: "counts-form",
    Kind.FINISH_REFUSED: "finish-repeated",
    Kind.SLOW: "answers-in-time",
    Kind.FORM: "push-content",
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
# What makes a sale worth nothing, whether or not a hub's document speaks of it.
_WORTHLESS = {Kind.LIVE_TWICE, Kind.SMS_LOST, Kind.SMS_ALTERED, Kind.SMS_MISDIRECTED}
_NO_RULE = Basis(Level.ASSUMED, "no document says it")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still right, in seconds; no hub says more than the interval.

    `lease` is how long an activation lasts that nobody finishes, `leases` that of partners who were promised another. Pushes are
    tried again `interval` after the beginning or the end of an attempt, `early` sooner or `late` later, and first within
    `first`. After `settled` an SMS has to have been taken. `count_lag` is how far counts may be behind, `after_finish` pushes
    behind FINISH. From `score_from` requests between two polls a hub judges counts: `score_least` is the share of them that has
    to get a number. For services that are `reusable` the supplier says that it sells a number again after 3.

    `early` and `after_finish` are those of the checks; `late` and `first` are wider on purpose: they make one SMS come at a time, and here a supplier
    under load and all its hubs share a machine, which lets anything come later, but hardly sooner.
    """

    lease: float = 3600.0
    leases: Mapping[str, float] = field(default_factory=dict)
    interval: float = 10.0
    early: float = 1.0
    late: float = 5.0
    first: float = 10.0
    settled: float = 30.0
    count_lag: float = 5.0
    after_finish: float = 5.0
    score_from: int = 10
    score_least: float = 0.31
    reusable: Collection[str] = ()

    def __str__(self) -> str:
        return (
            f"first push within {self.first:g} s; again {self.interval - self.early:g} s after the last began or later, and "
            f"{self.interval + self.late:g} s after it ended or sooner; none later than {self.after_finish:g} s after FINISH; "
            f"lost after {self.settled:g} s; counts {self.count_lag:g} s behind; from {self.score_from} requests on "
            f"{self.score_least:.0%} sold; an unfinished activation lasts {self.lease / 60:g} min"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a supplier did wrong to a partner, at a time; `partner` is empty where it is nobody's in particular.

    `basis` is that of the rule that it breaks.
    """

    kind: Kind
    at: float
    partner: str
    text: str
    basis: Basis

    @property
    def decides(self) -> bool:
        """Whether a supplier can't be right that does it: a hub's document says so, or it makes a sale worth nothing."""
        return self.basis.level is Level.REQUIRED or self.kind in _WORTHLESS


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

    `unfinished` are activations without a FINISH that was SUCCESS.
    `gaps` are pairs of when an attempt began and how much later than the one before; `firsts` of when an SMS arrived and how
    soon its first attempt began.
    """

    until: float
    findings: Sequence[Finding]
    tallies: Mapping[str, Tally]
    whole: Sequence[float]
    unfinished: Sequence[str]
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

    def surely_ended_with(self, outcomes: Collection[int], before: Sold) -> bool:
        """Tell whether it had ended with one of these when a sale began, whichever of several FINISH a supplier goes by.

        One that came once the lease was over, or while that sale was under way, may have changed nothing.
        """
        may_be = {one.outcome for one in self.finishes if one.began <= before.ended}
        heard = any(
            one.accepted and one.ended < before.began and one.ended <= self.sale.began + self.lease
            for one in self.finishes
        )
        return heard and may_be <= {*outcomes}

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
        # Each of these may have sold one number that nobody knows of.
        self.unknown = [one for one in self.requests if isinstance(one, Unanswered) and one.may_have_sold]
        # By their places among these, the numbers that they account for.
        self.explained: dict[int, str] = {}
        self.down: dict[str, list[Down]] = _grouped((one.partner, one) for one in ordered if isinstance(one, Down))
        self.sales = [one for one in self.requests if isinstance(one, Sold)]
        self.activations = [_Activation(sale, limits.leases.get(sale.partner, limits.lease)) for sale in self.sales]
        self._assign_finishes()
        self.by_number = _grouped((one.sale.number, one) for one in self.activations)
        self.attempts = _grouped(((one.partner, one.sms_id), one) for one in self.pushes)
        self.tallies = {name: Tally(hub.name) for name, hub in hubs.items()}
        self.whole: dict[_Name, float] = {}
        # By their texts, the activations of SMS that were certainly theirs.
        self.judged: dict[str, _Activation] = {}
        self.gaps: list[tuple[float, float]] = []
        self.firsts: list[tuple[float, float]] = []

    def account(self) -> Account:
        findings = [
            *self._answers(),
            *self._activations(),
            *self._exclusions(),
            *self._issues(),
            *self._pools(),
            *self._counts(),
            *self._forms(),
            *self._sms(),
            *self._strangers(),
            *self._retries(),
        ]
        self._tally()
        findings.sort(key=attrgetter("at"))
        unfinished = [one.name for one in self.activations if one.first is None]
        whole = sorted(self.whole.values())
        return Account(self.until, findings, self.tallies, whole, unfinished, self.gaps, self.firsts)

    def _assign_finishes(self) -> None:
        # Of an id that was given twice, those after the second time are the second one's.
        given: dict[_Name, _Activation] = {}
        sold = iter(self.activations)
        for request in self.requests:
            match request:
                case Sold():
                    one = next(sold)
                    given[one.key] = one
                case Finished() if (request.partner, request.activation) in given:
                    given[request.partner, request.activation].finishes.append(request)

    def _found(self, kind: Kind, at: float, partner: str, text: str, rule: str | None = None) -> Finding:
        hub = self.hubs.get(partner)
        basis = hub.rules.get(RULES.get(kind, "") if rule is None else rule) if hub else None
        return Finding(kind, at, partner, text, basis or _NO_RULE)

    # ------------------------------------------------------------ requests

    def _answers(self) -> Iterator[Finding]:
        for request in self.requests:
            hub, action = self.hubs[request.partner], action_of(request)
            limit = None if action in hub.untimed else hub.answers_within
            self.tallies[request.partner].answers[action].append(request.seconds)
            if limit is not None and request.seconds > limit:
                text = f"{action} was answered after {request.seconds:.1f} s, at most {limit:g} s"
                yield self._found(Kind.SLOW, request.began, request.partner, text)
            if isinstance(request, Unanswered):
                rule = "no-numbers" if action is Action.NUMBER else "counts-form"
                yield self._found(Kind.UNANSWERED, request.began, request.partner, f"{action}: {request.why}", rule)
        for one in self.activations:
            for place, finish in enumerate(one.finishes):
                if not finish.accepted:
                    text = f"activation {finish.activation}, status {finish.outcome}: {finish.why}"
                    rule = _rule_of_finish(finish.outcome, {before.outcome for before in one.finishes[:place]})
                    yield self._found(Kind.FINISH_REFUSED, finish.began, finish.partner, text, rule)

    def _forms(self) -> Iterator[Finding]:
        for one in (*self.requests, *self.pushes):
            what = "push" if isinstance(one, Pushed) else action_of(one)
            for rule, wrong in one.wrong:
                yield self._found(Kind.FORM, one.began, one.partner, f"{what}: {wrong}", rule)
        for stray in self.strays:
            yield self._found(Kind.FORM, stray.began, stray.partner, stray.what)

    # ------------------------------------------------------------ activations

    def _activations(self) -> Iterator[Finding]:
        for number, activations in self.by_number.items():
            # Of those before, the one that is certainly live for longest.
            longest: _Activation | None = None
            for one in sorted(activations, key=lambda one: one.sale.ended):
                if longest and longest.ends > one.sale.ended:
                    text = f"{number} in activation {one.name} while in {longest.name}"
                    yield self._found(Kind.LIVE_TWICE, one.sale.ended, one.partner, text)
                longest = max(longest or one, one, key=lambda one: one.ends)
        for (partner, activation), sales in _grouped(
            ((one.partner, one.activation), one) for one in self.sales
        ).items():
            for sale in sales[1:]:
                yield self._found(Kind.ID_TWICE, sale.ended, partner, f"activation {activation}: {sale.number}")

    def _exclusions(self) -> Iterator[Finding]:
        for sale in self.sales:
            whole = not self.hubs[sale.partner].excludes_prefixes
            excluding = [
                one for one in sale.prefixes if sale.number == one or (not whole and sale.number.startswith(one))
            ]
            if excluding:
                text = f"{sale.number}, without {', '.join(excluding)}"
                rule = "excluded-number" if sale.number in excluding else "excluded-prefix"
                yield self._found(Kind.EXCLUDED, sale.ended, sale.partner, text, rule)

    def _issues(self) -> Iterator[Finding]:
        """Give numbers that were issued again for a service that they were no longer for.

        3 is of the number, whoever said it; what 1 and 4 say is of the partner that said so.
        """
        for (service, number), group in _grouped(
            ((one.sale.place[2], one.sale.number), one) for one in self.activations
        ).items():
            for one in group:
                sale, partner = one.sale, one.partner
                mine = [other for other in group if other.partner == partner]
                canceled = sum(other.surely_ended_with({CANCELED}, sale) for other in mine)
                limit = self.hubs[partner].cancel_limit
                # Where 1 and 3 were said, the number is gone by either.
                sold = [
                    other
                    for other in group
                    if other.surely_ended_with({SUCCESS, *([PROHIBITED] if other in mine else [])}, sale)
                ]
                if any(other.surely_ended_with({PROHIBITED}, sale) for other in mine):
                    text = f"{number}, after 1 for {service}"
                    yield self._found(Kind.ISSUED_AGAIN, sale.ended, partner, text)
                elif sold and service not in self.limits.reusable:
                    text = f"{number} for {service}, after 3 of activation {sold[0].name}"
                    yield self._found(Kind.SOLD_AGAIN, sale.ended, partner, text)
                elif limit is not None and canceled >= limit:
                    text = f"{number}, after {canceled} cancels for {service}"
                    yield self._found(Kind.ISSUED_AGAIN, sale.ended, partner, text, "cancel-limit")

    def _pools(self) -> Iterator[Finding]:
        """Give numbers that a partner bought as one of this operator, and as one of that, by its own names."""
        for (partner, number), sales in _grouped(((one.partner, one.number), one) for one in self.sales).items():
            country, operator = "", ANY
            for sale in sales:
                pool = sale.place[:2]
                if country not in {"", pool[0]} or (ANY not in {operator, pool[1]} and operator != pool[1]):
                    text = f"{number}, of {country}/{operator} before and of {'/'.join(pool)} now"
                    yield self._found(Kind.TWO_POOLS, sale.ended, partner, text)
                    break
                country, operator = pool[0], operator if pool[1] == ANY else pool[1]

    # ------------------------------------------------------------ counts

    def _counts(self) -> Iterator[Finding]:
        for partner in self.hubs:
            polls = [one for one in self.requests if isinstance(one, Counted) and one.partner == partner]
            asked = [
                one for one in self.requests if isinstance(one, Sold | Refused | Unanswered) and one.partner == partner
            ]
            names = {place[:2] for poll in polls for place in (*poll.counts,)}.union(*(poll.names for poll in polls))
            for poll, following in zip_longest(polls, polls[1:]):
                end = following.ended if following else inf
                since = [one for one in asked if poll.ended <= one.began < end]
                yield from self._window(partner, poll, since, names)

    def _window(
        self, partner: str, poll: Counted, asked: Sequence[Sold | Refused | Unanswered], names: set[tuple[str, str]]
    ) -> Iterator[Finding]:
        """Judge counts by what was asked within them until the next poll."""
        window, left = Score(), dict(poll.counts)
        for one in asked:
            if one.place is None or left.get(one.place, 0) <= 0 or one.prefixes:
                continue
            window.asked += 1
            if isinstance(one, Sold):
                window.sold += 1
                left[one.place] -= 1
            elif isinstance(one, Refused):
                gone = sum(_may_be_of(sale, one.place, names) for sale in self._sales_since(poll, one.ended))
                gone += sum(
                    poll.began - self.limits.count_lag <= each.ended and each.began <= one.ended
                    for each in self.unknown
                )
                missing = poll.counts[one.place] - gone
                if missing > 0:
                    text = (
                        f"{poll.counts[one.place]} shown of {'/'.join(one.place)}, {gone} sold since to anybody, "
                        f"refused {one.began - poll.began:.1f} s later"
                    )
                    yield self._found(Kind.OVERSTATED, one.began, partner, text)
        score = self.tallies[partner].score
        score.asked += window.asked
        score.sold += window.sold
        if window.asked >= self.limits.score_from and window.sold < self.limits.score_least * window.asked:
            text = f"{window.sold} sold of {window.asked} asked within what was shown: a hub would block"
            yield self._found(Kind.OVERSTATED, poll.began, partner, text)

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
                    yield self._found(Kind.SMS_REPEATED, ids[sms_id].began, partner, text, "push-same")
            if holder := self._holder(arrival):
                self.judged[arrival.text] = holder
                mine = [one for one in pushes if one.partner == holder.partner]
                yield from self._delivery(arrival, holder, mine)
        for (partner, sms_id), attempts in self.attempts.items():
            first = attempts[0]
            for one in attempts[1:]:
                if (one.phone, one.text) != (first.phone, first.text):
                    text = f"smsId {sms_id}: two SMS to {first.phone}" + (
                        f" and {one.phone}" if one.phone != first.phone else ""
                    )
                    yield self._found(Kind.ID_SHARED, one.began, partner, text)
                    break

    def _holders(self, phone: str, began: float, ended: float) -> list[_Activation]:
        """Return the activations that may have held a number at some time between two."""
        return [one for one in self.by_number.get(phone, ()) if one.sale.began <= ended and one.ended >= began]

    def _may_hold(self, partner: str, phone: str, began: float, ended: float) -> bool:
        """Tell whether a partner may have had a number at some time between two, given by an answer that was none, too."""
        return any(one.partner == partner for one in self._holders(phone, began, ended)) or self._may_be_given(
            partner, phone, began - self.limits.lease, ended
        )

    def _may_be_given(self, partner: str, phone: str, began: float, ended: float) -> bool:
        """Tell whether an answer that was none may have given a partner a number between two times. Each accounts for one."""
        # The last first: those before it are left for what came earlier.
        places = [
            place
            for place, one in reversed([*enumerate(self.unknown)])
            if one.partner == partner and began <= one.ended and one.began <= ended
        ]
        place = next((one for one in places if self.explained.get(one) == phone), None)
        if place is None:
            place = next((one for one in places if one not in self.explained), None)
        if place is not None:
            self.explained[place] = phone
        return place is not None

    def _holder(self, arrival: Arrived) -> _Activation | None:
        """Return whose an SMS is, if that is certain."""
        match self._holders(arrival.phone, arrival.began, arrival.ended):
            case [one] if arrival.accepted and one.sale.ended <= arrival.began and arrival.ended <= one.ends:
                return one
        return None

    def _misdirected(self, arrival: Arrived, pushes: Sequence[Pushed]) -> Iterator[Finding]:
        for (partner, phone), attempts in _grouped(((one.partner, one.phone), one) for one in pushes).items():
            # What was not accepted may have arrived any time later.
            ended = arrival.ended if arrival.accepted else max(arrival.ended, attempts[0].began)
            if not self._may_hold(partner, arrival.phone, arrival.began, ended):
                holders = self._holders(arrival.phone, arrival.began, ended)
                whose = " or ".join(sorted({one.partner for one in holders})) or "nobody"
                text = f"{arrival.text!r} to {arrival.phone}, which was {whose}'s"
                yield self._astray(attempts[0], arrival.phone, text, is_free=not holders)
            if phone != arrival.phone:
                text = f"{arrival.text!r} came to {arrival.phone} and was pushed as one to {phone}"
                yield self._found(Kind.SMS_ALTERED, attempts[0].began, partner, text)

    def _astray(self, push: Pushed, phone: str, text: str, *, is_free: bool) -> Finding:
        """Give a push to a partner that hadn't the number; who had it last may be told of a number that nobody has."""
        before = [one for one in self.by_number.get(phone, ()) if one.sale.began <= push.ended]
        last = max(before, key=lambda one: one.sale.began, default=None)
        if is_free and last and last.partner == push.partner:
            return self._found(Kind.PUSHED_AFTER_FINISH, push.began, push.partner, text, "push-strangers")
        return self._found(Kind.SMS_MISDIRECTED, push.began, push.partner, text)

    def _delivery(self, arrival: Arrived, holder: _Activation, pushes: Sequence[Pushed]) -> Iterator[Finding]:
        """Judge whether an SMS came to its holder, and how soon."""
        partner, tally = holder.partner, self.tallies[holder.partner]
        tally.sms += 1
        if pushes:
            delay = pushes[0].began - arrival.ended
            self.firsts.append((arrival.ended, max(0.0, delay)))
        else:
            delay = min(holder.ends, self.until) - arrival.ended
        if delay > self.limits.first:
            text = f"{arrival.text!r} was {'first' if pushes else 'not'} pushed within {delay:.1f} s"
            yield self._found(Kind.TOO_LATE, arrival.ended, partner, text, "push-at-once")
        if self._is_taken(holder, pushes):
            return
        given_up = [*self._given_up(f"{arrival.text!r} to {arrival.phone}", holder, arrival.ended, pushes)]
        tally.unjudged += not given_up
        yield from given_up

    def _is_taken(self, holder: _Activation, pushes: Sequence[Pushed]) -> bool:
        """Tell whether a push of an SMS was taken, which makes the sale a whole one if it was a success."""
        done = next((one for one in pushes if one.reply in _DONE), None)
        if done is None:
            return False
        self.tallies[holder.partner].taken += 1
        successes = [one for one in holder.finishes if one.accepted and one.outcome == SUCCESS]
        if successes and done.reply is Reply.TAKEN:
            self._whole_sale(holder, max(done.ended, successes[0].ended))
        return True

    def _given_up(self, what: str, holder: _Activation, at: float, pushes: Sequence[Pushed]) -> Iterator[Finding]:
        """Judge the end of pushes of an SMS that a supplier had from a time on, and of which none was taken."""
        partner, end = holder.partner, min(holder.ends, self.until)
        last = max([at, *(one.ended for one in pushes)])
        # Who is down takes nothing, and is pushed to all the same.
        since = max([last, *(one.ended for one in self.down.get(partner, ()) if one.ended >= at and one.began <= end)])
        if end - since >= self.limits.settled:
            text = f"{what}: {len(pushes)} pushes in {end - at:.0f} s, none taken"
            yield self._found(Kind.SMS_LOST, at, partner, text)
        elif pushes and end - last > self.limits.interval + self.limits.late:
            yield self._found(Kind.TOO_LATE, last, partner, f"{what} was not pushed again within {end - last:.1f} s")

    def _whole_sale(self, activation: _Activation, at: float) -> None:
        # Of several SMS the first makes it whole.
        if activation.key not in self.whole:
            self.whole[activation.key] = at
            self.tallies[activation.partner].whole += 1

    def _strangers(self) -> Iterator[Finding]:
        """Give pushes of what did not arrive, of numbers that weren't the partner's, and at another's address."""
        texts = {one.text for one in self.arrivals}
        # Who pushes all partners' to one address has entered no other.
        is_one = len({one.address for one in self.pushes}) == 1 < len({one.partner for one in self.pushes})
        for (partner, sms_id), attempts in self.attempts.items():
            first = attempts[0]
            if self.arrivals and first.text not in texts:
                text = f"smsId {sms_id} to {first.phone}: a text of {len(first.text)} characters"
                yield self._found(Kind.SMS_ALTERED, first.began, partner, text)
            if first.text not in texts and not self._may_hold(
                partner, first.phone, first.began - self.limits.settled, first.ended
            ):
                text = f"smsId {sms_id} to {first.phone}, which was not its number"
                holders = self._holders(first.phone, first.began - self.limits.settled, first.ended)
                yield self._astray(first, first.phone, text, is_free=not holders)
            for one in attempts:
                if one.address not in {"", partner} and not is_one:
                    text = f"smsId {sms_id} came to the address of {one.address}"
                    yield self._found(Kind.SMS_MISDIRECTED, one.began, partner, text)
                    break

    # ------------------------------------------------------------ attempts

    def _retries(self) -> Iterator[Finding]:
        for (partner, sms_id), attempts in self.attempts.items():
            done, last, rule = inf, None, "push-stops"
            for one in attempts:
                if one.began >= done:
                    text = f"smsId {sms_id} again, after it was {'stopped' if rule == 'push-stop-words' else 'taken'}"
                    yield self._found(Kind.SMS_REPEATED, one.began, partner, text, rule)
                elif last:
                    yield from self._gap(last, one)
                if one.reply in _DONE and one.ended < done:
                    done = one.ended
                    rule = "push-stop-words" if one.reply is Reply.STOPPED else "push-stops"
                last = one
            yield from self._after_finish(attempts)
            first = attempts[0]
            if first.text not in self.judged and (holder := self._pushed_to(first)):
                # Where nobody made SMS arrive, pushes alone tell of them.
                self.tallies[partner].sms += not self.arrivals
                if done == inf:
                    yield from self._given_up(f"smsId {sms_id} to {first.phone}", holder, first.began, attempts)
                elif not self.arrivals:
                    self._is_taken(holder, attempts)

    def _gap(self, last: Pushed, one: Pushed) -> Iterator[Finding]:
        limits, gap, pause = self.limits, one.began - last.began, one.began - last.ended
        self.gaps.append((one.began, gap))
        is_soon = gap < limits.interval - limits.early
        # What was cut or is still held open is seen by the supplier a little earlier or later than here, and one that gave up
        # a long attempt may begin the next when it is due.
        if is_soon and pause < -limits.early:
            yield self._found(Kind.AT_ONCE, one.began, one.partner, f"smsId {one.sms_id}")
        elif is_soon:
            text = f"smsId {one.sms_id} after {gap:.1f} s ({last.script})"
            yield self._found(Kind.TOO_SOON, one.began, one.partner, text)
        elif pause > limits.interval + limits.late:
            text = f"smsId {one.sms_id} again after {pause:.1f} s ({last.script})"
            yield self._found(Kind.TOO_LATE, one.began, one.partner, text)

    def _pushed_to(self, push: Pushed) -> _Activation | None:
        """Return for which activation of its partner a first push is, if that is certain."""
        match self._holders(push.phone, push.began - self.limits.settled, push.began):
            case [one] if one.partner == push.partner and one.sale.ended <= push.began <= one.ends:
                return one
        return None

    def _after_finish(self, attempts: Sequence[Pushed]) -> Iterator[Finding]:
        first = attempts[0]
        partner, held = first.partner, self.judged.get(first.text)
        is_known = held is not None and held.partner == partner
        if not is_known:
            # Whose SMS it is isn't known: that of the activation in which the partner had the number when the first attempt came.
            mine = [one for one in self.by_number.get(first.phone, ()) if one.partner == partner]
            before = [one for one in mine if one.sale.began <= first.ended]
            held = max(before, key=lambda one: one.sale.began, default=None)
        if held is None or held.first is None:
            # Pushes outlive the lease.
            return
        answered = min(one.ended for one in held.finishes if one.accepted)
        for one in attempts:
            if one.began <= answered + self.limits.after_finish:
                continue
            # It may have the number again, by an answer that was none.
            if is_known or not self._may_be_given(partner, first.phone, answered, one.ended):
                text = f"smsId {one.sms_id}, {one.began - answered:.1f} s after the answer"
                yield self._found(Kind.PUSHED_AFTER_FINISH, one.began, partner, text)
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


def _rule_of_finish(outcome: int, before: set[int]) -> str:
    """Return which rule wants SUCCESS for a FINISH, after others; none does for another outcome, but for 5 after 3."""
    if not before:
        return "finish-sold" if outcome == SUCCESS else "finish-outcomes"
    if outcome in before:
        return "finish-repeated"
    return "refund" if before == {SUCCESS} and outcome == RETURNED else ""


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

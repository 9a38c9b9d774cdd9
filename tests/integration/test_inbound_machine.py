"""Whatever gateways deliver to a number that changes hands, however often and in whatever order: contract 1.6 and 4.

Random histories on the handlers' code, beside books that tell in the contract's words whose each SMS is, and a rule that
asks no books: no buyer is shown a copy of what had reached us before its activation began.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from globalconnect.domain.times import to_iso
from simulation.clouds import Moto
from simulation.histories import play
from simulation.meanwhile import crossed
from simulation.shop import Shop, present

PHONE = "447472190082"
MINUTE = 60_000
LEASE = 60 * MINUTE
SKEW = MINUTE
REPEAT = 2 * MINUTE
TEXTS = ["code 1", "code 2"]
SECONDS_OFF = [None, 0, 0, 1, 59, 60, 61, 3_600, -600]


@dataclass(slots=True)
class Sent:
    """An SMS that somebody sent, as its gateway tells of it each time; `first_at` (ms) is when that reached us first."""

    source: int
    text: str
    provider_id: str | None
    stated_at: int | None
    first_at: int | None = None

    def payload(self) -> dict[str, object]:
        payload: dict[str, object] = {"phone": PHONE, "from": "Bank", "text": self.text}
        if self.provider_id is not None:
            payload["id"] = self.provider_id
        if self.stated_at is not None:
            payload["receivedAt"] = to_iso(self.stated_at)
        return payload


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale: of which partner, from when to when (ms), and since when the number had been free."""

    activation_id: int
    partner: int
    began_at: int
    ends_at: int
    free_since: int


# What an SMS is to those before it.
type Kin = Literal["new", "repeat", "copy"]


@dataclass(slots=True)
class SmsBooks:
    """Whose each SMS is, told in the contract's words and by none of the product's code."""

    opened_at: int
    sales: list[Sold] = field(default_factory=list)
    shown: dict[int, Counter[str]] = field(default_factory=dict)
    unclaimed: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    ids: set[tuple[int, str, str]] = field(default_factory=set)
    times: set[tuple[str, int]] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    first_with: dict[str, int | None] = field(default_factory=dict)
    last_heard: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def holder(self, at: int) -> Sold | None:
        """Return whose the number was at a time, though it may have ended since."""
        return next((sold for sold in self.sales if sold.began_at <= at < sold.ends_at), None)

    @property
    def free_since(self) -> int:
        """Since when the number is free, when nobody holds it."""
        return self.sales[-1].ends_at if self.sales else self.opened_at

    def deliver(self, sms: Sent, arrived_at: int, now: int) -> None:
        """Enter an SMS that reached us at one time and is judged at another."""
        match self.what_is(sms, arrived_at):
            case "repeat":
                self.repeats += 1
            case "copy":
                self.repeats += 1
                # One entry that counts: of an SMS that somebody got, the first copy makes it.
                if self.first_with[sms.text] is not None and sms.text not in self.copied:
                    self.copied.add(sms.text)
                    self.unclaimed[sms.text] += 1
            case "new":
                self._enter(sms, self.holder(arrived_at), arrived_at, now)

    def what_is(self, sms: Sent, arrived_at: int) -> Kin:
        """Tell what an SMS is to those before it: who may have got it first decides, where no id does."""
        if sms.provider_id is not None:
            return "repeat" if (sms.source, sms.provider_id, sms.text) in self.ids else "new"
        if sms.text in self.first_with:
            sold = self.holder(arrived_at)
            if sold is None or self.first_with[sms.text] != sold.activation_id:
                return "copy"
            heard_at, stated_at = self.last_heard[sms.text]
            if abs(arrived_at - heard_at) < REPEAT or (sms.stated_at is not None and sms.stated_at == stated_at):
                return "repeat"
        return "repeat" if (sms.text, sms.stated_at) in self.times else "new"

    def _enter(self, sms: Sent, sold: Sold | None, arrived_at: int, now: int) -> None:
        if sms.provider_id is not None:
            self.ids.add((sms.source, sms.provider_id, sms.text))
        elif sms.stated_at is not None:
            self.times.add((sms.text, sms.stated_at))
        if sold is None or self._is_before(sms, sold, now):
            self.unclaimed[sms.text] += 1
            sold = None
        else:
            self.shown.setdefault(sold.activation_id, Counter())[sms.text] += 1
        if sms.text not in self.first_with or (sold is not None and sms.provider_id is None):
            self.last_heard[sms.text] = arrived_at, sms.stated_at
        self.first_with.setdefault(sms.text, None if sold is None else sold.activation_id)

    def _is_before(self, sms: Sent, sold: Sold, now: int) -> bool:
        # Whole seconds are stated: the last ms that may be meant.
        if sms.stated_at is None or sms.stated_at + 999 >= sold.began_at:
            return False
        # Of a sale that has ended it is not known any more.
        was_free = sms.stated_at >= sold.free_since and now < sold.ends_at
        return not (was_free and sold.began_at - sms.stated_at - 999 <= SKEW)


class Deliveries(RuleBasedStateMachine):
    """The machine."""

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self.cloud = moto.cloud()
        self.clock = self.cloud.clock
        self.shop = Shop(self.cloud)
        self.shop.sell("tg")
        self.shop.stock(PHONE)
        self.partners = [self.shop.partner(), self.shop.partner()]
        self.sources = [self.shop.source(), self.shop.source()]
        self.parts = self.shop.inbound_parts
        self.books = SmsBooks(self.clock())
        self.sent: list[Sent] = []

    @initialize()
    def some_time_passes(self) -> None:
        self.clock.advance(seconds=45)

    # -------------------------------------------------------------- what partners and time do

    @rule(buyer=some.integers(0, 1))
    def buy(self, buyer: int) -> None:
        reply = self.shop.buy(self.partners[buyer])
        now = self.clock()
        live = self.books.holder(now)
        assert (reply.body["status"] == "NO_NUMBERS") == (live is not None)
        if live is None:
            sold = Sold(reply.body["activationId"], buyer, now, now + LEASE, self.books.free_since)
            self.books.sales.append(sold)

    @precondition(lambda self: self.books.holder(self.clock()))
    @rule()
    def finish(self) -> None:
        """Finish the live activation, so that its number is free."""
        sold = present(self.books.holder(self.clock()))
        assert self.shop.finish(self.partners[sold.partner], sold.activation_id, 5).status == 200
        self.books.sales[-1] = replace(sold, ends_at=self.clock())

    @rule(ms=some.sampled_from([1, 1_000, 30_000, REPEAT - 1, REPEAT, 20 * MINUTE, LEASE]))
    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms=ms)

    # -------------------------------------------------------------- what gateways do

    @rule(
        source=some.integers(0, 1),
        text=some.sampled_from(TEXTS),
        provider_id=some.sampled_from([None, None, "1", "2"]),
        seconds_off=some.sampled_from(SECONDS_OFF),
        kept_back=some.booleans(),
        meanwhile=some.sampled_from(["nothing", "nothing", "sold on", "the same"]),
    )
    def receive(
        self,
        source: int,
        text: str,
        provider_id: str | None,
        seconds_off: int | None,
        *,
        kept_back: bool,
        meanwhile: str,
    ) -> None:
        """Let the gateway receive an SMS: it delivers it now or later, with a right, a wrong or no time."""
        now = self.clock() // 1_000 * 1_000
        stated_at = None if seconds_off is None else now - seconds_off * 1_000
        sms = Sent(source, text, provider_id, stated_at)
        if provider_id is not None:
            # The same id with the same words is the same SMS, whenever it was sent.
            known = [one for one in self.sent if (one.source, one.provider_id, one.text) == (source, provider_id, text)]
            sms = known[0] if known else sms
        if not any(one is sms for one in self.sent):
            self.sent.append(sms)
        if not kept_back:
            self._deliver(sms, meanwhile)

    @precondition(lambda self: self.sent)
    @rule(place=some.integers(0, 6), meanwhile=some.sampled_from(["nothing", "sold on", "the same"]))
    def deliver_again_or_late(self, place: int, meanwhile: str) -> None:
        """Let a gateway deliver one of its latest SMS, for the first time or once more."""
        self._deliver(self.sent[-1 - place % len(self.sent)], meanwhile)

    # -------------------------------------------------------------- what holds after each step

    @invariant()
    def each_sms_is_where_it_belongs(self) -> None:
        for sold in self.books.sales:
            assert self._shown(sold) == self.books.shown.get(sold.activation_id, Counter())
        kept = self.shop.inbound_parts.inbox.unclaimed(1_000, None, self.clock()).items
        assert Counter(sms.text for sms in kept) == self.books.unclaimed
        items = self.cloud.db.scan_all(self.cloud.env["INBOX_TABLE"])
        assert sum(item.get("repeats", 0) for item in items) == self.books.repeats

    # -------------------------------------------------------------- how

    def _deliver(self, sms: Sent, meanwhile: str) -> None:
        arrived_at = self.clock()
        before = {sold.activation_id: self._shown(sold) for sold in self.books.sales}
        settled = False

        def sell_on() -> None:
            nonlocal settled
            # What is no new SMS when it arrives is settled by that.
            settled = self.books.what_is(sms, arrived_at) != "new"
            if settled:
                self.books.deliver(sms, arrived_at, arrived_at)
            self._sell_on()

        meddle = {"sold on": sell_on, "the same": lambda: self._hand_in(sms)}.get(meanwhile, lambda: None)
        arrivals = crossed(self.parts.arrivals, "known", meddle)
        self.shop.inbound_parts = replace(self.parts, arrivals=arrivals)
        self._post(sms)
        if not settled:
            self.books.deliver(sms, arrived_at, self.clock())
        sms.first_at = arrived_at if sms.first_at is None else sms.first_at
        for sold in self.books.sales:
            if self._shown(sold) != before.get(sold.activation_id, Counter()):
                assert sms.first_at >= sold.began_at, "a copy of what had reached us before the sale"

    def _hand_in(self, sms: Sent) -> None:
        self._post(sms)
        self.books.deliver(sms, self.clock(), self.clock())

    def _post(self, sms: Sent) -> None:
        assert self.shop.deliver(self.sources[sms.source], sms.payload()).status == 200

    def _sell_on(self) -> None:
        self.clock.advance(ms=1)
        if self.books.holder(self.clock()) is not None:
            self.finish()
        self.buy(1)

    def _shown(self, sold: Sold) -> Counter[str]:
        reply = self.shop.messages(self.partners[sold.partner], sold.activation_id)
        return Counter(message["text"] for message in reply.body.get("messages", []))


def test_every_history_of_deliveries_leaves_each_sms_where_the_contract_says(moto: Moto) -> None:
    play(partial(Deliveries, moto), examples=40, steps=40, derandomize=True)

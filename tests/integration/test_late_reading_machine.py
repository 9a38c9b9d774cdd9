"""Whatever is read late belongs to its arrival: lines are mapped and mapped again, parts come in any order, payloads are
read after all, numbers are sold and given back. Nobody ever sees what came before his sale, and nothing is nowhere (contract 4).
"""

from dataclasses import dataclass, field, replace
from functools import partial

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from globalconnect.domain.partner import Partner
from globalconnect.inbound.waiting import finish_whole, place_waiting
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.histories import play
from simulation.pieces import Pieces
from simulation.shop import Shop

PHONES = ["447472190082", "447472190083"]
LINES = ["1A", "2B"]
LEASE = 60 * 60_000


@dataclass(slots=True)
class Sent:
    """An SMS, in one delivery or more; `first_at` (ms) is when the first of them reached us."""

    number: int
    to: dict[str, str]
    named: bool
    total: int
    new: bool
    first_at: int | None = None
    delivered: set[int] = field(default_factory=set)

    @property
    def text(self) -> str:
        return "+".join(f"sms {self.number} part {place}" for place in range(1, self.total + 1))

    def delivery(self, place: int) -> dict[str, object]:
        words = self.text.split("+")[place - 1] + ("+" if place < self.total else "")
        fields: dict[str, object] = {"from": "Bank", "text": words, **self.to}
        if self.named or self.total > 1:
            fields["id"] = f"{self.number}-{place}"
        if self.total > 1:
            fields["part"] = [str(self.number), place, self.total]
        if self.new:
            fields["new"] = True
        return fields


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale: from when to when (ms) its number was held."""

    partner: Partner
    activation_id: int
    phone: str
    began_at: int
    ends_at: int


class LateReading(RuleBasedStateMachine):
    """The machine."""

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self.cloud = moto.cloud()
        self.clock = self.cloud.clock
        self.provider = Pieces(is_mended=False)
        self.shop = Shop(self.cloud)
        self.shop.inbound_parts = replace(self.shop.inbound_parts, provider=lambda _: self.provider)
        self.desk = Desk(self.cloud)
        self.desk.admin = replace(self.desk.admin, inbound=self.shop.inbound_parts)
        self.shop.sell("tg")
        self.shop.stock(*PHONES)
        self.partner = self.shop.partner()
        self.source = self.shop.source()
        self.sent: list[Sent] = []
        self.sales: list[Sold] = []

    @initialize()
    def some_time_passes(self) -> None:
        self.clock.advance(seconds=45)

    # -------------------------------------------------------------- what partners and time do

    @rule()
    def buy(self) -> None:
        body = self.shop.buy(self.partner).body
        if body["status"] != "SUCCESS":
            return
        now = self.clock()
        self.sales.append(Sold(self.partner, body["activationId"], str(body["number"]), now, now + LEASE))

    @precondition(lambda self: any(sold.ends_at > self.clock() for sold in self.sales))
    @rule()
    def finish(self) -> None:
        place = next(place for place, sold in enumerate(self.sales) if sold.ends_at > self.clock())
        sold = self.sales[place]
        assert self.shop.finish(sold.partner, sold.activation_id, 5).status == 200
        self.sales[place] = replace(sold, ends_at=self.clock())

    @rule(ms=some.sampled_from([1, 1_000, 61_000, 121_000, 25 * 60_000, LEASE]))
    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms=ms)
        self.shop.sweep()

    # -------------------------------------------------------------- what gateways do

    @rule(
        to=some.sampled_from([{"phone": PHONES[0]}, {"line": LINES[0]}, {"line": LINES[0]}, {"line": LINES[1]}]),
        named=some.booleans(),
        total=some.sampled_from([1, 1, 2, 3]),
        new=some.booleans(),
        place=some.integers(0, 5),
    )
    def send(self, to: dict[str, str], *, named: bool, total: int, new: bool, place: int) -> None:
        """Send a new SMS, or the first part of one to come."""
        self.sent.append(Sent(len(self.sent), to, named, total, new))
        self._deliver(self.sent[-1], place)

    @precondition(lambda self: self.sent)
    @rule(back=some.integers(0, 6), place=some.integers(0, 5))
    def send_more(self, back: int, place: int) -> None:
        """Send one of the latest again, or another part of it."""
        self._deliver(self.sent[-1 - back % len(self.sent)], place)

    def _deliver(self, sms: Sent, place: int) -> None:
        part = 1 + place % sms.total
        reply = self.shop.deliver(self.source, sms.delivery(part))
        assert reply.status == (400 if sms.new and not self.provider.is_mended else 200)
        sms.delivered.add(part)
        sms.first_at = self.clock() if sms.first_at is None else sms.first_at

    # -------------------------------------------------------------- what staff do

    @rule(phones=some.sampled_from([[None, None], [0, None], [1, None], [0, 1], [1, 0], [None, 0]]))
    def map_lines(self, phones: list[int | None]) -> None:
        lines = {line: PHONES[phone] for line, phone in zip(LINES, phones, strict=True) if phone is not None}
        rows = [{"line": line, "phone": phone} for line, phone in lines.items()]
        assert self.desk.put(f"/admin/sources/{self.source}/lines", rows).status == 200

    @rule(mended=some.booleans())
    def mend(self, *, mended: bool) -> None:
        self.provider.is_mended = mended

    @rule()
    def replay(self) -> None:
        for payload in self.desk.get("/admin/unreadable").body["payloads"]:
            self.desk.post(f"/admin/unreadable/{payload['payloadId']}/replay", {})

    @rule()
    def sweep_what_waits(self) -> None:
        place_waiting(self.shop.inbound_parts, 1_000)
        finish_whole(self.shop.inbound_parts, 1_000)

    # -------------------------------------------------------------- what holds after each step

    @invariant()
    def nobody_sees_what_came_before_his_sale_or_after_its_end(self) -> None:
        first_at = {sms.text: sms.first_at for sms in self.sent}
        for sold in self.sales:
            for text in self._shown(sold):
                came = first_at[text]
                assert came is not None
                assert sold.began_at <= came <= sold.ends_at, text

    @invariant()
    def what_has_an_id_is_in_one_place_and_nothing_is_nowhere(self) -> None:
        parts = self.shop.inbound_parts
        now = self.clock()
        whole = [text for sold in self.sales for text in self._shown(sold)]
        whole += [one.text for one in parts.inbox.unclaimed(1_000, None, now).items]
        whole += [one.sms.text for one in parts.inbox.waiting(1_000, None, now).items]
        pieces = [
            part.content.decode("utf-16-be")
            for long in parts.long_sms.incomplete(1_000, None, now).items
            for part in long.parts.values()
        ]
        unread = b"".join(one.body for one in parts.inbox.unreadable(1_000, None, now).items).decode()
        for sms in self.sent:
            if sms.named or sms.total > 1:
                assert whole.count(sms.text) <= 1, sms
            for place in sms.delivered:
                words = str(sms.delivery(place)["text"])
                assert sms.text in whole or words in pieces or f'"text": "{words}"' in unread, sms

    def _shown(self, sold: Sold) -> list[str]:
        return [one["text"] for one in self.shop.messages(sold.partner, sold.activation_id).body.get("messages", [])]


def test_whatever_is_read_late_belongs_to_its_arrival(moto: Moto) -> None:
    play(partial(LateReading, moto), examples=25, steps=40, derandomize=True)

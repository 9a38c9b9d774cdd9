"""Lines live and die while numbers are sold, withdrawn, imported and moved: a number is on sale if, and only if, staff have not
withdrawn it and its line isn't offline; none is sold once that is written (docs/adr/0045).
"""

from dataclasses import dataclass, field, replace
from functools import partial

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import to_iso
from line_states.apply import apply
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.histories import play
from simulation.meanwhile import crossed
from simulation.shop import Shop

PHONES = ["447472190081", "447472190082"]
LINES = ["8944", "1.02"]
DEVICES = ["a", "b"]
EXPIRES = 180_000
LEASE = 60 * 60_000


@dataclass(slots=True)
class Told:
    """What one device of a source said of a line, and when that began (ms)."""

    is_online: bool
    since: int


@dataclass(slots=True)
class Reports:
    """What one device said, until when (ms) its word is good, and since when its silence counts."""

    lines: dict[str, Told] = field(default_factory=dict)
    good_until: int = 0
    silent_since: int | None = None
    silence_is_offline: bool = False


class LinesLiveAndDie(RuleBasedStateMachine):
    """The machine."""

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self.cloud = moto.cloud()
        self.clock = self.cloud.clock
        self.shop = Shop(self.cloud)
        self.desk = Desk(self.cloud)
        self.shop.sell("tg")
        self.shop.stock(*PHONES)
        self.partner = self.shop.partner()
        self.sources = [self.shop.source("ejoin"), self.shop.source("ejoin")]
        self.is_strict = [False, False]
        self.reports: dict[tuple[int, str], Reports] = {}
        self.mapped: dict[int, dict[str, str]] = {0: {}, 1: {}}
        self.withdrawn: set[str] = set()
        self.alive_at: dict[str, int] = {}
        self.live: dict[str, tuple[Partner, int]] = {}
        self.lost: set[int] = set()
        self.is_settled = True

    # -------------------------------------------------------------- what is true

    def offline(self, phone: str) -> bool:
        """Tell whether a number is offline, from the whole history of its line."""
        for source, lines in self.mapped.items():
            for line, mapped in lines.items():
                if mapped == phone:
                    return self._offline(source, line, self.alive_at.get(phone, 0))
        return False

    def _offline(self, source: int, line: str, alive_at: int) -> bool:
        since: list[int] = []
        for (of, _), reports in self.reports.items():
            told = reports.lines.get(line)
            if of != source or told is None:
                continue
            if not told.is_online:
                since.append(told.since)
            elif reports.silent_since is None:
                return False
            elif reports.silence_is_offline:
                since.append(reports.silent_since)
        return bool(since) and max(since) >= alive_at

    # -------------------------------------------------------------- what happens

    @rule(
        source=some.integers(0, 1),
        device=some.sampled_from(DEVICES),
        states=some.dictionaries(some.sampled_from(LINES), some.booleans(), min_size=1),
    )
    def report(self, source: int, device: str, states: dict[str, bool]) -> None:
        lines = tuple(ReportedLine(name, is_online=is_online) for name, is_online in states.items())
        now = self.clock()
        self.shop.inbound_parts.devices.note(SourceId(self.sources[source]), DeviceReport(device, lines, EXPIRES), now)
        reports = self.reports.setdefault((source, device), Reports())
        reports.good_until, reports.silent_since = now + EXPIRES, None
        for name, is_online in states.items():
            if name not in reports.lines or reports.lines[name].is_online is not is_online:
                reports.lines[name] = Told(is_online, now)
        self.is_settled = False

    @rule(source=some.integers(0, 1), phones=some.sampled_from([[None, None], [0, 1], [1, 0], [0, None], [None, 0]]))
    def map_lines(self, source: int, phones: list[int | None]) -> None:
        """Map a source's lines; a device moves to another source when its lines are mapped there."""
        lines = {line: PHONES[phone] for line, phone in zip(LINES, phones, strict=True) if phone is not None}
        rows = [{"line": line, "phone": phone} for line, phone in lines.items()]
        reply = self.desk.put(f"/admin/sources/{self.sources[source]}/lines", rows)
        is_taken = bool({*lines.values()} & {*self.mapped[1 - source].values()})
        assert reply.status == (409 if is_taken else 200)
        if not is_taken:
            self.mapped[source] = lines
            self.is_settled = False

    @rule(source=some.integers(0, 1), is_strict=some.booleans())
    def decide_on_silence(self, source: int, *, is_strict: bool) -> None:
        settings = {"settings": {"silentIsOffline": is_strict}}
        assert self.desk.patch(f"/admin/sources/{self.sources[source]}", settings).status == 200
        self.is_strict[source] = is_strict

    @rule(ms=some.sampled_from([1, 1_000, 61_000, 4 * 60_000, LEASE]))
    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms=ms)
        self.shop.sweep()
        self.shop.silence()
        now = self.clock()
        for (source, _), reports in self.reports.items():
            reports.silent_since = reports.good_until if now >= reports.good_until + 60_000 else None
            reports.silence_is_offline = self.is_strict[source]
        self.live = {phone: sold for phone, sold in self.live.items() if self._is_live(sold)}
        self.is_settled = False

    def _is_live(self, sold: tuple[Partner, int]) -> bool:
        return bool(self.desk.get(f"/admin/activations/{sold[1]}").body["state"] == "live")

    @rule(phone=some.sampled_from(PHONES), enabled=some.booleans())
    def withdraw_or_restore(self, phone: str, *, enabled: bool) -> None:
        assert self.desk.patch(f"/admin/numbers/{phone}", {"enabled": enabled}).status == 200
        self.withdrawn = self.withdrawn - {phone} if enabled else self.withdrawn | {phone}

    @rule(phone=some.sampled_from(PHONES))
    def import_again(self, phone: str) -> None:
        row = f"phone,country,operator\n{phone},england,Hutchison 3G UK Ltd\n"
        assert self.desk.upload(row).body["updated"] == 1

    @rule(phone=some.sampled_from(PHONES))
    def put_online(self, phone: str) -> None:
        self.clock.advance(ms=1)
        assert self.desk.post(f"/admin/numbers/{phone}/online", {}).status == 200
        self._prove_alive(phone)

    @precondition(lambda self: self.live)
    @rule(place=some.integers(0, 1))
    def receive(self, place: int) -> None:
        """An SMS arrives for a buyer, by a gateway that names the number."""
        self.clock.advance(ms=1)
        phone, sold = sorted(self.live.items())[place % len(self.live)]
        text = f"at {self.clock()}"
        other = self.shop.source()
        self.shop.deliver(other, {"phone": phone, "from": "Bank", "text": text, "id": text})
        assert text in [one["text"] for one in self.shop.messages(*sold).body["messages"]]
        self._prove_alive(phone)

    def _prove_alive(self, phone: str) -> None:
        number = self.shop.numbers.get(phone)
        assert number is not None
        assert number.offline is None
        if number.alive_at is not None:
            self.alive_at[phone] = number.alive_at

    @rule()
    def buy(self) -> None:
        self.settle()
        on_sale = {
            phone
            for phone in PHONES
            if phone not in self.withdrawn and not self.offline(phone) and phone not in self.live
        }
        body = self.shop.buy(self.partner).body
        if body["status"] != "SUCCESS":
            assert not on_sale
            return
        assert str(body["number"]) in on_sale
        self.live[str(body["number"])] = (self.partner, body["activationId"])

    @precondition(lambda self: self.live)
    @rule(place=some.integers(0, 1))
    def finish(self, place: int) -> None:
        self.settle()
        phone, sold = sorted(self.live.items())[place % len(self.live)]
        assert self.shop.finish(*sold, 5).status == 200
        del self.live[phone]

    @rule(source=some.integers(0, 1), line=some.sampled_from(LINES))
    def a_report_comes_while_an_older_one_is_written(self, source: int, line: str) -> None:
        self.settle()
        now = self.clock()
        for step, is_online in enumerate((False, True)):
            report = DeviceReport("a", (ReportedLine(line, is_online=is_online),), EXPIRES)
            note = partial(self.shop.inbound_parts.devices.note, SourceId(self.sources[source]), report, now + step)
            if not is_online:
                note()
                continue
            parts = self.shop.line_parts
            meddled = replace(parts, devices=crossed(parts.devices, "of_source", note))
            apply(dict.fromkeys(PHONES), meddled)
        self.clock.advance(ms=1)
        reports = self.reports.setdefault((source, "a"), Reports())
        reports.good_until, reports.silent_since = now + 1 + EXPIRES, None
        reports.lines[line] = Told(is_online=True, since=now + 1)
        # What a report does that came in between is done as well.
        assert self.is_settled

    # -------------------------------------------------------------- what holds after each step

    @rule()
    def settle(self) -> None:
        self.shop.settle_lines()
        self.is_settled = True

    @invariant()
    def numbers_follow_their_lines(self) -> None:
        if not self.is_settled:
            return
        for number in self.shop.all_numbers():
            assert (number.offline is not None) is self.offline(number.phone), number
            assert number.enabled is (number.phone not in self.withdrawn), number

    @invariant()
    def what_is_sold_runs_on_and_is_marked(self) -> None:
        if not self.is_settled:
            return
        for phone, (_, activation_id) in self.live.items():
            kept = self.desk.get(f"/admin/activations/{activation_id}").body
            assert kept["state"] == "live"
            if self.offline(phone):
                assert kept["lineOfflineAt"] is not None
                assert kept["lineOfflineAt"] <= to_iso(self.clock())

    @invariant()
    def counts_are_those_of_the_numbers(self) -> None:
        if not self.is_settled:
            return
        self.shop.project()
        for pool in self.desk.get("/admin/pools").body["pools"]:
            numbers = [number for number in self.shop.all_numbers() if number.enabled]
            assert pool["total"] == len(numbers)
            assert pool["offline"] == sum(number.offline is not None for number in numbers)
            held = sum(number.activation_id is not None or number.resting for number in numbers)
            assert pool["free"] <= len(numbers) - max(held, pool["offline"])


def test_numbers_follow_their_lines_whatever_comes_between(moto: Moto) -> None:
    play(partial(LinesLiveAndDie, moto), examples=25, steps=40, derandomize=True)

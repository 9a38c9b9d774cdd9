"""Simulated hubs play against a small supplier: nothing is found at one that is right, and what is wrong is."""

import asyncio
import itertools
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.exchange import Client, Exchange, Pace
from conformance.hubs import HUBS, Basis, Level
from conformance.hubsim import __main__ as command
from conformance.hubsim import partner
from conformance.hubsim.behaviour import Behaviour, misbehaviours, plan
from conformance.hubsim.events import Arrived, Counted, Down, Event, Finished, Pushed, Reply, Sold
from conformance.hubsim.ledger import Finding, Kind, Limits, account
from conformance.hubsim.partner import SimulatedHub, Stopped
from conformance.hubsim.play import Outcome, Partner, Settings, hubs_of, nothing, play, progress_line, rush
from conformance.hubsim.report import as_html, as_json, as_text, rates
from conformance.masking import Masking
from local.place import REPOSITORY
from tests.conformance.small_supplier import PLACE, Supplier, serving
from tests.contract.market import until

PARTNERS = [Partner(f"{hub}-{n}", HUBS[hub], f"secret-{hub}-{n}") for n in (1, 2) for hub in ("smshub", "seed")]
NUMBERS = [f"4474{n:08}" for n in range(300)]
RETRY = 0.4
# With which smshub-1 asks for counts at once.
SEED = 21
# Everything as it is, a good deal faster.
FAST = Behaviour(
    misbehaving=0.3,
    polled_every=(0.2, 0.5),
    sms_within=(0.01, 0.1),
    finish_within=(0.0, 0.1),
    again_within=(0.0, 0.2),
    late=(0.5, 0.8),
    patience=0.5,
)
# A misbehaving hub is slow for 2 s, and silent for as long as the supplier waits.
LIMITS = Limits(interval=RETRY, early=0.35, late=2.0, first=1.0, settled=1.2, after_finish=0.5, count_lag=0.3)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def played(seconds: float, fault: str = "", numbers: Sequence[str] = NUMBERS) -> tuple[Outcome, Settings]:
    port = free_port()
    urls = {one.key: f"http://127.0.0.1:{port}/{one.name}" for one in PARTNERS}
    supplier = Supplier({one.key: one.hub for one in PARTNERS}, urls, numbers, RETRY, fault)

    def send(phone: str, text: str) -> bool:
        return fault != "no SMS" and supplier.receive(phone, text)

    with serving(supplier) as url:
        settings = Settings(
            url, PARTNERS, seconds, 20.0, send, port=port, down=seconds / 4, behaviour=FAST, limits=LIMITS
        )
        return play(settings, print), settings


@pytest.fixture(scope="module")
def right() -> tuple[Outcome, Settings]:
    return played(3.0)


def test_a_right_supplier_has_no_difference(right: tuple[Outcome, Settings]) -> None:
    outcome, settings = right
    assert as_text(outcome, settings).endswith("0 differences in the account")
    tallies = outcome.account.tallies.values()
    assert all(one.whole and one.polls > 2 and one.taken == one.sms - one.unjudged for one in tallies)
    assert not any(one.unfinished for one in tallies)
    assert sum(one.repeats for one in tallies) > 2
    assert {finding for one in tallies for finding in one.outcomes} >= {3, 4}
    scripts = {one.script for one in outcome.events if isinstance(one, Pushed) and one.reply is not Reply.TAKEN}
    assert len(scripts) >= 3
    (down,) = [one for one in outcome.events if isinstance(one, Down)]
    assert down.partner == "seed-1"
    cut = [one for one in outcome.events if isinstance(one, Pushed) and down.began < one.began < down.ended - RETRY]
    assert sum(one.partner == down.partner and one.reply is Reply.REFUSED for one in cut) > 3


WRONG = {
    "number twice": Kind.LIVE_TWICE,
    "overstated": Kind.OVERSTATED,
    "string": Kind.FORM,
    "finish once": Kind.FINISH_REFUSED,
    "no extras": Kind.FORM,
    "sold again": Kind.SOLD_AGAIN,
    "lost": Kind.SMS_LOST,
    "again": Kind.SMS_REPEATED,
}


def test_a_wrong_supplier_is_found_out() -> None:
    def found(fault: str) -> int:
        return played(2.0, fault, NUMBERS[:5] if fault == "overstated" else NUMBERS)[0].account.counted[WRONG[fault]]

    # Most of a play is waiting.
    with ThreadPoolExecutor(4) as at_once:
        counted = dict(zip(WRONG, at_once.map(found, WRONG), strict=True))
    assert all(counted.values()), counted


class Slow(Client):
    ids = itertools.count(1)

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
        time.sleep(0.2)
        answer = {"status": "SUCCESS", "number": "4474000001", "activationId": next(self.ids)}
        return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0)


def test_at_any_rate_some_requests_are_under_way_at_once() -> None:
    noted: list[Event] = []
    pace = Pace(0.01)
    behaviour = replace(
        FAST, patience=0.1, said_twice_at_once=1.0, said_again=0.0, contradiction=0.0, outcomes={4: 1.0}
    )
    partners = [Partner(name, HUBS["smshub"], name) for name in "abcd"]
    settings = Settings("", partners, 1.0, 20.0)

    async def bought() -> None:
        hubs = [
            SimulatedHub(
                one.name,
                one.hub,
                Slow("", one.key, pace, lambda _: None),
                behaviour,
                Random(1),
                noted.append,
                None,
                time.monotonic(),
                0.1,
                {PLACE: 9},
            )
            for one in partners
        ]
        async with asyncio.TaskGroup() as sales:
            await rush(settings, hubs, sales)

    asyncio.run(bought())
    assert sorted(one.partner for one in noted if isinstance(one, Sold)) == [*"abcd"]
    outcome = Outcome(noted, account(noted, {one.name: one.hub for one in partners}, 9.0), 1.0)
    totals = as_json(outcome, settings)["totals"]
    assert (totals["numbersAskedForAtOnce"], totals["finishedAtOnce"]) == (4, 8)
    assert "at once with another: 4 GET_NUMBER, 8 FINISH of one activation" in as_text(outcome, settings)


def test_who_takes_half_an_answer_for_success_loses_sms(monkeypatch: pytest.MonkeyPatch) -> None:
    (half,) = [one for one in misbehaviours(HUBS["smshub"]) if one.script == "half an answer"]
    monkeypatch.setattr(partner, "misbehaviours", lambda _: [half])
    with ThreadPoolExecutor(2) as at_once:
        right, wrong = at_once.map(lambda fault: played(0.5, fault)[0].account, ("", "takes any 200"))
    assert right.findings == []
    assert wrong.counted[Kind.SMS_LOST]


def test_who_takes_by_200_and_has_words_for_never_again_plays_both() -> None:
    ways = {one.script: one.reply for one in misbehaviours(HUBS["onlinesim"])}
    assert ways["HTTP 200 without SUCCESS"] is Reply.TAKEN
    stopped = {script for script, reply in ways.items() if reply is Reply.STOPPED}
    assert stopped == {f"HTTP 400, {word}" for word in HUBS["onlinesim"].stop_words}
    others = {one.script for name in ("smshub", "seed") for one in misbehaviours(HUBS[name])}
    assert others.isdisjoint({"HTTP 200 without SUCCESS", *stopped})


def test_an_account_of_nothing_says_nothing() -> None:
    outcome, settings = played(0.5, numbers=[])
    assert outcome.fails
    assert as_text(outcome, settings).endswith(
        "failed; nothing was sold: this account says nothing; 0 differences in the account"
    )
    outcome, settings = played(0.5, "no SMS")
    failed = sum(isinstance(one, Arrived) for one in outcome.events)
    assert outcome.fails
    assert "no SMS could be made to arrive: this account says nothing; 0 diff" in as_text(outcome, settings)
    assert f"; {failed} could not be made arrive, 0 of them came all the same" in as_text(outcome, settings)
    assert as_json(outcome, settings)["totals"]["smsNotAccepted"] == failed > 0


def test_what_says_nothing_of_a_partner_or_of_its_sms_is_told_and_fails() -> None:
    partners = [Partner(name, HUBS["smshub"], name) for name in "ab"]

    def told(*events: Event, comes_by_itself: bool = False) -> str:
        settings = Settings("", partners, 1.0, 1.0, None if comes_by_itself else lambda *_: True)
        return nothing(settings, events, account(events, {one.name: one.hub for one in partners}, 100.0))

    one, other = (Sold(0.0, 0.1, name, PLACE, (), f"447400000{name}", "1") for name in "ab")
    arrived = Arrived(1.0, 1.1, one.number, "code", accepted=True)
    pushed = Pushed(1.2, 1.3, "a", "a", "1", one.number, "code", Reply.TAKEN, "")
    finished = Finished(2.0, 2.1, "a", "1", 3, accepted=True)
    assert told(one, arrived, pushed, finished) == "nothing was sold to b"
    assert told(one, other, comes_by_itself=True) == told(one, other, arrived, finished) == "nothing was pushed"
    assert told(one, other, arrived, pushed) == "no sale was whole"
    late = Arrived(1.9, 1.95, one.number, "other", accepted=True)
    assert told(one, other, late, replace(pushed, reply=Reply.REFUSED), finished) == "1 of 1 SMS are unjudged"
    assert told(one, other, pushed, comes_by_itself=True) == "no sale was whole"
    assert told(one, other, arrived, pushed, finished) == told(one, other, pushed, finished, comes_by_itself=True) == ""


@pytest.mark.parametrize("number", ["x", [4474], "9" * 5000])
def test_an_odd_number_and_an_odd_id_break_nothing_off(number: object) -> None:
    class Odd(Client):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            answer = {"status": "SUCCESS", "number": number, "activationId": "9" * 5000}
            return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0)

    noted: list[Event] = []
    client = Odd("", "k", Pace(1000.0), lambda _: None)
    behaviour = Behaviour(excluding=1.0)
    hub = SimulatedHub("a", HUBS["onlinesim"], client, behaviour, Random(1), noted.append, None, 0.0, 1.0)
    hub.shown[PLACE] = 9

    async def trade() -> None:
        for _ in range(2):
            wanted = hub._wanted()
            assert wanted is not None
            bought = await hub._buy(wanted)
            assert bought is not None
            await hub._finish(bought[1], 5)

    asyncio.run(trade())
    assert [type(one) for one in noted] == [Sold, Finished] * 2


def test_counts_of_what_is_never_asked_for_are_not_kept() -> None:
    class Large(Slow):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            services = {f"s{n}": 5 for n in range(100)}
            listed = [{"country": f"c{n}", "operatorMap": {"any": services}} for n in range(10)]
            answer = {"status": "SUCCESS", "countryList": listed}
            if b"GET_NUMBER" in body:
                answer = {"status": "NO_NUMBERS"}
            return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0)

    noted: list[Event] = []
    client = Large("", "k", Pace(1000.0), lambda _: None)
    hub = SimulatedHub("a", HUBS["smshub"], client, FAST, Random(1), noted.append, None, time.monotonic(), 1.0)

    async def ask() -> None:
        for _ in range(3):
            await hub._ask_counts()
            wanted = hub._wanted()
            assert wanted is not None
            await hub._buy(wanted)
            await hub._buy(wanted)

    asyncio.run(ask())
    polls = [one for one in noted if isinstance(one, Counted)]
    assert [len(one.counts) for one in polls] == [1, 2, 3]
    assert {count for one in polls for count in one.counts.values()} == {5}
    assert len(polls[0].names) == 10
    assert polls[0].names is polls[2].names
    found = account(noted, {"a": HUBS["smshub"]}, 9.0)
    assert found.counted[Kind.OVERSTATED] == 6


@pytest.mark.parametrize("impatient", [False, True])
def test_what_is_asked_again_is_the_same(impatient: bool) -> None:
    asked: list[bytes] = []

    class Listening(Slow):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            asked.append(body)
            return Slow.post(self, body, headers, path, paced=paced)

    noted: list[Event] = []
    client = Listening("", "k", Pace(1000.0), lambda _: None)
    behaviour = replace(FAST, excluding=1.0, patience=0.05)
    hub = SimulatedHub("a", HUBS["onlinesim"], client, behaviour, Random(1), noted.append, None, time.monotonic(), 0.01)
    hub.shown |= {(country, "any", service): 9 for country in ("england", "spain") for service in ("tg", "wa")}
    hub._given.append("4474000009")
    what = replace(plan(Random(1), behaviour), lost=True, impatient=impatient)
    asyncio.run(hub._trade(what, paced=True))
    first, second = asked[:2]
    assert first == second
    assert b"exceptionPhoneSet" in first
    bought = [one for one in noted if isinstance(one, Sold)]
    assert (bought[1].began < bought[0].ended) == impatient
    assert not hub._unfinished


def test_what_the_first_of_two_equal_requests_gives_is_kept_when_the_second_is_stopped() -> None:
    class Stopping(Client):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            hub.stop()
            time.sleep(0.1)
            answer = {"status": "SUCCESS", "number": 447400000001, "activationId": "0007"}
            return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0)

    async def trade() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        with pytest.raises(Stopped):
            await hub._trade(replace(plan(Random(1), FAST), lost=True, impatient=True), paced=True)

    client = Stopping("", "k", Pace(1000.0), lambda _: None)
    hub = SimulatedHub("a", HUBS["smshub"], client, FAST, Random(1), lambda _: None, None, 0.0, 1.0)
    hub.shown[PLACE] = 9
    asyncio.run(trade())
    assert [*hub._unfinished] == ["0007"]


def test_an_id_is_sent_back_as_it_was_given() -> None:
    asked: list[Any] = []

    class Padding(Client):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            asked.append(json.loads(body).get("activationId"))
            answer = {"status": "SUCCESS", "number": 447400000001, "activationId": "0007"}
            return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0)

    client = Padding("", "k", Pace(1000.0), lambda _: None)
    hub = SimulatedHub("a", HUBS["smshub"], client, FAST, Random(1), lambda _: None, None, time.monotonic(), 1.0)
    hub.shown[PLACE] = 9
    wanted = hub._wanted()
    assert wanted is not None
    asyncio.run(hub._buy(wanted))
    asyncio.run(hub.tidy())
    assert asked == [None, "0007"]


def test_progress_counts_activations_that_ended_and_sms_that_came() -> None:
    sold = Sold(0.0, 0.1, "a", PLACE, (), "4474", "1")
    finishes = [Finished(at, at + 0.1, "a", "1", outcome, accepted=True) for at, outcome in ((2, 3), (3, 3), (4, 5))]
    arrivals = [Arrived(1.0, 1.1, "4474", text, accepted=text == "code") for text in ("code", "lost")]
    events: list[Event] = [sold, *arrivals, *finishes]
    line = progress_line(account(events, {"a": HUBS["smshub"]}, 9.0), events, 0, 9.0, 60.0)
    assert "1 sold, 0 live, 1 SMS, 0 pushes (0 not taken), finished {3: 1};" in line


def test_a_play_that_fails_gives_back_what_was_bought_and_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: SimulatedHub, number: str) -> bool:
        raise ValueError(number)

    monkeypatch.setattr(SimulatedHub, "_make_arrive", fails)
    outcome, settings = played(0.5)
    assert outcome.fails
    assert re.search(r"the play itself failed \d+ times \(ValueError\('4474", as_text(outcome, settings))
    assert outcome.account.tallies["smshub-1"].sold
    assert outcome.account.unfinished == []


def test_a_key_in_an_answer_is_in_no_report() -> None:
    class Telling(Client):
        def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
            answer = {"status": "SUCCESS", "number": "secret-b", "activationId": f"{'x' * 190} secret-a"}
            if b"GET_SERVICES" in body:
                answer = {"status": f"{'x' * 180} secret-a"}
            masking = Masking({"KEY": self.key})
            return Exchange("POST", "", headers, body, 200, {}, json.dumps(answer).encode(), 0.0, masking=masking)

    noted: list[Event] = []
    client = Telling("", "secret-a", Pace(1000.0), lambda _: None)
    hub = SimulatedHub("a", HUBS["smshub"], client, Behaviour(), Random(1), noted.append, None, 0.0, 1.0)
    hub.shown[PLACE] = 9

    async def trade() -> None:
        wanted = hub._wanted()
        assert wanted is not None
        await hub._ask_counts()
        await hub._buy(wanted)

    asyncio.run(trade())
    partners = [Partner(name, HUBS["smshub"], f"secret-{name}") for name in "ab"]
    settings = Settings("http://127.0.0.1/?key=secret-a&token=secret-c", partners, 1.0, 1.0)
    outcome = Outcome(noted, account(noted, {one.name: one.hub for one in partners}, 99.0), 1.0)
    told = json.dumps(as_json(outcome, settings)) + as_html(outcome, settings) + as_text(outcome, settings)
    assert outcome.account.findings
    assert "<key>" in told
    assert "secre" not in told + repr(settings)


def test_no_request_keeps_a_part_of_any_key() -> None:
    settings = Settings("http://127.0.0.1/", PARTNERS, 1.0, 1.0)
    for hub in hubs_of(settings, print, 0.0):
        assert hub.client.masking is not None
        assert [hub.client.masking.text(one.key) for one in PARTNERS] == ["<key>"] * 4


def test_the_report_is_whole_as_json_and_as_a_page_and_has_no_key(right: tuple[Outcome, Settings]) -> None:
    outcome, settings = right
    told = as_json(outcome, settings)
    page = as_html(outcome, settings)
    assert told["differences"] == 0
    assert told["partners"]["smshub-1"]["hub"] == "smshub"
    assert told["answerSeconds"]["GET_NUMBER"]["count"] == told["totals"]["sold"] + told["totals"]["refused"]
    assert "secret-" not in json.dumps(told) + page + as_text(outcome, settings) + repr(settings)
    drawn = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 - our own
    assert len(drawn) == 6
    assert not re.search(r"(src|href)=", page)


def test_the_command_plays_and_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port, keys = free_port(), tmp_path / "keys.json"
    keys.write_text(json.dumps([{"hub": "smshub", "key": "secret-1"}, {"hub": "smshub", "key": "secret-2"}]))
    supplier = Supplier(
        {"secret-1": HUBS["smshub"], "secret-2": HUBS["smshub"]},
        {"secret-1": f"http://127.0.0.1:{port}/", "secret-2": f"http://127.0.0.1:{port}/"},
        [],
        RETRY,
    )
    with serving(supplier) as url:
        asked = {"URL": url, "KEYS": str(keys), "LISTEN": f"127.0.0.1:{port}", "MINUTES": "0.01"}
        assert command.main(["--report", str(tmp_path / "report")], asked) == 1
        said = capsys.readouterr().out
        assert command.main(["--report", str(tmp_path / "report")], asked | {"LISTEN": "127.0.0.1:0"}) == 1
    assert re.search(r"http://127\.0\.0\.1:[1-9]\d+/smshub-1\n", capsys.readouterr().out)
    assert f"http://127.0.0.1:{port}/smshub-2" in said
    assert "nothing was sold: this account says nothing" in said
    assert "limits: first push within 10 s; again 9 s after" in said
    assert json.loads((tmp_path / "report" / "hubsim.json").read_text())["differences"] == 0
    assert (tmp_path / "report" / "hubsim.html").read_text().startswith("<!doctype html>")


def test_what_a_document_requires_and_what_makes_a_sale_worthless_decides_how_it_ends(
    right: tuple[Outcome, Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome, settings = right
    keys = tmp_path / "keys.json"
    keys.write_text('[{"hub": "seed", "key": "k"}]')

    def ends(**changes: object) -> int:
        ended = replace(outcome, **changes)  # type: ignore[arg-type]
        monkeypatch.setattr(command, "play", lambda *_: ended)
        return command.main(["--url", settings.url, "--keys", str(keys), "--report", str(tmp_path)], {})

    def found(kind: Kind, level: Level) -> dict[str, object]:
        finding = Finding(kind, 1.0, "seed-1", "what", Basis(level, "where"))
        return {"account": replace(outcome.account, findings=[finding])}

    assert ends() == 0
    assert "\npassed; 0 differences" in (tmp_path / "hubsim.txt").read_text()
    assert ends(**found(Kind.FORM, Level.ASSUMED)) == ends(**found(Kind.FORM, Level.OBSERVED)) == 0
    assert "a wrong type or form: 1), 0 of them decisive" in (tmp_path / "hubsim.txt").read_text()
    assert ends(**found(Kind.FORM, Level.REQUIRED)) == ends(**found(Kind.LIVE_TWICE, Level.ASSUMED)) == 1
    assert "[assumed, decisive]" in (tmp_path / "hubsim.txt").read_text()
    small = Finding(Kind.FORM, 1.0, "seed-1", "what", Basis(Level.ASSUMED, "where"))
    late = Finding(Kind.SMS_LOST, 9.0, "seed-1", "gone", Basis(Level.REQUIRED, "where"))
    assert ends(account=replace(outcome.account, findings=[*[small] * 60, late])) == 1
    verdict, *listed = (tmp_path / "hubsim.txt").read_text().splitlines()[-8:]
    assert verdict.startswith("failed; 61 differences")
    assert listed[0].endswith("gone [required]")
    assert listed[-1] == "  … 55 more: a wrong type or form"
    assert ends(nothing="nothing was sold") == 1
    assert ends(broken_off=3.0) == command.INTERRUPTED
    (tmp_path / "hubsim.html").unlink()
    (tmp_path / "hubsim.html").mkdir()
    assert ends() == 1
    assert f"REPORT={tmp_path}: Is a directory" in capsys.readouterr().out


def test_an_outage_is_seen_in_the_rates() -> None:
    assert rates([1.0, 2.0, 31.0, 32.0], 34.0) == [(0, 0.2), (10, 0), (20, 0), (30, 0.5)]


def playing(supplier: Supplier, url: str, port: int, tmp_path: Path) -> list[str]:
    """Return the command that plays hubs which ask for counts at once."""
    (tmp_path / "keys.json").write_text(json.dumps([{"hub": "smshub", "key": key} for key in supplier.hubs]))
    asked = {"--url": url, "--keys": "keys.json", "--listen": f"127.0.0.1:{port}", "--rate": "20", "--seed": str(SEED)}
    return [sys.executable, "-m", "conformance", "hub", *(word for pair in asked.items() for word in pair)]


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_gives_back_what_was_bought_and_accounts_for_it(interrupt: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    supplier = Supplier({"k": HUBS["smshub"]}, {"k": f"http://127.0.0.1:{port}/"}, NUMBERS, RETRY, "slow")
    with serving(supplier) as url:
        # As in a shell's background, where SIGINT is ignored.
        words = ["sh", "-c", f"trap '' INT; exec {shlex.join(playing(supplier, url, port, tmp_path))}"]
        with subprocess.Popen(words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}) as running:
            try:
                # Some of them are under way then.
                until(lambda: len(supplier.activations), lambda sold: sold > 2, 20.0)
                running.send_signal(interrupt)
                assert running.wait(20) == command.INTERRUPTED
            finally:
                running.kill()
    assert {one.outcome for one in supplier.activations.values()} == {5}
    told = json.loads((tmp_path / "hubsim-report" / "hubsim.json").read_text())
    assert told["totals"]["sold"] == len(supplier.activations)
    assert told["totals"]["sold"] + told["totals"]["refused"] == supplier.asked_for_numbers
    assert told["unfinished"] == []
    assert 0 < told["brokenOffSeconds"] < 20
    assert re.search(
        r"^broken off after \d+ s; 0 differences", (tmp_path / "hubsim-report/hubsim.txt").read_text(), re.MULTILINE
    )


def test_who_reads_no_more_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    supplier = Supplier({"k": HUBS["smshub"]}, {"k": f"http://127.0.0.1:{port}/"}, NUMBERS, RETRY)
    with serving(supplier) as url:
        words = playing(supplier, url, port, tmp_path)
        reading, writing = os.pipe()
        os.close(reading)
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=writing) as running:
            os.close(writing)
            try:
                until(lambda: len(supplier.activations), lambda sold: sold > 2, 20.0)
                running.send_signal(signal.SIGINT)
                assert running.wait(20) == command.INTERRUPTED
            finally:
                running.kill()
    assert {one.outcome for one in supplier.activations.values()} == {5}
    assert (tmp_path / "hubsim-report" / "hubsim.txt").is_file()


def test_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    port = free_port()
    supplier = Supplier({"k": HUBS["smshub"]}, {"k": f"http://127.0.0.1:{port}/"}, NUMBERS, 20.0, "slow")
    with serving(supplier) as url:
        words = playing(supplier, url, port, tmp_path)
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as running:
            try:
                until(lambda: supplier.asked_for_numbers, bool, 20.0)
                running.send_signal(signal.SIGTERM)
                assert running.stdout is not None
                assert any("Broken off" in line for line in running.stdout)
                running.send_signal(signal.SIGINT)
                assert running.wait(5) == -signal.SIGINT
            finally:
                running.kill()
    assert not supplier.activations


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--url": "https://supplier.example/"}, "REMOTE=1"),
        ({"--listen": "9100"}, "LISTEN"),
        ({"--minutes": "0"}, "MINUTES"),
        ({"--minutes": "1", "--down": "1"}, "DOWN"),
        ({"--sms": "send {text}"}, "SMS"),
        ({"--sms": "send '{phone}"}, "SMS is no command"),
        ({"--keys": "/nowhere/keys.json"}, "KEYS is to be a file: No such file or directory."),
        ({"--keys": "/dev/null"}, "The file of KEYS is no JSON"),
        ({"--url": "http://127.0.0.1:99999/"}, "URL is no URL"),
        ({"--url": "http://127.0.0.1:abc/"}, "URL is no URL"),
        ({"--url": "http://user:pass@127.0.0.1/"}, "URL is to have no user and no password"),
        ({"--seed": "one"}, "SEED is a whole number"),
        ({"--paths": "no"}, "PATHS is 0 or 1"),
        ({"--report": "/dev/null"}, "REPORT=/dev/null"),
    ],
)
def test_the_command_says_what_is_wrong(
    changed: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('[{"hub": "seed", "key": "k"}]')
    asked = {"--url": "http://127.0.0.1:9/", "--keys": str(keys), **changed}
    with pytest.raises(SystemExit) as ended:
        command.main([word for pair in asked.items() for word in pair], {})
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_keys_instead_of_a_file_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for keys in ('[{"hub": "seed", "key": "secret"}]', "secret" * 99):
        with pytest.raises(SystemExit):
            command.main(["--url", "http://127.0.0.1/", "--keys", keys], {})
        assert "secret" not in capsys.readouterr().err


def test_a_url_of_one_partner_is_looked_at_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('[{"hub": "seed", "key": "k", "url": "http://127.0.0.1:abc/"}]')
    with pytest.raises(SystemExit) as ended:
        command.main(["--url", "http://127.0.0.1/", "--keys", str(keys)], {})
    assert ended.value.code == 2
    assert "The URL of seed-1 is no URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "entries",
    [
        {},
        [],
        [{"hub": "seed", "key": "k"}] * 2,
        [{"hub": "other", "key": "secret-1"}],
        [{"hub": "seed"}],
        [{"hub": ["seed"], "key": "secret"}],
        [{"hub": "seed", "key": "secret\n"}],
        [{"hub": "seed", "key": "secret", "name": "\ud800"}],
        [{"hub": "seed", "key": "secret", "name": "a/b"}],
        [{"hub": "seed", "key": "secret", "name": "a b"}],
        [{"hub": "seed", "key": f"k{n}"} for n in range(51)],
    ],
    ids=[
        "an object",
        "none",
        "twice",
        "no hub",
        "no key",
        "hubs",
        "a strange key",
        "a strange name",
        "a slash",
        "a space",
        "too many",
    ],
)
def test_a_wrong_file_of_keys_is_refused_without_repeating_a_key(entries: object) -> None:
    with pytest.raises(ValueError, match="file of keys") as refused:
        command.read_partners(entries)
    assert "secret" not in str(refused.value)

"""`python -m conformance check`: what it sends, refuses and reports, and how it ends."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from conformance.__main__ import INTERRUPTED, main
from conformance.checks.catalogue import CHECKS, checks_of
from conformance.checks.check import Outcome, Result
from conformance.checks.running import run_checks
from conformance.hubs import HUBS, Level
from conformance.masking import MASK, Masking
from conformance.push_server import PushServer
from conformance.report import FORMATS, Report, Verdict, text
from conformance.trial import Settings, Trial
from local.place import REPOSITORY
from tests.conformance.shop import KEY, Shop, trading
from tests.contract.market import until

_CHEAP = ("--per-second", "1000", "--hub", "smshub")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with trading(Shop()) as shop:
        yield shop


def _run(shop: Shop, *arguments: str) -> int:
    return main(["check", "--url", shop.url, "--key", KEY, *_CHEAP, *arguments], {})


def test_a_right_supplier_ends_with_0(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(shop, "--only", "counts-form", "--only", "number-type") == 0
    said = capsys.readouterr().out
    assert "not certified (2 required checks passed, 5 are the fewest that certify anything)" in said


def test_a_part_of_what_a_hub_requires_is_no_pass(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("counts-form", "counts-whole", "number-type", "finish-repeated", "hints")
    assert _run(shop, *(part for name in names for part in ("--only", name))) == 0
    required = sum(rule.level is Level.REQUIRED for rule in HUBS["smshub"].rules.values())
    said = f"SMSHub: passed in part (5 of {required} required checks passed, the others were not run)"
    assert said in capsys.readouterr().out


def test_a_supplier_without_stock_certifies_nothing_and_is_no_success_in_junit(shop: Shop, tmp_path: Path) -> None:
    shop.has_stock = False
    names = ("number-type", "sold-gone")
    assert _run(shop, "--report", str(tmp_path), *(part for name in names for part in ("--only", name))) == 1
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]  # noqa: S314 - our own
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "1", "1")
    assert {case.get("name"): case[0].tag for case in suite} == {"number-type": "error", "sold-gone": "skipped"}
    required = sum(rule.level is Level.REQUIRED for rule in HUBS["smshub"].rules.values())
    said = f"not certified (1 of {required} required checks could not be made for want of stock or SMS, 0 passed)"
    assert said in (tmp_path / "report.txt").read_text(encoding="utf-8")


def _verdict(level: Level, *ended: tuple[Outcome, bool]) -> Verdict:
    """Return the verdict of a hub on so many checks: how each ended, and whether it was prevented."""
    check, hub = CHECKS["number-type"], HUBS["smshub"]
    basis = replace(hub.rules[check.name], level=level)
    return Verdict(hub, [Result(check, basis, outcome, "", is_prevented=prevented) for outcome, prevented in ended])


_PASSED, _PREVENTED, _NOT_ASKED = (Outcome.PASSED, False), (Outcome.NOT_RUN, True), (Outcome.NOT_RUN, False)


@pytest.mark.parametrize(
    ("verdict", "word", "holds", "why"),
    [
        (_verdict(Level.REQUIRED, *[_PASSED] * 5, _NOT_ASKED), "passed in part", True, "5 of "),
        (_verdict(Level.REQUIRED, *[_PASSED] * 5, _PREVENTED), "not certified", False, "1 of "),
        (_verdict(Level.ASSUMED, _PASSED, _PREVENTED), "not certified", True, "0 required checks passed"),
        (_verdict(Level.ASSUMED, _NOT_ASKED), "not certified", False, "no check passed"),
    ],
)
def test_only_what_is_required_and_prevented_decides(verdict: Verdict, word: str, why: str, *, holds: bool) -> None:
    assert (verdict.word, verdict.holds) == (word, holds)
    assert verdict.why.startswith(why)


def test_hubs_without_the_check_are_passed_over(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _run(shop, "--only", "getsms")
    assert ended.value.code == 2
    having = [hub for hub in HUBS.values() if "getsms" in hub.rules]
    assert f"smshub has no such check; who has one: {', '.join(hub.name for hub in having)}." in capsys.readouterr().err
    main(["check", "--url", shop.url, "--key", KEY, "--dry-run", "--only", "getsms"], {})
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("== ")]
    assert heads == [f"== {hub.title}" for hub in having]


def test_what_was_bought_is_finished(shop: Shop) -> None:
    _run(shop, "--only", "number-type", "--only", "activation-id")
    sold = [place for place, asked in enumerate(shop.asked, start=1) if asked["action"] == "GET_NUMBER"]
    assert len(sold) == 4
    assert set(shop.finished()) == set(sold)


def test_a_required_check_that_fails_ends_with_1_and_one_that_is_not_required_does_not(shop: Shop) -> None:
    shop.sells_strings = True
    assert _run(shop, "--only", "number-type") == 1
    # The supplier finishes what it never gave: of Grizzly, no document says that it mustn't.
    arguments = ("--per-second", "1000", "--hub", "grizzly", "--only", "finish-unknown", "--only", "counts-form")
    assert main(["check", "--url", shop.url, "--key", KEY, *arguments], {}) == 0


def test_a_supplier_that_does_not_answer_ends_with_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    assert main(["check", "--url", url, "--key", KEY, "--per-second", "1000", "--hub", "herosms"], {}) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--key", KEY], "URL and KEY are needed"),
        (["--url", "http://127.0.0.1/"], "URL and KEY are needed"),
        (["--url", "http://supplier.example/", "--key", KEY], "supplier.example is not this machine"),
        (["--url", "http://192.168.0.7/", "--key", KEY], "192.168.0.7 is not this machine"),
        (["--url", "ftp://127.0.0.1/", "--key", KEY], "URL is to begin with"),
        (["--url", "http:///hub", "--key", KEY], "URL is to begin with"),
        (["--url", "http://127.0.0.1:0/", "--key", KEY], "URL is to begin with"),
        (["--url", "http://127.0.0.1:99999/", "--key", KEY], "URL is no URL"),
        (["--url", "http://127.0.0.1:abc/", "--key", KEY], "URL is no URL"),
        (["--url", "http://[::1/", "--key", KEY], "URL is no URL"),
        (["--url", "http://a..b/", "--key", KEY, "--remote"], "URL is no URL"),
        (["--url", "http://127.0.0.1/é", "--key", KEY], "URL has characters"),
        (["--url", "http://127.0.0.1/a b", "--key", KEY], "URL has characters"),
        (["--url", "http://user:pass@127.0.0.1/", "--key", KEY], "URL is to have no user and no password"),
        (["--url", "http://127.0.0.1/", "--key", "a\nb"], "KEY is to be printable"),
        (["--url", "http://127.0.0.1/", "--key", "a\udcff"], "KEY is to be printable"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--key2", " a"], "KEY2 is to be printable"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--push", "127.0.0.1:" + "9" * 5000], "PUSH is host:port"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--push", "a..b:8099"], "PUSH is host:port"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--sms", "send '{phone}"], "SMS is no command"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--report", "/dev/null"], "REPORT=/dev/null"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--retry", "9s"], "RETRY is a number above 0"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--hub", "5sim"], "There is no hub 5sim"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--push", "8099"], "PUSH is host:port"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--sms", "send"], "SMS is a command with {phone}"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--key2", KEY], "KEY2 is to be another key"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--paths", "no"], "PATHS is 0 or 1"),
        (["--url", "http://127.0.0.1/", "--key", KEY, "--per-second", "0"], "PER_SECOND is a number above 0"),
    ],
)
def test_a_wrong_call_ends_with_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments], {})
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert said in last
    assert "pass@" not in last
    assert KEY not in last


@pytest.mark.parametrize("command", ["check", "hub"])
@pytest.mark.parametrize("arguments", [["--key-2", "sup3rsecret"], ["--ke=sup3rsecret"], ["sup3rsecret"]])
def test_what_no_option_is_is_not_repeated(
    command: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, *arguments], {})
    assert ended.value.code == 2
    assert "sup3rsecret" not in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told_and_the_others_are_written(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").mkdir()
    arguments = ["check", "--url", shop.url, "--key", KEY, *_CHEAP, "--only", "number-type", "--report", str(tmp_path)]
    assert main(arguments, {}) == 1
    assert f"{tmp_path / 'report.json'}: Is a directory" in capsys.readouterr().err
    assert (tmp_path / "report.html").is_file()


def test_a_reader_that_leaves_breaks_nothing_off(shop: Shop, tmp_path: Path) -> None:
    arguments = ["--url", shop.url, "--key", KEY, *_CHEAP, "--only", "number-type", "--report", str(tmp_path)]
    called = shlex.join([sys.executable, "-m", "conformance", "check", *arguments])
    said = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{called} | true"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert (tmp_path / "report.html").is_file()


def test_a_dry_run_sends_nothing_and_lists_every_check(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    # Elsewhere it is as harmless, but it has to be meant.
    url = f"{shop.url}?token=t0k3n"
    assert main(["check"], {"URL": url, "KEY": KEY, "DRY_RUN": "1", "PUSH": "127.0.0.1:1"}) == 0
    said = capsys.readouterr().out
    assert shop.asked == []
    assert KEY not in said
    assert "t0k3n" not in said
    assert all(f"{check.name}: " in said for hub in HUBS.values() for check in checks_of(hub))
    assert f'POST {shop.url}/getNumber?token=<key> {{"action": "GET_NUMBER", "key": "<key>"' in said
    assert f"GET {shop.url}/getsms/?token=<key>&apiKey=<key>&id=1" in said
    assert "Authorization: Bearer <key>" in said
    assert "finish-sold: not run, needs DESTRUCTIVE" in said
    assert "push-types: not run, needs SMS\n" in said


def test_no_sms_is_expected_after_the_hub_has_ended_the_activation(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"HUB": "seed", "PUSH": "127.0.0.1:0", "SMS": "true {phone}", "PATIENCE": "60"}
    main(["check", "--url", shop.url, "--key", KEY, "--only", "outlives"], given)
    assert "outlives: An activation ends after 60 minutes here: PATIENCE is to be less." in capsys.readouterr().out
    assert not [asked for asked in shop.asked if asked["action"] == "GET_NUMBER"]


def test_variables_of_make_are_options(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"URL": shop.url, "KEY": KEY, "HUB": "onlinesim", "PER_SECOND": "1000", "DESTRUCTIVE": "0", "PATHS": "0"}
    names = ("counts-form", "finish-sold", "paths")
    assert main(["check", *(part for name in names for part in ("--only", name))], given) == 0
    said = capsys.readouterr().out
    assert "needs DESTRUCTIVE" in said
    assert "needs PATHS" in said


def test_reports_have_what_went_over_the_wire_and_never_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(Shop(echoes=True, sells_strings=True)) as shop:
        assert _run(shop, "--report", str(tmp_path), "--only", "number-type", "--only", "bearer") == 1
    files = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert files.keys() == {"report.txt", "report.json", "report.xml", "report.html"}
    for told in (*files.values(), capsys.readouterr().out):
        assert "GET_NUMBER" in told
        for spelled in (KEY, json.dumps(KEY)[1:-1], "secret"):
            assert spelled not in told


def test_the_curl_of_a_failure_repeats_its_request(shop: Shop, tmp_path: Path) -> None:
    shop.sells_strings = True
    _run(shop, "--report", str(tmp_path), "--only", "number-type")
    (check,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["hubs"][0]["checks"]
    assert check["outcome"] == "failed"
    (asked,) = (asked for asked in shop.asked if asked["action"] == "GET_NUMBER")
    subprocess.run(["bash", "-c", check["curl"]], env={**os.environ, "KEY": KEY}, capture_output=True, check=True)
    assert shop.asked[-1] == asked
    assert len(shop.asked) == 4


def _pushing(push: bytes, *checks: str) -> tuple[Result, Report]:
    """Have an SMS pushed so, by a supplier that is right otherwise; return what the last check found."""
    with trading(Shop()) as shop, PushServer() as pushes:

        def sms(phone: str, text: str) -> None:
            pushes.receive("POST", "/", {}, push.replace(b"4711", phone.encode()))

        settings = Settings(shop.url, KEY, pushes=pushes, sms=sms, per_second=1000, soon=0.01, retry=0.01)
        *_, result = run_checks(HUBS["smshub"], settings, only=["push-content", *checks])
    return result, Report(shop.url, "now", [Verdict(HUBS["smshub"], [result])], settings.masking)


def test_what_pushes_show_no_request_repeats() -> None:
    result, found = _pushing(b'{"phone":4711,"text":"what nobody sent"}')
    assert (result.outcome, result.asked) == (Outcome.FAILED, None)
    told = text(found)
    assert '< push {"phone":' in told
    assert "what nobody sent" in told
    assert not [form for form in FORMATS.values() if "curl -i" in form(found)]
    assert _pushing(b"{}")[0].why == "0 of 1 pushes came within 0.04 s."


def test_a_push_that_is_nobodys_is_told_without_the_key() -> None:
    push = json.dumps({"phone": 79990001122, "key": KEY}).encode()
    result, found = _pushing(push, "push-strangers")
    assert (result.outcome, result.why) == (Outcome.FAILED, "Of what was pushed 1 named no number that was sold here.")
    told = text(found)
    assert "79990001122" in told
    assert KEY not in told


def test_no_id_that_is_left_tells_a_key_or_breaks_a_report() -> None:
    check, hub = CHECKS["number-type"], HUBS["smshub"]
    result = Result(check, hub.rules[check.name], Outcome.PASSED, "", left=(KEY, "\ud800"))
    found = Report(f"http://127.0.0.1/?key={quote_plus(KEY)}", "now", [Verdict(hub, [result])], Masking({"KEY": KEY}))
    for form in FORMATS.values():
        assert not [spelled for spelled in (KEY, "secret", "\ud800") if spelled in form(found)]
    assert text(found).splitlines()[0] == "http://127.0.0.1/?key=<key>, now"
    assert f"could not be finished: {MASK}, ?" in text(found)


def test_a_terminal_without_unicode_is_no_failure(shop: Shop) -> None:
    called = [sys.executable, "-m", "conformance", "check", "--url", shop.url, "--key", KEY, "--dry-run"]
    ran = subprocess.run(
        called, cwd=REPOSITORY, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_junit_fails_for_what_is_required_alone(shop: Shop, tmp_path: Path) -> None:
    shop.sells_strings = True
    _run(shop, "--report", str(tmp_path), "--only", "number-type", "--only", "error-http", "--only", "counts-form")
    cases = {case.get("name"): case for case in ET.parse(tmp_path / "report.xml").iter("testcase")}  # noqa: S314 - our own
    assert [[child.tag for child in cases[name]] for name in ("counts-form", "number-type")] == [[], ["failure"]]


def test_the_page_needs_nothing_else(shop: Shop, tmp_path: Path) -> None:
    _run(shop, "--report", str(tmp_path), "--only", "counts-form")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "GET_SERVICES" in page
    assert not [tag for tag in ("src=", "href=", "<script", "@import", "url(") if tag in page]


def test_an_interrupt_finishes_what_was_bought(shop: Shop, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    arguments = [
        "--only",
        "push-at-once",
        "--push",
        "127.0.0.1:0",
        "--sms",
        f"touch {shlex.quote(str(sent))} -- {{phone}}",
    ]
    called = [sys.executable, "-m", "conformance", "check", "--url", shop.url, "--key", KEY, *_CHEAP, *arguments]
    with subprocess.Popen(called, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}) as running:
        try:
            until(sent.exists, bool, 20.0)
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == INTERRUPTED
        finally:
            running.kill()
    assert shop.finished() == [2]


def test_an_interrupt_waits_for_a_number_that_is_being_bought_and_tells_what_it_could_not_give_back(
    shop: Shop, tmp_path: Path
) -> None:
    shop.holds, shop.finishes = threading.Event(), False
    arguments = ["--only", "number-type", "--only", "activation-id", "--report", str(tmp_path)]
    called = [sys.executable, "-m", "conformance", "check", "--url", shop.url, "--key", KEY, *_CHEAP, *arguments]
    with subprocess.Popen(called, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as running:
        try:
            until(lambda: [each for each in shop.asked if each["action"] == "GET_NUMBER"], bool, 20.0)
            running.send_signal(signal.SIGINT)
            shop.holds.set()
            said, _ = running.communicate(timeout=20)
        finally:
            running.kill()
    assert running.returncode == INTERRUPTED
    assert shop.finished() == [2]
    for told in (said, *(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.[thx]*"))):
        assert "Left open, could not be finished: 2." in told
        assert "broken off" in told


def test_a_second_interrupt_waits_for_nothing_and_tells_what_is_left_open(shop: Shop, tmp_path: Path) -> None:
    shop.keeps = threading.Event()
    arguments = ["--only", "number-type", "--only", "hints", "--report", str(tmp_path)]
    called = [sys.executable, "-m", "conformance", "check", "--url", shop.url, "--key", KEY, *_CHEAP, *arguments]
    with subprocess.Popen(called, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) as running:
        try:
            until(shop.finished, bool, 20.0)
            running.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(0.5)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=5)
        finally:
            shop.keeps.set()
            running.kill()
    assert running.returncode == INTERRUPTED
    assert "What was being bought or given back may be left open." in said
    assert "number-type: Left open, could not be finished: 2." in (tmp_path / "report.txt").read_text(encoding="utf-8")


def test_what_was_found_stays_where_giving_back_breaks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(trial: Trial, action: str | None) -> str:
        if action == "FINISH_ACTIVATION":
            raise ZeroDivisionError
        return ""

    monkeypatch.setattr(Trial, "_path", breaks)
    (result,) = run_checks(HUBS["smshub"], Settings(shop.url, KEY, per_second=1000), only=["number-type"])
    assert (result.outcome, result.left) == (Outcome.PASSED, (2,))

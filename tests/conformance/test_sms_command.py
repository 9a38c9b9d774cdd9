"""The user's command is called with what the supplier said in one word each, and what it fails with is told without it."""

import time
from pathlib import Path

import pytest

from conformance import sms_command as module
from conformance.hubsim.__main__ import sender
from conformance.sms_command import sms_command


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


@pytest.fixture
def script(tmp_path: Path, said: Path) -> Path:
    written = tmp_path / "send"
    written.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {said}\n', encoding="utf-8")
    written.chmod(0o700)
    return written


def test_no_shell_reads_it(script: Path, said: Path) -> None:
    sms_command("SMS", f"{script} --to {{phone}} x={{text}} '{{text}}'")("447", "a; touch b $(c) 'd'")
    assert said.read_text(encoding="utf-8") == "--to|447|x=a; touch b $(c) 'd'|a; touch b $(c) 'd'|"


@pytest.mark.parametrize("phone", ["4474\0", "--help", "447x", "\ud800", "\uff14474", "", "4" * 21])
def test_nothing_but_digits_of_a_number_gets_on_a_command_line(script: Path, said: Path, phone: str) -> None:
    with pytest.raises(RuntimeError, match="the number is not of digits"):
        sms_command("SMS", f"{script} {{phone}}")(phone, "")
    assert not said.exists()


def test_one_that_hangs_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.1)
    with pytest.raises(RuntimeError, match=r"^sleep took more than 0\.1 s$"):
        sms_command("SMS", "sleep {phone}")("447", "text")


def test_what_it_leaves_in_the_background_is_not_waited_for() -> None:
    began = time.monotonic()
    sms_command("SMS", "sh -c '(sleep 9) & exit 0' {phone}")("447", "text")
    assert time.monotonic() - began < 5.0


def test_one_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match="false ended with 1"):
        sms_command("SMS", "false {phone}")("447", "text")


@pytest.mark.parametrize("command", ["", "send {text}", "send '{phone}"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match="SMS is "):
        sms_command("SMS", command)


@pytest.mark.parametrize(
    ("command", "phone", "text"),
    [("false {phone} {text}", "1", "2"), ("/nowhere/command {phone}", "1", "2"), ("true {phone} {text}", "1", "\0")],
)
def test_for_a_simulated_hub_no_sms_arrives_where_it_fails(command: str, phone: str, text: str) -> None:
    assert not sender(command)(phone, text)
    assert sender("true {phone}")("4474", "")

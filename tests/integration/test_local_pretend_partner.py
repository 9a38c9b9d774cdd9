"""The partner that tests and the demo push to does what it was told, and remembers what it got."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from local.emulator import free_port
from local.place import REPOSITORY
from local.pretend_partner import BROKEN, DROP, ERROR, SUCCESS, Answer, PretendPartner, parse_answer, slow


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


def test_what_was_meant_for_somebody_who_had_the_port_before_is_not_taken(http: httpx.Client) -> None:
    with PretendPartner() as partner:
        answer = http.post(f"http://127.0.0.1:{partner.port}/push/somebody-else", json={"smsId": "1"})
        assert (answer.status_code, partner.pushes) == (404, [])


def test_by_hand_it_ends_when_as_many_were_answered_as_it_was_told(http: httpx.Client) -> None:
    port = free_port()
    command = [sys.executable, "-m", "local.pretend_partner", "--port", str(port), "--script", "500,SUCCESS"]
    with subprocess.Popen([*command, "--pushes", "2"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        url = started.stdout.readline().split()[2]
        assert [http.post(url, json={}).status_code for _ in range(2)] == [500, 200]
        assert started.wait(timeout=20) == 0
        assert started.stdout.read().count("->") == 2


@pytest.mark.parametrize(
    ("text", "answer"),
    [("SUCCESS", SUCCESS), ("error", ERROR), ("500", BROKEN), (" DROP ", DROP), ("SLOW:2.5", slow(2.5))],
)
def test_reads_answers_from_the_command_line(text: str, answer: Answer) -> None:
    assert parse_answer(text) == answer


@pytest.mark.parametrize("text", ["", "MAYBE", "SLOW", "SLOW:soon", "ERROR:3"])
def test_refuses_what_is_no_answer(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_answer(text)

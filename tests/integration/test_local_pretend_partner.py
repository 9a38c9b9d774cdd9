"""The partner that tests and the demo push to does what it was told, and remembers what it got."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from local.emulator import free_port
from local.place import REPOSITORY
from local.pretend_partner import BROKEN, DROP, ERROR, SUCCESS, Answer, PretendPartner, Push, parse_answer, slow


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


def test_answers_in_the_order_of_the_script_and_then_always_the_same(http: httpx.Client) -> None:
    with PretendPartner([ERROR, BROKEN]) as partner:
        answers = [http.post(partner.url, json={"n": n}) for n in range(4)]

    assert [answer.status_code for answer in answers] == [200, 500, 200, 200]
    assert [answer.text for answer in answers] == [
        '{"status":"ERROR"}',
        "Internal Server Error",
        '{"status":"SUCCESS"}',
        '{"status":"SUCCESS"}',
    ]


def test_gives_any_status_body_and_headers(http: httpx.Client) -> None:
    with PretendPartner([Answer(418, b"\xff\x00", {"X-Tea": "yes"})]) as partner:
        answer = http.post(partner.url)

    assert (answer.status_code, answer.content, answer.headers["X-Tea"]) == (418, b"\xff\x00", "yes")


def test_drops_the_connection_without_an_answer(http: httpx.Client) -> None:
    with PretendPartner([DROP]) as partner:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(partner.url)
        assert http.post(partner.url).status_code == 200


def test_answers_slowly_but_others_at_once(http: httpx.Client) -> None:
    with PretendPartner([slow(1.5)]) as partner:
        thread = threading.Thread(target=lambda: http.post(partner.url, json={"n": 1}))
        thread.start()
        partner.wait_for(1, deadline=5)
        started = time.monotonic()
        with httpx.Client(trust_env=False) as other:
            other.post(partner.url, json={"n": 2})
        assert time.monotonic() - started < 1
        thread.join(timeout=10)
        assert time.monotonic() - partner.pushes[0].at >= 1.5


def test_closing_does_not_wait_for_slow_answers(http: httpx.Client) -> None:
    with PretendPartner([slow(60)]) as partner:
        thread = threading.Thread(target=lambda: http.post(partner.url))
        thread.start()
        partner.wait_for(1, deadline=5)
        started = time.monotonic()
    thread.join(timeout=10)
    assert time.monotonic() - started < 5


def test_what_was_meant_for_somebody_who_had_the_port_before_is_not_taken(http: httpx.Client) -> None:
    with PretendPartner() as partner:
        answer = http.post(f"http://127.0.0.1:{partner.port}/push/somebody-else", json={"smsId": "1"})
        assert (answer.status_code, partner.pushes) == (404, [])


def test_remembers_body_headers_and_times_of_each_push(http: httpx.Client) -> None:
    before = time.monotonic()
    with PretendPartner() as partner:
        http.post(partner.url, json={"smsId": "1"}, headers={"X-Trace": "a"})
        http.post(partner.url, content=b"not json")
        first, second = partner.wait_for(2, deadline=5)

    assert (first.method, first.body) == ("POST", {"smsId": "1"})
    assert partner.url.endswith(first.path)
    assert first.headers["X-Trace"] == "a"
    assert before <= first.at <= second.at
    assert first.received <= second.received
    assert (second.raw, second.body) == (b"not json", None)


def test_waiting_counts_only_what_matches(http: httpx.Client) -> None:
    def is_second(push: Push) -> bool:
        return bool(push.body["smsId"] == "2")

    with PretendPartner() as partner:
        for sms_id in ("1", "2", "1", "2"):
            http.post(partner.url, json={"smsId": sms_id})
        assert len(partner.wait_for(2, deadline=5, matching=is_second)) == 2
        with pytest.raises(TimeoutError, match="3 pushes expected"):
            partner.wait_for(3, deadline=0.05, matching=is_second)


def test_a_new_script_replaces_the_old_one(http: httpx.Client) -> None:
    with PretendPartner([ERROR, ERROR]) as partner:
        partner.answer(BROKEN, otherwise=ERROR)
        assert [http.post(partner.url).status_code for _ in range(2)] == [500, 200]
        assert http.post(partner.url).json() == {"status": "ERROR"}


def test_takes_many_pushes_at_once() -> None:
    with PretendPartner([slow(0.2)] * 100) as partner:

        def push(number: int) -> None:
            httpx.post(partner.url, json={"n": number}, trust_env=False, timeout=20)

        threads = [threading.Thread(target=push, args=(number,)) for number in range(100)]
        for thread in threads:
            thread.start()
        came = partner.wait_for(100, deadline=20)
        for thread in threads:
            thread.join(timeout=20)
    assert {push.body["n"] for push in came} == set(range(100))


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


def test_the_answers_we_count_as_delivered_are_json() -> None:
    assert json.loads(SUCCESS.body) == {"status": "SUCCESS"}

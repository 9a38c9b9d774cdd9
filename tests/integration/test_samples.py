"""The samples for partners against answers and pushes by script: what is repeated, and what is taken once."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from globalconnect.domain.ids import SmsId
from globalconnect.push.signing import Signer
from local.emulator import free_port
from local.pretend_partner import Answer, PretendPartner
from tests import samples

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SMS = SmsId(36532)
PUSHED = {"key": "key", "action": "PUSH_SMS", "smsId": "36532", "phone": "447472190082", "phoneFrom": "Bänk"}
BODY = json.dumps(PUSHED | {"text": "Ваш код: 50151", "call": 0, "voice": 0}, ensure_ascii=False).encode()
MINUTE = 60_000

KEY = '"hush" & +'
ACTIVATION = 12_345_678_901_234
MESSAGE = {"smsId": "36532", "phone": "447472190082", "phoneFrom": "Bank", "text": 'a "status": "x" \\n 50151'}
BUSY = Answer(status=503, body=b'{"status":"ERROR","message":"busy"}')


def says(**fields: object) -> Answer:
    return Answer(body=json.dumps(fields).encode())


NUMBER = says(number="447472190082", activationId=ACTIVATION, status="SUCCESS", call=0, voice=0)
MESSAGES = says(status="SUCCESS", messages=[MESSAGE | {"receivedAt": "2024-01-15T12:34:56+00:00"}])
DONE = says(status="SUCCESS")


# ---------------------------------------------------------------- clients


def played(language: str, script: list[Answer]) -> tuple[int, str, list[Any]]:
    """Return how a client ended that was answered so, what it said, and what it had sent."""
    with PretendPartner(script, otherwise=Answer(status=404), port=free_port()) as supplier:
        url = f"http://127.0.0.1:{supplier.port}/live/"
        run = samples.client(language, url, KEY, "england", 'O\'Brien "3G" Ltd', "tg")
        said, failed = run.communicate(timeout=samples.PATIENCE_SECONDS)
        assert "hush" not in said + failed
        return run.returncode, said + failed, [push.body or push.path for push in supplier.pushes]


@pytest.mark.parametrize("language", samples.CLIENTS)
def test_a_client_plays_a_whole_sale_and_repeats_what_is_safe_to_repeat(language: str) -> None:
    script = [NUMBER, BUSY, MESSAGES, BUSY, DONE]
    code, said, sent = played(language, script if language == "curl" else [BUSY, *script])
    assert code == 0, said
    assert [line.split()[0] for line in said.splitlines()] == ["number", "sms", "finished"]
    assert "447472190082" in said
    assert "50151" in said
    *taken, first_poll, poll, again, finished = sent
    wanted = {"country": "england", "operator": 'O\'Brien "3G" Ltd', "service": "tg"}
    assert taken[-1] == {"key": KEY, "action": "GET_NUMBER", **wanted}
    assert first_poll == poll
    query = httpx.URL(poll).params
    assert (query["apiKey"], query["id"]) == (KEY, str(ACTIVATION))
    assert again == finished
    assert (finished["action"], finished["activationId"], finished["status"]) == ("FINISH_ACTIVATION", ACTIVATION, 3)


@pytest.mark.parametrize("language", samples.CLIENTS)
def test_a_client_cancels_what_no_sms_came_for(language: str) -> None:
    code, said, sent = played(language, [NUMBER, says(status="EXPIRED"), DONE])
    assert (code, sent[-1]["status"]) == (0, 4), said


@pytest.mark.parametrize("language", samples.CLIENTS)
@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (says(status="NO_NUMBERS"), "NO_NUMBERS"),
        (Answer(status=401, body=b'{"status":"ERROR","message":"Invalid key"}'), "Invalid key"),
        (Answer(status=500, body=b'{"status":"ERROR","message":"internal error"}'), "internal error"),
    ],
    ids=["none", "refused", "failed"],
)
def test_a_client_asks_for_a_number_once_and_says_why_there_is_none(language: str, answer: Answer, shown: str) -> None:
    code, said, sent = played(language, [answer])
    assert (code, len(sent)) == (1, 1)
    assert shown in said


# ---------------------------------------------------------------- receivers


@pytest.fixture(params=samples.RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[samples.Receiver]:
    """Return a receiver in each language, which knows SECRET."""
    with samples.receiver(request.param, SECRET, tmp_path) as receiver:
        yield receiver


def signed(*secrets: str, body: bytes = BODY, age: int = 0) -> dict[str, str]:
    """Return the headers of a push that was sent so long ago (ms)."""
    signer = Signer.of(secrets, SMS, round(time.time() * 1000) - age)
    assert signer is not None
    return signer.headers(body)


def pushed(receiver: samples.Receiver, headers: dict[str, str], body: bytes = BODY) -> tuple[int, Any]:
    answer = httpx.post(receiver.url, content=body, headers=headers, timeout=60, trust_env=False)
    return answer.status_code, answer.json()


def test_a_receiver_takes_an_sms_once_however_often_it_is_pushed(receiver: samples.Receiver) -> None:
    with ThreadPoolExecutor(8) as attempts:
        answers = list(attempts.map(lambda _: pushed(receiver, signed(OTHER, SECRET)), range(8)))
    answers.append(pushed(receiver, signed(SECRET, age=4 * MINUTE)))
    assert answers == [(200, {"status": "SUCCESS"})] * 9
    # And no part of a file is left.
    assert receiver.taken() == {"sms_36532.json": BODY}


def test_a_receiver_takes_a_body_that_comes_in_chunks(receiver: samples.Receiver) -> None:
    # A proxy may send it so.
    pieces = iter([BODY[:7], BODY[7:50], BODY[50:]])
    answer = httpx.post(receiver.url, content=pieces, headers=signed(SECRET), timeout=60, trust_env=False)
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert (answer.status_code, answer.json()) == (200, {"status": "SUCCESS"})
    assert receiver.taken() == {"sms_36532.json": BODY}


def answer_to(receiver: samples.Receiver, head: str) -> bytes:
    """Return how the answer begins to a push whose head ends so, and of which no more comes."""
    place = httpx.URL(receiver.url)
    named = "".join(f"{name}: {value}\r\n" for name, value in signed(SECRET).items())
    with socket.create_connection((place.host, place.port or 80), timeout=20) as connection:
        connection.sendall(f"POST /push HTTP/1.1\r\nHost: {place.host}\r\n{named}{head}\r\n\r\n".encode())
        return connection.recv(1_000)


CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("head", ["Content-Length: -1", "Content-Length: x", f"{CHUNKED}-1", f"{CHUNKED}no size"])
def test_a_receiver_waits_for_nothing_after_a_length_that_is_none(receiver: samples.Receiver, head: str) -> None:
    # Node's and PHP's servers refuse some by themselves.
    answer = answer_to(receiver, head)
    assert not answer or answer[9:12] in {b"400", b"401"}
    assert receiver.taken() == {}


@pytest.mark.parametrize("head", ["Content-Length: 1000001", f"{CHUNKED}f4241", f"{CHUNKED}1\r\nx\r\nf4240"])
def test_the_python_receiver_reads_nothing_that_is_too_long(tmp_path: Path, head: str) -> None:
    with samples.receiver("Python", SECRET, tmp_path) as receiver:
        assert answer_to(receiver, head)[9:12] == b"401"


def test_a_receiver_refuses_what_is_not_signed_by_us_now(receiver: samples.Receiver) -> None:
    good = signed(SECRET)
    bad = {
        "another secret": signed(OTHER),
        "no signature": {},
        "another body": signed(SECRET, body=BODY + b" "),
        "another SMS": good | {"webhook-id": "sms_36533"},
        "a path": good | {"webhook-id": "../sms_36532"},
        "another time": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
        "no time": good | {"webhook-timestamp": ""},
        "long ago": signed(SECRET, age=6 * MINUTE),
        "from the future": signed(SECRET, age=-6 * MINUTE),
        "half a signature": good | {"webhook-signature": good["webhook-signature"][:-1]},
        "empty": good | {"webhook-signature": "v1,"},
    }
    answers = {why: pushed(receiver, headers)[0] for why, headers in bad.items()}
    assert answers == dict.fromkeys(bad, 401)
    assert pushed(receiver, signed(SECRET, body=b"x" * 1_000_001), b"x" * 1_000_001)[0] == 401
    assert receiver.taken() == {}
    assert pushed(receiver, good)[0] == 200

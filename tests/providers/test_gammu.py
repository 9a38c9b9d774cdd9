"""docs/samples/gammu-receive, run as gammu-smsd runs it, against a source of the type `generic`."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from globalconnect.domain.ids import SourceId
from local.emulator import free_port
from simulation.aws import START, Cloud
from simulation.gateways.generic import SAMPLE
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.samples import SAMPLES

MODEM = "modem1"
AT = START // 1000
TEXT = 'Код: 5015 \N{GRINNING FACE}\n"\\$(id)`'
# As SMSD_RunOn of gammu's smsd/core.c: by a shell, without standard input, whatever it says in a log.
COMMAND = 'exec <&-; "$0" "$1" 7 8'


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    made = Gateway(cloud, "generic", SAMPLE)
    made.lines.replace(SourceId(made.source_id), {MODEM: PHONE})
    return made


class Modem:
    """A gammu-smsd whose messages go to a port that may have nobody behind it yet."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.port, self.folder, self.gateway = free_port(), folder, gateway
        self.spool = folder / "spool"
        self.asked: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.configure()

    def configure(self, **changes: object) -> None:
        url = f"http://127.0.0.1:{self.port}/inbound/{self.gateway.source_id}"
        config = {"url": url, "secret": self.gateway.secret, "spool": str(self.spool)}
        (self.folder / "config.json").write_text(json.dumps(config | changes))

    def start(
        self, *texts: str, at: int | None = AT, others: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Run what gammu-smsd runs on an SMS of so many parts, decoded as one."""
        variables = {"PHONE_ID": MODEM, "SMS_MESSAGES": str(len(texts)), "DECODED_PARTS": "1" if texts else "0"}
        variables["DECODED_1_TEXT"] = "".join(texts)
        for number, text in enumerate(texts, 1):
            variables |= {f"SMS_{number}_TEXT": text, f"SMS_{number}_NUMBER": "Bänk"}
            variables[f"SMS_{number}_TIMESTAMP"] = "" if at is None else str(at)
        command = ["/bin/sh", "-c", COMMAND, str(SAMPLES / "gammu-receive"), str(self.folder / "config.json")]
        env = {"PATH": os.environ["PATH"]} | variables | dict(others or {})
        return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def receive(self, *texts: str, at: int | None = AT, others: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Return how that ended, and what it said to the log."""
        run = self.start(*texts, at=at, others=others)
        said, _ = run.communicate(timeout=60)
        assert self.gateway.secret not in said
        assert "5015" not in said
        return run.returncode, said

    @property
    def waiting(self) -> list[dict[str, Any]]:
        """What is in the folder to be sent."""
        return [json.loads(path.read_bytes()) for path in sorted(self.spool.glob("*.json"))]

    def serve(self) -> HTTPServer:
        """Let the port be that of the gateway's source."""
        modem = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                modem.asked.append(json.loads(body)["text"])
                modem.meanwhile()
                answer = modem.gateway.send(Sent("POST", headers=dict(self.headers), body=body))
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", self.port), Handler)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


@pytest.fixture
def modem(tmp_path: Path, gateway: Gateway) -> Modem:
    return Modem(tmp_path, gateway)


@pytest.fixture
def served(modem: Modem) -> Iterator[Modem]:
    with modem.serve() as server:
        yield modem
        server.shutdown()


def test_an_sms_goes_to_the_number_of_its_line_whole_and_with_its_time(served: Modem) -> None:
    assert served.receive(TEXT) == (0, "")
    assert served.gateway.texts == [TEXT]
    assert served.gateway.source.last_untimed is None
    assert served.waiting == []


def test_an_sms_goes_to_the_number_that_is_configured(served: Modem) -> None:
    served.configure(phone=f"+{PHONE}")
    assert served.receive("5015", others={"PHONE_ID": "another"}) == (0, "")
    assert served.gateway.texts == ["5015"]


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"DECODED_PARTS": "2", "DECODED_1_TEXT": "Код: ", "DECODED_2_TEXT": "5015"},
        {"DECODED_PARTS": "0", "DECODED_1_TEXT": "of an earlier one"},
        {"DECODED_PARTS": "1", "DECODED_1_TEXT": ""},
    ],
)
def test_parts_are_one_sms(served: Modem, others: dict[str, str]) -> None:
    assert served.receive("Код: ", "5015", others=others) == (0, "")
    assert served.gateway.texts == ["Код: 5015"]


def test_an_inbox_that_is_read_again_is_the_same_sms_and_another_time_is_another(served: Modem) -> None:
    for _ in range(2):
        served.receive("5015")
        served.gateway.cloud.clock.advance(minutes=5)
    assert served.gateway.texts == ["5015"]
    served.receive("5015", at=AT + 1)
    assert served.gateway.texts == ["5015", "5015"]


def test_before_gammu_1_44_there_is_no_time_and_no_id(served: Modem) -> None:
    for _ in range(2):
        assert served.receive("5015", at=None) == (0, "")
        served.gateway.cloud.clock.advance(minutes=1)
    assert served.gateway.texts == ["5015"]
    served.gateway.cloud.clock.advance(minutes=5)
    served.receive("5015", at=None)
    assert served.gateway.texts == ["5015", "5015"]


@pytest.mark.parametrize("others", [{"SMS_1_SMSC_TIMESTAMP": "1"}, {"SMS_1_TEXT": "", "DECODED_1_TEXT": ""}])
def test_a_report_or_what_has_no_text_is_not_sent(served: Modem, others: dict[str, str]) -> None:
    assert served.receive("5015", others=others) == (0, "")
    assert served.asked == []


def test_what_nobody_took_stays_and_goes_first(modem: Modem) -> None:
    for text in ("first 5015", "second 5015"):
        code, said = modem.receive(text, at=AT + len(text))
        assert (code, "waits: ConnectionRefusedError" in said) == (1, True)
    assert [sms["text"] for sms in modem.waiting] == ["first 5015", "second 5015"]
    assert {oct(path.stat().st_mode)[-2:] for path in [modem.spool, *modem.spool.iterdir()]} == {"00"}
    with modem.serve() as server:
        assert modem.receive("third 5015") == (0, "")
        assert modem.asked == ["first 5015", "second 5015", "third 5015"]
        assert sorted(modem.gateway.texts) == sorted(modem.asked)
        server.shutdown()
    assert modem.waiting == []


def test_run_without_an_sms_it_sends_what_is_there(modem: Modem) -> None:
    modem.receive("5015")
    with modem.serve() as server:
        assert modem.receive() == (0, "")
        server.shutdown()
    assert modem.gateway.texts == ["5015"]


def test_with_a_wrong_secret_all_waits_and_what_is_refused_for_good_holds_nobody_up(served: Modem) -> None:
    served.configure(secret="wrong")
    code, said = served.receive("5015")
    assert (code, "waits: HTTP 401" in said) == (1, True)
    served.configure(phone="?")
    assert served.receive("refused 5015")[0] == 0
    # What was spooled before names its line.
    assert served.gateway.texts == ["5015"]
    assert [json.loads(path.read_bytes())["text"] for path in served.spool.glob("*.refused")] == ["refused 5015"]


def test_the_secret_is_in_no_command_and_no_environment(served: Modem) -> None:
    seen: list[bytes] = []

    def look() -> None:
        for path in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
            try:
                seen.append(path.read_bytes())
            except OSError:  # gone, or another's
                continue

    served.meanwhile = look
    served.receive("5015")
    assert any(b"gammu-receive" in one for one in seen)
    assert not any(served.gateway.secret.encode() in one for one in seen)


def test_it_ends_in_time_though_the_answer_does_not_come(served: Modem) -> None:
    served.configure(seconds=1)
    served.meanwhile = lambda: time.sleep(2)
    began = time.monotonic()
    code, _ = served.receive("5015")
    assert code != 0
    assert time.monotonic() - began < 2
    assert [sms["text"] for sms in served.waiting] == ["5015"]


def test_several_modems_send_each_sms_once(served: Modem) -> None:
    runs = [served.start(f"{number} 5015") for number in range(4)]
    assert [run.communicate(timeout=60)[0] for run in runs] == [""] * 4
    assert len(served.asked) == len(served.gateway.texts) == 4

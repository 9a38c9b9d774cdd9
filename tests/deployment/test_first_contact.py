"""`make deploy` says within seconds what it will do, or what it needs, and does nothing before: on a machine that is
not set up for it, for an account that is new.
"""

import http.server
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.deployment.checkout import Checkout, EmulatedAws

WITHIN_SECONDS = 5.0
NAMES = (
    "no region",
    "two regions",
    "no credentials",
    "no credentials, and the machine's own never come",
    "a profile that is not there",
    "expired credentials",
    "no way to AWS",
    "a role, and no way to AWS",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "a quota of 10",
)
_LONGEST_SECONDS = 30.0
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
_REGION = {"AWS_REGION": "eu-west-1"}
# Of the machine that the tests run on, which may be one of AWS's own.
_NO_MACHINE = {"AWS_EC2_METADATA_DISABLED": "true"}

_EXPIRED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""


@dataclass(frozen=True)
class FirstContact:
    """Variables in which `make deploy` is typed, and what it has to say within seconds."""

    variables: Mapping[str, str]
    says: tuple[str, ...]


@pytest.fixture(scope="module")
def situations(aws: EmulatedAws) -> Iterator[dict[str, FirstContact]]:
    with TemporaryDirectory() as folder, _nobody_answers() as silent, _credentials_expired() as expired:
        machine = f"http://127.0.0.1:{silent}/"
        yield {
            "no region": FirstContact(_KEYS | _NO_MACHINE, ("No AWS region is set", "AWS_REGION=eu-west-1")),
            "two regions": FirstContact(
                {**_KEYS, **_REGION, "AWS_DEFAULT_REGION": "us-east-1"},
                ("AWS_REGION is eu-west-1", "AWS_DEFAULT_REGION is us-east-1"),
            ),
            "no credentials": FirstContact(_REGION | _NO_MACHINE, ("No AWS credentials were found", "aws configure")),
            "no credentials, and the machine's own never come": FirstContact(
                {**_REGION, "AWS_EC2_METADATA_SERVICE_ENDPOINT": machine}, ("No AWS credentials were found",)
            ),
            "a profile that is not there": FirstContact(_REGION | {"AWS_PROFILE": "prod"}, ("prod", "list-profiles")),
            "expired credentials": FirstContact(
                {**_KEYS, **_REGION, "AWS_ENDPOINT_URL": expired}, ("credentials have expired", "aws sso login")
            ),
            "no way to AWS": FirstContact(
                {**_KEYS, **_REGION, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent}"},
                ("AWS can't be reached in eu-west-1",),
            ),
            "a role, and no way to AWS": FirstContact(
                {
                    **_REGION,
                    "AWS_CONFIG_FILE": str(_role_in(folder)),
                    "AWS_PROFILE": "role",
                    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent}",
                },
                ("AWS can't be reached in eu-west-1",),
            ),
            "AWS_REGION": FirstContact(
                aws.variables,
                (
                    "account   000000000000",
                    "region    us-east-1",
                    "stack     globalconnect: is not there yet",
                    "12 tables",
                ),
            ),
            "AWS_DEFAULT_REGION": FirstContact(
                _renamed(aws.variables, "AWS_REGION", "AWS_DEFAULT_REGION"), ("region    us-east-1",)
            ),
            "a quota of 10": FirstContact(
                aws.variables,
                ("quota     10 Lambda invocations", "retries come later than every 10 s", "--quota-code L-B99A9384"),
            ),
        }


def _role_in(folder: str) -> Path:
    """Write the settings of somebody who takes on a role, which is a call of its own."""
    settings = Path(folder) / "config"
    settings.write_text(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/deployer\nsource_profile = keys\n"
        f"[profile keys]\naws_access_key_id = {_KEYS['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {_KEYS['AWS_SECRET_ACCESS_KEY']}\n",
        encoding="utf-8",
    )
    return settings


def seconds_until_told(checkout: Checkout, situation: FirstContact) -> float:
    """Return how long `make deploy` takes to say all that it has to. Raises AssertionError when it never does.

    Once it did it is stopped, or it would begin to build.
    """
    started = time.monotonic()
    missing, said = set(situation.says), ""
    with checkout.started("make", "deploy", variables=situation.variables) as process, _limit(process.pid):
        assert process.stdout
        for line in process.stdout:
            said += line
            missing = {words for words in missing if words not in said}
            if not missing:
                return time.monotonic() - started
    raise AssertionError(f"{sorted(missing)} is not in what was said:\n{said}")


@contextmanager
def _limit(group: int) -> Iterator[None]:
    timer = threading.Timer(_LONGEST_SECONDS, os.killpg, (group, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _nobody_answers() -> Iterator[int]:
    """Return a port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextmanager
def _credentials_expired() -> Iterator[str]:
    """Return the URL of an AWS to which all credentials are expired."""

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(http.HTTPStatus.FORBIDDEN)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(_EXPIRED)

        log_message: Callable[..., None] = staticmethod(lambda *_: None)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _renamed(variables: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    return {new if name == old else name: value for name, value in variables.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_within_seconds_what_it_does_or_needs(
    checkout: Checkout, situations: Mapping[str, FirstContact], name: str
) -> None:
    assert seconds_until_told(checkout, situations[name]) < WITHIN_SECONDS


def test_every_situation_is_tried(situations: Mapping[str, FirstContact]) -> None:
    assert set(situations) == set(NAMES)


def test_what_is_refused_builds_nothing(checkout: Checkout, aws: EmulatedAws) -> None:
    ran = checkout.run("make", "deploy", "DOMAIN=sms.example.com", variables=aws.variables)
    assert ran.code != 0
    assert "DOMAIN needs CERTIFICATE_ARN" in ran.said
    assert "Build" not in ran.said


def test_an_empty_variable_reaches_the_deployment(checkout: Checkout, aws: EmulatedAws) -> None:
    ran = checkout.run("make", "deploy", "ALARM_EMAIL=", "RETENTION_DAYS=", variables=aws.variables)
    assert "RETENTION_DAYS is a whole number" in ran.said


def test_nobody_is_invited_to_a_stack_that_is_not_there(checkout: Checkout, aws: EmulatedAws) -> None:
    ran = checkout.run("make", "staff", "EMAIL=ada@example.com", variables=aws.variables)
    assert ran.code != 0
    assert "The stack globalconnect is not there in us-east-1." in ran.said

"""`make deploy` says within seconds what it will do, or what it needs, and does nothing before: on a machine that is
not set up for it, for an account that is new.
"""

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployment.checkout import Checkout, EmulatedAws

WITHIN_SECONDS = 5.0
_REGION = {"AWS_REGION": "eu-west-1"}
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
# Of the machine that the tests run on, which may be one of AWS's own.
_NO_MACHINE = {"AWS_EC2_METADATA_DISABLED": "true"}

_EXPIRED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""

# Variables in which `make deploy` is typed, and what it has to say; {silent} never answers, {expired} refuses everybody.
SITUATIONS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "no region": (_KEYS | _NO_MACHINE, ("No AWS region is set", "AWS_REGION=eu-west-1")),
    "two regions": (
        _KEYS | _REGION | {"AWS_DEFAULT_REGION": "us-east-1"},
        ("AWS_REGION is eu-west-1", "AWS_DEFAULT_REGION is us-east-1"),
    ),
    "no credentials": (_REGION | _NO_MACHINE, ("No AWS credentials were found", "aws configure")),
    "no credentials, and the machine's own never come": (
        _REGION | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "{silent}/"},
        ("No AWS credentials were found",),
    ),
    "a profile that is not there": (_REGION | {"AWS_PROFILE": "prod"}, ("prod", "list-profiles")),
    "expired credentials": (
        _KEYS | _REGION | {"AWS_ENDPOINT_URL": "{expired}"},
        ("credentials have expired", "aws sso login"),
    ),
    "no way to AWS": (_KEYS | _REGION | {"AWS_ENDPOINT_URL": "{silent}"}, ("AWS can't be reached in eu-west-1",)),
    "a role, and no way to AWS": (
        _REGION | {"AWS_CONFIG_FILE": "{role}", "AWS_PROFILE": "role", "AWS_ENDPOINT_URL": "{silent}"},
        ("AWS can't be reached in eu-west-1",),
    ),
}
# What is said with an AWS to deploy to, by the name of the variable that holds its region.
PLANS = {
    "AWS_REGION": ("account   000000000000", "stack     globalconnect: is not there yet", "16 tables"),
    "AWS_DEFAULT_REGION": ("region    us-east-1",),
}
QUOTA = ("quota     10 Lambda invocations", "retries come later than every 10 s", "--quota-code L-B99A9384")


def _role_in(folder: Path) -> Path:
    """Write the settings of somebody who takes on a role, which is a call of its own."""
    settings = folder / "config"
    settings.write_text(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/deployer\nsource_profile = keys\n"
        f"[profile keys]\naws_access_key_id = {_KEYS['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {_KEYS['AWS_SECRET_ACCESS_KEY']}\n",
        encoding="utf-8",
    )
    return settings


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return what the situations speak of, by name."""
    role = _role_in(tmp_path_factory.mktemp("role"))
    with _nobody_answers() as port, _credentials_expired() as expired:
        yield {"silent": f"http://127.0.0.1:{port}", "expired": expired, "role": str(role)}


def seconds_until_told(checkout: Checkout, variables: Mapping[str, str], says: tuple[str, ...]) -> float:
    """Return how long `make deploy` takes to say all of this. Raises AssertionError when it never does.

    Once it did it is stopped, or it would begin to build.
    """
    started, said = time.monotonic(), ""
    with checkout.started("make", "deploy", variables=variables) as process:
        assert process.stdout
        for line in process.stdout:
            said += line
            if all(words in said for words in says):
                return time.monotonic() - started
    raise AssertionError(f"{says} is not in what was said:\n{said}")


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


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SITUATIONS)
def test_it_says_within_seconds_what_it_needs(checkout: Checkout, places: Mapping[str, str], name: str) -> None:
    variables, says = SITUATIONS[name]
    meant = {variable: value.format(**places) for variable, value in variables.items()}
    assert seconds_until_told(checkout, meant, says) < WITHIN_SECONDS


@pytest.mark.timeout(60)
@pytest.mark.parametrize("region", PLANS)
def test_it_says_within_seconds_what_it_does(checkout: Checkout, aws: EmulatedAws, region: str) -> None:
    variables = {region if name == "AWS_REGION" else name: value for name, value in aws.variables.items()}
    assert seconds_until_told(checkout, variables, PLANS[region] + QUOTA) < WITHIN_SECONDS


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("deploy", "DOMAIN=sms.example.com"), "DOMAIN needs CERTIFICATE_ARN"),
        # An empty variable reaches the deployment.
        (("deploy", "ALARM_EMAIL=", "RETENTION_DAYS="), "RETENTION_DAYS is a whole number"),
        (("staff", "EMAIL=ada@example.com"), "The stack globalconnect is not there in us-east-1."),
    ],
    ids=["part of a domain", "empty", "staff of no stack"],
)
def test_what_is_refused_builds_nothing(
    checkout: Checkout, aws: EmulatedAws, typed: tuple[str, ...], said: str
) -> None:
    ran = checkout.run("make", *typed, variables=aws.variables)
    assert ran.code != 0
    assert said in ran.said
    assert "Build" not in ran.said

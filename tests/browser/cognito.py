"""A Cognito of the tests' own, which asks for whatever a test wants: the emulator's never asks for two things in a row.

It answers in Cognito's form (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/), from another
origin than the console's, as Cognito does, and lets no header come that the console doesn't need.
"""

import base64
import hashlib
import hmac
import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.aws import CONFIG, session
from local.deploy import STAGE, drop_method_settings
from local.stack import Stack

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW"
USER_ID = "0b2c9d6e-1111-4222-8333-444455556666"
_STEP_SECONDS = 30


def totp(secret: str, at: float | None = None) -> str:
    """Return the code that an authenticator app shows for a secret (RFC 6238: SHA-1, 30 s, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int((time.time() if at is None else at) // _STEP_SECONDS)
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    (number,) = struct.unpack(">I", mac[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def wrong(code: str) -> str:
    """Return another code than this one, by far."""
    return f"{(int(code) + 500_000) % 1_000_000:06d}"


def _is_right(code: str | None) -> bool:
    # The one before as well: time goes on between reading and typing.
    now = time.time()
    return code in {totp(SECRET, now), totp(SECRET, now - _STEP_SECONDS)}


class _RefusedError(Exception):
    """What Cognito refuses, by its type."""


@dataclass
class ScriptedCognito:
    """Asks for `challenges` one after another, then gives `tokens`. A refusal that waits is its next answer."""

    tokens: dict[str, Any]
    challenges: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    # What was asked of it, by the names of Cognito's actions.
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _left: list[str] = field(default_factory=list)
    _session: str = ""
    _is_verified: bool = False

    def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((action, given))
        if self.refusals:
            raise _RefusedError(*self.refusals.pop(0))
        if "Session" in given and given["Session"] != self._session:
            raise _RefusedError("NotAuthorizedException", "Invalid session for the user.")
        match action:
            case "InitiateAuth":
                self._left, self._is_verified = list(self.challenges), False
                return self._next()
            case "AssociateSoftwareToken":
                return {"SecretCode": SECRET, "Session": self._new_session()}
            case "VerifySoftwareToken":
                if not _is_right(given["UserCode"]):
                    raise _RefusedError("EnableSoftwareTokenMFAException", "Code mismatch")
                self._is_verified = True
                return {"Status": "SUCCESS", "Session": self._new_session()}
            case "RespondToAuthChallenge":
                return self._respond(given["ChallengeName"], given["ChallengeResponses"])
        raise _RefusedError("InvalidParameterException", action)

    def _respond(self, challenge: str, responses: dict[str, str]) -> dict[str, Any]:
        asked = self._left[0]
        answers = {
            "NEW_PASSWORD_REQUIRED": "NEW_PASSWORD" in responses,
            "SOFTWARE_TOKEN_MFA": _is_right(responses.get("SOFTWARE_TOKEN_MFA_CODE")),
            "MFA_SETUP": self._is_verified,
        }
        if challenge != asked or responses["USERNAME"] != USER_ID:
            raise _RefusedError("InvalidParameterException", challenge)
        if not answers[asked]:
            raise _RefusedError("CodeMismatchException", "Invalid code received for user")
        self._left.pop(0)
        return self._next()

    def _next(self) -> dict[str, Any]:
        if not self._left:
            return {"AuthenticationResult": self.tokens, "ChallengeParameters": {}}
        known = {"USER_ID_FOR_SRP": USER_ID}
        return {"ChallengeName": self._left[0], "Session": self._new_session(), "ChallengeParameters": known}

    def _new_session(self) -> str:
        self._session = f"session-of-at-least-twenty-characters-{len(self.requests)}"
        return self._session


@contextmanager
def served(cognito: ScriptedCognito) -> Iterator[str]:
    """Serve a Cognito on a free port; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._send(200, b"")

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            action = self.headers["X-Amz-Target"].removeprefix("AWSCognitoIdentityProviderService.")
            try:
                status, answer = 200, cognito.answer(action, given)
            except _RefusedError as refused:
                kind, message = refused.args
                status, answer = 400, {"__type": kind, "message": message}
            self._send(status, json.dumps(answer).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "Content-Type, X-Amz-Target")
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def in_place(cognito: ScriptedCognito, stack: Stack) -> Iterator[None]:
    """Have a stack's console sign in at this Cognito."""
    gateway = session().client("apigateway", endpoint_url=stack.endpoint_url, config=CONFIG)
    gateway.meta.events.register("before-parse.apigateway.UpdateStage", drop_method_settings)
    api_id = stack.api.rsplit("/", 2)[-2]

    def say(url: str) -> None:
        change: Any = {"op": "replace", "path": "/variables/cognitoUrl", "value": url}
        gateway.update_stage(restApiId=api_id, stageName=STAGE, patchOperations=[change])

    with served(cognito) as url:
        say(url)
        try:
            yield
        finally:
            say(f"{stack.endpoint_url}/")

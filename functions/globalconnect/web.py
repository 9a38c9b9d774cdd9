"""The HTTP side of the functions behind API Gateway: bodies in, answers out, errors by one table."""

import base64
import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from globalconnect.domain import errors
from globalconnect.domain.requests import LARGEST_BODY

type ProxyEvent = Mapping[str, Any]
type ProxyAnswer = dict[str, Any]

CONTENT_TYPE = "application/json; charset=utf-8"

_GZIP_MAGIC = b"\x1f\x8b"
_PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
# Below this a compressed answer is not worth its work (contract 1).
_SMALLEST_GZIP = 1024
# From here on packing tighter costs more time than the bytes it saves.
_LONG = 128 * 1024

# What Lambda takes from a function, in bytes of JSON; the gateway would turn anything longer into a 502.
LARGEST_ANSWER = 6 * 1024 * 1024
# What one character of a body can become in that JSON, and what stands around the body.
_MOST_BYTES = 6
_HEAD = 1024

# What the caller should do, as HTTP says it.
STATUS_OF: Mapping[type[errors.GlobalConnectError], int] = {
    errors.InvalidInput: 400,
    errors.InvalidKey: 401,
    errors.InvalidSignature: 401,
    errors.NotSignedIn: 401,
    errors.ServiceNotAllowed: 403,
    errors.NotFound: 404,
    errors.AnswerTooLarge: 406,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Busy: 503,
}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer: a status and what its JSON body says, or that JSON as text (spelled as `_json` does).

    One that is too large to be given loses the first entries of the list that `shortened` names, as many as it must.
    `ask_for_less` is what the caller is told where that doesn't help.
    """

    status: int
    body: Mapping[str, object] | str
    shortened: str | None = None
    ask_for_less: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file as the answer, with all its headers; `packed` is its text as gzip, for whom accepts that."""

    text: str
    packed: bytes | None
    headers: Mapping[str, str]


def endpoint(use: Callable[[ProxyEvent], Response | File]) -> Callable[[ProxyEvent, object], ProxyAnswer]:
    """Make a Lambda handler of a function that turns an API Gateway event into an answer or a GlobalConnectError."""

    def handler(event: ProxyEvent, _context: object) -> ProxyAnswer:
        try:
            answer = use(event)
        except errors.GlobalConnectError as error:
            answer = error_answer(error)
        except Exception as error:  # noqa: BLE001 - the outermost edge: the caller gets our JSON, the log the error
            _log_unexpected(error)
            answer = Response(500, error_body("Temporary failure on our side; try again"))
        return file_answer(answer, event) if isinstance(answer, File) else proxy_answer(answer, event)

    return handler


def _log_unexpected(error: Exception) -> None:
    # Imported only now: partner_api and getsms log nothing else, and the log would be most of their cold start.
    from globalconnect.telemetry import Event, log_failure  # noqa: PLC0415

    log_failure(Event.UNEXPECTED, error)


def error_answer(error: errors.GlobalConnectError) -> Response:
    """Return the answer for an error, by STATUS_OF."""
    return Response(STATUS_OF[type(error)], error_body(str(error)))


def error_body(message: str) -> dict[str, object]:
    """Return the body of every error (contract 1)."""
    return {"status": "ERROR", "message": message}


def header(event: ProxyEvent, name: str) -> str | None:
    """Return a request header, whatever the case of its name; the last one when it was sent twice."""
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return None


def read_body(event: ProxyEvent, largest: int = LARGEST_BODY) -> bytes:
    """Return a request's body as bytes, unpacked when it is gzip (by its first bytes: API Gateway unpacks some itself).

    Raises InvalidInput when it is larger than `largest`, packed or not, or can't be unpacked to its very end.
    """
    raw = _as_sent(event)
    # What is packed is looked at first: a body of nothing but empty gzip members costs time and never grows.
    if len(raw) <= largest and raw.startswith(_GZIP_MAGIC):
        raw = _unpacked(raw, largest + 1)
    if len(raw) > largest:
        raise errors.InvalidInput("body", f"expected at most {largest} bytes")
    return raw


def read_delivery(event: ProxyEvent, largest: int) -> bytes:
    """Return a gateway's delivery as `read_body` does, or as it was sent when it can't be unpacked: then it is for its
    signature to say whether anybody is told.

    Raises TooLarge when it is larger than `largest`, packed or not.
    """
    raw = _as_sent(event)
    if len(raw) <= largest and raw.startswith(_GZIP_MAGIC):
        with suppress(errors.InvalidInput):
            raw = _unpacked(raw, largest + 1)
    if len(raw) > largest:
        raise errors.TooLarge(f"body: expected at most {largest} bytes")
    return raw


def _as_sent(event: ProxyEvent) -> bytes:
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _unpacked(packed: bytes, most: int) -> bytes:
    """Return at most so many bytes of what is packed: a small body can unpack to gigabytes. Raises InvalidInput."""
    try:
        # It takes further members and zeros after the end, as the format has them, and nothing else.
        with gzip.open(io.BytesIO(packed)) as members:
            return members.read(most)
    except (EOFError, OSError, zlib.error):
        raise errors.InvalidInput("body", "expected a gzip body to be whole and valid") from None


def proxy_answer(answer: Response, event: ProxyEvent) -> ProxyAnswer:
    """Return the answer in API Gateway's form, gzipped when asked for and long enough to be worth it (contract 1).

    Instead of what Lambda would not take, it gives less (`Answer.shortened`), or the answer for AnswerTooLarge.
    """
    proxied = _proxied(answer.status, answer.body, event)
    if _fits(proxied):
        return proxied
    shorter = _shortened(answer, event)
    return shorter or proxy_answer(error_answer(errors.AnswerTooLarge(answer.ask_for_less)), event)


def file_answer(file: File, event: ProxyEvent) -> ProxyAnswer:
    """Return a file in API Gateway's form, packed when there is such a form of it and gzip was asked for."""
    if file.packed is None or not _takes_gzip(event):
        return {"statusCode": 200, "headers": dict(file.headers), "body": file.text}
    return {
        "statusCode": 200,
        "headers": {**file.headers, **_PACKED},
        "body": base64.b64encode(file.packed).decode(),
        "isBase64Encoded": True,
    }


def stage_variable(event: ProxyEvent, name: str) -> str | None:
    """Return a variable of the stage that the request came in on; None when it is not there or empty."""
    value = (event.get("stageVariables") or {}).get(name)
    return str(value) if value else None


def public_url(event: ProxyEvent, path: str) -> str:
    """Return the base URL under which the outside calls this API, by a request that came in on `path`.

    A stage whose address the request does not show says it in its variable `publicUrl`.
    """
    stated = stage_variable(event, "publicUrl")
    if stated:
        return stated.rstrip("/")
    context = event["requestContext"]
    before_path = context["path"].rstrip("/").removesuffix(path)
    return f"https://{context['domainName']}{before_path}"


def _proxied(status: int, body: Mapping[str, object] | str, event: ProxyEvent) -> ProxyAnswer:
    text = body if isinstance(body, str) else _json(body)
    return _gzipped(status, text) if len(text) >= _SMALLEST_GZIP and _takes_gzip(event) else _plain(status, text)


def _shortened(answer: Response, event: ProxyEvent) -> ProxyAnswer | None:
    """Return an answer without the first entries of the list that it may be shortened by, as few as will do.

    Returns None when it is too large with a single one.
    """
    if answer.shortened is None or isinstance(answer.body, str):
        return None
    entries = cast("Sequence[object]", answer.body[answer.shortened])
    longest: ProxyAnswer | None = None
    fewest, most = 1, len(entries)
    while fewest < most:
        left_out = (fewest + most) // 2
        proxied = _proxied(answer.status, {**answer.body, answer.shortened: entries[left_out:]}, event)
        if _fits(proxied):
            longest, most = proxied, left_out
        else:
            fewest = left_out + 1
    return longest


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _plain(status: int, body: str) -> ProxyAnswer:
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": body}


def _gzipped(status: int, body: str) -> ProxyAnswer:
    # mtime=0: the same answer is always the same bytes.
    packed = gzip.compress(body.encode(), compresslevel=6 if len(body) < _LONG else 1, mtime=0)
    proxied = _plain(status, base64.b64encode(packed).decode())
    proxied["isBase64Encoded"] = True
    proxied["headers"] |= _PACKED
    return proxied


def _fits(proxied: ProxyAnswer) -> bool:
    """Return whether Lambda takes an answer: in JSON, as the runtime writes it, every quote in a plain body is two."""
    if _HEAD + len(proxied["body"]) * _MOST_BYTES <= LARGEST_ANSWER:
        return True
    return len(json.dumps(proxied, ensure_ascii=False).encode()) <= LARGEST_ANSWER


def _takes_gzip(event: ProxyEvent) -> bool:
    # API Gateway turns base64 back into bytes by matching the Accept header, so there has to be one.
    if header(event, "accept") is None:
        return False
    for offer in (header(event, "accept-encoding") or "").lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in {"gzip", "*"} and weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            return True
    return False

"""The HTTP side of the functions behind API Gateway: requests in, responses out, errors by one table."""

import base64
import gzip
import io
import json
import zlib
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any, cast

from globalconnect.domain import errors
from globalconnect.domain.numerals import Numeral, read_json
from globalconnect.runtime import request_log

type ProxyEvent = Mapping[str, Any]
type ProxyAnswer = dict[str, Any]

CONTENT_TYPE = "application/json; charset=utf-8"
# Of a request, in bytes, packed or unpacked (contract 1).
LARGEST_BODY = 256 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
# From here on packing tighter costs more time than the bytes it saves.
_LONG = 128 * 1024

# What Lambda takes from a function, in bytes of JSON; the gateway would turn anything longer into a 502.
LARGEST_RESPONSE = 6 * 1024 * 1024
# What one character of a body can become in that JSON, and what stands around the body.
_MOST_BYTES = 6
_HEAD = 1024


class AnswerTooLarge(errors.GlobalConnectError):
    """The caller must accept gzip, or ask for less: the answer is too large as the caller accepts it.

    Takes how one asks for less here, nothing where one can't.
    """

    def __init__(self, ask_for_less: str | None = None) -> None:
        advice = f"; if you do, {ask_for_less}" if ask_for_less else ""
        super().__init__(
            f"The answer is too large as you accept it: send Accept: */* and Accept-Encoding: gzip{advice}"
        )


# What the caller should do, as HTTP says it.
STATUS_OF: Mapping[type[errors.GlobalConnectError], int] = {
    errors.InvalidInput: 400,
    errors.InvalidKey: 401,
    errors.InvalidSignature: 401,
    errors.NotSignedIn: 401,
    errors.ServiceNotAllowed: 403,
    errors.RoleNeeded: 403,
    errors.TotpNeeded: 403,
    errors.NotFound: 404,
    AnswerTooLarge: 406,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Unavailable: 500,
    errors.Busy: 503,
    errors.MailNotSent: 503,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as API Gateway hands it on (its REST proxy event)."""

    event: ProxyEvent = field(repr=False)
    noted: dict[str, str | int] = field(default_factory=dict, repr=False)

    @property
    def method(self) -> str:
        """The HTTP method, in capitals."""
        return str(self.event["httpMethod"])

    @property
    def resource(self) -> str:
        """The route that API Gateway found, as the template spells it."""
        return str(self.event.get("resource", ""))

    @property
    def url(self) -> str:
        """The URL that was called, as the outside writes it, without its query."""
        stated, context = self.stage_variable("publicUrl"), self.event["requestContext"]
        if stated:
            return f"{stated.rstrip('/')}{self.event['path']}"
        return f"https://{context['domainName']}{context['path']}"

    @property
    def path_parameters(self) -> Mapping[str, str]:
        return self.event.get("pathParameters") or {}

    @property
    def query(self) -> Mapping[str, Sequence[str]]:
        return self.event.get("multiValueQueryStringParameters") or {}

    @property
    def claims(self) -> Mapping[str, object]:
        """What the token of who is signed in says.

        The API's authorizer is what lets people in. Without its claims a route has been deployed without it, and the
        KeyError keeps that route shut.
        """
        claims: Mapping[str, object] = self.event["requestContext"]["authorizer"]["claims"]
        return claims

    def header(self, name: str) -> str | None:
        """Return a header by its name in lower case; the last one when it was sent twice."""
        return next(
            (str(value) for key, value in (self.event.get("headers") or {}).items() if key.lower() == name), None
        )

    def body(self, largest: int = LARGEST_BODY) -> bytes:
        """Return the body, unpacked when it is gzip (by its first bytes: API Gateway unpacks some itself).

        Raises InvalidInput when it is larger than `largest`, packed or not, or can't be unpacked to its very end.
        """
        raw = self.raw_body()
        # What is packed is looked at first: a body of nothing but empty gzip members costs time and never grows.
        if len(raw) <= largest and raw.startswith(_GZIP_MAGIC):
            raw = _unpacked(raw, largest + 1)
        if len(raw) > largest:
            raise errors.InvalidInput("body", f"expected at most {largest} bytes")
        return raw

    def raw_body(self) -> bytes:
        body: str = self.event.get("body") or ""
        return base64.b64decode(body) if self.event.get("isBase64Encoded") else body.encode()

    def delivery(self, largest: int) -> bytes:
        """Return a gateway's delivery as `body` does, or as it was sent when it can't be unpacked: then it is for its
        signature to say whether anybody is told.

        Raises TooLarge when it is larger than `largest`, packed or not.
        """
        raw = self.raw_body()
        if len(raw) <= largest and raw.startswith(_GZIP_MAGIC):
            with suppress(errors.InvalidInput):
                raw = _unpacked(raw, largest + 1)
        if len(raw) > largest:
            raise errors.TooLarge(f"body: expected at most {largest} bytes")
        return raw

    def stage_variable(self, name: str) -> str | None:
        """Return a variable of the stage that the request came in on; None when it is not there or empty."""
        value = (self.event.get("stageVariables") or {}).get(name)
        return str(value) if value else None

    def public_url(self, path: str) -> str:
        """Return the base URL under which the outside calls this API; the request came in on `path`.

        A stage whose address the request does not show says it in its variable `publicUrl`.
        """
        stated = self.stage_variable("publicUrl")
        if stated:
            return stated.rstrip("/")
        context = self.event["requestContext"]
        before_path = context["path"].rstrip("/").removesuffix(path)
        return f"https://{context['domainName']}{before_path}"

    def note(self, **fields: str | int) -> None:
        """Have the line that is logged of this request say more than its answer: ids and classes."""
        self.noted.update(fields)

    @property
    def takes_gzip(self) -> bool:
        # API Gateway turns base64 back into bytes by matching the Accept header, so there has to be one.
        if self.header("accept") is None:
            return False
        for offer in (self.header("accept-encoding") or "").lower().split(","):
            coding, _, weight = offer.partition(";")
            if coding.strip() in {"gzip", "*"} and weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
                return True
        return False


_JSON_HEADERS = MappingProxyType({"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


def error_body(error: errors.GlobalConnectError) -> Mapping[str, object]:
    """Return the body of an error where no dialect has its own (contract 1)."""
    return {"status": "ERROR", "message": str(error)}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller is answered where callers differ: the body of an error, the HTTP status of every error (None: each has
    its own), and from how many characters on an answer is compressed. The defaults are for who is not known (contract 1).
    """

    error_body: Callable[[errors.GlobalConnectError], Mapping[str, object]] = error_body
    error_status: int | None = None
    # Below this a compressed answer is not worth its work.
    gzip_from: int = 1024


MANNER = Manner()


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response: a status, a body and all its headers. A mapping is sent as JSON, a text as it is.

    `gzipped` is the body as gzip where that is there already; with None, one that is long enough is compressed, with
    b"" never. One that is too large to be sent loses the first entries of the list that `shortened` names, as many as
    it must; `ask_for_less` is what the caller is told where that doesn't help. `logged` says that the request is worth
    a line though nothing was refused, `error` what was. `manner` is the caller's.
    """

    status: int
    body: Mapping[str, object] | str
    headers: Mapping[str, str] = _JSON_HEADERS
    gzipped: bytes | None = None
    shortened: str | None = None
    ask_for_less: str | None = None
    logged: bool = False
    error: type[errors.GlobalConnectError] | None = None
    manner: Manner = MANNER


def endpoint(use: Callable[[Request], Response]) -> Callable[[ProxyEvent, object], ProxyAnswer]:
    """Make a Lambda handler of a function that turns a request into a response or a GlobalConnectError."""

    def handler(event: ProxyEvent, _context: object) -> ProxyAnswer:
        began = perf_counter_ns()
        request = Request(event)
        response = answered(lambda: use(request))
        proxied = proxy_answer(response, request)
        if response.logged or response.error or request_log.is_worth_a_line(proxied["statusCode"]):
            _log(request, response, proxied["statusCode"], (perf_counter_ns() - began) // 1_000_000)
        return proxied

    return handler


def _log(request: Request, response: Response, status: int, ms: int) -> None:
    event = request.event
    # The route, not the path, which has phones. Nothing here may fail: what was asked for is done.
    where: dict[str, str | int] = {
        "request_id": str((event.get("requestContext") or {}).get("requestId")),
        "method": str(event.get("httpMethod")),
        "route": str(event.get("resource")),
    }
    # A hub may be answered 200 whatever happened.
    meant = status if response.error is None else STATUS_OF[response.error]
    request_log.write(status, meant, response.error, {**where, **request.noted, "ms": ms})


def answered(use: Callable[[], Response], manner: Manner | None = None) -> Response:
    """Return what `use` gives, or the error that it ends in, in the caller's manner; what is our fault is logged."""
    try:
        response = use()
    except errors.GlobalConnectError as error:
        if isinstance(error, errors.Unavailable):
            _log_unexpected(error)
        refusal = error
    except Exception as error:  # noqa: BLE001 - the outermost edge: the caller gets our JSON, the log the error
        _log_unexpected(error)
        refusal = errors.Unavailable(type(error).__name__)
    else:
        return response if manner is None else replace(response, manner=manner)
    return _refused(refusal, manner or MANNER)


def _refused(error: errors.GlobalConnectError, manner: Manner) -> Response:
    status = STATUS_OF[type(error)]
    # What is our fault has its own status everywhere: who is told 200 would not try again. A lost race is nobody's.
    if manner.error_status is not None and not isinstance(error, errors.Unavailable):
        status = manner.error_status
    return Response(status, manner.error_body(error), error=type(error), manner=manner)


def _log_unexpected(error: Exception) -> None:
    # Imported only now: partner_api and getsms log nothing else, and the log would be most of their cold start.
    from globalconnect.runtime.logs import Event, log_failure  # noqa: PLC0415

    log_failure(Event.UNEXPECTED, error)


def read_json_object(body: bytes, number: Callable[[str], object] = Numeral) -> dict[str, object]:
    """Return the JSON object in a request's body, with each of its numbers as `number` makes it of its spelling.

    Raises InvalidInput when it is not one (contract 1: 400).
    """
    value = read_json(body, number)
    if not isinstance(value, dict):
        raise errors.InvalidInput("body", "expected a JSON object")
    return value


def _unpacked(packed: bytes, most: int) -> bytes:
    """Return at most so many bytes of what is packed: a small body can unpack to gigabytes. Raises InvalidInput."""
    try:
        # It takes further members and zeros after the end, as the format has them, and nothing else.
        with gzip.open(io.BytesIO(packed)) as members:
            return members.read(most)
    except (EOFError, OSError, zlib.error):
        raise errors.InvalidInput("body", "expected a gzip body to be whole and valid") from None


def proxy_answer(response: Response, request: Request) -> ProxyAnswer:
    """Return the response in API Gateway's form, gzipped when asked for and long enough to be worth it (contract 1).

    Instead of what Lambda would not take, it gives less (`Response.shortened`), or the response for AnswerTooLarge.
    """
    proxied = _proxied(response, request)
    if _fits(proxied):
        return proxied
    shorter = _shortened(response, request)
    if shorter is not None:
        return shorter
    return proxy_answer(_refused(AnswerTooLarge(response.ask_for_less), response.manner), request)


def _proxied(response: Response, request: Request) -> ProxyAnswer:
    body = response.body
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    gzipped = response.gzipped
    if gzipped != b"" and (gzipped or len(text) >= response.manner.gzip_from) and request.takes_gzip:
        return {
            "statusCode": response.status,
            "headers": {**response.headers, **_PACKED},
            "body": base64.b64encode(gzipped or _gzip(text)).decode(),
            "isBase64Encoded": True,
        }
    return {"statusCode": response.status, "headers": dict(response.headers), "body": text}


def _shortened(response: Response, request: Request) -> ProxyAnswer | None:
    """Return a response without the first entries of the list that it may be shortened by, as few as will do.

    Returns None when it is too large with a single one.
    """
    if response.shortened is None or isinstance(response.body, str):
        return None
    body, name = response.body, response.shortened
    entries = cast("Sequence[object]", body[name])

    def without(left_out: int) -> ProxyAnswer:
        return _proxied(replace(response, body={**body, name: entries[left_out:]}), request)

    fewest = bisect_left(range(len(entries)), 1, lo=1, key=lambda left_out: _fits(without(left_out)))
    return without(fewest) if fewest < len(entries) else None


def _gzip(text: str) -> bytes:
    # mtime=0: the same response is always the same bytes.
    return gzip.compress(text.encode(), compresslevel=6 if len(text) < _LONG else 1, mtime=0)


def _fits(proxied: ProxyAnswer) -> bool:
    """Return whether Lambda takes an answer: in JSON, as the runtime writes it, every quote in a plain body is two."""
    if _HEAD + len(proxied["body"]) * _MOST_BYTES <= LARGEST_RESPONSE:
        return True
    return len(json.dumps(proxied, ensure_ascii=False).encode()) <= LARGEST_RESPONSE

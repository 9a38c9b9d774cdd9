"""One attempt to push one SMS to a partner over HTTP (contract 3).

The far side is anybody's server, so whatever it does ends in an AttemptResult, never in an exception: within the
time-out, with flat memory, and without our secrets in what is kept of its answer.
"""

import asyncio
import functools
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.push_attempt import (
    ATTEMPT_TIMEOUT_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    AttemptOutcome,
    AttemptResult,
)
from globalconnect.domain.push_url import read_push_url
from globalconnect.hub_protocol.answers import Body
from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.push import PushAnswer, push_content, push_headers
from globalconnect.hub_protocol.requests import KEY
from globalconnect.push.answer import MAX_ANSWER_BYTES, AnswerReading, PartnerAnswer, read_answer
from globalconnect.push.guard import ForbiddenAddress, GuardedResolver, ThreadPoolResolver, guarded_connector
from globalconnect.push.signing import Signer
from globalconnect.push.turns import MAX_HEAD_BYTES

# What reading an answer costs grows with it and with the SMS. What is longer than this together is read in a thread, one
# at a time: meanwhile the event loop goes on with other partners' pushes.
_READ_AT_ONCE_BYTES = 4 * 1024
# The shortest that a line of a head can be: "a:" and its end.
_SHORTEST_HEADER_BYTES = 4

_SWITCHING_PROTOCOLS = 101

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    """What goes out, byte for byte as it is signed."""

    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class PushClient:
    """Sends pushes; an async context manager that owns one HTTP session with keep-alive.

    Takes the product's version for the User-Agent, whether partners may listen on 127.0.0.1 (the local stack only) and
    the time-outs in seconds: `connect_timeout` for TCP and TLS, `attempt_timeout` for everything from the name look-up
    to the last byte of the answer. `resolver`, `tls` and `clock` (monotonic, in seconds) can be replaced; every
    resolver's answers go through the guard, and TLS settings must check certificates (else ValueError on entering).
    """

    def __init__(  # noqa: PLR0913 - named settings, all but two with a default
        self,
        *,
        version: str,
        loopback: bool,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        attempt_timeout: float = ATTEMPT_TIMEOUT_SECONDS,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._headers = {
            "User-Agent": f"GlobalConnect/{version}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
        }
        self._loopback = loopback
        self._connect_timeout = connect_timeout
        self._attempt_timeout = attempt_timeout
        self._resolver_to_ask = resolver
        self._tls = tls
        self._clock = clock
        self._resolver: GuardedResolver | None = None
        self._session: aiohttp.ClientSession | None = None
        self._reader: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        """Open the session; it belongs to the running event loop."""
        resolver = GuardedResolver(self._resolver_to_ask or ThreadPoolResolver(), loopback=self._loopback)
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(resolver, loopback=self._loopback, tls=self._tls),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # The attempt's own time-out is set around everything, the name look-up included.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            trust_env=False,
            # A few KiB of gzip may be gigabytes of text; read_answer unpacks no more than it looks at.
            auto_decompress=False,
            # The connector sees to it that all lines of a head together are no longer.
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
            max_headers=MAX_HEAD_BYTES // _SHORTEST_HEADER_BYTES,
        )
        self._resolver = resolver
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="push-answers")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()
        if self._reader is not None:
            self._reader.shutdown(wait=False, cancel_futures=True)
        self._session = self._resolver = self._reader = None

    async def attempt(
        self,
        url: str,
        body: Body,
        secrets: Sequence[str],
        signer: Signer | None = None,
        dialect: Dialect = DEFAULT,
    ) -> AttemptResult:
        """POST `body`, as push_body has it, to `url` as JSON, once, and say how it ended.

        Takes what must not be kept of an answer that repeats it (the key, the SMS text), nor its codes, digits in a row;
        the query of the URL and the secrets of the signer are not kept either. With a signer, the request has its
        headers beside ours. Delivered is what the dialect says: mostly 2xx and a JSON object whose `status` is exactly
        SUCCESS (contract 3), whatever follows it and whether or not the answer came to its end; the JSON is strict
        UTF-8, a byte-order mark before it is ignored.

        The request is sent at most once. A connection that the partner closes under it is a failed attempt, not a
        second request: the partner may have read the first, and the next attempt is due 10 s after this one started.

        Raises only for mistakes on our side: TypeError or ValueError for a body that isn't JSON, RuntimeError when
        the client is not open. Cancelling it closes its connection.
        """
        if self._session is None or self._reader is None:
            raise RuntimeError("the push client is not open")
        content = push_content(body, dialect)
        signed = signer.headers(content) if signer else {}
        request = _Request(content, push_headers(str(body.get(KEY)), dialect) | signed)
        answer = PartnerAnswer()
        started = self._clock()
        failure = await self._send(self._session, url, request, answer)
        duration = self._clock() - started
        _, _, query = url.partition("?")
        hidden = [query, *signer.hidden()] if signer else [query]
        if answer.coding or len(answer.body) + sum(map(len, secrets)) > _READ_AT_ONCE_BYTES:
            loop = asyncio.get_running_loop()
            reading = await loop.run_in_executor(self._reader, read_answer, answer, secrets, hidden, dialect)
        else:
            reading = read_answer(answer, secrets, hidden, dialect)
        outcome = _judge(answer, failure, reading, dialect)
        return AttemptResult(
            delivered=outcome is AttemptOutcome.DELIVERED,
            outcome=outcome,
            http_status=answer.status,
            duration_ms=max(0, round(duration * 1000)),
            answer=reading.kept,
        )

    async def _send(
        self, session: aiohttp.ClientSession, url: str, request: _Request, answer: PartnerAnswer
    ) -> AttemptOutcome | None:
        """Send the request and read what is answered; return what kept the answer from being read to its end, if anything."""
        try:
            target = _target(url, loopback=self._loopback)
        except InvalidInput:
            return AttemptOutcome.BAD_URL
        try:
            async with asyncio.timeout(self._attempt_timeout):
                await _notice_closed_connections()
                await _exchange(session, target, request, answer)
        except Exception as error:  # noqa: BLE001 - decided: whatever a far side makes the HTTP library raise costs this
            # attempt, never the batch it is in.
            return _outcome_of(error)
        return None if answer.whole else AttemptOutcome.ANSWER_TOO_LARGE


# A batch goes to few partners, many times each.
@functools.lru_cache(maxsize=1024)
def _target(url: str, *, loopback: bool) -> URL:
    """Return what a stored URL leads to. Raises InvalidInput when it would not be accepted today."""
    # encoded=True: the URL goes out as it was stored and checked, not as a second parser would rewrite it.
    return URL(read_push_url(url, "url", loopback=loopback), encoded=True)


def _judge(
    answer: PartnerAnswer, failure: AttemptOutcome | None, reading: AnswerReading, dialect: Dialect
) -> AttemptOutcome:
    if reading.says is PushAnswer.STOP:
        return AttemptOutcome.STOP_WORD
    if reading.says is PushAnswer.TAKEN:
        return AttemptOutcome.DELIVERED
    if failure is not None:
        return failure
    if reading.too_large:
        return AttemptOutcome.ANSWER_TOO_LARGE
    return AttemptOutcome.REFUSED_ANSWER if answer.status in dialect.push_done.statuses else AttemptOutcome.HTTP_STATUS


def _outcome_of(error: Exception) -> AttemptOutcome:
    match error:
        case TimeoutError():
            return AttemptOutcome.TIMEOUT
        case aiohttp.ClientSSLError():
            return AttemptOutcome.TLS
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddress()):
            return AttemptOutcome.FORBIDDEN_ADDRESS
        case aiohttp.ClientError() | OSError():
            return AttemptOutcome.CONNECTION
        case _:
            # Only the type is logged: the text may hold anything the partner sent.
            _logger.warning("push attempt ended by an unexpected %s", type(error).__name__)
            return AttemptOutcome.CONNECTION


async def _notice_closed_connections() -> None:
    """Let the event loop see which kept connections the partner has closed meanwhile.

    After a pause of the whole process (Lambda freezes it between invocations) their ends are still unread, and the
    first POST would go into one of them. The first turn is already lined up before the loop looks at its sockets.
    """
    for _ in range(2):
        await asyncio.sleep(0)


async def _exchange(session: aiohttp.ClientSession, url: URL, request: _Request, answer: PartnerAnswer) -> None:
    """Send the request and read into `answer` what comes of it before the connection, or our time, ends."""
    response = await session.post(url, data=request.content, headers=request.headers, allow_redirects=False)
    try:
        answer.status = response.status
        answer.coding = ",".join(response.headers.getall("Content-Encoding", ()))
        # 101 has no body, only a connection that stays open.
        answer.whole = response.status == _SWITCHING_PROTOCOLS or await _read(response, answer)
    finally:
        # Closes the connection unless the answer was read to its end; then it is back in the pool already.
        response.close()


async def _read(response: aiohttp.ClientResponse, answer: PartnerAnswer) -> bool:
    """Read the body into `answer`; False when it is longer than MAX_ANSWER_BYTES, of which it keeps the start."""
    read = bytearray()
    try:
        while chunk := await response.content.readany():
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                return False
        return True
    finally:
        answer.body = bytes(read[:MAX_ANSWER_BYTES])

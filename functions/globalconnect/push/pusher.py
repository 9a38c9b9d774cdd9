"""The one delivery routine: claim, look, push, record, queue what failed (contract 3).

push_sms and push_retry both call it. Each SMS goes its own way through it, so that a slow partner delays nobody; what
many need at the same moment is asked of AWS in one call.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol

from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.partner import Partner, PushSecrets
from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.domain.push_schedule import is_fresh, is_too_old, may_start, wait_seconds
from globalconnect.domain.sms import Attempt, DuePush, PushEnd, PushState, Sms, SmsRef
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.push import push_body
from globalconnect.push.batches import Batches
from globalconnect.push.health import Health
from globalconnect.push.queue import MESSAGES_AT_ONCE, RetryQueues
from globalconnect.push.signing import Signer
from globalconnect.runtime.logs import Event, log, log_failure
from globalconnect.runtime.metrics import PushMeter
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes

# Calls to AWS at once; each waits on the network, none on the processor.
_AWS_THREADS = 16
# Partners whose keys are decrypted at once: as many as a batch can have. Not by the threads above, which those who need
# no decryption wait for.
_DECRYPTIONS_AT_ONCE = 100
_ITEMS_AT_ONCE = 25
_LOOKS = 3

# Pauses (s) after each try to record a success that AWS refuses: one that is not recorded would be pushed again.
_RECORD_PAUSES = (0.2, 1.0, 3.0, 0.0)

# What a call to AWS fails with when AWS, not the data, is the trouble: the SMS is still pending and will be redelivered.
_AWS_TROUBLE = (Busy, Unavailable)


class AttemptClient(Protocol):
    """What makes one push attempt over HTTP: PushClient, or a fake."""

    async def attempt(
        self, url: str, body: dict[str, object], secrets: Sequence[str], signer: Signer | None, dialect: Dialect
    ) -> AttemptResult:
        """POST the body to the URL and tell how that ended; never raises for what the partner does."""


class Handling(Enum):
    DONE = auto()
    REDELIVER = auto()
    """Not even its attempt could be claimed: the record or queue message must be delivered again."""


class Pusher:
    """The routine with its parts; it keeps one event loop and one HTTP client for all its batches, until `close`.

    `open_client` gives the HTTP side, `max_age` in ms is how old an SMS may become (None = any age), `now` gives the
    time in ms, `sleep` waits (s), `meter` measures what becomes of pushes.
    """

    def __init__(  # noqa: PLR0913 - named parts, all but two without a default
        self,
        *,
        pushes: Pushes,
        partners: Partners,
        queues: RetryQueues,
        health: Health,
        open_client: Callable[[], AbstractAsyncContextManager[AttemptClient]],
        max_age: int | None,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        meter: PushMeter | None = None,
    ) -> None:
        self._pushes = pushes
        self._partners = partners
        self._health = health
        self._open_client = open_client
        self._max_age = max_age
        self._now = now
        self._sleep = sleep
        self._meter = meter
        self._runner = asyncio.Runner(loop_factory=_new_loop)
        self._opened = AsyncExitStack()
        self._client: AttemptClient | None = None
        self._decrypting = ThreadPoolExecutor(_DECRYPTIONS_AT_ONCE, thread_name_prefix="push-decrypt")
        # Of the partners of one batch.
        self._decrypted: dict[PartnerId, asyncio.Future[PushSecrets]] = {}
        self._attempted: list[dict[str, str | int | None]] = []
        self._claims = Batches[DuePush, Sms | None](self._claim_each, _ITEMS_AT_ONCE)
        self._looks = Batches[ActivationId, bool](self._open_each, _ITEMS_AT_ONCE)
        self._ends = Batches[PushEnd, None](pushes.settle, _ITEMS_AT_ONCE)
        self._attempts = Batches[tuple[Sms, Attempt], None](self._keep_each, _ITEMS_AT_ONCE)
        self._queues = {
            slow: Batches[DuePush, None](functools.partial(_send, queues, now, slow=slow), MESSAGES_AT_ONCE)
            for slow in (False, True)
        }

    def deliver(self, pushes: Sequence[DuePush]) -> frozenset[SmsRef]:
        """Make one attempt for each push that is still wanted, when it is due, and queue what failed.

        Returns those whose attempt could not even be claimed: they must be redelivered. A partner's failure is not one of
        them, nor a retry that could not be queued: the sweep queues that.
        """
        # A message that is redelivered after minutes may meet the live one of its SMS; of two, the later due is the live one.
        return self._runner.run(self._all(sorted(pushes, key=lambda push: push.due), self._push))

    def deliver_new(self, pushes: Sequence[DuePush]) -> frozenset[SmsRef]:
        """Make the first attempt for each new SMS, but queue those of slow partners.

        A time-out here would hold up the stream, and with it the first pushes of other partners. Returns as `deliver`.
        """
        return self._runner.run(self._all(pushes, self._first))

    def close(self) -> None:
        """Close the HTTP client and the event loop."""
        with self._runner:
            self._runner.run(self._opened.aclose())
        self._decrypting.shutdown()

    async def _all(
        self, pushes: Sequence[DuePush], handle: Callable[[DuePush, Partner | None, AttemptClient], Awaitable[Handling]]
    ) -> frozenset[SmsRef]:
        # Of several for the same SMS, the last.
        by_ref = {push.ref: push for push in pushes}
        try:
            partners = await asyncio.to_thread(self._partners.many, {push.partner_id for push in pushes})
        except _AWS_TROUBLE as error:
            log_failure(Event.UNEXPECTED, error)
            return frozenset(by_ref)
        if self._client is None:
            self._client = await self._opened.enter_async_context(self._open_client())
        client = self._client
        self._decrypted = {}
        ended = await asyncio.gather(
            *(handle(push, partners.get(push.partner_id), client) for push in by_ref.values()),
            return_exceptions=True,
        )
        if self._meter is not None:
            self._meter.publish()
        self._log_attempts()
        await asyncio.to_thread(self._health.share)
        return frozenset(_left(by_ref, ended))

    def _log_attempts(self) -> None:
        # One line for all: a line each would cost as much processor time as the rest of an attempt.
        if self._attempted:
            log(Event.PUSH_ATTEMPTS, attempts=self._attempted)
        self._attempted = []

    async def _first(self, push: DuePush, partner: Partner | None, client: AttemptClient) -> Handling:
        if partner is not None and self._health.is_slow(partner):
            return Handling.DONE if await self._queue(replace(push, due=self._now()), slow=True) else Handling.REDELIVER
        return await self._push(push, partner, client)

    async def _push(self, push: DuePush, partner: Partner | None, client: AttemptClient) -> Handling:
        """Take one SMS through the routine.

        Once the attempt is claimed it is done: what could not be queued then is queued by the sweep.
        """
        await self._sleep(wait_seconds(push.due, self._now()))
        sms = await self._claims.ask(push)
        if sms is None:
            return Handling.DONE
        next_push = replace(push, due=sms.next_due, tally=sms.tally)
        slow = partner is not None and self._health.is_slow(partner)
        try:
            end, secrets = self._end_of(sms, partner), None
            if end is None and partner is not None:
                secrets = await self._secrets_of(partner)
                end = await self._end_by_finish(sms)
        except _AWS_TROUBLE as error:
            log_failure(Event.UNEXPECTED, error, sms_id=sms.sms_id)
            await self._queue(next_push, slow=slow)
            return Handling.DONE
        if end is not None or partner is None or secrets is None or partner.push_url is None:
            await self._stop(sms, end or PushState.STOPPED)
        elif not may_start(sms.next_due, self._now()):
            await self._queue(next_push, slow=slow)
        else:
            await self._attempt(client, next_push, sms, partner, partner.push_url, secrets)
        return Handling.DONE

    async def _secrets_of(self, partner: Partner) -> PushSecrets:
        """Return what of a push to a partner is secret, decrypted once a batch. Raises Busy and Unavailable."""
        if not partner.is_encrypted:
            return partner.push_secrets(self._now())
        if partner.partner_id not in self._decrypted:
            self._decrypted[partner.partner_id] = asyncio.get_running_loop().run_in_executor(
                self._decrypting, self._partners.secrets, partner, self._now()
            )
        return await self._decrypted[partner.partner_id]

    def _end_of(self, sms: Sms, partner: Partner | None) -> PushState | None:
        """Return how the pushing of a claimed SMS ends because nobody may have it, None when somebody may."""
        if partner is None or partner.revoked_at is not None:
            return PushState.STOPPED
        if partner.push_url is None:
            return PushState.NO_URL
        return PushState.STOPPED if is_too_old(sms.stored_at, self._now(), self._max_age) else None

    async def _end_by_finish(self, sms: Sms) -> PushState | None:
        """Look whether FINISH_ACTIVATION was answered: last of all, and again when the look was not quick.

        Raises Busy when no look is.
        """
        for _ in range(_LOOKS):
            looked_at = self._now()
            if not await self._looks.ask(sms.activation_id):
                return PushState.STOPPED
            if is_fresh(looked_at, self._now()):
                return None
        raise Busy

    async def _stop(self, sms: Sms, end: PushState, *, at: int | None = None, tries: int = 1) -> None:
        await self._settle(PushEnd(sms, end, self._now() if at is None else at), tries=tries)
        log(Event.PUSH_STOPPED, sms_id=sms.sms_id, activation_id=sms.activation_id, state=end.value)

    async def _attempt(  # noqa: PLR0913, PLR0917 - what is known of it by now
        self, client: AttemptClient, next_push: DuePush, sms: Sms, partner: Partner, url: str, secrets: PushSecrets
    ) -> None:
        started_at = self._now()
        signer = Signer.of(secrets.signing, sms.sms_id, started_at)
        dialect = dialect_of(partner)
        body = push_body(sms, secrets.key, dialect)
        result = await client.attempt(url, body, (secrets.key, sms.text), signer, dialect)
        sms = sms.attempted(result.outcome.value)
        self._health.note(partner, delivered=result.delivered, duration_ms=result.duration_ms)
        self._attempted.append(_logged(sms, result))
        ended_at = started_at + result.duration_ms
        if self._meter is not None:
            self._meter.note(sms, ended_at, delivered=result.delivered)
        if result.delivered:
            await self._settle(PushEnd(sms, PushState.DELIVERED, ended_at), tries=len(_RECORD_PAUSES))
        elif result.outcome is AttemptOutcome.STOP_WORD:
            await self._stop(sms, PushState.STOPPED, at=ended_at, tries=len(_RECORD_PAUSES))
        else:
            await self._queue(replace(next_push, tally=sms.tally), slow=self._health.is_slow(partner))
        attempt = Attempt(
            sms.attempts, started_at, result.duration_ms, result.outcome.value, result.http_status, result.answer
        )
        try:
            await self._attempts.ask((sms, attempt))
        except _AWS_TROUBLE as error:
            # The log of attempts has a gap then; nothing else depends on it.
            log_failure(Event.PUSH_NOT_RECORDED, error, sms_id=sms.sms_id)

    async def _queue(self, push: DuePush, *, slow: bool) -> bool:
        try:
            await self._queues[slow].ask(push)
        except _AWS_TROUBLE as error:
            log_failure(Event.PUSH_NOT_QUEUED, error, sms_id=push.ref.sms_id)
            return False
        return True

    async def _settle(self, end: PushEnd, tries: int) -> None:
        for pause in _RECORD_PAUSES[:tries]:
            try:
                return await self._ends.ask(end)
            except _AWS_TROUBLE as error:
                log_failure(Event.PUSH_NOT_RECORDED, error, sms_id=end.sms.sms_id, state=end.state.value)
                await self._sleep(pause)
        return None

    def _claim_each(self, pushes: Sequence[DuePush]) -> list[Sms | Exception | None]:
        tallies = {push.ref: push.tally for push in pushes if push.tally is not None}
        return self._pushes.claim([push.ref for push in pushes], self._now(), tallies)

    def _open_each(self, activation_ids: Sequence[ActivationId]) -> list[bool]:
        found = self._pushes.open_among(set(activation_ids))
        return [activation_id in found for activation_id in activation_ids]

    def _keep_each(self, attempts: Sequence[tuple[Sms, Attempt]]) -> list[None]:
        self._pushes.keep_attempts(attempts)
        return [None] * len(attempts)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(_AWS_THREADS, thread_name_prefix="push-aws"))
    return loop


def _send(
    queues: RetryQueues, now: Callable[[], int], pushes: Sequence[DuePush], *, slow: bool
) -> list[Exception | None]:
    return queues.send(pushes, slow=slow, now=now())


def _left(by_ref: Iterable[SmsRef], ended: Iterable[Handling | BaseException]) -> Iterator[SmsRef]:
    for ref, end in zip(by_ref, ended, strict=True):
        if isinstance(end, BaseException):
            # One SMS that trips us must not take the others of its batch along: it is redelivered by itself.
            log_failure(Event.UNEXPECTED, end, sms_id=ref.sms_id)
        if end is not Handling.DONE:
            yield ref


def _logged(sms: Sms, result: AttemptResult) -> dict[str, str | int | None]:
    return {
        "sms_id": sms.sms_id,
        "activation_id": sms.activation_id,
        "partner_id": sms.partner_id,
        "attempt": sms.attempts,
        "outcome": result.outcome.value,
        "http_status": result.http_status,
        "duration_ms": result.duration_ms,
    }

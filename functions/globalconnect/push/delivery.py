"""The one delivery routine: claim, read, push, record, queue what failed (contract 3).

push_sms and push_retry both call it. Each SMS goes its own way through it, so that a slow partner delays nobody.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from globalconnect.domain.errors import Busy
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import is_too_old, wait_seconds
from globalconnect.domain.sms import Attempt, PushState, Sms
from globalconnect.push.attempt import AttemptResult
from globalconnect.push.health import Health
from globalconnect.push.queue import DuePush, RetryQueue
from globalconnect.store.activations import Activations, SmsRef
from globalconnect.store.partners import Partners
from globalconnect.telemetry import Event, log, log_failure

_CODES = re.compile(r"[0-9]{3,}")

# Calls to AWS at once; each waits on the network, none on the processor.
_AWS_THREADS = 16

# What a call to AWS fails with when AWS, not the data, is the trouble: the SMS is still pending and will come again.
_AWS_TROUBLE = (BotoCoreError, ClientError, Busy)


class Attempts(Protocol):
    """What makes one push attempt over HTTP: PushClient, or a fake."""

    async def attempt(self, url: str, body: dict[str, object], secrets: Sequence[str]) -> AttemptResult:
        """POST the body to the URL and tell how that ended; never raises for what the partner does."""


@dataclass(frozen=True, slots=True)
class NewSms:
    """An SMS that has just been stored, and whose it is."""

    ref: SmsRef
    partner_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The parts of the routine.

    `open_client` gives the HTTP side for one batch; `max_age` in ms, None = none; `record_pauses` are the pauses (s)
    after each try to record a success that AWS refuses.
    """

    partners: Partners
    activations: Activations
    queue: RetryQueue
    health: Health
    open_client: Callable[[], AbstractAsyncContextManager[Attempts]]
    max_age: int | None
    now: Callable[[], int]
    record_pauses: tuple[float, ...] = (0.2, 1.0, 3.0, 0.0)

    def deliver(self, pushes: Sequence[DuePush]) -> frozenset[SmsRef]:
        """Make one attempt for each push that is still wanted, when it is due, and queue what failed.

        Gives those whose attempt could not even be claimed: they must come again. A partner's failure is not one of
        them, nor a retry that could not be queued: the sweep queues that.
        """
        return asyncio.run(self._all(pushes, self._push))

    def deliver_new(self, messages: Sequence[NewSms]) -> frozenset[SmsRef]:
        """Make the first attempt for each new SMS, but queue those of partners in trouble.

        A time-out here would hold up the stream, and with it the first pushes of other partners. Gives as `deliver`.
        """
        return asyncio.run(self._all(messages, self._first))

    async def _all[P: (DuePush, NewSms)](
        self, pushes: Sequence[P], deal_with: Callable[[P, Attempts], Awaitable[bool]]
    ) -> frozenset[SmsRef]:
        with ThreadPoolExecutor(_AWS_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            async with self.open_client() as client:
                ended = await asyncio.gather(*(deal_with(push, client) for push in pushes), return_exceptions=True)
        left: set[SmsRef] = set()
        for push, end in zip(pushes, ended, strict=True):
            if isinstance(end, BaseException):
                # One SMS that trips us must not take the others of its batch along: it comes again by itself.
                log_failure(Event.UNEXPECTED, end, sms_id=push.ref.sms_id)
            if end is not True:
                left.add(push.ref)
        return frozenset(left)

    async def _first(self, sms: NewSms, client: Attempts) -> bool:
        if await asyncio.to_thread(self.health.in_trouble, sms.partner_id):
            return await asyncio.to_thread(self._queue, sms.ref, sms.partner_id, self.now())
        return await self._push(DuePush(sms.ref, due=0), client)

    async def _push(self, push: DuePush, client: Attempts) -> bool:
        """Take one SMS through the routine; tell whether nothing is left to do for this push.

        Once the attempt is claimed there is nothing left: what could not be queued then is queued by the sweep.
        """
        await asyncio.sleep(wait_seconds(push.due, self.now()))
        sms = await asyncio.to_thread(self.activations.claim, push.ref, self.now())
        if sms is None:
            return True
        try:
            partner = await asyncio.to_thread(self._wanted_by, sms)
        except _AWS_TROUBLE as error:
            log_failure(Event.UNEXPECTED, error, sms_id=sms.sms_id)
            await asyncio.to_thread(self._queue, push.ref, sms.partner_id, sms.next_due)
            return True
        if partner is None or partner.push_url is None:
            return True
        started_at = self.now()
        result = await client.attempt(partner.push_url, _body(sms, partner), _secrets(sms, partner))
        _log_attempt(sms, result)
        if not result.delivered:
            await asyncio.to_thread(self._queue, push.ref, sms.partner_id, sms.next_due)
        await self._record(sms, result, started_at)
        return True

    def _wanted_by(self, sms: Sms) -> Partner | None:
        """Give the partner that still wants a claimed SMS; when nobody does, its pushing ends for good."""
        partner = self.partners.cached(sms.partner_id)
        if partner is None or partner.push_url is None:
            # The URL may be newer than what we remember.
            partner = self.partners.fresh(sms.partner_id)
        state = self._end_of(sms, partner)
        if state is None:
            return partner
        self.activations.stop(sms, state)
        log(Event.PUSH_STOPPED, sms_id=sms.sms_id, activation_id=sms.activation_id, state=state.value)
        return None

    def _end_of(self, sms: Sms, partner: Partner | None) -> PushState | None:
        if partner is None or partner.revoked_at is not None:
            return PushState.STOPPED
        if partner.push_url is None:
            return PushState.NO_URL
        if is_too_old(sms.stored_at, self.now(), self.max_age):
            return PushState.STOPPED
        # Last, so that as little time as possible lies between this look and the attempt.
        activation = self.activations.get(sms.activation_id)
        return PushState.STOPPED if activation is None or activation.outcome is not None else None

    def _queue(self, ref: SmsRef, partner_id: str, due: int) -> bool:
        try:
            self.queue.send(ref, partner_id, due, self.now())
        except _AWS_TROUBLE as error:
            log_failure(Event.PUSH_NOT_QUEUED, error, sms_id=ref.sms_id)
            return False
        return True

    async def _record(self, sms: Sms, result: AttemptResult, started_at: int) -> None:
        attempt = Attempt(started_at, result.duration_ms, result.outcome.value, result.http_status, result.answer)
        await asyncio.to_thread(
            self.health.note, sms.partner_id, delivered=result.delivered, duration_ms=result.duration_ms
        )
        for pause in self.record_pauses:
            try:
                await asyncio.to_thread(self.activations.record_attempt, sms, attempt, delivered=result.delivered)
            except _AWS_TROUBLE as error:
                log_failure(Event.PUSH_NOT_RECORDED, error, sms_id=sms.sms_id, delivered=result.delivered)
                if not result.delivered:
                    return
                # A success that is not recorded would be pushed again, so this is worth waiting for.
                await asyncio.sleep(pause)
            else:
                return


def _body(sms: Sms, partner: Partner) -> dict[str, object]:
    return {
        "key": partner.key,
        "action": "PUSH_SMS",
        "smsId": str(sms.sms_id),
        "phone": sms.phone,
        "phoneFrom": sms.phone_from,
        "text": sms.text,
        "call": 0,
        "voice": 0,
    }


def _secrets(sms: Sms, partner: Partner) -> tuple[str, ...]:
    """Give what must not be kept of an answer that repeats it: a partner may well echo only the code."""
    return (partner.key, sms.text, *_CODES.findall(sms.text))


def _log_attempt(sms: Sms, result: AttemptResult) -> None:
    log(
        Event.PUSH_ATTEMPT,
        sms_id=sms.sms_id,
        activation_id=sms.activation_id,
        partner_id=sms.partner_id,
        attempt=sms.attempts,
        outcome=result.outcome.value,
        http_status=result.http_status,
        duration_ms=result.duration_ms,
    )

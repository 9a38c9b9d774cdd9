"""Row push.11: how many pushes one worker process delivers in a second, beside a bare loop of the same POSTs.

The worker is the real routine with its real HTTP client; store and partner answer at once, so that what is measured is
our own work. With the emulator's DynamoDB as the store the figure is told too, not judged: it is
mostly the emulator's.
"""

import asyncio
import gc
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import boto3

from bench.quiet import log_to_nowhere
from bench.row import Row, Say
from globalconnect.domain.activation import Activation
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import DAY, MINUTE
from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.push import push_body
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush, RetryQueues
from globalconnect.runtime import clock
from globalconnect.store.activations import from_activation, from_sms
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from local import emulator
from local.place import EMULATOR_PYTHON, TEMPLATE, Place
from local.template import load
from tests.faults.cloud.behaviour import SUCCESS
from tests.faults.cloud.partners import PartnerServers

IDS = ("push.11",)

# As template.yaml has push_retry take them from the queue.
BATCH = 100
# Many short rounds: whatever else the machine does then meets both alike.
BATCHES = 3
ROUNDS = 45
AT_LEAST = 0.5

_PARTNER_ID = "benchpartn"
_EMULATED_BATCHES = 3
_KEEP = 7 * DAY


@dataclass(frozen=True, slots=True)
class Figures:
    """POSTs per second of each round: by the routine, and by the bare loop just before or after."""

    worker: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """The median of what the routine makes of what the bare loop makes."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.worker, self.bare, strict=True))


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure push.11."""
    if "push.11" not in wanted:
        return
    with TemporaryDirectory() as folder, PartnerServers(Path(folder)) as servers:
        url = servers.open("bench", SUCCESS)
        figures = in_a_process(measure, url, ROUNDS)
        progress(
            f"push.11: the worker {statistics.median(figures.worker):.0f} SMS/s, the bare loop "
            f"{statistics.median(figures.bare):.0f} POSTs/s (medians of {ROUNDS} rounds of {BATCH * BATCHES}, "
            f"{BATCH} at a time)"
        )
        if EMULATOR_PYTHON.exists():
            emulated = in_a_process(measure_on_the_emulator, url, Path(folder) / "emulator")
            progress(f"push.11: with the emulator's DynamoDB as the store {emulated:.0f} SMS/s")
        else:
            progress("push.11: not measured on the emulator, which is not installed (make up installs it)")
    ratio = round(figures.ratio, 3)
    yield Row(
        "push.11",
        "one worker process delivers at least half as many SMS per second as a bare aiohttp loop makes the same POSTs",
        ratio,
        "of the bare loop",
        AT_LEAST,
        ratio >= AT_LEAST,
    )


def in_a_process[**P, T](do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something in a fresh process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(do, *args, **kwargs).result()


# ---------------------------------------------------------------- in the worker's process


def measure(url: str, rounds: int, batches: int = BATCHES) -> Figures:
    """Let the routine and the bare loop take turns; one turn of each before it counts."""
    figures = Figures([], [])
    with log_to_nowhere(), closing(Worker(url)) as worker, closing(Bare(url)) as bare:
        for turn in range(rounds + 1):
            messages = [new_messages(worker.partner, turn * batches + number) for number in range(batches)]
            # Who comes first changes, so that what drifts drifts for both.
            if turn % 2:
                ours, theirs = worker.speed(messages), bare.speed(messages, worker.partner)
            else:
                theirs, ours = bare.speed(messages, worker.partner), worker.speed(messages)
            if turn:
                figures.worker.append(ours)
                figures.bare.append(theirs)
    return figures


class Worker:
    """The real routine as push_retry runs it, with a stub of the store."""

    def __init__(self, url: str) -> None:
        self.partner = new_partner(url)
        self._pushes = Granted()
        self._pusher = Pusher(
            pushes=self._pushes,
            partners=OnePartner(self.partner),
            queues=NoQueues(),
            health=Health(OnePartner(self.partner), clock.now),
            open_client=_open_client,
            max_age=None,
            now=clock.now,
        )

    def speed(self, batches: Sequence[Sequence[Sms]]) -> float:
        """Deliver every SMS; return how many in a second."""
        self._pushes.grant(sms for batch in batches for sms in batch)
        return _speed(batches, lambda batch: deliver(self._pusher, batch))

    def close(self) -> None:
        """Close the routine."""
        self._pusher.close()


class Bare:
    """A bare aiohttp session, kept open: the same bytes with the same headers, the answer read and not looked at."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={
                "User-Agent": "GlobalConnect/bench",
                "Content-Type": "application/json; charset=utf-8",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    def speed(self, batches: Sequence[Sequence[Sms]], partner: Partner) -> float:
        """POST every SMS; return how many in a second."""
        bodies = [[_json(sms, partner) for sms in batch] for batch in batches]
        return _speed(bodies, lambda batch: self._runner.run(self._post_all(batch)))

    async def _post_all(self, bodies: Sequence[bytes]) -> None:
        await asyncio.gather(*map(self._post, bodies))

    async def _post(self, body: bytes) -> None:
        async with self._session.post(self._url, data=body) as response:
            await response.read()

    def close(self) -> None:
        """Close the session."""
        with self._runner:
            self._runner.run(self._session.close())


class Granted:
    """A stub of the store's pushes: every claim is granted at once, every activation open, every end taken."""

    def __init__(self) -> None:
        self._claimed: dict[SmsRef, Sms] = {}

    def grant(self, messages: Iterable[Sms]) -> None:
        """Have these messages' next attempts claimed when they are asked for."""
        due = clock.now() + INTERVAL
        self._claimed = {_ref(sms): replace(sms, next_due=due) for sms in messages}

    def claim(
        self,
        refs: Sequence[SmsRef],
        now: int,  # noqa: ARG002 - any time will do
        tallies: Mapping[SmsRef, AttemptTally] | None = None,  # noqa: ARG002 - nothing is noted
    ) -> list[Sms | Exception | None]:
        """Return the SMS, each once."""
        return [self._claimed.pop(ref) for ref in refs]

    def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
        """Return all of them."""
        return frozenset(activation_ids)

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        """Take the ends. Raises AssertionError for one that is no delivery."""
        if not all(end.state is PushState.DELIVERED for end in ends):
            raise AssertionError("an SMS was not delivered")
        return [None] * len(ends)

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        """Take them."""


class OnePartner(Partners):
    """A stub of the store's partners."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
        """Return the partner."""
        return dict.fromkeys(partner_ids, self._partner)

    def note_success(self, partner_id: str, at: int) -> None:
        """Take it."""


@dataclass(frozen=True, slots=True)
class NoQueues:
    """Queues that nothing may be sent to: the partner takes every push."""

    def send(self, pushes: Sequence[DuePush], *, slow: bool, now: int) -> list[Exception | None]:
        """Refuse."""
        raise AssertionError(f"{len(pushes)} pushes failed at {now}, slow: {slow}")


def deliver(pusher: Pusher, batch: Sequence[Sms]) -> None:
    """Hand over a batch that is due now, as push_retry does."""
    due = clock.now()
    left = pusher.deliver([DuePush(_ref(sms), sms.partner_id, due) for sms in batch])
    if left:
        raise AssertionError(f"{len(left)} SMS were not claimed")


def new_partner(url: str) -> Partner:
    """Return the partner of the benchmark."""
    return Partner(_PARTNER_ID, "Bench", f"gc_{_PARTNER_ID}_benchkey", url, None, "default", clock.now())


def new_messages(partner: Partner, number: int) -> list[Sms]:
    """Return the SMS of the batch of that number, due since a moment."""
    now = clock.now()
    first = 1_000_000 + number * BATCH
    return [
        Sms(
            sms_id=sms_id,
            activation_id=sms_id,
            partner_id=partner.partner_id,
            phone="447700900000",
            phone_from="Bank",
            text=f"Your code: {sms_id}. Do not tell it to anybody.",
            received_at=now,
            stored_at=now,
        )
        for sms_id in range(first, first + BATCH)
    ]


def _speed[B: Sequence[Any]](batches: Sequence[B], do: Callable[[B], None]) -> float:
    # What is there beforehand is not for the collector to look through meanwhile.
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    for batch in batches:
        do(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def _open_client() -> PushClient:
    return PushClient(version="bench", loopback=True)


def _json(sms: Sms, partner: Partner) -> bytes:
    return json.dumps(push_body(sms, partner.key, DEFAULT), ensure_ascii=False, separators=(",", ":")).encode()


def _ref(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)


# ---------------------------------------------------------------- on the emulator


def measure_on_the_emulator(url: str, folder: Path) -> float:
    """Return the routine's SMS per second with the real store, on an emulator of this run's own."""
    from simulation.aws import make_environment  # noqa: PLC0415

    place = Place(folder)
    arguments: dict[str, Any] = {
        "endpoint_url": emulator.start(place, emulator.free_port()).endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    try:
        dynamodb, sqs = boto3.client("dynamodb", **arguments), boto3.client("sqs", **arguments)
        return _deliver_on(dynamodb, sqs, make_environment(load(TEMPLATE), dynamodb, sqs), new_partner(url))
    finally:
        emulator.stop(place)


def _deliver_on(dynamodb: Any, sqs: Any, env: dict[str, str], partner: Partner) -> float:
    db = Dynamo(dynamodb)
    partners = Partners(db, env["PARTNERS_TABLE"], 0, clock.now)
    partners.add(partner)
    pusher = Pusher(
        pushes=Pushes(db, env["ACTIVATIONS_TABLE"], _KEEP),
        partners=partners,
        queues=RetryQueues(sqs, env["RETRY_QUEUE_URL"], env["SLOW_RETRY_QUEUE_URL"]),
        health=Health(partners, clock.now),
        open_client=_open_client,
        max_age=None,
        now=clock.now,
    )
    batches = [new_messages(partner, number) for number in range(_EMULATED_BATCHES + 1)]
    for sms in (sms for batch in batches for sms in batch):
        items = [from_activation(_activation(sms), _KEEP), from_sms(sms, _KEEP)]
        db.put_many(env["ACTIVATIONS_TABLE"], items)
    with log_to_nowhere(), closing(pusher):
        deliver(pusher, batches[0])
        return _speed(batches[1:], lambda batch: deliver(pusher, batch))


def _activation(sms: Sms) -> Activation:
    return Activation(
        activation_id=sms.activation_id,
        partner_id=sms.partner_id,
        phone=sms.phone,
        country="england",
        operator="Bench",
        service="tg",
        started_at=sms.stored_at,
        expires_at=sms.stored_at + 20 * MINUTE,
    )

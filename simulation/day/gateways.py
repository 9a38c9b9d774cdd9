"""Gateways of several types that deliver SMS to a world, and deliver them again when an answer was lost on its way."""

import asyncio
import random
import zlib
from collections import Counter
from dataclasses import dataclass, field

import inbound_sms.app
from globalconnect.domain.ids import SourceId
from globalconnect.domain.source import Source
from globalconnect.runtime.http import endpoint
from globalconnect.store.sources import Sources
from simulation.aws import Cloud
from simulation.day.world import World, pause
from simulation.gateways import sample_of
from simulation.gateways.delivery import event_of, url_of
from simulation.gateways.sample import Sample, Sent
from simulation.pushes.timeline import timeline

# With an id and without one, with times and without, that sign or know a password, by POST and by GET.
TYPES = ("generic", "kannel", "jasmin", "smsgate")
_WAY = 0.02
# The share of SMS that a gateway delivers again, and after how long (s): at once, soon, when the number may be sold again.
_AGAIN = ((0.04, 0.0), (0.04, 30.0), (0.02, 2 * 3_600.0))


@dataclass(slots=True)
class Gateways:
    """A source of each type. `wrong` are answers that their gateways don't wait for; `again` counts repeats."""

    world: World
    rolls: random.Random
    wrong: list[str] = field(default_factory=list)
    again: Counter[float] = field(default_factory=Counter)
    sent: int = 0
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for provider in TYPES:
            sample = sample_of(provider)
            now = self.world.cloud.clock()
            source = Source(SourceId(provider), provider, provider, sample.secret(0), now, settings=sample.settings)
            _sources(self.world.cloud).add(source)

    def send(self, phone: str, text: str) -> bool:
        """Have an SMS arrive at a number; tell whether its gateway was told that it did."""
        provider = TYPES[zlib.crc32(phone.encode()) % len(TYPES)]
        sample = sample_of(provider)
        self.sent += 1
        sms = sample.write(f"id-{self.sent}", phone, text, self.world.cloud.clock())
        rolled = self.rolls.random()
        for share, after in _AGAIN:
            if 0 <= rolled < share:
                self.again[after] += 1
                task = timeline().create_task(
                    self._send_again(provider, sample, sms, after * self.rolls.uniform(0.5, 1.5))
                )
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            rolled -= share
        return self._deliver(provider, sample, sms)

    async def idle(self) -> None:
        """Wait until there is nothing to deliver again."""
        await asyncio.gather(*self._under_way)

    async def _send_again(self, provider: str, sample: Sample, sms: Sent, after: float) -> None:
        await asyncio.sleep(after)
        await asyncio.to_thread(self._deliver, provider, sample, sms)

    def _deliver(self, provider: str, sample: Sample, sms: Sent) -> bool:
        pause(_WAY)
        signed = sample.sign(sms, sample.secret(0), url_of(provider), self.world.cloud.clock())
        answer = endpoint(lambda asked: inbound_sms.app.answer(asked, self.world.shop.inbound_parts))(
            event_of(signed, provider), None
        )
        pause(_WAY)
        status, _, body = sample.acknowledged
        is_heard = (answer["statusCode"], answer["body"]) == (status, body)
        if not is_heard:
            self.wrong.append(f"{provider} was answered {answer['statusCode']} {answer['body']}")
        return is_heard


def _sources(cloud: Cloud) -> Sources:
    return Sources(cloud.db, cloud.env["SOURCES_TABLE"], 0, cloud.clock, cloud.encryption())

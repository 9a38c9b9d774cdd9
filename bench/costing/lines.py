"""What a device takes that reports its lines: a report that changes nothing, and one after which all of them are offline."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bench.costing.assumed import DEVICE_LINES, LOT, MAPPED_LINES
from bench.costing.dynamodb import item_size
from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import Device
from globalconnect.store.projection import count
from line_states.apply import apply, named_by
from simulation.gateways import sample_of
from simulation.gateways.ejoin import dev_status, state
from simulation.shop import Reply, Shop, present

_POOL = "ejoin"
_ONLINE, _OFFLINE = 3, 0
_FIRST_PHONE = 447_473_000_000
# As many numbers are counted by one transaction.
_COUNTED_AT_ONCE = 90


class DeviceSteps[Step](NamedTuple):
    """What a device of so many lines takes: the bytes of its item, and a report that changes nothing."""

    lines: int
    item_bytes: int
    report: Step


class LineSteps[Step](NamedTuple):
    """What devices take, by their size, and what all lines of the largest do that go offline: each step, and how often."""

    devices: Sequence[DeviceSteps[Step]]
    changed: Mapping[str, tuple[Step, float]]


def measured[Step](shop: Shop, step: Callable[[str, str, Callable[[], object]], Step]) -> LineSteps[Step]:
    """Measure in a shop. `step` takes an invocation: what it is called, of which function, and what that does."""
    reporting = [_Reporting(shop, lines) for lines in DEVICE_LINES]
    devices: list[DeviceSteps[Step]] = []
    for device in reporting:
        device.report(_ONLINE)
        report = step(f"a report of {device.lines:,} lines", "InboundSmsFunction", partial(device.report, _ONLINE))
        devices.append(DeviceSteps(device.lines, device.item_bytes, report))
    device, lines = reporting[-1], reporting[-1].lines
    device.map(MAPPED_LINES)
    before = device.stored
    report = step(f"a report: {lines:,} lines are offline", "InboundSmsFunction", partial(device.report, _OFFLINE))
    named = named_by(before, device.stored, shop.line_parts)
    find = partial(named_by, before, device.stored, shop.line_parts)
    parts, numbers = shop.line_parts, shop.numbers
    steps = {
        "the report": (report, 1.0),
        "finding their numbers": (step(f"{lines:,} lines are looked up", "LineStatesFunction", find), 1.0),
        "taking these off sale": (
            step(f"{len(named)} numbers go offline", "LineStatesFunction", partial(apply, named, parts)),
            lines / len(named),
        ),
    }
    some = numbers.get_many([*named][:_COUNTED_AT_ONCE])
    counted = step(f"{len(some)} changes are counted", "AvailabilityFunction", partial(count, some, shop.counts))
    return LineSteps(devices, {**steps, "counting that": (counted, lines / len(some))})


class _Reporting:
    """A device of a pool of SIMs that reports, and its lines, which are called by ports."""

    def __init__(self, shop: Shop, lines: int) -> None:
        self.lines = lines
        self._shop = shop
        self._source_id = SourceId(shop.source(_POOL))
        line_of = present(sample_of(_POOL).line_of)
        self._phones = {line_of(phone): phone for phone in (str(_FIRST_PHONE + place) for place in range(lines))}
        self._sims = dict(zip(self._phones, _sims(lines), strict=True))

    def map(self, lines: int) -> None:
        """Let so many of its lines be numbers of ours, free and on sale."""
        mapped = dict([*self._phones.items()][:lines])
        self._shop.stock(*mapped.values())
        count(self._shop.numbers.get_many([*mapped.values()]), self._shop.counts)
        self._shop.line_parts.lines.replace(self._source_id, mapped)

    def report(self, st: int) -> Reply:
        """Report all lines in a state, a minute after the last time."""
        self._shop.cloud.clock.advance(minutes=1)
        body = dev_status(*(state(line, st, iccid=sim) for line, sim in self._sims.items())).body
        return self._shop.deliver(self._source_id, None, raw=body)

    @property
    def stored(self) -> Device:
        (device,) = self._shop.line_parts.devices.of_source(self._source_id)
        return device

    @property
    def item_bytes(self) -> int:
        key = {"source_id": {"S": self._source_id}, "device": {"S": self.stored.device}}
        table = self._shop.cloud.env["DEVICES_TABLE"]
        return item_size(self._shop.cloud.client.get_item(TableName=table, Key=key)["Item"])


def _sims(lines: int) -> list[str]:
    """Return the numbers of SIMs (ICCID) that were bought in lots, each of which is numbered in a row."""
    rng = random.Random(16)  # noqa: S311 - repeatable
    sims: list[str] = []
    while len(sims) < lines:
        first = rng.randrange(10**11)
        # The last digit is a check digit.
        sims += [f"894410{first + place:012}{rng.randrange(10)}" for place in range(LOT)]
    return sims[:lines]

"""Row gateways.2: devices that report their lines offline and online to the local stack, and to a pretend cloud for an hour.

There the numbers have to go off sale and come back in time; here nothing changes, and little may be written.
"""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.gateways import Site, Source
from bench.row import Row, Say
from globalconnect.domain.times import MINUTE, SECOND
from local import stack
from simulation.calls import heard
from simulation.clouds import pretend_aws
from simulation.desk import Desk
from simulation.gateways import sample_of
from simulation.gateways.ejoin import dev_status, state
from simulation.gateways.sample import Sent
from simulation.logs import log_to_nowhere
from simulation.shop import Shop

IDS = ("gateways.2",)

_NAME = "lines"
_FIRST_PHONE = 447_472_000_000
_PROVIDER = "ejoin"
_ONLINE, _OFFLINE = 3, 0
# Numbers of the same pool that are no lines of the device: they stay on sale.
_OTHERS = 5
_ANSWERED_SECONDS = 2.0
_ASKED_EVERY = 0.2
_IMPORTED_SECONDS = 120.0

# Of the lines there; mapping all would take most of the time.
_MAPPED = 20
_MINUTES, _REPORTED_EVERY = 60, 20 * SECOND
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"})


@dataclass(frozen=True, slots=True)
class Size:
    """So many lines of a device, and how soon all of them must be off sale, or on again (s)."""

    lines: int
    seconds: float


SIZES = (Size(100, 5.0), Size(1_000, 60.0))


class Turn(NamedTuple):
    """How long a report took to be answered and to be in the counts of GET_SERVICES, since it was sent (s)."""

    answered: float
    counted: float


class Writes(NamedTuple):
    """What was written for reports that changed nothing: calls of DynamoDB in the worst minute, and in all."""

    most: int
    total: int


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Play on a stack of its own; the value is how much of what is claimed is not so."""
    if not set(IDS).intersection(wanted):
        return
    wrong: list[str] = []
    with TemporaryDirectory() as folder:
        try:
            site = Site(stack.up(Path(folder)))
            site.staff("PUT", f"/admin/services/{_NAME}", {"name": _NAME, "reusable": True, "enabled": True})
            key = site.staff("POST", "/admin/partners", {"name": _NAME})["key"]
            turns = {size: _play(site, key, size, wrong) for size in SIZES}
        finally:
            stack.down(Path(folder))
    writes = _unchanged(SIZES[-1].lines)
    if writes.most > 1:
        wrong.append(f"{writes.most} writes in a minute of reports that change nothing")
    for line in wrong:
        progress(f"gateways.2: {line}")
    for size, (off, on) in turns.items():
        progress(
            f"gateways.2: {size.lines:,} lines: offline answered after {off.answered:.2f} s and out of the counts after "
            f"{off.counted:.1f} s, online {on.answered:.2f} s and {on.counted:.1f} s"
        )
    progress(
        f"gateways.2: {writes.total} writes for {_MINUTES} minutes of a report every {_REPORTED_EVERY // SECOND} s"
    )
    found = ", ".join(
        f"{size.lines:,} after {off.counted:.0f} s and {on.counted:.0f} s" for size, (off, on) in turns.items()
    )
    limits = ", ".join(f"{size.lines:,} within {size.seconds:.0f} s" for size in SIZES)
    claim = (
        f"A device's report on all its lines is answered within {_ANSWERED_SECONDS:.0f} s; their numbers are out of the "
        f"counts, none is sold then, and back: {limits} (now {found}); for {SIZES[-1].lines:,} lines that stay as they are "
        f"at most 1 write a minute"
    )
    yield Row("gateways.2", claim, len(wrong), "claims that do not hold", 0, not wrong)


def _play(site: Site, key: str, size: Size, wrong: list[str]) -> tuple[Turn, Turn]:
    """Let a device's lines go offline, buy what there is, let them come back; add what was wrong."""
    operator = f"{size.lines} lines"
    source = _enter(site, operator, size)

    def counted() -> int:
        countries = {one["country"]: one["operatorMap"] for one in site.ask(key, "GET_SERVICES")["countryList"]}
        return int(countries.get(_NAME, {}).get(operator, {}).get(_NAME, 0))

    _wait(counted, size.lines + _OTHERS)
    off = _report(site, source, _OFFLINE, partial(_wait, counted, _OTHERS, 2 * size.seconds))
    sold = set[str]()
    wanted = {"country": _NAME, "operator": operator, "service": _NAME}
    # One that must not be sold is enough.
    while len(sold) <= _OTHERS and (bought := site.ask(key, "GET_NUMBER", **wanted))["status"] == "SUCCESS":
        sold.add(str(bought["number"]))
    left = size.lines + _OTHERS - len(sold)
    on = _report(site, source, _ONLINE, partial(_wait, counted, left, 2 * size.seconds))
    back = site.ask(key, "GET_NUMBER", **wanted).get("number")

    checks = {
        f"{size.lines} lines: offline answered after {off.answered:.1f} s": off.answered <= _ANSWERED_SECONDS,
        f"{size.lines} lines: online answered after {on.answered:.1f} s": on.answered <= _ANSWERED_SECONDS,
        f"{size.lines} lines: out of the counts after {off.counted:.1f} s": off.counted <= size.seconds,
        f"{size.lines} lines: back in the counts after {on.counted:.1f} s": on.counted <= size.seconds,
        f"{size.lines} lines: {len(sold.intersection(source.phones))} sold offline": sold.isdisjoint(source.phones),
        f"{size.lines} lines: {len(sold)} sold of the {_OTHERS} others": len(sold) == _OTHERS,
        f"{size.lines} lines: none sold that is back": back in source.phones,
    }
    wrong += [text for text, holds in checks.items() if not holds]
    return off, on


def _enter(site: Site, operator: str, size: Size) -> Source:
    """Enter a device's numbers, and some others of the same pool; it reports itself once, as it is."""
    sample = sample_of(_PROVIDER)
    first = _FIRST_PHONE + size.lines * 10_000
    phones = [str(first + place) for place in range(size.lines + _OTHERS)]
    source = Source(_PROVIDER, sample, phones[: size.lines])
    added = site.staff("POST", "/admin/sources", {"name": operator, "provider": _PROVIDER, "secret": source.secret})
    source.source_id, source.url = added["sourceId"], added["url"]
    site.staff("POST", "/admin/numbers", [{"phone": one, "country": _NAME, "operator": operator} for one in phones])
    lines = [{"line": line, "phone": phone} for line, phone in source.lines.items()]
    site.staff("PUT", f"/admin/sources/{source.source_id}/lines", lines)
    site.send(source, _all_lines(source.lines, _ONLINE)).raise_for_status()
    return source


def _report(site: Site, source: Source, st: int, wait: Callable[[], None]) -> Turn:
    sent = _all_lines(source.lines, st)
    began = time.monotonic()
    answer = site.send(source, sent)
    answered = time.monotonic() - began
    answer.raise_for_status()
    try:
        wait()
    except TimeoutError:
        return Turn(answered, math.inf)
    return Turn(answered, time.monotonic() - began)


def _all_lines(lines: Mapping[str, str], st: int) -> Sent:
    """Return the report of a device of which all lines are in one state, with SIMs like real ones."""
    sims = {line: f"89441000000{int(phone) % 10**8:08d}" for line, phone in lines.items()}
    return dev_status(*(state(line, st, iccid=sim) for line, sim in sims.items()))


def _wait(counted: Callable[[], int], expected: int, seconds: float = _IMPORTED_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while (now := counted()) != expected:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the counts are {now}, not {expected}")
        time.sleep(_ASKED_EVERY)


def _unchanged(count: int) -> Writes:
    """Let a device report so many lines for an hour that stay as they are; count what is written, wherever."""
    with pretend_aws() as aws, log_to_nowhere():
        shop = Shop(aws.cloud())
        clock, source_id = shop.cloud.clock, shop.source(_PROVIDER)
        phones = [str(_FIRST_PHONE + place) for place in range(count)]
        shop.stock(*phones[:_MAPPED])
        lines = Source(_PROVIDER, sample_of(_PROVIDER), phones).lines
        mapped = [{"line": line, "phone": phone} for line, phone in islice(lines.items(), _MAPPED)]
        Desk(shop.cloud).put(f"/admin/sources/{source_id}/lines", mapped)
        body = _all_lines(lines, _ONLINE).body

        def report() -> None:
            if shop.deliver(source_id, None, raw=body).status != 200:  # noqa: PLR2004 - HTTP's OK
                raise AssertionError("a report was refused")
            shop.settle_lines()

        report()
        minutes: list[int] = []
        with heard(shop.cloud.client, "before-parameter-build.dynamodb") as told:
            for _ in range(_MINUTES):
                told.clear()
                for _ in range(MINUTE // _REPORTED_EVERY):
                    clock.advance(ms=_REPORTED_EVERY)
                    report()
                minutes.append(sum(call["model"].name in _WRITES for call in told))
    return Writes(max(minutes), sum(minutes))

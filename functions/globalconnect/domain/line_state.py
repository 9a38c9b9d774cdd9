"""Whether lines are online: what devices say of them, and what that makes of a number (contract 4, docs/adr/0045)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from globalconnect.domain.ids import SourceId
from globalconnect.domain.number import Number
from globalconnect.domain.source import Line
from globalconnect.domain.times import MINUTE

# Reports that change nothing are noted so often at most; so what they are good for is a little late, too.
NOTED_EVERY = MINUTE
# Of one device, by all names, and their characters together: an item holds 400 KB. Those that went offline long ago make
# room for others.
MOST_NAMES = 10_000
_MOST_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """What a device says of one of its lines: its `name` there (a port, a device's SIM), which `sim` (ICCID) is in it as
    far as told, and whether it is online, None when that is not told. `phone` is the number of ours itself, where the
    gateway names a line by that.
    """

    name: str
    sim: str | None = None
    is_online: bool | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What a device of a source says of its lines at once. Online is good for `good_for` ms, None for good."""

    device: str
    lines: tuple[ReportedLine, ...]
    good_for: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Whether a line is online, and since when (ms) its device has said so. `is_silent`: it says nothing any more."""

    is_online: bool
    since: int
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A device of a source, as its reports tell: `lines` by name, and of each place which SIM was in it last.

    `reported_at` (ms) is at most NOTED_EVERY behind; online is good for `good_for` ms after it, None for good. `silent_since`
    (ms) is since when it is silent, as far as the sweep has noted, which is `silent_is_offline` or unknown.
    """

    source_id: SourceId
    device: str
    reported_at: int
    good_for: int | None = None
    lines: Mapping[str, Said] = field(default_factory=dict)
    sims: Mapping[str, str] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    silent_since: int | None = None
    silent_is_offline: bool = False
    version: int = 0

    @property
    def good_until(self) -> int | None:
        """Until when (ms) its lines are online by its last report, None for good."""
        return None if self.good_for is None else self.reported_at + self.good_for

    def is_overdue(self, now: int) -> bool:
        """Return whether its reports have stopped, as far as is known at `now` (ms)."""
        return self.good_until is not None and now >= self.good_until + NOTED_EVERY

    def says(self, line: str) -> Said | None:
        """Return what it says of a line, else of itself if the line is its own (`dv-19:2` of `dv-19`); None for nothing."""
        said = self.lines.get(line)
        if said is None and line.startswith(f"{self.device}:"):
            said = self.lines.get(self.device)
        if said is None or not said.is_online or self.silent_since is None:
            return said
        return Said(is_online=False, since=self.silent_since, is_silent=True) if self.silent_is_offline else None


def reported(before: Device | None, source_id: SourceId, report: DeviceReport, now: int) -> Device:
    """Return a device after a report that reached us at `now` (ms)."""
    device = before or Device(source_id, report.device, now)
    sims, phones, lines = dict(device.sims), dict(device.phones), dict(device.lines)
    gone: set[str] = set()
    told: dict[str, bool] = {}
    # What is online comes last: one place may be told of several times, for each SIM that it may use.
    for line in sorted(report.lines, key=lambda line: (line.is_online is not False, line.is_online is True)):
        there = sims.get(line.name)
        if line.phone is not None:
            phones[line.name] = line.phone
        if line.sim is not None:
            sims[line.name] = line.sim
        elif line.is_online is False:
            sims.pop(line.name, None)
        if there is not None and (there != line.sim if line.sim is not None else line.is_online is False):
            # Another is in its place, or none.
            gone.add(there)
        if line.is_online is not None:
            # What is not told of is what was there.
            for name in {line.name, line.sim or (there if line.is_online else None)} - {None}:
                told[str(name)] = told.get(str(name), False) or line.is_online
    gone -= {line.sim for line in report.lines if line.sim is not None}
    for name, is_online in (dict.fromkeys(gone, False) | told).items():
        if name not in lines or lines[name].is_online is not is_online:
            lines[name] = Said(is_online, now)
    kept = _kept(lines, {*told, *sims, *sims.values()})
    return replace(
        device,
        reported_at=now,
        # What says nothing of that is a sign of life all the same.
        good_for=device.good_for if report.good_for is None else report.good_for,
        lines=kept,
        sims={place: sim for place, sim in sims.items() if place in kept or sim in kept},
        phones={name: phone for name, phone in phones.items() if name in kept},
        silent_since=None,
        silent_is_offline=False,
    )


def changed_lines(before: Device | None, after: Device | None) -> set[str]:
    """Return the names of lines of which a device says something else than before."""
    devices = [device for device in (before, after) if device is not None]
    names = {name for device in devices for name in device.lines}
    return {name for name in names if len({device and device.says(name) for device in (before, after)}) > 1}


def known_now(said: Said | None, device: Device, alive_at: int | None, now: int) -> Said | None:
    """Return what of something said is known at `now` (ms): not online by reports that have stopped, nor offline before its
    number proved to be alive at `alive_at` (ms).
    """
    if said is None or (said.is_online and device.is_overdue(now)):
        return None
    is_disproved = not said.is_online and alive_at is not None and alive_at > said.since
    return None if is_disproved else said


def state_of(devices: Iterable[Device], line: str) -> Said | None:
    """Return what the devices of a source say of a line: online if one of them does, else what was said last.

    A SIM that moved is offline in one and online in another. None when none says anything.
    """
    return _together(device.says(line) for device in devices)


def state_now(devices: Iterable[Device], line: str, alive_at: int | None, now: int) -> Said | None:
    """Return what of that is known at `now` (ms), of a line whose number was alive at `alive_at` (ms)."""
    return _together(known_now(device.says(line), device, alive_at, now) for device in devices)


def line_by_sms(number: Number) -> Line | None:
    """Return the line of a number that none is mapped to: as the source that its last SMS came by may call it."""
    return None if number.heard_by is None else Line(number.heard_by, number.phone, number.phone)


def _together(said: Iterable[Said | None]) -> Said | None:
    return max((one for one in said if one is not None), key=lambda one: (one.is_online, one.since), default=None)


def _kept(lines: dict[str, Said], current: Collection[str]) -> dict[str, Said]:
    """Return the lines that there is room for: those of now first, then what was online, then the newest."""
    if len(lines) <= MOST_NAMES and sum(map(len, lines)) <= _MOST_CHARACTERS:
        return lines
    kept: dict[str, Said] = {}
    room = _MOST_CHARACTERS
    order = {name: (name in current, said.is_online, said.since) for name, said in lines.items()}
    for name in sorted(lines, key=lambda name: order[name], reverse=True)[:MOST_NAMES]:
        room -= len(name)
        if room >= 0:
            kept[name] = lines[name]
    return kept

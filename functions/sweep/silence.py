"""Who has fallen silent: devices whose lines are offline by that, and sources that should have sent SMS (docs/adr/0045)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched

from globalconnect.domain.provider import PROVIDERS, SILENT_IS_OFFLINE
from globalconnect.domain.silence import FEWEST_SOLD, LEAST_SILENCE, quiet_after
from globalconnect.domain.source import Source
from globalconnect.store.devices import Devices
from globalconnect.store.lines import Lines
from globalconnect.store.numbers import HELD_SHARDS, Numbers
from globalconnect.store.sources import Sources
from globalconnect.store.statistics import SmsGaps

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Silence:
    sources: Sources
    devices: Devices
    lines: Lines
    numbers: Numbers
    gaps: SmsGaps
    now: Callable[[], int]

    def run(self) -> int:
        """Look once; return how many sources are quiet. Idempotent; safe to run concurrently."""
        sources = list(self.sources.every_without_secrets())
        for source in sources:
            if SILENT_IS_OFFLINE in PROVIDERS[source.provider].settings:
                # Of others none is overdue.
                self._look_at_devices(source)
        return sum(self._look_at(source) for source in sources)

    def _look_at_devices(self, source: Source) -> None:
        is_offline = source.settings.get(SILENT_IS_OFFLINE.name) is True
        for device in self.devices.of_source(source.source_id):
            since = device.good_until if device.is_overdue(self.now()) else None
            wanted = (since, is_offline and since is not None)
            if wanted != (device.silent_since, device.silent_is_offline):
                self.devices.note_silence(device, since, is_offline=wanted[1])

    def _look_at(self, source: Source) -> bool:
        since = self._quiet_since(source)
        if since != source.quiet_since:
            self.sources.note_quiet(source, since)
        return since is not None

    def _quiet_since(self, source: Source) -> int | None:
        now = self.now()
        if source.last_sms_at is None or now - source.last_sms_at <= LEAST_SILENCE:
            return None
        if source.quiet_since is not None:
            # Since when stays, whatever the next hour is like.
            return source.quiet_since if self._is_sold(source) else None
        after = quiet_after(self.gaps.at_hour(source.source_id, now))
        is_quiet = after is not None and now - source.last_sms_at > after and self._is_sold(source)
        return source.last_sms_at if is_quiet else None

    def _is_sold(self, source: Source) -> bool:
        """Return whether enough numbers of a source are sold: those that are its lines, and those its SMS last came by."""
        now, held = self.now(), set[str]()
        mapped = [line.phone for line in self.lines.every(source.source_id) if line.phone is not None]
        for phones in batched(mapped, _AT_ONCE, strict=False):
            held |= {number.phone for number in self.numbers.get_many(phones) if number.is_held(now)}
            if len(held) >= FEWEST_SOLD:
                return True
        for shard in HELD_SHARDS:
            for phones in batched(self.numbers.held(shard, now), _AT_ONCE, strict=False):
                held |= self._heard(source, phones)
                if len(held) >= FEWEST_SOLD:
                    return True
        return False

    def _heard(self, source: Source, phones: Sequence[str]) -> set[str]:
        heard = [number.phone for number in self.numbers.get_many(phones) if number.heard_by == source.source_id]
        # Its source is the one that maps it, if one does.
        return {*heard} - self.lines.lines_of(heard).keys()

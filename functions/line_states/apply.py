"""Take numbers off sale whose lines are offline, and put them on sale again (docs/adr/0045).

What is written is what devices say now, not what a record of the stream said: a record may be old. It is read again after
the write, so that of two who write at once the later has seen the newer.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.line_state import Device, Said, changed_lines, line_by_sms, state_of
from globalconnect.domain.number import Number, Offline, OfflineReason
from globalconnect.domain.source import Line
from globalconnect.runtime.logs import Event, log
from globalconnect.store.dynamo import ConditionFailed
from line_states.wiring import Parts

_THREADS = 32
_TRIES = 10

# Numbers to look at, each with the line that a device took for it, None where that isn't known.
type Named = Mapping[str, Line | None]


def named_by(before: Device | None, after: Device | None, parts: Parts) -> Named:
    """Return the numbers of which a device may say something else than before."""
    device = after or before
    if device is None:
        return {}
    source_id, names = device.source_id, changed_lines(before, after)
    phones = {phone: Line(source_id, name, phone) for name, phone in device.phones.items() if name in names}
    mapped = parts.lines.phones(source_id, names)
    found: dict[str, Line | None] = {phone: None for phone in mapped.values() if phone is not None}
    if device.device in names:
        # What is said of a device is said of all its lines.
        found |= {line.phone: None for line in parts.lines.under(source_id, f"{device.device}:") if line.phone}
    return {**found, **phones}


def apply(named: Named, parts: Parts) -> int:
    """Let numbers be offline, or not, as their lines are; return how many changed. Raises Busy when that keeps changing."""
    changed: set[str] = set()
    pending = dict(named)
    for _ in range(_TRIES):
        if not pending:
            break
        numbers = {number.phone: number for number in parts.numbers.get_many([*pending])}
        said = _said(pending, numbers, parts)
        # What was right already when it was read is so.
        wrong = [phone for phone, number in numbers.items() if _wanted(number, said.get(phone)) != number.offline]
        with ThreadPoolExecutor(_THREADS) as threads:
            written = threads.map(partial(_write, parts=parts), [(numbers[phone], said.get(phone)) for phone in wrong])
            changed |= {phone for phone, done in zip(wrong, written, strict=True) if done}
        pending = {phone: pending[phone] for phone in wrong}
    if pending:
        raise Busy
    log(Event.LINES_CHANGED, numbers=len(named), changed=len(changed))
    return len(changed)


def _said(named: Named, numbers: Mapping[str, Number], parts: Parts) -> Mapping[str, Said]:
    """Return what is said of numbers' lines by their devices, by number."""
    lines = {phone: line for phone, line in named.items() if line is not None}
    # A number's source is the one that maps it, else the one its last SMS came by, else any that names it.
    lines.update({phone: line for phone, number in numbers.items() if (line := line_by_sms(number)) is not None})
    lines.update(parts.lines.lines_of([*named]))
    devices = {
        source_id: parts.devices.of_source(source_id) for source_id in {line.source_id for line in lines.values()}
    }
    said = {phone: state_of(devices[line.source_id], line.line) for phone, line in lines.items()}
    return {phone: one for phone, one in said.items() if one is not None}


def _wanted(number: Number, said: Said | None) -> Offline | None:
    """Return whether a number is offline by what is said of its line; what it has disproved since counts no more."""
    if said is None or said.is_online or (number.alive_at is not None and number.alive_at > said.since):
        return None
    return Offline(said.since, _reason(said))


def _reason(said: Said) -> OfflineReason:
    return OfflineReason.SILENT if said.is_silent else OfflineReason.REPORTED


def _write(change: tuple[Number, Said | None], parts: Parts) -> bool:
    number, said = change
    now, wanted = parts.now(), _wanted(number, said)
    with suppress(ConditionFailed):
        if wanted is None:
            parts.numbers.set_online(number, now)
        elif number.activation_id is None or not number.is_held(now):
            parts.numbers.set_offline(number, wanted)
        elif (heard_at := _heard_at(number.activation_id, parts)) is not None and heard_at > wanted.since:
            # It came before this was written.
            parts.numbers.set_online(number, now, heard_at)
        else:
            # First: what breaks off here is done again.
            since = max(wanted.since, number.held_from or 0)
            parts.activations.note_line_offline(number.activation_id, since)
            parts.numbers.set_offline(number, wanted)
        return True
    # It has changed since: it is looked at again.
    return False


def _heard_at(activation_id: ActivationId, parts: Parts) -> int | None:
    """Return when the last SMS of an activation was received (ms), None when none was."""
    sale = parts.activations.sale(activation_id)
    return max((sms.received_at for sms in sale.sms), default=None) if sale is not None else None

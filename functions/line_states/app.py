"""The states of lines: the streams of Devices, Lines and Numbers become numbers that are offline, or not any more (contract 4)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from globalconnect.store import lines, numbers
from globalconnect.store.devices import changed_device
from line_states.apply import Named, apply, named_by
from line_states.wiring import Parts, parts


def follow(event: Mapping[str, Any], parts: Parts) -> None:
    """Bring numbers up to what is said of their lines. A failure is raised: the batch is redelivered, and changes nothing
    twice.
    """
    apply(_named(event["Records"], parts), parts)


def reconcile(parts: Parts) -> None:
    """Bring all numbers up to their lines, whatever the streams have brought: a number may have been put back since, or a
    record given up. Devices whose source is gone are forgotten.
    """
    # What is said of a number is read of all devices of its source: once for each source.
    by_source: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    is_there = cache(parts.sources.has)
    for device in parts.devices.every():
        if is_there(device.source_id):
            by_source[device.source_id] |= named_by(None, device, parts)
        else:
            parts.devices.forget(device.source_id, device.device)
    for named in by_source.values():
        apply(named, parts)


def handler(event: dict[str, Any], _context: object) -> None:
    """Take a batch of a stream, or look at all once an hour."""
    if "Records" in event:
        follow(event, parts())
    else:
        reconcile(parts())


def _named(records: Iterable[Mapping[str, Any]], parts: Parts) -> Named:
    named: dict[str, Any] = {}
    new: list[str] = []
    for record in records:
        change = record["dynamodb"]
        keys = change["Keys"]
        if "device" in keys:
            named |= named_by(changed_device(change.get("OldImage")), changed_device(change.get("NewImage")), parts)
        elif "line" in keys:
            named.setdefault(lines.changed_phone(keys), None)
        else:
            new.append(numbers.changed_phone(keys))
    # Of a number that is new something is known only if it has been mapped.
    return {**parts.lines.lines_of(new), **named}

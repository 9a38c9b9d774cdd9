"""The Devices table: what the devices of gateways say of their lines, one item per device (docs/adr/0045)."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import NOTED_EVERY, Device, DeviceReport, Said, reported
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, Key, expression, from_wire
from globalconnect.store.packing import pack_json, unpack_json

_TRIES = 10
# Of the devices of a page together: a response holds 6 MB.
_MOST_LINES = 10_000


class Devices:
    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def of_source(self, source_id: SourceId) -> list[Device]:
        """Return the devices of a source, as they are now."""
        condition = expression("#source_id = :source", source=source_id)
        return [to_device(item) for item in self._db.query_all(self._table, condition)]

    def page(self, source_id: SourceId, limit: int, cursor: str | None) -> Page[Device]:
        """Return one page of a source's devices, by name: fewer where they have very many lines.

        Raises InvalidInput for a cursor of something else.
        """
        listing = Listing("devices", partial(has, source_id=source_id, device=str), (source_id,))
        condition = expression("#source_id = :source", source=source_id)
        page = self._db.query(self._table, condition, limit=limit, after=listing.key(cursor))
        devices: list[Device] = []
        for device in map(to_device, page.items):
            if devices and sum(len(one.lines) for one in [*devices, device]) > _MOST_LINES:
                return Page(devices, listing.cursor(_key(source_id, devices[-1].device)))
            devices.append(device)
        return Page(devices, listing.cursor(page.next_key))

    def note(self, source_id: SourceId, report: DeviceReport, now: int) -> None:
        """Make a report durable that came at `now` (ms); one that changes nothing only every NOTED_EVERY, and one that is
        read after a newer one not at all.

        Raises Busy when the device keeps reporting in between.
        """
        for attempt in range(_TRIES):
            item = self._db.get(self._table, _key(source_id, report.device))
            before = to_device(item) if item else None
            if before is not None and now < before.reported_at:
                return
            after = reported(before, source_id, report, now)
            is_changed = before is None or _is_changed(before, after)
            if before is not None and not is_changed and now < before.reported_at + NOTED_EVERY:
                return
            if self._write(after, is_changed=is_changed):
                return
            # A pool that loses its power reports each of its lines by itself.
            self._db.wait(attempt)
        raise Busy

    def note_silence(self, device: Device, since: int | None, *, is_offline: bool) -> None:
        """Note since when (ms) a device is silent, None that it isn't, and whether its lines are offline by that.

        One that has reported meanwhile is looked at again in a minute.
        """
        self._write(replace(device, silent_since=since, silent_is_offline=is_offline), is_changed=True)

    def every(self) -> Iterator[Device]:
        return map(to_device, self._db.scan_all(self._table, consistent=True))

    def forget(self, source_id: SourceId, device: str) -> bool:
        """Forget a device; tell whether it was known."""
        try:
            self._db.delete(self._table, _key(source_id, device), expression("attribute_exists(#source_id)"))
        except ConditionFailed:
            return False
        return True

    def remove(self, source_id: SourceId) -> None:
        """Forget a source's devices."""
        for device in self.of_source(source_id):
            self.forget(source_id, device.device)

    def _write(self, device: Device, *, is_changed: bool) -> bool:
        try:
            self._db.put(self._table, to_item(device, is_changed=is_changed), _unchanged(device))
        except ConditionFailed:
            return False
        return True


def changed_device(image: Mapping[str, Any] | None) -> Device | None:
    """Return a device as an image of the table's stream has it, None for no image."""
    if not image:
        return None
    # What is handed to a function is JSON, which spells octets in base64.
    return to_device(from_wire({**image, "lines": {"B": b64decode(image["lines"]["B"])}}))


def _is_changed(before: Device, after: Device) -> bool:
    told = attrgetter("lines", "sims", "phones", "silent_since", "silent_is_offline")
    return bool(told(before) != told(after))


def _unchanged(device: Device) -> Expression:
    if device.version == 0:
        return expression("attribute_not_exists(#source_id)")
    return expression("#version = :version", version=device.version)


def to_item(device: Device, *, is_changed: bool) -> Item:
    # By name, one for each thousand lines would cost as much as they are long: packed, they are a tenth of that.
    said = {name: [int(one.is_online), one.since] for name, one in device.lines.items()}
    return {
        **_key(device.source_id, device.device),
        "reported_at": device.reported_at,
        "good_for": device.good_for,
        "lines": pack_json([said, dict(device.sims), dict(device.phones)]),
        "silent_since": device.silent_since,
        "silent_is_offline": device.silent_is_offline or None,
        # What the stream's reader is called for.
        "is_changed": is_changed,
        "version": device.version + 1,
    }


def to_device(item: Item) -> Device:
    said, sims, phones = unpack_json(item["lines"])
    return Device(
        source_id=item["source_id"],
        device=item["device"],
        reported_at=item["reported_at"],
        good_for=item.get("good_for"),
        lines={name: Said(bool(is_online), since) for name, (is_online, since) in said.items()},
        sims=sims,
        phones=phones,
        silent_since=item.get("silent_since"),
        silent_is_offline=item.get("silent_is_offline", False),
        version=item["version"],
    )


def _key(source_id: SourceId, device: str) -> Key:
    return {"source_id": source_id, "device": device}

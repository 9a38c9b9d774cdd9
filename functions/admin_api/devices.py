"""Devices: what those of gateways say of their lines, and what is known of a line now (contract 5)."""

from collections.abc import Mapping, Sequence
from typing import Self

from admin_api.route import Call, id_in, route
from admin_api.schema import Acknowledgement, NoFields, NoQuery, PageQuery, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import NotFound, existing
from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import Device, Said, known_now, line_by_sms, state_now
from globalconnect.domain.number import Number
from globalconnect.domain.source import Line, Source
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any

# One may have a thousand lines.
_PAGE = 20


class DeviceLineView(View):
    """A line of a device, by its name there: which SIM is in it as far as told, which number of ours it is, whether it is
    online, null when nothing says, and since when; until when its number is sold.
    """

    line: str
    sim: str | None
    phone: str | None
    online: bool | None
    since: Time | None
    sold_until: Time | None


class DeviceView(View):
    """A device of a gateway. `goodUntil` is until when its last report keeps its lines online, null for good; `silentSince`
    is since when its silence keeps them offline. `reportedAt` is at most a minute behind.
    """

    device: str
    reported_at: Time
    good_until: Time | None
    silent_since: Time | None
    lines: list[DeviceLineView]

    @classmethod
    def of(cls, device: Device, numbers: Mapping[str, Number], phones: Mapping[str, str], now: int) -> Self:
        """Return a device as staff see it at `now` (ms), by the `numbers` of ours and the `phones` that its names are."""
        return cls(
            device=device.device,
            reported_at=to_iso(device.reported_at),
            good_until=to_iso_if_any(device.good_until),
            silent_since=to_iso_if_any(device.silent_since),
            lines=[_line_view(device, name, {**device.phones, **phones}, numbers, now) for name in _places(device)],
        )


class DevicePage(View):
    """A page of a gateway's devices, by name."""

    devices: list[DeviceView]
    cursor: str | None


@route(
    "GET",
    "/admin/sources/{sourceId}/devices",
    Role.VIEW,
    "List a gateway's devices that have reported, with what each says of its lines.",
    errors=(404,),
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> DevicePage:
    source_id = source_in(parts, call.path).source_id
    page = parts.inbound.devices.page(source_id, _PAGE, call.query.get("cursor"))
    names = {name for device in page.items for place in _places(device) for name in _names(device, place)}
    phones = {name: phone for name, phone in parts.inbound.lines.phones(source_id, names).items() if phone is not None}
    named = {phone for device in page.items for phone in device.phones.values()}
    numbers = {number.phone: number for number in parts.numbers.get_many(sorted({*phones.values(), *named}))}
    now = parts.now()
    return DevicePage(
        devices=[DeviceView.of(device, numbers, phones, now) for device in page.items], cursor=page.cursor
    )


@route(
    "DELETE",
    "/admin/sources/{sourceId}/devices/{device}",
    Role.STOCK,
    "Forget a device that is gone, and what it said of its lines. One that reports again is there again.",
    action="source.device_removed",
    errors=(404,),
)
def forget(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    source_id = SourceId(id_in(call.path, "sourceId", "source"))
    if not parts.inbound.devices.forget(source_id, call.path["device"]):
        raise NotFound("device")
    return Acknowledgement()


def source_in(parts: Parts, path: Mapping[str, str]) -> Source:
    """Return the source that a path names. Raises NotFound."""
    return existing(parts.sources.find(SourceId(id_in(path, "sourceId", "source"))), "source")


def known_of(parts: Parts, source_id: SourceId, lines: Mapping[str, Number | None]) -> Mapping[str, Said]:
    """Return what is known now of lines of a source, by name, of those of which anything is; takes their numbers."""
    now, devices = parts.now(), parts.inbound.devices.of_source(source_id)
    known = {line: state_now(devices, line, number.alive_at if number else None, now) for line, number in lines.items()}
    return {line: one for line, one in known.items() if one is not None}


def is_online(parts: Parts, number: Number, mapped: Line | None) -> bool | None:
    """Return whether the line of a number is online that is `mapped` to it, if one is; None when nothing says."""
    if number.offline is not None:
        return False
    line = mapped or line_by_sms(number)
    said = None if line is None else known_of(parts, line.source_id, {line.line: number}).get(line.line)
    return True if said is not None and said.is_online else None


def sold_until(number: Number | None, now: int) -> str | None:
    return to_iso(number.available_from) if number is not None and number.is_held(now) else None


def _line_view(
    device: Device, name: str, phones: Mapping[str, str], numbers: Mapping[str, Number], now: int
) -> DeviceLineView:
    phone = next((phones[one] for one in _names(device, name) if one in phones), None)
    number = numbers.get(phone or "")
    said = known_now(device.says(name), device, number.alive_at if number else None, now)
    return DeviceLineView(
        line=name,
        sim=device.sims.get(name),
        phone=phone,
        online=said and said.is_online,
        since=to_iso(said.since) if said else None,
        sold_until=sold_until(number, now),
    )


def _places(device: Device) -> Sequence[str]:
    """Return the names of a device's lines, without those of SIMs that are shown with their places."""
    return sorted(device.lines.keys() - {*device.sims.values()})


def _names(device: Device, place: str) -> Sequence[str]:
    sim = device.sims.get(place)
    return [place] if sim is None else [sim, place]

"""What devices say of their lines (docs/adr/0045)."""

from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import MOST_NAMES, NOTED_EVERY, Device, DeviceReport, ReportedLine, Said, reported
from globalconnect.store.devices import to_item

SOURCE = SourceId("s")


def _after(*reports: tuple[int, DeviceReport]) -> Device:
    device: Device | None = None
    for at, report in reports:
        device = reported(device, SOURCE, report, at)
    assert device is not None
    return device


def _line(name: str, sim: str | None = None, *, is_online: bool | None = True) -> ReportedLine:
    return ReportedLine(name, sim, is_online)


def test_a_report_on_one_line_is_a_sign_of_life_of_its_device() -> None:
    device = _after((0, DeviceReport("a", (_line("1"),), 100)), (80, DeviceReport("a", (_line("2"),))))
    assert (device.good_until, device.is_overdue(179 + NOTED_EVERY), device.is_overdue(180 + NOTED_EVERY)) == (
        180,
        False,
        True,
    )


def test_a_sim_that_moves_within_a_report_is_online_where_it_is() -> None:
    device = _after(
        (0, DeviceReport("a", (_line("1", "x"), _line("2", "y")))),
        (1, DeviceReport("a", (_line("1", "y"), _line("2", is_online=False)))),
    )
    assert {name: said.is_online for name, said in device.lines.items()} == {
        "1": True,
        "2": False,
        "x": False,
        "y": True,
    }
    assert (device.lines["y"], device.lines["x"]) == (Said(is_online=True, since=0), Said(is_online=False, since=1))


def test_a_line_of_which_a_report_does_not_tell_stays_as_it_was() -> None:
    device = _after(
        (0, DeviceReport("a", (_line("1", is_online=False),))),
        (1, DeviceReport("a", (_line("1", "x", is_online=None), _line("2", is_online=None)))),
    )
    assert device.lines == {"1": Said(is_online=False, since=0)}


def test_what_has_been_offline_longest_makes_room_and_a_device_stays_one_item() -> None:
    rng = range(MOST_NAMES)
    first = tuple(_line(f"old {place}", is_online=False) for place in rng)
    second = tuple(_line(f"{place}.01", f"8944{place * 7919:016}", is_online=place % 2 == 0) for place in rng)
    third = tuple(_line(f"{place:0200}") for place in range(3_000))
    device = _after((0, DeviceReport("a", first)), (1, DeviceReport("a", second)))
    assert len(device.lines) == MOST_NAMES
    assert not any(name.startswith("old") for name in device.lines)
    for each in (device, reported(device, SOURCE, DeviceReport("a", third), 2)):
        assert len(to_item(each, is_changed=True)["lines"]) < 350_000


def test_a_place_that_is_told_of_for_each_of_its_sims_is_online_if_one_is() -> None:
    device = _after((0, DeviceReport("a", (_line("5", "x"), _line("5", "y", is_online=False)))))
    assert {name: said.is_online for name, said in device.lines.items()} == {"5": True, "x": True, "y": False}
    assert device.sims == {"5": "x"}
    other_way = _after((0, DeviceReport("a", (_line("5", "y", is_online=False), _line("5", "x", is_online=None)))))
    assert "x" not in other_way.lines


def test_what_is_said_of_a_place_without_its_sim_is_said_of_the_sim_that_was_there() -> None:
    device = _after((0, DeviceReport("a", (_line("5", "x", is_online=False),))), (1, DeviceReport("a", (_line("5"),))))
    assert device.lines["x"] == Said(is_online=True, since=1)

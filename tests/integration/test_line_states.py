"""Numbers follow their lines: off sale while these are offline, and nobody else's withdrawal (contract 4, docs/adr/0045)."""

import json
from collections.abc import Mapping, Sequence

import pytest

from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import NOTED_EVERY, DeviceReport, ReportedLine
from globalconnect.domain.number import OfflineReason
from globalconnect.domain.partner import Partner
from globalconnect.domain.statistics import BOUNDS, quantile
from globalconnect.domain.times import DAY, HOUR, to_iso
from globalconnect.store.pool_counts import PoolCountsStore
from simulation.aws import START
from simulation.desk import Desk
from simulation.shop import OPERATOR, Shop

PHONES = ["447472190081", "447472190082", "447472190083"]
PORTS = ["1.01", "1.02", "1.03"]
EXPIRES = 180_000


@pytest.fixture(autouse=True)
def _stock(shop: Shop) -> None:
    shop.sell("tg", "wa")
    shop.stock(*PHONES)


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop.cloud)


@pytest.fixture
def source(shop: Shop, desk: Desk) -> str:
    return _pool(shop, desk)


def _pool(shop: Shop, desk: Desk, ports: Mapping[str, str] | None = None, **settings: str | bool) -> str:
    source = shop.source("ejoin", settings)
    lines = [{"line": port, "phone": phone} for port, phone in (ports or dict(zip(PORTS, PHONES, strict=True))).items()]
    assert desk.put(f"/admin/sources/{source}/lines", lines).status == 200
    shop.settle_lines()
    return source


def _status(port: str, st: int, iccid: str = "") -> dict[str, object]:
    return {"port": port, "st": st, "iccid": iccid, "active": 1}


def _report(shop: Shop, source: str, *status: Mapping[str, object], mac: str = "00-30-f1-00-00-01") -> None:
    told = {"type": "dev-status", "seq": 1, "expires": EXPIRES // 1000, "mac": mac, "status": status}
    assert shop.deliver(source, told).body == {"code": 200, "reason": "OK"}
    shop.settle_lines()


def _online(desk: Desk, phones: Sequence[str] = PHONES) -> list[bool | None]:
    return [desk.get(f"/admin/numbers/{phone}").body["online"] for phone in phones]


def _free(shop: Shop) -> int:
    shop.project()
    (pool,) = PoolCountsStore(shop.cloud.db, shop.cloud.env["AVAILABILITY_TABLE"], 0, shop.cloud.clock).all()
    return pool.for_sale("tg")


def _bought(shop: Shop, partner: Partner) -> set[str]:
    """Buy all that there is."""
    found: set[str] = set()
    while (reply := shop.buy(partner)).body["status"] == "SUCCESS":
        found.add(str(reply.body["number"]))
    return found


def test_a_number_whose_line_is_offline_is_not_sold_until_the_line_is_back(shop: Shop, desk: Desk, source: str) -> None:
    assert _online(desk) == [None, None, None]
    _report(shop, source, _status("1.01", 3), _status("1.02", 0))
    assert (_online(desk), _free(shop)) == ([True, False, None], 2)
    assert _bought(shop, shop.partner()) == {PHONES[0], PHONES[2]}
    shop.cloud.clock.advance(minutes=1)
    _report(shop, source, _status("1.02", 3))
    assert _bought(shop, shop.partner()) == {PHONES[1]}


@pytest.mark.parametrize("first", ["withdrawn", "offline"])
def test_withdrawn_and_offline_are_two_facts_and_an_import_lifts_neither(
    shop: Shop, desk: Desk, source: str, first: str
) -> None:
    path, phone = f"/admin/numbers/{PHONES[0]}", PHONES[0]

    def withdraw() -> None:
        assert desk.patch(path, {"enabled": False}).body["enabled"] is False

    def lose() -> None:
        _report(shop, source, _status("1.01", 0))

    for step in (withdraw, lose) if first == "withdrawn" else (lose, withdraw):
        step()
    shop.move(phone, "another")
    assert [desk.get(path).body[name] for name in ("enabled", "online", "operator")] == [False, False, "another"]
    if first == "withdrawn":
        desk.patch(path, {"enabled": True})
        assert [desk.get(path).body[name] for name in ("enabled", "online")] == [True, False]
        shop.move(phone)
        assert phone not in _bought(shop, shop.partner())
        _report(shop, source, _status("1.01", 3))
    else:
        _report(shop, source, _status("1.01", 3))
        assert [desk.get(path).body[name] for name in ("enabled", "online")] == [False, True]
        shop.move(phone)
        assert phone not in _bought(shop, shop.partner())
        desk.patch(path, {"enabled": True})
    assert phone in _bought(shop, shop.partner())


def test_what_is_sold_runs_on_and_is_marked(shop: Shop, desk: Desk, source: str) -> None:
    partner = shop.partner()
    sold = shop.buy(partner).body
    activation_id, phone = sold["activationId"], str(sold["number"])
    port = PORTS[PHONES.index(phone)]
    shop.cloud.clock.advance(minutes=5)
    for _ in range(2):
        _report(shop, source, _status(port, 0))
        shop.cloud.clock.advance(minutes=1)
        _report(shop, source, _status(port, 3))
    kept = desk.get(f"/admin/activations/{activation_id}").body
    assert (kept["state"], kept["lineOfflineAt"]) == ("live", to_iso(START + 300_000))
    _report(shop, source, _status(port, 0))
    shop.deliver(source, {"type": "recv-sms", "sms": [[0, port, START // 1000 + 600, "Bank", "", "NTAxNQ=="]]})
    assert [one["text"] for one in shop.messages(partner, activation_id).body["messages"]] == ["5015"]
    assert shop.finish(partner, activation_id, 5).body["status"] == "SUCCESS"


def test_an_sms_that_arrives_puts_its_line_online_and_one_from_before_does_not(
    shop: Shop, desk: Desk, source: str
) -> None:
    shop.cloud.clock.advance(minutes=10)
    _report(shop, source, _status("1.01", 0))
    shop.cloud.clock.advance(minutes=10)
    old = [0, "1.01", START // 1000, "Bank", "", "b2xk"]
    shop.deliver(source, {"type": "recv-sms", "sms": [old]})
    assert _online(desk)[0] is False
    shop.deliver(source, {"type": "recv-sms", "sms": [[0, "1.01", START // 1000 + 1_100, "Bank", "", "bmV3"]]})
    # Its device says what it said before: that is known better now.
    _report(shop, source, _status("1.01", 0), _status("1.02", 3))
    path = f"/admin/sources/{source}/lines"
    for phone in (None, PHONES[0]):
        desk.patch(path, {"lines": {"1.01": phone}})
        shop.settle_lines()
        assert _online(desk)[0] is not False
    assert PHONES[0] in _bought(shop, shop.partner())
    _report(shop, source, _status("1.01", 3))
    shop.cloud.clock.advance(minutes=1)
    _report(shop, source, _status("1.01", 0))
    assert _online(desk)[0] is False


def test_staff_put_a_line_online(shop: Shop, desk: Desk, source: str) -> None:
    _report(shop, source, _status("1.01", 0))
    shop.cloud.clock.advance(seconds=1)
    path = f"/admin/numbers/{PHONES[0]}"
    assert desk.post(f"{path}/online", {}).body["offline"] is None
    _report(shop, source, _status("1.01", 0), _status("1.02", 3))
    assert desk.get(path).body["online"] is None
    listed = desk.get(f"/admin/sources/{source}/lines").body["lines"]
    (device,) = desk.get(f"/admin/sources/{source}/devices").body["devices"]
    for line in (listed[0], device["lines"][0]):
        assert (line["line"], line["online"], line["since"]) == ("1.01", None, None)
    assert desk.post(f"{path}/online", {}).status == 200
    assert desk.post("/admin/numbers/447472190089/online", {}).status == 404


def test_a_sim_is_known_wherever_it_is_plugged_in(shop: Shop, desk: Desk) -> None:
    sims = {"8944100000000000011": PHONES[0], "8944100000000000012": PHONES[1]}
    source = _pool(shop, desk, sims)
    first, second = sims
    _report(shop, source, _status("1.01", 3, first), _status("1.02", 3, second))
    assert _online(desk)[:2] == [True, True]
    # Out of its place; then in another device.
    _report(shop, source, _status("1.01", 0))
    assert _online(desk)[:2] == [False, True]
    _report(shop, source, _status("2.01", 3, first), mac="00-30-f1-00-00-02")
    assert _online(desk)[:2] == [True, True]
    _report(shop, source, _status("2.01", 3, second), _status("1.02", 3, second), mac="00-30-f1-00-00-02")
    assert _online(desk)[:2] == [False, True]


def test_online_whose_reports_stop_is_unknown_and_sells(shop: Shop, desk: Desk, source: str) -> None:
    _report(shop, source, *(_status(port, 3) for port in PORTS))
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY)
    shop.silence()
    shop.settle_lines()
    assert _online(desk) == [None, None, None]
    assert _bought(shop, shop.partner()) == {*PHONES}


def test_where_silence_is_offline_it_takes_lines_off_sale_until_the_device_reports_or_staff_change_that(
    shop: Shop, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _pool(shop, desk, silent_is_offline=True)
    _report(shop, source, *(_status(port, 3) for port in PORTS))
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY - 1)
    shop.silence()
    shop.settle_lines()
    assert _free(shop) == 3
    shop.cloud.clock.advance(ms=1)
    shop.silence()
    shop.settle_lines()
    assert (_online(desk), _free(shop)) == ([False, False, False], 0)
    assert shop.numbers.get(PHONES[0]).offline.reason is OfflineReason.SILENT  # type: ignore[union-attr]
    # More than 20 % of their pool, which raises an alarm.
    shop.measure()
    assert '"LinesInTrouble":[1.0]' in capsys.readouterr().out
    _report(shop, source, _status("1.01", 3))
    assert (_online(desk), _free(shop)) == ([True, True, True], 3)
    shop.measure()
    assert "LinesInTrouble" not in capsys.readouterr().out
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY)
    shop.silence()
    shop.settle_lines()
    assert _free(shop) == 0
    desk.patch(f"/admin/sources/{source}", {"settings": {"silentIsOffline": False}})
    shop.silence()
    shop.settle_lines()
    assert _free(shop) == 3


def test_reports_that_change_nothing_are_written_once_a_minute_and_move_no_number(
    shop: Shop, desk: Desk, source: str
) -> None:
    _report(shop, source, _status("1.01", 3))
    versions = [number.version for number in shop.all_numbers()]

    def device() -> object:
        (found,) = shop.inbound_parts.devices.of_source(SourceId(source))
        return found.version

    before = device()
    for _ in range(6):
        shop.cloud.clock.advance(seconds=20)
        _report(shop, source, _status("1.01", 3))
    assert device() == before + 2  # type: ignore[operator]
    assert [number.version for number in shop.all_numbers()] == versions


def test_lines_follow_their_mapping(shop: Shop, desk: Desk, source: str) -> None:
    _report(shop, source, _status("1.01", 0), _status("1.02", 3), _status("1.09", 0))
    path = f"/admin/sources/{source}/lines"
    desk.patch(path, {"lines": {"1.01": PHONES[1], "1.02": PHONES[0]}})
    shop.settle_lines()
    assert _online(desk) == [True, False, None]
    desk.patch(path, {"lines": {"1.09": PHONES[2]}})
    assert desk.patch(path, {"lines": {"1.03": None, "1.09": PHONES[2]}}).status == 200
    shop.settle_lines()
    assert _online(desk) == [True, False, False]
    # Of a source that is gone nothing is known.
    assert desk.delete(f"/admin/sources/{source}").status == 200
    shop.settle_lines()
    assert _online(desk) == [None, None, None]


def test_what_a_telephone_says_of_itself_holds_for_its_lines(shop: Shop, desk: Desk) -> None:
    source = shop.source("smsgate", {"silent_is_offline": True})
    desk.put(f"/admin/sources/{source}/lines", [{"line": "dv-19:1", "phone": PHONES[0]}])
    report = DeviceReport("dv-19", (ReportedLine("dv-19", is_online=True),), EXPIRES)
    shop.inbound_parts.devices.note(SourceId(source), report, shop.cloud.clock())
    shop.settle_lines()
    assert _online(desk)[:2] == [True, None]
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY)
    shop.silence()
    shop.settle_lines()
    assert _online(desk)[:2] == [False, None]


def test_a_gateway_may_name_a_line_by_its_number(shop: Shop, desk: Desk) -> None:
    source = shop.source("httpsms")
    for is_online in (False, True):
        line = ReportedLine(PHONES[0], phone=PHONES[0], is_online=is_online)
        shop.inbound_parts.devices.note(SourceId(source), DeviceReport(PHONES[0], (line,)), shop.cloud.clock())
        shop.settle_lines()
        assert (PHONES[0] in _bought(shop, shop.partner())) is is_online


def test_pools_and_numbers_that_are_offline_are_listed(shop: Shop, desk: Desk, source: str) -> None:
    _report(shop, source, _status("1.01", 0), _status("1.03", 0))
    shop.project()
    (pool,) = desk.get("/admin/pools").body["pools"]
    assert (pool["operator"], pool["total"], pool["free"], pool["offline"]) == (OPERATOR, 3, 1, 2)
    listed = desk.get("/admin/numbers", ("online", "false")).body["numbers"]
    assert [one["phone"] for one in listed] == [PHONES[0], PHONES[2]]
    assert desk.get("/admin/numbers", ("online", "false"), ("country", "france")).body["numbers"] == []
    assert {one["offline"]["reason"] for one in listed} == {"reported"}


def test_a_source_shows_its_devices_and_its_lines_with_what_is_said_of_them(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.buy(shop.partner(), exceptionPhoneSet=PHONES[1:]).body
    until = to_iso(START + 3_600_000)
    assert sold["status"] == "SUCCESS"
    _report(shop, source, _status("1.01", 3, "8944"), _status("1.02", 0), _status("7.01", 3))
    (device,) = desk.get(f"/admin/sources/{source}/devices").body["devices"]
    lines = device.pop("lines")
    assert device == {
        "device": "00-30-f1-00-00-01",
        "reportedAt": to_iso(START),
        "goodUntil": to_iso(START + EXPIRES),
        "silentSince": None,
    }
    at = to_iso(START)
    assert [[*line.values()] for line in lines] == [
        ["1.01", "8944", PHONES[0], True, at, until],
        ["1.02", None, PHONES[1], False, at, None],
        ["7.01", None, None, True, at, None],
    ]
    listed = desk.get(f"/admin/sources/{source}/lines").body["lines"]
    assert [[line["line"], line["online"], line["since"], line["soldUntil"]] for line in listed] == [
        ["1.01", True, at, until],
        ["1.02", False, at, None],
        ["1.03", None, None, None],
    ]
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY)
    (device,) = desk.get(f"/admin/sources/{source}/devices").body["devices"]
    assert [line["online"] for line in device["lines"]] == [None, False, None]
    listed = desk.get(f"/admin/sources/{source}/lines").body["lines"]
    assert [line["online"] for line in listed] == [None, False, None]
    number = desk.get(f"/admin/numbers/{PHONES[1]}").body
    assert (number["sourceId"], number["line"]) == (source, "1.02")


# ---------------------------------------------------------------- sources that are quiet


def _send(shop: Shop, source: str, phone: str) -> None:
    at = str(shop.cloud.clock())
    assert shop.deliver(source, {"phone": phone, "from": "a", "text": at, "id": at}).status == 200


def test_the_gaps_between_a_sources_sms_are_known_for_seven_days_at_each_hour(shop: Shop) -> None:
    source = SourceId(shop.source())
    for seconds in (0, *[20] * 9, *[350] * 3):
        shop.cloud.clock.advance(seconds=seconds)
        _send(shop, source, PHONES[0])
    began = START // HOUR * HOUR
    known = shop.inbound_parts.gaps.at_hour(source, began + DAY)
    # What comes within a minute after one that was noted is close to it.
    assert (sum(known.values()), quantile(known, 0.5)) == (12, BOUNDS[0])
    assert 350_000 <= (quantile(known, 1) or 0) <= 350_000 * 1.25
    assert shop.inbound_parts.gaps.at_hour(source, began + 7 * DAY) == known
    assert shop.inbound_parts.gaps.at_hour(source, began + 8 * DAY) == {}
    assert shop.inbound_parts.gaps.at_hour(source, began + DAY + HOUR) == {}


def test_a_source_is_quiet_that_sends_nothing_for_long_while_five_of_its_numbers_are_sold(
    shop: Shop, desk: Desk
) -> None:
    source, partner = shop.source(), shop.partner()
    path = f"/admin/sources/{source}"
    mine = [f"447472190{place}" for place in range(200, 205)]
    shop.stock(*mine)
    shop.inbound_parts.gaps.note(SourceId(source), shop.cloud.clock() - DAY, 20_000, 60)
    # Three by their last SMS, two by their lines, of which one had its last SMS by another gateway.
    for phone in mine[:3]:
        _send(shop, source, phone)
    _send(shop, shop.source(), mine[3])
    desk.put(f"{path}/lines", [{"line": "1", "phone": mine[3]}, {"line": "2", "phone": mine[4]}])
    last = shop.cloud.clock()
    assert len(_bought(shop, partner)) == 8
    for minutes, quiet in ((15, 0), (0.001, 1)):
        shop.cloud.clock.advance(minutes=minutes)
        assert shop.silence() == quiet
    assert [one["quietSince"] for one in desk.get("/admin/sources").body["sources"]].count(to_iso(last)) == 1
    assert desk.get(path).body["lastSmsAt"] == to_iso(last)
    _send(shop, source, mine[0])
    assert (desk.get(path).body["quietSince"], shop.silence()) == (None, 0)
    # One of them is another's now: four are too few.
    _send(shop, shop.source(), mine[1])
    shop.cloud.clock.advance(minutes=16)
    assert shop.silence() == 0
    assert desk.get(path).body["quietSince"] is None


# ---------------------------------------------------------------- how much a report may be


def _many(shop: Shop, source: str, lines: int, indent: int | None = None) -> int:
    states = [
        {**_status(f"{place // 4 + 1}.{place % 4 + 1:02}", 3, f"89441{place:014}"), "opr": "O" * 120}
        for place in range(lines)
    ]
    told = {"type": "dev-status", "expires": 180, "mac": "00-30", "status": states}
    return shop.deliver(source, None, raw=json.dumps(told, indent=indent).encode()).status


def test_a_device_reports_a_thousand_lines_at_once_however_it_writes_them(shop: Shop, desk: Desk, source: str) -> None:
    assert _many(shop, source, 1_000, indent=4) == 200
    (device,) = desk.get(f"/admin/sources/{source}/devices").body["devices"]
    assert len(device["lines"]) == 1_000
    assert desk.get(f"/admin/sources/{source}").body["lastHeardAt"] == to_iso(START)
    (item,) = shop.cloud.db.scan_all(shop.cloud.env["DEVICES_TABLE"], consistent=True)
    assert len(bytes(item["lines"])) < 20_000


def test_what_is_larger_is_413_and_noted(shop: Shop, desk: Desk, source: str) -> None:
    assert _many(shop, source, 5_000, indent=40) == 413
    sms = {"type": "recv-sms", "sms": [[0, "1.01", 1, "a", "", "YQ=="]], "filler": "x" * 300_000}
    assert shop.deliver(source, sms).status == 413
    problem = desk.get(f"/admin/sources/{source}").body["lastUnreadable"]
    assert problem["reason"].startswith("body: expected at most")
    assert desk.get(f"/admin/sources/{source}/devices").body["devices"] == []


# ---------------------------------------------------------------- what comes late, or not at all


def test_a_number_is_offline_that_is_imported_after_its_line_was_reported(shop: Shop, desk: Desk) -> None:
    late = "447472190099"
    source = _pool(shop, desk, {"9.01": late})
    _report(shop, source, _status("9.01", 0))
    shop.stock(late)
    shop.settle_lines()
    assert late not in _bought(shop, shop.partner())


def test_once_an_hour_numbers_follow_their_lines_whatever_the_streams_brought(
    shop: Shop, desk: Desk, source: str
) -> None:
    _report(shop, source, _status("1.01", 0), _status("1.02", 3))
    # As a copy of the table had it.
    (number,) = shop.numbers.get_many(PHONES[:1])
    shop.numbers.set_online(number, shop.cloud.clock())
    gone = SourceId("gone")
    shop.inbound_parts.devices.note(gone, DeviceReport("a", ()), shop.cloud.clock())
    shop.reconcile_lines()
    assert _online(desk) == [False, True, None]
    assert shop.inbound_parts.devices.of_source(gone) == []


def test_what_a_device_said_that_is_gone_keeps_no_line_online(shop: Shop, desk: Desk) -> None:
    source = _pool(shop, desk, {"8944": PHONES[0]})
    _report(shop, source, _status("1.01", 3, "8944"), mac="old")
    shop.cloud.clock.advance(minutes=1)
    _report(shop, source, _status("7.01", 0, "8944"), mac="new")
    assert _online(desk)[0] is True
    shop.cloud.clock.advance(ms=EXPIRES + NOTED_EVERY)
    _report(shop, source, _status("7.01", 0, "8944"), mac="new")
    shop.silence()
    shop.settle_lines()
    assert PHONES[0] not in _bought(shop, shop.partner())
    path = f"/admin/sources/{source}/devices"
    assert desk.delete(f"{path}/new").status == 200
    assert desk.delete(f"{path}/new").status == 404
    shop.settle_lines()
    assert _online(desk)[0] is None
    assert [one["device"] for one in desk.get(path).body["devices"]] == ["old"]


def test_silence_that_ends_in_offline_is_offline_since_then(shop: Shop, desk: Desk) -> None:
    source = _pool(shop, desk, silent_is_offline=True)
    _report(shop, source, _status("1.01", 3))
    shop.cloud.clock.advance(minutes=30)
    shop.silence()
    shop.settle_lines()
    _report(shop, source, _status("1.01", 0))
    offline = desk.get(f"/admin/numbers/{PHONES[0]}").body["offline"]
    assert offline == {"since": to_iso(shop.cloud.clock()), "reason": "reported"}
    # What it kept while it was away is older than that.
    old = [0, "1.01", START // 1000 + 600, "Bank", "", "b2xk"]
    shop.deliver(source, {"type": "recv-sms", "sms": [old]})
    assert _online(desk)[0] is False


def test_an_sms_to_a_buyer_that_comes_before_offline_is_written_disproves_it(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.buy(shop.partner()).body
    port = PORTS[PHONES.index(str(sold["number"]))]
    shop.deliver(source, {"type": "dev-status", "status": [_status(port, 0)]})
    shop.cloud.clock.advance(seconds=2)
    shop.deliver(source, {"type": "recv-sms", "sms": [[0, port, shop.cloud.clock() // 1000, "Bank", "", "bmV3"]]})
    shop.settle_lines()
    assert _online(desk, [str(sold["number"])]) == [None]
    assert desk.get(f"/admin/activations/{sold['activationId']}").body["lineOfflineAt"] is None


def test_what_staff_say_counts_against_what_is_not_written_yet(shop: Shop, desk: Desk, source: str) -> None:
    shop.deliver(source, {"type": "dev-status", "status": [_status("1.01", 0)]})
    shop.cloud.clock.advance(seconds=1)
    assert desk.post(f"/admin/numbers/{PHONES[0]}/online", {}).status == 200
    shop.settle_lines()
    assert _online(desk)[0] is None


def test_a_repeat_without_a_time_proves_nothing(shop: Shop, desk: Desk, source: str) -> None:
    generic, sms = shop.source(), {"phone": PHONES[0], "from": "a", "text": "b", "id": "1"}
    shop.deliver(generic, sms)
    _report(shop, source, _status("1.01", 0))
    shop.cloud.clock.advance(seconds=1)
    shop.deliver(generic, sms)
    assert _online(desk)[0] is False
    # To the second, which has not ended.
    row = [0, "1.01", shop.cloud.clock() // 1000, "a", "", "bmV3"]
    shop.deliver(source, {"type": "recv-sms", "sms": [row]})
    assert _online(desk)[0] is None


def test_a_report_that_is_read_late_changes_nothing_that_is_newer(shop: Shop, desk: Desk, source: str) -> None:
    _report(shop, source, _status("1.01", 3))
    report = DeviceReport("00-30-f1-00-00-01", (ReportedLine("1.01", is_online=False),))
    shop.inbound_parts.devices.note(SourceId(source), report, START - 1)
    shop.settle_lines()
    assert _online(desk)[0] is True


def test_an_unmapped_number_follows_the_source_of_its_last_sms(shop: Shop, desk: Desk) -> None:
    former, present = shop.source("httpsms"), shop.source("httpsms")
    shop.deliver(shop.source(), {"phone": PHONES[0], "from": "a", "text": "b", "id": "1"})
    (number,) = shop.numbers.get_many(PHONES[:1])
    shop.numbers.note_heard_by(number, SourceId(present))
    for source, is_online in ((present, True), (former, False)):
        line = ReportedLine(PHONES[0], phone=PHONES[0], is_online=is_online)
        shop.inbound_parts.devices.note(SourceId(source), DeviceReport(PHONES[0], (line,)), shop.cloud.clock())
        shop.settle_lines()
    assert _online(desk)[0] is True


def test_a_number_that_comes_back_is_found_where_all_before_it_is_used_up(shop: Shop, source: str) -> None:
    partner = shop.partner()
    _report(shop, source, _status("1.01", 0))
    for phone in PHONES[1:]:
        sold = shop.buy(partner).body
        assert str(sold["number"]) != PHONES[0], phone
        shop.finish(partner, sold["activationId"], 3)
    shop.cloud.clock.advance(minutes=5)
    assert shop.buy(partner).body["status"] == "NO_NUMBERS"
    _report(shop, source, _status("1.01", 3))
    (number,) = shop.numbers.get_many(PHONES[:1])
    assert number.available_from == shop.cloud.clock()

"""Rules of the contract that need a clock, a broken table or a look at what is read, and that no other test guards."""

import re

import pytest

from globalconnect.domain.activation import LONGEST_LIFETIME
from globalconnect.domain.times import HOUR, MINUTE
from simulation.aws import TEMPLATE
from simulation.calls import heard
from simulation.desk import Desk
from simulation.failing import WRITES, Fault, failing_cloud
from simulation.shop import COUNTRY, Shop

PHONE = "447472190082"
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
SMS = {"phone": PHONE, "from": "Microsoft", "text": "Code: 5015"}


# ---------------------------------------------------------------- 1 and 2: partners


def test_somebody_elses_activation_costs_the_same_reads_as_none(shop: Shop) -> None:
    shop.stock(PHONE)
    activation_id = shop.buy(shop.partner()).body["activationId"]
    stranger = shop.partner()
    seen = []
    for asked in (activation_id, activation_id + 1):
        with heard(shop.cloud.client, "before-parameter-build.dynamodb") as told:
            assert [shop.finish(stranger, asked, 3).status, shop.messages(stranger, asked).status] == [404, 404]
        seen.append(
            [(call["model"].name, call["params"].get("TableName"), call["params"].get("IndexName")) for call in told]
        )
    theirs, nobodys = seen
    assert theirs == nobodys


def test_counts_lag_by_an_expired_number_for_135_seconds_at_most(shop: Shop) -> None:
    (sweep,) = TEMPLATE["Resources"]["ExpireActivationsFunction"]["Properties"]["Events"].values()
    # A schedule starts within its minute, so two runs are less than 120 s apart.
    assert sweep["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    shop.stock(PHONE)
    shop.buy(shop.partner())
    shop.cloud.clock.advance(minutes=60, ms=-1)
    shop.sweep()
    shop.cloud.clock.advance(seconds=119)
    # The sweep takes what has ended by its own time, without any grace of its own.
    shop.sweep()
    shop.project()
    (country,) = shop.call(shop.partner(), "GET_SERVICES").body["countryList"]
    assert all(count == 1 for counts in country["operatorMap"].values() for count in counts.values())


@pytest.mark.parametrize(
    ("parameter", "default"),
    [
        ("ActivationMinutes", 60),
        ("RestMinutes", 0),
        ("CancelLimit", 5),
        ("MaxLive", 0),
        ("LongestHoldHours", 24),
        ("PushMaxAgeMinutes", 0),
    ],
)
def test_a_deployment_that_says_nothing_has_the_defaults_of_the_contract(parameter: str, default: int) -> None:
    assert TEMPLATE["Parameters"][parameter]["Default"] == default


def test_no_activation_lives_longer_than_live_ones_are_looked_for() -> None:
    most = {name: TEMPLATE["Parameters"][name]["MaxValue"] for name in ("ActivationMinutes", "LongestHoldHours")}
    longest = max(most["ActivationMinutes"] * MINUTE, most["LongestHoldHours"] * HOUR)
    assert longest == LONGEST_LIFETIME


def test_a_revoked_key_that_is_remembered_by_getsms_works_for_the_cache_time_at_most(shop: Shop) -> None:
    shop.stock(PHONE)
    remembering = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    partner = remembering.partner()
    assert remembering.messages(partner, 1).status == 404
    shop.partners.revoke(partner.partner_id, shop.cloud.clock())
    shop.cloud.clock.advance(seconds=60)
    assert remembering.messages(partner, 1).body == INVALID_KEY


def test_no_deployment_can_remember_a_key_for_longer_than_sixty_seconds() -> None:
    assert TEMPLATE["Parameters"]["CacheSeconds"]["MaxValue"] <= 60


def test_a_sale_and_its_messages_are_marked_for_the_purge_that_the_template_asks_for(shop: Shop) -> None:
    days = TEMPLATE["Parameters"]["RetentionDays"]["Default"]
    for table in ("ActivationsTable", "InboxTable"):
        purge = TEMPLATE["Resources"][table]["Properties"]["TimeToLiveSpecification"]
        assert purge == {"AttributeName": "expire_at", "Enabled": True}
    shop.stock(PHONE)
    shop.buy(shop.partner())
    shop.deliver(shop.source(), SMS)
    shop.deliver(shop.source(), {**SMS, "phone": "447000000000"})
    shop.deliver(shop.source(), None, raw=b"rubbish")
    purged_at = {"N": str(shop.cloud.clock() // 1_000 + days * 24 * 60 * 60)}
    for table, count in (("ACTIVATIONS_TABLE", 2), ("INBOX_TABLE", 5)):
        items = shop.cloud.client.scan(TableName=shop.cloud.env[table])["Items"]
        assert [item["expire_at"] for item in items] == [purged_at] * count


def test_a_number_that_is_withdrawn_while_held_keeps_getting_its_buyers_sms(shop: Shop) -> None:
    shop.stock(PHONE)
    partner, activation_id = shop.sold()
    shop.numbers.withdraw(PHONE)
    shop.deliver(shop.source(), SMS)
    assert shop.messages(partner, activation_id).body["status"] == "SUCCESS"


# ---------------------------------------------------------------- 4: gateways


def test_an_sms_that_could_not_be_made_durable_is_not_acknowledged(shop: Shop) -> None:
    shop.stock(PHONE)
    (partner, activation_id), source = shop.sold(), shop.source()
    broken = Shop(failing_cloud(shop.cloud, lambda called: Fault.UNHEARD if called in WRITES else None))
    for sms in (SMS, {**SMS, "phone": "447000000000"}):
        assert broken.deliver(source, sms).refusal[0] >= 500
    assert shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    # The gateway tries again, and then it is there.
    assert shop.deliver(source, SMS).status == 200
    assert shop.messages(partner, activation_id).body["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "raw",
    [b"\xff" * 90_000, b"\xff" * 200_000, b"\xff" * (256 * 1024), b"\\" * (256 * 1024), "я".encode() * (128 * 1024)],
    ids=["90 KB of no text", "200 KB of no text", "256 KB of no text", "256 KB of backslashes", "256 KB of Cyrillic"],
)
def test_an_unreadable_payload_of_any_size_we_take_is_400_and_kept(shop: Shop, desk: Desk, raw: bytes) -> None:
    assert shop.deliver(shop.source(), None, raw=raw).status == 400
    assert len(desk.get("/admin/unreadable").body["payloads"]) == 1


@pytest.mark.parametrize(
    "received",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T12:00:00+23:59", "1969-12-31T23:59:59Z",
     "9999-12-31T23:59:59-23:59", "2024-02-29T23:59:60Z"],
)  # fmt: skip
def test_no_time_of_receipt_that_we_take_keeps_staff_from_their_inbox(shop: Shop, desk: Desk, received: str) -> None:
    taken = shop.deliver(shop.source(), {**SMS, "receivedAt": received})
    assert taken.status in {200, 400}
    page, things = ("unclaimed", "messages") if taken.status == 200 else ("unreadable", "payloads")
    (shown,) = desk.get(f"/admin/{page}").body[things]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", shown.get("receivedAt", shown["storedAt"]))


# ---------------------------------------------------------------- 5: operators


def test_every_page_of_an_operators_numbers_holds_its_own_and_none_of_a_longer_name(desk: Desk) -> None:
    own = {operator: [f"44747219{place}{n:03}" for n in range(101)] for place, operator in enumerate(("O2", "O2#4"))}
    for operator, phones in own.items():
        for phone in phones:
            desk.stocked(phone, COUNTRY, operator)
    for operator, phones in own.items():
        listed = desk.all_pages("/admin/numbers", "numbers", ("country", COUNTRY), ("operator", operator))
        assert [number["phone"] for number in listed] == phones

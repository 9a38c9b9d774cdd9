"""Rules of the contract that need a clock, a broken table or a look at what is read, and that no other test guards."""

import re
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from simulation.aws import TEMPLATE
from simulation.calls import heard
from simulation.desk import Desk
from simulation.shop import COUNTRY, Reply, Shop

PHONE = "447472190082"
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
SMS = {"phone": PHONE, "from": "Microsoft", "text": "Code: 5015"}
_ASKED = "before-parameter-build.dynamodb"


class NotWriting:
    """A client of DynamoDB that can be read from and not written to."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        """Return an operation, or one that fails."""
        if operation.startswith(("get_", "batch_get_", "query", "scan")):
            return getattr(self._client, operation)

        def fail(**_: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="the table")

        return fail


def _over(shop: Shop, client: Any, **overrides: str) -> Shop:
    """Return a shop over the same tables, by another client."""
    return Shop(shop.cloud.over(client), overrides)


# ---------------------------------------------------------------- 1 and 2: partners


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_a_sum_that_is_no_text_is_no_reason_to_refuse_and_staff_can_look_at_the_sale(shop: Shop, text: str) -> None:
    shop.stock(PHONE)
    bought = shop.buy(shop.partner(), sum=text, currency=text)
    assert bought.body["status"] == "SUCCESS"
    desk = Desk(shop.cloud)
    assert desk.get(f"/admin/activations/{bought.body['activationId']}").status == 200
    assert desk.get("/admin/activations").status == 200


@pytest.mark.parametrize("field", ["country", "operator", "service"])
def test_a_name_that_is_no_text_never_reaches_the_tables(shop: Shop, field: str) -> None:
    partner = shop.partner()
    with heard(shop.cloud.client, _ASKED) as told:
        reply = shop.buy(partner, **{"service": "tg", field: "\ud800"})
    assert reply.status in {200, 400}
    if reply.status == 200:
        assert reply.body == {"status": "NO_NUMBERS"}
        assert {call["params"]["TableName"] for call in told} <= {shop.cloud.env["PARTNERS_TABLE"]}


def test_somebody_elses_activation_costs_the_same_reads_as_none(shop: Shop) -> None:
    shop.stock(PHONE)
    activation_id = shop.buy(shop.partner()).body["activationId"]
    stranger = shop.partner()
    seen: list[list[tuple[str, Any, Any]]] = []
    for asked in (activation_id, activation_id + 1):
        with heard(shop.cloud.client, _ASKED) as told:
            assert shop.finish(stranger, asked, 3).status == 404
            assert shop.messages(stranger, asked).status == 404
        seen.append(
            [(call["model"].name, call["params"].get("TableName"), call["params"].get("IndexName")) for call in told]
        )
    theirs, nobodys = seen
    assert theirs == nobodys


def test_counts_lag_by_an_expired_number_for_135_seconds_at_most(shop: Shop) -> None:
    functions = TEMPLATE["Resources"]
    (sweep,) = functions["ExpireActivationsFunction"]["Properties"]["Events"].values()
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


def test_the_lifetime_is_sixty_minutes_unless_a_deployment_says_otherwise() -> None:
    parameters = TEMPLATE["Parameters"]
    assert parameters["ActivationMinutes"]["Default"] == 60
    assert parameters["CancelLimit"]["Default"] == 5
    assert parameters["PushMaxAgeMinutes"]["Default"] == 0


def test_a_revoked_key_that_is_remembered_by_getsms_works_for_the_cache_time_at_most(shop: Shop) -> None:
    shop.stock(PHONE)
    remembering = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    revoked, rotated = remembering.partner(), remembering.partner()
    for partner in (revoked, rotated):
        assert remembering.messages(partner, 1).status == 404
    shop.partners.revoke(revoked.partner_id, shop.cloud.clock())
    shop.partners.rotate_key(rotated.partner_id, f"gc_{rotated.partner_id}_new")
    shop.cloud.clock.advance(seconds=60)
    for partner in (revoked, rotated):
        assert remembering.messages(partner, 1).body == INVALID_KEY


def test_no_deployment_can_remember_a_key_for_longer_than_sixty_seconds() -> None:
    assert TEMPLATE["Parameters"]["CacheSeconds"]["MaxValue"] <= 60


def test_a_sale_and_its_messages_are_marked_for_the_purge_that_the_template_asks_for(shop: Shop) -> None:
    template = TEMPLATE
    days = template["Parameters"]["RetentionDays"]["Default"]
    for table in ("ActivationsTable", "InboxTable"):
        purge = template["Resources"][table]["Properties"]["TimeToLiveSpecification"]
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
    broken = _over(shop, NotWriting(shop.cloud.client))
    for sms in (SMS, {**SMS, "phone": "447000000000"}):
        refused = broken.deliver(source, sms)
        assert refused.status >= 500
        assert refused.body["status"] == "ERROR"
    assert shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    # The gateway tries again, and then it is there.
    assert shop.deliver(source, SMS).status == 200
    assert shop.messages(partner, activation_id).body["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "raw",
    [b"\xff" * 90_000, b"\xff" * 200_000, b"\xff" * (256 * 1024), b"\\" * (256 * 1024), "я".encode() * (128 * 1024)],
    ids=["90 KB of no text", "200 KB of no text", "256 KB of no text", "256 KB of backslashes", "256 KB of Cyrillic"],
)
def test_an_unreadable_payload_of_any_size_we_take_is_400_and_kept(shop: Shop, raw: bytes) -> None:
    assert shop.deliver(shop.source(), None, raw=raw).status == 400
    kept = shop.inbound_parts.inbox.unreadable(100, None, shop.cloud.clock()).items
    assert len(kept) == 1
    assert Desk(shop.cloud).get("/admin/unreadable").status == 200


@pytest.mark.parametrize(
    "received",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T12:00:00+23:59", "1969-12-31T23:59:59Z",
     "9999-12-31T23:59:59-23:59", "2024-02-29T23:59:60Z"],
)  # fmt: skip
def test_no_time_of_receipt_that_we_take_keeps_staff_from_their_inbox(shop: Shop, received: str) -> None:
    desk = Desk(shop.cloud)
    source = shop.source()
    taken = shop.deliver(source, {**SMS, "receivedAt": received})
    assert taken.status in {200, 400}
    listed = desk.get("/admin/unclaimed" if taken.status == 200 else "/admin/unreadable")
    assert listed.status == 200
    shown = listed.body["messages" if taken.status == 200 else "payloads"]
    assert len(shown) == 1
    if taken.status == 200:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", shown[0]["receivedAt"])


# ---------------------------------------------------------------- 5: operators


def test_the_numbers_of_an_operator_are_its_own_and_not_those_of_a_longer_name(shop: Shop) -> None:
    desk = Desk(shop.cloud)
    for phone, operator in (("447472190001", "O2"), ("447472190002", "O2#4"), ("447472190003", "O2 UK")):
        desk.stocked(phone, COUNTRY, operator)
    for phone, operator in (("447472190001", "O2"), ("447472190002", "O2#4")):
        listed: Reply | Any = desk.get("/admin/numbers", ("country", COUNTRY), ("operator", operator))
        assert [number["phone"] for number in listed.body["numbers"]] == [phone]


def test_every_page_of_an_operators_numbers_leads_to_the_next_beside_a_longer_name(shop: Shop) -> None:
    desk = Desk(shop.cloud)
    own = [f"44747219{n:04}" for n in range(101)]
    for phone in own:
        desk.stocked(phone, COUNTRY, "O2")
    for n in range(101):
        desk.stocked(f"44747218{n:04}", COUNTRY, "O2#4")
    listed = desk.all_pages("/admin/numbers", "numbers", ("country", COUNTRY), ("operator", "O2"))
    assert [number["phone"] for number in listed] == own

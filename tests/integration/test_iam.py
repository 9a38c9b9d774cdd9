"""Each function may do what it does, and nothing else: its statements in template.yaml are its calls, exactly."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from globalconnect.domain.ids import SmsId, SourceId
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.number import Offline, OfflineReason
from globalconnect.domain.sms import Attempt, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import DAY, MINUTE
from globalconnect.inbound.waiting import place_waiting
from globalconnect.runtime.aws import kms_client
from globalconnect.store.projection import counted_as
from recount.recount import Recount
from simulation.aws import START, TEMPLATE
from simulation.calls import heard
from simulation.clouds import Moto
from simulation.desk import Desk, NoAccounts
from simulation.meanwhile import crossed
from simulation.office import FAILED, Office
from simulation.shop import OPERATOR, Reply, Shop

PHONES = [f"4474721900{n:02}" for n in range(9)]
RESOURCES = TEMPLATE["Resources"]

type Permission = tuple[str, str]


def _statements(function: str, *conditions: str) -> list[dict[str, Any]]:
    """Return what a function is allowed when these conditions of the template hold and no others."""
    policies = RESOURCES[function]["Properties"].get("Policies", [])
    given = [policy.get("If", [None, policy]) for policy in policies]
    return [
        statement
        for condition, policy, *_ in given
        if condition is None or condition in conditions
        for statement in policy["Statement"]
    ]


def _stated(function: str) -> set[Permission]:
    """Return the (action, table or index) pairs that a function's statements allow on DynamoDB."""
    allowed = {
        (action, _named(resource))
        for statement in _statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith("dynamodb:")
    }
    # Streams are read by Lambda, not by the functions.
    return {(action, name) for action, name in allowed if "/stream" not in name and not name.endswith("StreamArn")}


def _named(resource: dict[str, str]) -> str:
    return (resource.get("GetAtt") or resource["Sub"]).replace("${", "").replace("}", "").replace(".Arn", "")


def _condition(function: str, action: str, table: str = "PartnersTable") -> dict[str, Any]:
    """Return the condition on which a function may do something to partners, or what is in another table."""
    (condition,) = [
        statement["Condition"]
        for statement in _statements(function)
        if {"GetAtt": f"{table}.Arn"} in statement["Resource"] and action in statement["Action"]
    ]
    return dict(condition)


def _made(shop: Shop, do: Callable[[], object]) -> set[Permission]:
    """Return the pairs that something needs, by the calls it makes."""
    return {
        (f"dynamodb:{action}", name)
        for operation, params in _calls(shop, do)
        for action, name in _needed(operation, params)
    }


def _calls(shop: Shop, do: Callable[[], object]) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls that something makes: operations with their parameters."""
    with heard(shop.cloud.client, "provide-client-params.dynamodb") as told:
        do()
    return [(call["model"].name, call["params"]) for call in told]


def _needed(operation: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    match operation:
        case "TransactWriteItems":
            actions = [next(iter(item.items())) for item in params["TransactItems"]]
            names = {
                "Put": "PutItem",
                "Update": "UpdateItem",
                "ConditionCheck": "ConditionCheckItem",
                "Delete": "DeleteItem",
            }
            return [(names[kind], action["TableName"]) for kind, action in actions]
        case "BatchExecuteStatement":
            tables = [re.findall(r'^UPDATE "([^"]+)"', asked["Statement"]) for asked in params["Statements"]]
            return [("PartiQLUpdate", table) for (table,) in tables]
        case "BatchGetItem" | "BatchWriteItem":
            return [(operation, table) for table in params["RequestItems"]]
        case _:
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            return [(operation, params["TableName"] + index)]


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.stock(*PHONES)
    shop.project()
    return shop


def test_partner_api(stocked: Shop) -> None:
    partner = stocked.partner(max_live=9)
    Desk(stocked.cloud).put(f"/admin/partners/{partner.partner_id}/names", {"countries": {"a": "b"}})

    def sell() -> None:
        stocked.call(partner, "GET_SERVICES")
        stocked.buy(partner, "nothing")
        for operator, status in ((OPERATOR, 1), ("any", 3), (OPERATOR, 4), (OPERATOR, 5)):
            activation_id = stocked.buy(partner, operator=operator).body["activationId"]
            stocked.finish(partner, activation_id, status)
            stocked.finish(partner, activation_id, 5)
        while stocked.buy(partner).body["status"] == "SUCCESS":
            pass

    assert _made(stocked, sell) == _stated("PartnerApiFunction")


def test_who_sells_may_write_of_a_partner_that_it_polls_and_of_statistics_what_it_counts(stocked: Shop) -> None:
    partner = stocked.partner()

    def sell_out() -> None:
        stocked.call(partner, "GET_SERVICES")
        while stocked.buy(partner).body["status"] == "SUCCESS":
            pass

    (poll, counted) = (params for operation, params in _calls(stocked, sell_out) if operation == "UpdateItem")
    assert _condition("PartnerApiFunction", "dynamodb:UpdateItem") == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["partner_id", "last_polled_at"]},
        "StringEquals": {"dynamodb:ReturnValues": "NONE"},
    }
    assert {*poll["Key"], *poll["ExpressionAttributeNames"].values()} == {"partner_id", "last_polled_at"}
    assert poll.get("ReturnValues", "NONE") == "NONE"
    assert _condition("PartnerApiFunction", "dynamodb:UpdateItem", "StatisticsTable") == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["sold_out#*"]}
    }
    assert counted["Key"]["kind"] == {"S": f"sold_out#{partner.partner_id}"}


def test_getsms(stocked: Shop) -> None:
    partner, activation_id = stocked.sold()
    assert _made(stocked, lambda: stocked.messages(partner, activation_id)) == _stated("GetsmsFunction")


def test_partner_page(stocked: Shop) -> None:
    partner, desk = stocked.partner(max_live=9), Desk(stocked.cloud)
    desk.put(f"/admin/partners/{partner.partner_id}/names", {"countries": {"a": "b"}})
    url = desk.post(f"/admin/partners/{partner.partner_id}/link").body["url"]

    def ask() -> None:
        assert stocked.follow_link(url.partition("#")[2]).status == 200
        for service, operator in (("nothing", OPERATOR), ("tg", "any"), ("tg", "nobody's")):
            stocked.explain(partner.key, service, operator=operator)
        stocked.poll_on_page(partner.key, 5)
        stocked.own_forms(partner.key)

    assert _made(stocked, ask) == _stated("PartnerPageFunction")


def test_the_page_may_read_no_signing_secret_or_push_url_and_write_only_that_a_link_is_taken(stocked: Shop) -> None:
    partner = stocked.partner(push_url="https://hub.example/")
    stocked.forget_digest(partner)
    url = Desk(stocked.cloud).post(f"/admin/partners/{partner.partner_id}/link").body["url"]

    def ask() -> None:
        stocked.explain(partner.key)
        stocked.poll_on_page(partner.key, 5)
        stocked.own_forms(partner.key)
        stocked.follow_link(url.partition("#")[2])

    calls = [(operation, params) for operation, params in _calls(stocked, ask) if "Partners" in str(params)]
    named: dict[str, set[str]] = {}
    for operation, params in calls:
        named.setdefault(operation, set()).update((*params["Key"], *params["ExpressionAttributeNames"].values()))
    read, write = (_condition("PartnerPageFunction", f"dynamodb:{one}") for one in ("GetItem", "UpdateItem"))
    assert named == {
        operation: set(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])
        for operation, condition in (("GetItem", read), ("UpdateItem", write))
    }
    assert read["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
    assert write["StringEquals"] == {"dynamodb:ReturnValues": "NONE"}
    assert {"signing_secrets", "push_url"} & named["GetItem"] == set()
    assert {"key", "key_sha256", "revoked_at"} & named["UpdateItem"] == set()
    assert all(params.get("ReturnValues", "NONE") == "NONE" for _, params in calls)


def test_inbound_sms(stocked: Shop) -> None:
    partner, source = stocked.partner(), stocked.source()
    held, finished = stocked.buy(partner).body["number"], stocked.buy(partner).body
    stocked.cloud.clock.advance(minutes=1)
    stocked.finish(partner, finished["activationId"], 5)
    # So somebody held it when the SMS arrived.
    stocked.cloud.clock.advance(ms=-1)
    pool = stocked.source("ejoin")
    (lost,) = stocked.numbers.get_many([PHONES[-2]])
    stocked.numbers.set_offline(lost, Offline(START, OfflineReason.REPORTED))

    def deliver() -> None:
        for phone in (held, held, PHONES[-1]):
            stocked.deliver(source, {"phone": phone, "from": "a", "text": "b", "id": phone})
        stocked.deliver(source, "rubbish")
        stocked.deliver(source, {"phone": finished["number"], "from": "a", "text": "b"})
        stocked.deliver(source, {"line": "1A", "from": "a", "text": "c"})
        stocked.deliver(pool, {"type": "dev-status", "status": [{"port": "1.01", "st": 3}]})
        stocked.cloud.clock.advance(minutes=2)
        stocked.deliver(source, {"phone": lost.phone, "from": "a", "text": "d"})

    assert _made(stocked, deliver) == _stated("InboundSmsFunction")


def test_admin_api(stocked: Shop) -> None:
    partner, desk = stocked.partner(push_url="https://hub.example/"), Desk(stocked.cloud, user_pool=NoAccounts())
    sold = [stocked.buy(partner).body for _ in range(3)]
    stocked.deliver(stocked.source(), {"phone": sold[0]["number"], "from": "a", "text": "b"})
    for bought, outcome in zip(sold[1:], (1, 4), strict=True):
        stocked.finish(partner, bought["activationId"], outcome)
    pool = stocked.source("ejoin")
    stocked.deliver(pool, {"type": "dev-status", "status": [{"port": "1.01", "st": 0}]})
    (lost,) = stocked.numbers.get_many([PHONES[-1]])
    stocked.numbers.set_offline(lost, Offline(START - 1, OfflineReason.REPORTED))
    of_partner, lift = f"/admin/partners/{partner.partner_id}", {"reason": "a test"}
    asked: list[Callable[[], Reply]] = [
        lambda: desk.patch(of_partner, {"name": "Hub", "version": 0}),
        lambda: desk.get(f"{of_partner}/activity"),
        lambda: desk.put(f"{of_partner}/names", {"services": {"tg": "telegram"}}),
        lambda: desk.get(f"{of_partner}/preview"),
        lambda: desk.get("/admin/dialects/smshub/names"),
        lambda: desk.get(f"/admin/activations/{sold[0]['activationId']}"),
        lambda: desk.get("/admin/activations", ("service", "tg"), ("state", "live")),
        lambda: desk.get("/admin/activations", ("state", "overdue")),
        lambda: desk.get("/admin/pools"),
        lambda: desk.get("/admin/sources"),
        lambda: desk.get(f"/admin/sources/{pool}"),
        lambda: desk.get(f"/admin/sources/{pool}/devices"),
        lambda: desk.get(f"/admin/sources/{pool}/lines"),
        lambda: desk.delete(f"/admin/sources/{pool}/devices/device"),
        lambda: desk.patch(f"/admin/sources/{pool}/lines", {"lines": {"1.01": PHONES[-1]}}),
        lambda: desk.get(f"/admin/numbers/{PHONES[-1]}"),
        lambda: desk.get("/admin/numbers", ("online", "false")),
        lambda: desk.post(f"/admin/numbers/{PHONES[-1]}/online"),
        lambda: desk.delete(f"/admin/sources/{pool}"),
        lambda: desk.get("/admin/unclaimed"),
        lambda: desk.get("/admin/audit"),
        lambda: desk.post(f"/admin/numbers/{sold[1]['number']}/lift-marks", {"service": "tg", **lift}),
        lambda: desk.post(f"{of_partner}/lift-marks", {"since": "2020-01-01T00:00:00Z", **lift}),
        lambda: desk.get("/admin/staff"),
        lambda: desk.patch("/admin/staff/view", {"role": "owner"}),
        lambda: desk.delete("/admin/staff/view"),
    ]
    import_id = desk.post("/admin/imports", {"fileName": "numbers.csv"}).body["importId"]
    for part in (1, 1, 2):
        content = f"phone,country,operator\n{PHONES[part]},x,y\n"
        asked.append(partial(desk.send_part, import_id, part, content))
    asked += [partial(desk.get, f"/admin/imports{path}") for path in (f"/{import_id}", f"/{import_id}/rejected", "")]
    asked.append(lambda: desk.post(f"/admin/imports/{import_id}/finish"))
    replies: list[Reply] = []
    made = _made(stocked, lambda: replies.extend(ask() for ask in asked))
    made |= _made(stocked, lambda: desk.post("/admin/imports", {"fileName": "more.csv"}))
    stated = _stated("AdminApiFunction")
    assert {reply.status for reply in replies} == {200}
    assert made <= stated
    assert {pair for pair in stated if pair[1] in {"AuditTable", "ImportsTable", "StaffTable"}} <= made


def test_availability(shop: Shop) -> None:
    shop.stock(*PHONES)
    partner = shop.partner()
    shop.buy(partner)
    # A partner's count is read only when a recount is looking at it.
    looked_at = {"partner_id": partner.partner_id, "held": 0, "version": 1, "recount": "tonight"}
    shop.cloud.db.put(shop.cloud.env["HOLDERS_TABLE"], looked_at)
    reading = {("dynamodb:Scan", "NumbersTable")}
    assert _made(shop, shop.project) - reading == _stated("AvailabilityFunction")


def test_recount(stocked: Shop) -> None:
    number = stocked.all_numbers()[0]
    ghost = counted_as(replace(number, phone="447472190099"))
    stocked.counts.write([], [ghost], {})
    stocked.numbers.withdraw(PHONES[1])
    partner = stocked.partner()
    stocked.buy(partner)
    stocked.project()
    stocked.buy(partner)
    recount = Recount(stocked.numbers, stocked.counts, lambda: "this", lambda _: None)
    assert _made(stocked, recount.run) == _stated("RecountFunction")
    assert stocked.counts.counted([ghost.phone]) == {}


def test_line_states(stocked: Shop) -> None:
    held = str(stocked.buy(stocked.partner()).body["number"])
    source = SourceId(stocked.source("ejoin"))
    stocked.inbound_parts.lines.replace(source, {"1.01": held})
    made: set[Permission] = set()
    for is_online in (False, True, False):
        for name in ("1.01", "a"):
            report = DeviceReport("a", (ReportedLine(name, is_online=is_online),))
            stocked.inbound_parts.devices.note(source, report, stocked.cloud.clock())
        made |= _made(stocked, stocked.settle_lines)
    stocked.inbound_parts.devices.note(SourceId("gone"), DeviceReport("a", ()), stocked.cloud.clock())
    made |= _made(stocked, stocked.reconcile_lines)
    assert made == _stated("LineStatesFunction")


def _fall_silent(shop: Shop) -> SourceId:
    """Let a source be quiet, and its device silent; returns the source."""
    source = SourceId(shop.source("ejoin", {"silent_is_offline": True}))
    report = DeviceReport("a", (ReportedLine("1.01", is_online=True),), 1)
    shop.inbound_parts.devices.note(source, report, shop.cloud.clock())
    shop.inbound_parts.lines.replace(source, {"1.01": PHONES[-1]})
    partner = shop.partner()
    for _ in range(6):
        phone = str(shop.buy(partner).body["number"])
        shop.deliver(source, {"type": "recv-sms", "sms": [[0, "9", 1, "a", phone, "YQ=="]]})
    shop.inbound_parts.gaps.note(source, shop.cloud.clock() - DAY, MINUTE, 60)
    shop.cloud.clock.advance(minutes=16)
    return source


def test_sweep(stocked: Shop) -> None:
    partner = stocked.partner()
    held = stocked.buy(partner).body["number"]
    stocked.deliver(stocked.source(), {"phone": held, "from": "a", "text": "b"})
    ended = stocked.buy(partner).body
    source = stocked.source()
    for line in ("1A", "2B", "3C"):
        stocked.deliver(source, {"line": line, "from": "a", "text": "b", "id": line})
    stocked.cloud.clock.advance(minutes=1)
    stocked.finish(partner, ended["activationId"], 5)
    mapped = {"1A": held, "2B": ended["number"]}
    stocked.inbound_parts.lines.replace(SourceId(source), mapped)

    def sweep() -> None:
        # One whose line another environment maps in between.
        stocked.inbound_parts = replace(calm, inbox=crossed(calm.inbox, "waiting", lambda: place_waiting(calm, 1_000)))
        stocked.sweep()

    calm = stocked.inbound_parts
    stocked.cloud.clock.advance(ms=-1)
    made = _made(stocked, sweep)
    stocked.cloud.clock.advance(minutes=60)
    made |= _made(stocked, stocked.sweep)
    _fall_silent(stocked)
    assert made | _made(stocked, stocked.silence) == _stated("ExpireActivationsFunction")


def test_the_sweep_may_read_neither_a_partners_key_nor_its_secrets(stocked: Shop) -> None:
    held = stocked.buy(stocked.partner()).body["number"]
    stocked.deliver(stocked.source(), {"phone": held, "from": "a", "text": "b"})
    stocked.cloud.clock.advance(minutes=60)
    reads = [params["RequestItems"] for _, params in _calls(stocked, stocked.sweep) if "RequestItems" in params]
    asked = [tables["PartnersTable"] for tables in reads if "PartnersTable" in tables]
    assert len(asked) == 2
    assert all("ProjectionExpression" in one for one in asked)
    named = {name for one in asked for name in one["ExpressionAttributeNames"].values()}
    condition = _condition("ExpireActivationsFunction", "dynamodb:BatchGetItem")
    assert named == set(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])
    assert condition["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
    assert {"key", "signing_secrets"} & named == set()


def test_the_sweep_may_read_no_secret_of_a_source_and_write_only_that_it_is_quiet(stocked: Shop) -> None:
    stocked.deliver(stocked.source(), {"line": "1A", "from": "a", "text": "b"})
    calls = _calls(stocked, stocked.sweep)
    _fall_silent(stocked)
    calls += _calls(stocked, stocked.silence)
    asked = [(operation, one) for operation, one in calls if one.get("TableName", "").endswith("SourcesTable")]
    named = {operation: {*one.get("Key", ()), *one["ExpressionAttributeNames"].values()} for operation, one in asked}
    assert named["GetItem"] == {"source_id"}
    for operation in ("Scan", "UpdateItem"):
        condition = _condition("ExpireActivationsFunction", f"dynamodb:{operation}", "SourcesTable")
        assert named[operation] == set(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])
    assert {"secret", "former_secrets"} & {name for names in named.values() for name in names} == set()
    condition = _condition("ExpireActivationsFunction", "dynamodb:Scan", "SourcesTable")
    assert condition["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
    assert all("ReturnValues" not in one for operation, one in asked if operation == "UpdateItem")


def test_hourly_counts(stocked: Shop) -> None:
    assert _made(stocked, stocked.measure) == _stated("HourlyStatisticsFunction")


@pytest.mark.parametrize("function", ["PartnerApiFunction", "GetsmsFunction"])
def test_who_sells_to_a_partner_may_read_neither_its_secrets_nor_its_push_url(stocked: Shop, function: str) -> None:
    partner = stocked.partner(push_url="https://hub.example/")
    stocked.forget_digest(partner)
    calls = _calls(stocked, lambda: stocked.call(partner, "GET_SERVICES"))
    reads = [params for operation, params in calls if operation == "GetItem"]
    of_partner = [params for params in reads if params["TableName"].endswith("PartnersTable")]
    named = {name for params in of_partner for name in (*params["Key"], *params["ExpressionAttributeNames"].values())}
    condition = _condition(function, "dynamodb:GetItem")
    attributes = condition.pop("ForAllValues:StringEquals")
    assert named == set(attributes["dynamodb:Attributes"])
    assert condition == {"StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}
    assert {"signing_secrets", "push_url"} & named == set()
    assert all("ProjectionExpression" in params for params in of_partner)


@pytest.mark.parametrize("function", ["PushSmsFunction", "PushRetryFunction"])
def test_pushes(stocked: Shop, function: str) -> None:
    partner = stocked.partner(push_url="https://hub.example/")
    bought = stocked.buy(partner).body
    stocked.deliver(stocked.source(), {"phone": bought["number"], "from": "a", "text": "b"})
    (sms,) = stocked.messages(partner, bought["activationId"]).body["messages"]
    ref = SmsRef(bought["activationId"], SmsId(int(sms["smsId"])))

    def push() -> None:
        # What the delivery routine asks of the tables; tests/integration/test_pusher.py shows it at work.
        pushes, now = stocked.pushes, stocked.cloud.clock()
        (claimed,) = pushes.claim([ref], now)
        assert isinstance(claimed, Sms)
        stocked.partners.many({partner.partner_id})
        stocked.partners.note_slow(partner.partner_id, now)
        stocked.partners.note_success(partner.partner_id, now)
        pushes.open_among({ref.activation_id})
        pushes.keep_attempts([(claimed, Attempt(1, now, 5, "delivered", 200, "ok"))])
        pushes.settle([PushEnd(claimed, PushState.DELIVERED, now)])

    assert _made(stocked, push) == _stated(function)


@pytest.mark.parametrize("function", ["PushSmsFunction", "PushRetryFunction"])
def test_pushes_may_write_of_a_partner_what_they_note_and_be_given_nothing_back(stocked: Shop, function: str) -> None:
    partner = stocked.partner()

    def note() -> None:
        stocked.partners.note_slow(partner.partner_id, 1)
        stocked.partners.note_success(partner.partner_id, 1)

    updates = [params for operation, params in _calls(stocked, note) if operation == "UpdateItem"]
    # What IAM takes for the attributes of a request: those of its key, and all that its expressions name.
    named = {name for params in updates for name in (*params["Key"], *params["ExpressionAttributeNames"].values())}
    condition = _condition(function, "dynamodb:UpdateItem")
    assert condition == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["partner_id", "slow_until", "last_success_at"]},
        "StringEquals": {"dynamodb:ReturnValues": "NONE"},
    }
    assert named == set(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])
    assert {params.get("ReturnValues", "NONE") for params in updates} == {"NONE"}


KMS_CONDITIONS = ("HasSecretsKey", "EncryptsSecrets")


def _stated_on_kms(function: str, *conditions: str) -> set[Permission]:
    """Return the (action, key of the encryption context) pairs that a function's statements allow with the stack's key."""
    stated = [one for one in _statements(function, *conditions) if one["Action"][0].startswith("kms:")]
    assert all(one["Resource"] == [{"GetAtt": "SecretsKey.Arn"}] for one in stated)
    return {
        (action, key)
        for one in stated
        for action in one["Action"]
        for key in one["Condition"]["ForAnyValue:StringEquals"]["kms:EncryptionContextKeys"]
    }


def test_only_who_needs_keys_or_secrets_may_decrypt_or_encrypt_and_exactly_what_it_does(
    moto: Moto, secrets_key: str
) -> None:
    client: Any = kms_client()
    cloud = moto.cloud(KEY_ENCRYPTION="on", SECRETS_KEY=secrets_key, CACHE_SECONDS="0")
    shop = Shop(replace(cloud, kms=lambda: client))
    shop.sell("tg")
    desk, partner, source = Desk(shop.cloud), shop.partner(push_url="https://hub.example/"), shop.source()

    def made(do: Callable[[], object]) -> set[Permission]:
        with heard(client, "provide-client-params.kms") as told:
            do()
        return {(f"kms:{call['model'].name}", key) for call in told for key in call["params"]["EncryptionContext"]}

    def manage() -> None:
        desk.post(f"/admin/partners/{partner.partner_id}/rotate-key")
        desk.admin.partners.secrets(desk.admin.partners.get(partner.partner_id), 0)
        desk.post(f"/admin/sources/{source}/secret")

    url = desk.post(f"/admin/partners/{shop.partner().partner_id}/link").body["url"]
    token = url.partition("#")[2]
    with Office(shop) as office:
        does: dict[str, Callable[[], object]] = {
            "PushSmsFunction": office.first_push,
            "PushRetryFunction": office.retry,
            "InboundSmsFunction": lambda: shop.deliver(source, []),
            "AdminApiFunction": manage,
            "PartnerPageFunction": lambda: shop.follow_link(token),
        }
        office.hub.answers = [FAILED]
        calls = {function: made(do) for function, do in does.items()}
    functions = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"]
    assert {name: found for name in functions if (found := _stated_on_kms(name, *KMS_CONDITIONS))} == calls
    assert all(_stated_on_kms(name) == set() for name in functions)
    # While it ends, nothing is encrypted any more.
    assert _stated_on_kms("AdminApiFunction", "HasSecretsKey") == {
        ("kms:Decrypt", "partner"),
        ("kms:Decrypt", "source"),
    }

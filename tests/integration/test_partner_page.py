"""The page for partners: links that hand out a key once, and why there is no number (contract 1.8)."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from globalconnect.domain.activation import Activation
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.partner import Partner, digest_of, in_clear
from globalconnect.domain.staff import Role
from globalconnect.domain.times import DAY
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.runtime import request_log
from globalconnect.runtime.http import ProxyAnswer, endpoint
from globalconnect.runtime.startup import Environment
from globalconnect.store.dynamo import from_wire
from globalconnect.store.numbers import Numbers, to_whole_item
from globalconnect.store.transactions import IssueResult, Transactions
from partner_page.app import answer
from partner_page.forms import forms_of
from partner_page.wiring import build
from simulation.aws import Cloud
from simulation.calls import Calls
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.failing import Fault, failing_cloud
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop

PHONES = ["447472190081", "447472190082", "447472190083"]
NOT_FOUND = (404, "link not found")


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop.cloud)


def made(desk: Desk, partner_id: str) -> str:
    """Return the token of a new link."""
    reply = desk.post(f"/admin/partners/{partner_id}/link")
    assert reply.status == 201
    base, _, token = reply.body["url"].partition("#")
    assert base == "https://api.example.com/live/partner/"
    return str(token)


def everything(cloud: Cloud) -> dict[str, list[Any]]:
    """Return all that the tables hold."""
    tables = [name for variable, name in cloud.env.items() if variable.endswith("_TABLE")]
    return {name: list(map(from_wire, cloud.client.scan(TableName=name)["Items"])) for name in tables}


# ---------------------------------------------------------------- the page

SCRIPT = "page-ABCD2345.js"


def got(cloud: Cloud, static: Path, file: str | None = None) -> ProxyAnswer:
    """Return what a GET below /partner is answered, with what was built into a folder."""
    parts = build(Environment(cloud.env), cloud.db, cloud.clock, cloud.rng, static=static)
    event = {
        "httpMethod": "GET",
        "resource": "/partner/{file+}" if file else "/partner",
        "pathParameters": {"file": file} if file else None,
        "headers": {"Accept": "*/*"},
        "requestContext": {"path": f"/live/partner/{file or ''}", "domainName": "api.example"},
    }
    return endpoint(lambda request: answer(request, parts))(event, None)


def test_the_page_knows_its_api_and_its_policy_lets_nothing_else_in(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<base href="{{base}}"><meta content="{{configuration}}">')
    (tmp_path / SCRIPT).write_text("script()")
    (tmp_path / f"{SCRIPT}.gz").write_bytes(b"packed")
    page, script, missing = (got(cloud, tmp_path, file) for file in (None, SCRIPT, "../app.py"))
    assert page["body"].startswith('<base href="https://api.example/live/partner/">')
    assert "{&quot;api&quot;: &quot;https://api.example/live&quot;}" in page["body"]
    assert page["headers"]["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    )
    guarded = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    assert all(one["headers"].items() >= guarded.items() for one in (page, script))
    assert (script["body"], missing["statusCode"]) == ("script()", 404)


@pytest.mark.parametrize("file", [None, SCRIPT])
def test_a_page_that_was_not_built_says_how_to_build_it(cloud: Cloud, tmp_path: Path, file: str | None) -> None:
    refused = got(cloud, tmp_path / "static", file)
    message = "The built page for partners (`make console` builds it) not found"
    assert (refused["statusCode"], json.loads(refused["body"])["message"]) == (404, message)


# ---------------------------------------------------------------- the link


def test_a_link_hands_out_the_key_once(shop: Shop, desk: Desk) -> None:
    issued = desk.partner(name="Hub")
    shown = {
        "name": "Hub",
        "key": issued["key"],
        "dialect": "globalconnect",
        "forms": forms_of(DIALECTS["globalconnect"]),
        "names": {"countries": [], "operators": {}, "services": [], "unmapped": "pass"},
    }
    tokens = []
    for _ in range(2):
        tokens.append(made(desk, issued["partnerId"]))
        assert (shop.follow_link(tokens[-1]).status, shop.follow_link(tokens[-1]).refusal) == (200, NOT_FOUND)
    assert tokens[0] != tokens[1]
    newest = shop.follow_link(made(desk, issued["partnerId"]))
    assert (newest.status, newest.body, newest.headers["Cache-Control"]) == (200, shown, "no-store")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_link_gives_the_forms_that_the_partner_gets(shop: Shop, desk: Desk, name: str) -> None:
    shop.stock(*PHONES)
    issued = desk.partner(dialect=name, overrides={"types": {"phone": "string"}, "errorFields": ["error"]})
    forms = shop.follow_link(made(desk, issued["partnerId"])).body["forms"]
    partner = shop.partners.get(issued["partnerId"])
    sold = shop.buy(partner).body
    shop.deliver(shop.source(), {"phone": str(sold["number"]), "from": "Telegram", "text": "code", "id": "1"})
    (said,) = shop.messages(partner, sold["activationId"]).body["messages"]
    refused = shop.finish(partner, 1, 3).body

    examples = forms["examples"]
    assert _forms(examples["number"]) == _forms(sold)
    assert _forms(examples["messages"]["messages"][0]) == _forms(said)
    assert _forms(examples["error"]) == _forms(refused)
    (shown,) = (one for one in desk.get("/admin/dialects").body["dialects"] if one["name"] == name)
    types = shown["switches"]["types"] | {"phone": "string"}
    assert forms["title"] == shown["title"]
    assert forms["switches"] == shown["switches"] | {"types": types, "errorFields": ["error"]}
    assert list(examples["counts"]) == list(shown["switches"]["counts"])
    pushed = {"key": str, "action": str} | {
        field: type(said[field]) for field in ("smsId", "phone", "phoneFrom", "text")
    }
    assert _forms(examples["push"]) == pushed | _forms(shown["switches"]["pushExtras"])


def _forms(body: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in body.items()}


def test_a_link_gives_the_names_that_the_partner_uses_and_none_of_ours(shop: Shop, desk: Desk) -> None:
    issued = desk.partner(services=["ours"])
    named = {
        "countries": {"england": "uk", "scotland": "uk"},
        "operators": {"england": {"*": "any", "O2": "o2"}, "scotland": {"O2": "Ø2"}, "hidden": {"O2": "o2"}},
        "services": {"ours": "tg", "forbidden": "wa"},
        "unmapped": "hide",
    }
    assert desk.put(f"/admin/partners/{issued['partnerId']}/names", named).status == 200
    expected = {"countries": ["uk"], "operators": {"uk": ["any", "o2", "Ø2"]}, "services": ["tg"], "unmapped": "hide"}
    assert shop.follow_link(made(desk, issued["partnerId"])).body["names"] == expected


@pytest.mark.parametrize("name", DIALECTS)
def test_the_key_gives_what_a_link_gives_beside_it_and_after_a_change_what_is_new(
    shop: Shop, desk: Desk, name: str
) -> None:
    issued = desk.partner(name="Hub")
    path = f"/admin/partners/{issued['partnerId']}"
    before = shop.own_forms(issued["key"])
    assert (before.status, before.body["forms"]) == (200, forms_of(DIALECTS["globalconnect"]))
    assert desk.patch(path, {"dialect": name, "overrides": {"types": {"phone": "string"}}}).status == 200
    assert desk.put(f"{path}/names", {"countries": {"england": "uk"}}).status == 200
    told = shop.own_forms(issued["key"])
    assert (told.status, told.body["dialect"], told.body["names"]["countries"]) == (200, name, ["uk"])
    assert shop.follow_link(made(desk, issued["partnerId"])).body == told.body | {"key": issued["key"]}


@pytest.mark.parametrize("key", ["gc_nobody_x", None, "", 5])
def test_a_key_that_is_nobodys_gives_no_forms(shop: Shop, key: object) -> None:
    assert shop.own_forms(key).refusal == (401, "Invalid key")


@pytest.mark.parametrize("body", ["", "no JSON", "[]"])
def test_whose_forms_is_asked_by_an_object_else_it_is_400(shop: Shop, body: str) -> None:
    assert shop.on_page("forms", body).status == 400


def test_a_link_is_good_for_24_hours(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    reply = desk.post(f"/admin/partners/{partner.partner_id}/link")
    assert reply.body["expiresAt"] == "2026-09-22T14:13:20+00:00"
    token = reply.body["url"].partition("#")[2]
    shop.cloud.clock.advance(minutes=24 * 60)
    assert shop.follow_link(token).refusal == NOT_FOUND
    shop.cloud.clock.advance(ms=-1)
    assert shop.follow_link(token).status == 200


def test_a_newer_link_replaces_the_former(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    former, newer = made(desk, partner.partner_id), made(desk, partner.partner_id)
    assert shop.follow_link(former).refusal == NOT_FOUND
    assert shop.follow_link(newer).body["key"] == partner.key


def test_a_link_ends_with_the_key_that_it_hands_out(shop: Shop, desk: Desk) -> None:
    rotated, revoked = shop.partner(), shop.partner()
    tokens = [made(desk, partner.partner_id) for partner in (rotated, revoked)]
    assert desk.post(f"/admin/partners/{rotated.partner_id}/rotate-key").status == 200
    assert desk.delete(f"/admin/partners/{revoked.partner_id}").status == 200
    assert [shop.follow_link(token).refusal for token in tokens] == [NOT_FOUND] * 2
    assert desk.post(f"/admin/partners/{revoked.partner_id}/link").refusal == (409, "partner: is revoked")
    assert desk.post("/admin/partners/nobody/link").refusal == (404, "partner not found")


@pytest.mark.parametrize("token", ["x", "gclink_nobody_x", "gclink__x", "gclink_\x00_x", "gc_{id}_x", "gclink_{id}_x"])
def test_what_is_no_link_is_404(shop: Shop, desk: Desk, token: str) -> None:
    partner = shop.partner()
    made(desk, partner.partner_id)
    assert shop.follow_link(token.format(id=partner.partner_id)).refusal == NOT_FOUND
    assert shop.follow_link(in_clear(partner.key)).refusal == NOT_FOUND


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "{}", '{"token": 5}', '{"token": ""}', '{"token": null}'])
def test_a_body_without_a_token_is_400(shop: Shop, body: str) -> None:
    assert shop.on_page("link", body).status == 400


def test_of_many_who_follow_a_link_at_once_one_gets_the_key(busy_shop: Shop) -> None:
    token, start = made(Desk(busy_shop.cloud), busy_shop.partner().partner_id), Barrier(8)

    def follow(_: int) -> int:
        start.wait(10)
        return busy_shop.follow_link(token).status

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(follow, range(8))) == [200, *[404] * 7]


def test_who_read_a_link_before_another_took_it_gets_nothing(shop: Shop, desk: Desk) -> None:
    token = made(desk, shop.partner().partner_id)
    faster: list[Reply] = []

    def overtake(**_: object) -> None:
        events.unregister("before-parameter-build.dynamodb.UpdateItem", overtake)
        faster.append(shop.follow_link(token))

    events = shop.cloud.client.meta.events
    events.register("before-parameter-build.dynamodb.UpdateItem", overtake)
    late = shop.follow_link(token)
    assert ([reply.status for reply in faster], late.refusal) == ([200], NOT_FOUND)


@pytest.mark.parametrize("fault", [Fault.UNHEARD, Fault.UNANSWERED, Fault.BROKEN])
@pytest.mark.parametrize("call", [0, 1])
def test_a_call_to_aws_that_fails_once_costs_nobody_the_link(shop: Shop, desk: Desk, call: int, fault: Fault) -> None:
    partner = shop.partner()
    token, made_calls = made(desk, partner.partner_id), iter(range(100))
    cloud = failing_cloud(shop.cloud, lambda _: fault if next(made_calls) == call else None)
    assert Shop(cloud).follow_link(token).body["key"] == partner.key
    assert shop.follow_link(token).refusal == NOT_FOUND


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNHEARD, Fault.BROKEN])
def test_names_that_cannot_be_read_cost_nobody_the_key(shop: Shop, desk: Desk, fault: Fault) -> None:
    issued = desk.partner()
    assert desk.put(f"/admin/partners/{issued['partnerId']}/names", {"services": {"ours": "theirs"}}).status == 200
    token, made_calls = made(desk, issued["partnerId"]), iter(range(100))
    # After the read of the link and the write that takes it.
    cloud = failing_cloud(shop.cloud, lambda _: fault if next(made_calls) > 1 else None)
    handed_out = Shop(cloud).follow_link(token)
    assert (handed_out.status, handed_out.body["key"], handed_out.body["names"]) == (200, issued["key"], None)
    assert handed_out.body["forms"] == forms_of(DIALECTS["globalconnect"])


@pytest.mark.parametrize("lost", ["forms", "names"])
def test_a_dialect_that_the_code_does_not_know_and_names_that_are_not_there_cost_nobody_the_key(
    shop: Shop, desk: Desk, lost: str, caplog: pytest.LogCaptureFixture
) -> None:
    issued = desk.partner()
    assert desk.put(f"/admin/partners/{issued['partnerId']}/names", {"services": {"ours": "theirs"}}).status == 200
    token, item = made(desk, issued["partnerId"]), {"partner_id": {"S": issued["partnerId"]}}
    if lost == "names":
        shop.cloud.client.delete_item(TableName=shop.cloud.env["NAMES_TABLE"], Key=item)
    else:
        shop.cloud.client.update_item(
            TableName=shop.cloud.env["PARTNERS_TABLE"],
            Key=item,
            UpdateExpression="SET dialect = :unknown",
            ExpressionAttributeValues={":unknown": {"S": "a hub of tomorrow"}},
        )
    handed_out, told = shop.follow_link(token), shop.own_forms(issued["key"])
    assert (handed_out.status, handed_out.body["key"], told.status) == (200, issued["key"], 200)
    for body in (handed_out.body, told.body):
        assert [part for part in ("forms", "names") if body[part] is None] == [lost]
    # It is our data that is wrong: who runs the stack hears of it.
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == ["unexpected_error"] * 2


def test_only_the_digest_of_a_link_is_kept_and_nothing_of_it_is_logged(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    token = made(desk, partner.partner_id)
    log = io.StringIO()
    request_log.stream = log
    try:
        kept = json.dumps(everything(shop.cloud), default=str)
        shop.follow_link(token)
        shop.follow_link(token)
        shop.explain(partner.key)
        shop.poll_on_page(partner.key, 5)
        shop.own_forms(partner.key)
        shop.own_forms("gc_nobody_x")
    finally:
        request_log.stream = None
    assert (digest_of(token) in kept, token in kept) == (True, False)
    assert token not in log.getvalue()
    assert in_clear(partner.key) not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    known = [(line["action"], line["status"], line.get("partner_id"), line.get("answer")) for line in lines]
    assert known == [
        ("link", 200, partner.partner_id, None),
        ("link", 404, None, None),
        ("explain", 200, partner.partner_id, "UNKNOWN_COUNTRY"),
        ("getsms", 404, partner.partner_id, None),
        ("forms", 200, partner.partner_id, None),
        ("forms", 401, None, None),
    ]


def test_a_link_is_made_by_an_owner_and_in_the_audit_log_without_its_token(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    refused = Desk(shop.cloud, role=Role.STOCK).post(f"/admin/partners/{partner.partner_id}/link")
    assert refused.refusal == (403, "This needs the role owner")
    token = made(desk, partner.partner_id)
    (entry,) = desk.get("/admin/audit").body["entries"]
    assert (entry["action"], entry["id"], entry["result"]) == ("partner.link_made", partner.partner_id, "done")
    assert token not in json.dumps(entry)
    # It is nothing that another member of staff could have overwritten.
    assert desk.get(f"/admin/partners/{partner.partner_id}").body["version"] == 0


def test_a_key_that_is_encrypted_is_handed_out_in_clear(moto: Moto, secrets_key: str) -> None:
    cloud = moto.cloud(KEY_ENCRYPTION="on", SECRETS_KEY=secrets_key)
    shop, desk = Shop(cloud), Desk(cloud)
    shop.sell("tg")
    issued = desk.partner(name="Hub")
    assert shop.follow_link(made(desk, issued["partnerId"])).body["key"] == issued["key"]


# ---------------------------------------------------------------- why there is no number


def held(shop: Shop) -> Partner:
    shop.stock(PHONES[0])
    shop.buy(shop.partner())
    return shop.partner()


def used_up(shop: Shop) -> Partner:
    shop.stock(PHONES[0])
    buyer = shop.partner()
    shop.finish(buyer, shop.buy(buyer).body["activationId"], 3)
    return buyer


def at_its_limit(shop: Shop) -> Partner:
    shop.stock(*PHONES)
    partner = shop.partner(max_live=1)
    shop.buy(partner)
    return partner


def paused(shop: Shop) -> Partner:
    shop.stock(*PHONES)
    partner = shop.partner()
    shop.partners.pause(partner.partner_id, "Unpaid", 0)
    return partner


def stocked(shop: Shop) -> Partner:
    shop.stock(*PHONES)
    return shop.partner()


def with_vk_off(shop: Shop) -> Partner:
    shop.sell("vk", enabled=False)
    return stocked(shop)


def in_two_pools(shop: Shop) -> Partner:
    shop.stock(PHONES[1], operator="O2")
    return used_up(shop)


def withdrawn(shop: Shop) -> Partner:
    partner = stocked(shop)
    for phone in PHONES:
        shop.numbers.withdraw(phone)
    return partner


REASONS: list[tuple[str, Callable[[Shop], Partner], dict[str, Any], list[str]]] = [
    ("unknownService", stocked, {"service": "telegram"}, ["tg"]),
    ("unknownService", stocked, {"service": "TG"}, ["tg"]),
    ("unknownService", stocked, {"service": "zzz"}, []),
    ("unknownService", with_vk_off, {"service": "vkontakte"}, []),
    ("serviceOff", with_vk_off, {"service": "vk"}, []),
    ("unknownCountry", stocked, {"country": "Englnd"}, [COUNTRY]),
    ("unknownCountry", stocked, {"country": "ENGLAND", "operator": "any"}, [COUNTRY]),
    ("unknownCountry", stocked, {"country": "peru"}, []),
    ("unknownCountry", withdrawn, {}, []),
    ("unknownOperator", stocked, {"operator": "hutchison 3g"}, [OPERATOR]),
    ("unknownOperator", in_two_pools, {"operator": "O 2"}, ["O2"]),
    ("soldOut", held, {}, []),
    ("soldOut", held, {"operator": "any"}, []),
    ("blocked", used_up, {}, []),
    ("blocked", used_up, {"exceptionPhoneSet": "4474"}, []),
    ("excluded", stocked, {"exceptionPhoneSet": ["4474"]}, []),
    ("excluded", stocked, {"exceptionPhoneSet": ",".join(PHONES), "operator": "any"}, []),
    ("limit", at_its_limit, {}, []),
    ("paused", paused, {}, []),
    ("paused", paused, {"service": "telegram"}, []),
]


@pytest.fixture
def named(shop: Shop) -> Shop:
    """Return a shop whose service tg has a name."""
    Desk(shop.cloud).put("/admin/services/tg", {"name": "Telegram"})
    return shop


@pytest.mark.parametrize(("reason", "prepare", "asked", "suggestions"), REASONS)
def test_every_reason_is_told_changes_nothing_and_get_number_agrees(
    named: Shop, reason: str, prepare: Callable[[Shop], Partner], asked: dict[str, Any], suggestions: list[str]
) -> None:
    partner = prepare(named)
    named.project()
    before = everything(named.cloud)
    told = named.explain(partner.key, **asked)
    assert everything(named.cloud) == before
    message = told.body.pop("message")
    assert told.body == {"status": "NO_NUMBERS", "reason": reason, "suggestions": suggestions}
    assert message.endswith(".")
    # What was asked for is not repeated, and the plain API says no more than it did.
    assert named.buy(partner, **asked).body == {"status": "NO_NUMBERS"}


@pytest.mark.parametrize(
    ("prepare", "asked"),
    [
        (stocked, {}),
        (stocked, {"operator": "any", "exceptionPhoneSet": PHONES[:2]}),
        (stocked, {"country": f" {COUNTRY}"}),
        (in_two_pools, {"operator": "any"}),
    ],
)
def test_where_there_is_a_number_that_is_said_and_none_is_taken(
    named: Shop, prepare: Callable[[Shop], Partner], asked: dict[str, Any]
) -> None:
    partner = prepare(named)
    before = everything(named.cloud)
    assert named.explain(partner.key, **asked).body == {"status": "SUCCESS"}
    assert everything(named.cloud) == before
    assert named.buy(partner, **asked).body["status"] == "SUCCESS"


@pytest.mark.parametrize("minutes", [59, 60, 61, 64, 65])
def test_a_number_whose_lease_ran_out_unswept_is_explained_as_it_is_sold_with_and_without_a_rest(
    shop: Shop, minutes: int
) -> None:
    for rest in ("0", "5"):
        one = Shop(shop.cloud, {"REST_MINUTES": rest})
        one.stock(PHONES[int(rest) and 1], operator=f"resting {rest}")
        partner = one.partner()
        one.buy(partner, operator=f"resting {rest}")
    shop.cloud.clock.advance(minutes=minutes)
    for rest in ("0", "5"):
        one = Shop(shop.cloud, {"REST_MINUTES": rest})
        told = one.explain(one.partner().key, operator=f"resting {rest}").body["status"]
        assert told == one.buy(one.partner(), operator=f"resting {rest}").body["status"]
        assert (told == "SUCCESS") is (minutes >= 60 + int(rest))


@pytest.mark.parametrize("rest", [0, 300])
@pytest.mark.parametrize("activation_id", [None, ActivationId(5)])
@pytest.mark.parametrize("ago", [-1, 0, 299, 300])
@pytest.mark.parametrize("differs", [{}, {"enabled": False}, {"operator": "O2"}, {"blocked": frozenset({"tg"})}])
def test_what_is_for_sale_in_python_is_what_a_sale_demands(
    shop: Shop, differs: dict[str, Any], ago: int, activation_id: ActivationId | None, rest: int
) -> None:
    now = shop.cloud.clock()
    number = replace(Number(PHONES[0], COUNTRY, OPERATOR, now - ago, activation_id=activation_id), **differs)
    shop.cloud.db.put(shop.numbers.table, to_whole_item(number))
    numbers = Numbers(shop.cloud.db, shop.numbers.table, rest)
    sale = Activation(
        ActivationId(6), PartnerId("p"), PHONES[0], COUNTRY, OPERATOR, "tg", started_at=now, expires_at=now + 1
    )
    sold = Transactions(shop.cloud.db, numbers, shop.activations).issue(sale, tries=1) is IssueResult.DONE
    assert number.is_for_sale(pool_of(COUNTRY, OPERATOR), "tg", now, rest) is sold


@pytest.mark.parametrize(
    ("services", "asked"),
    [
        (["go"], {}),
        ([], {}),
        (None, {"service": ""}),
        (None, {"service": None}),
        (None, {"country": 5}),
        (None, {"operator": "x" * 201}),
        (None, {"exceptionPhoneSet": "x"}),
        (None, {"exceptionPhoneset[x]": "4474"}),
        (None, {"key": "gc_nobody_x"}),
        (None, {"key": None}),
        (None, {"key": None, "service": None}),
    ],
)
def test_a_request_is_refused_word_for_word_as_get_number_refuses_it(
    named: Shop, services: list[str] | None, asked: dict[str, Any]
) -> None:
    partner = named.partner(services=services)
    wanted = {"key": partner.key, "country": COUNTRY, "operator": OPERATOR, "service": "tg", **asked}
    refused = named.on_page("explain", json.dumps(wanted)).refusal
    assert refused == named.post({"action": "GET_NUMBER", **wanted}).refusal
    assert refused[0] in {400, 401, 403}


def test_what_is_off_or_not_for_the_key_is_not_suggested(named: Shop) -> None:
    named.sell("tgx", enabled=False)
    named.stock(*PHONES)
    # Whoever has a list of services is told 403 for any other, so it is nobody's with a list.
    assert named.explain(named.partner().key, service="tgy").body["suggestions"] == ["tg"]
    assert named.explain(named.partner(services=["go"]).key, service="tgy").status == 403


def test_an_explanation_reads_as_get_number_does_and_then_the_number(shop: Shop) -> None:
    shop.stock(*PHONES)
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    partner, limited = warm.partner(), warm.partner(max_live=5)
    with Calls(warm.cloud.client) as calls:
        assert calls.of(lambda: warm.explain(partner.key)) == ["BatchGetItem", "GetItem", "Query", "Scan"]
        assert calls.of(lambda: warm.explain(partner.key)) == ["BatchGetItem", "Query"]
        warm.explain(limited.key)
        assert calls.of(lambda: warm.explain(limited.key)) == ["BatchGetItem", "GetItem", "Query"]
        asked = {"exceptionPhoneSet": "4474"}
        assert calls.of(lambda: warm.explain(partner.key, **asked)) == ["BatchGetItem", "Query", "Query"]
        assert calls.of(lambda: warm.explain(partner.key, country="peru")) == ["Query", "Scan"]


# ---------------------------------------------------------------- getsms


def test_a_poll_on_the_page_is_answered_as_getsms_answers_it(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    partner, activation_id = shop.sold()
    _, anothers = shop.sold()
    source = shop.source()
    key = in_clear(partner.key)
    asked: list[tuple[object, object]] = [(key, activation_id), (key, str(activation_id)), (key, anothers), (key, "x")]
    asked += [(key, None), (key, 5), ("gc_nobody_x", activation_id), (None, activation_id), ("", None)]

    def answers() -> list[Reply]:
        before = everything(shop.cloud)
        told = [shop.poll_on_page(*fields) for fields in asked]
        assert everything(shop.cloud) == before
        for (given, number), reply in zip(asked, told, strict=True):
            fields = [(name, str(value)) for name, value in (("apiKey", given), ("id", number)) if value is not None]
            polled = shop.poll(*fields)
            assert (reply.status, reply.body) == (polled.status, polled.body)
        assert [reply.status for reply in told] == [200, 200, 404, 400, 400, 404, 401, 401, 401]
        return told

    assert answers()[0].body == {"status": "WAIT_CODE"}
    for phone in PHONES[:2]:
        shop.deliver(source, {"phone": phone, "from": "Bank", "text": f"Code of {phone}"})
    (message,) = answers()[0].body["messages"]
    assert message["text"] == f"Code of {message['phone']}"
    shop.cloud.clock.advance(ms=30 * DAY)
    assert shop.poll_on_page(key, activation_id).status == 404


@pytest.mark.parametrize("body", ["", "no JSON", "[]"])
def test_a_poll_that_is_no_object_is_400(shop: Shop, body: str) -> None:
    assert shop.on_page("getsms", body).status == 400

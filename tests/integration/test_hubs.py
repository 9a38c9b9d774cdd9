"""Each hub's protocol as its documents have it, action by action and error by error (contract 1 to 3).

The tables are written from what is known of the hubs, not from the catalogue.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

import partner_api.app
from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.partner import in_clear
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.runtime.http import LARGEST_RESPONSE, Request, Response, answered, endpoint, proxy_answer
from globalconnect.runtime.manner import manner_of
from local.pretend_partner import Answer, PretendPartner
from simulation.aws import Cloud
from simulation.desk import Desk
from simulation.shop import COUNTRY, Shop, present

PHONES = ("447472190082", "447472190083", "447472190084")
NO_NUMBERS = {"status": "NO_NUMBERS"}
SUCCESS = {"status": "SUCCESS"}
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
NO_CALLS = {"call": 0, "voice": 0}


@dataclass(frozen=True)
class Hub:
    """What a hub's documents say that it gets: by which types, with which further fields, and how it hears of errors."""

    number: type[str | int]
    phone: type[str | int]
    sms_id: type[str | int]
    extras: Mapping[str, object]
    errors_in: set[str]
    errors_are_200: bool = True
    operators: tuple[str, ...] = ("O2", "Three")
    counts: tuple[str, ...] = ("GET_SERVICES",)
    statuses: Mapping[int, Outcome] = field(
        default_factory=lambda: {1: Outcome.PROHIBITED, 3: Outcome.SUCCESS, 4: Outcome.CANCELED, 5: Outcome.RETURNED}
    )
    short_is_gzipped: bool = False


HUBS: dict[str, Hub] = {
    "globalconnect": Hub(str, str, str, NO_CALLS, {"message"}, errors_are_200=False),
    "smshub": Hub(int, int, int, {}, {"error"}, short_is_gzipped=True),
    "smsbower": Hub(str, str, str, NO_CALLS, {"message", "error"}, short_is_gzipped=True),
    "grizzly": Hub(int, int, int, {"flashcall": False, "voice": False}, {"error"}, operators=("any",)),
    "onlinesim": Hub(int, str, int, {}, {"message", "error"}, operators=("any", "O2", "Three")),
    "herosms": Hub(
        int,
        int,
        int,
        {"supported": ["SMS"]},
        {"error"},
        operators=("any",),
        counts=("GET_SERVICES", "GET_COUNT"),
        statuses={
            1: Outcome.PROHIBITED,
            3: Outcome.SUCCESS,
            4: Outcome.CANCELED,
            5: Outcome.RETURNED,
            14: Outcome.SUCCESS,
            15: Outcome.CANCELED,
            16: Outcome.RETURNED,
        },
    ),
}
PUSH_URLS = {
    "smshub": "https://agent.unerio.com/agent/api/sms",
    "grizzly": "https://api.grizzlysms.com/agent/api/sms",
    "herosms": "https://api.partnersservices.net/agent/api/sms",
}
each_hub = pytest.mark.parametrize("name", HUBS)


@pytest.fixture
def market(shop: Shop) -> Shop:
    shop.stock(*PHONES[:2], operator="O2")
    shop.stock(PHONES[2], operator="Three")
    shop.project()
    return shop


@each_hub
def test_a_sale_has_the_forms_of_the_hub(market: Shop, name: str) -> None:
    hub, partner = HUBS[name], market.partner(dialect=name)
    sold = market.buy(partner, operator="O2").body
    activation_id = sold["activationId"]
    phone = str(sold["number"])
    assert phone in PHONES
    expected = {"status": "SUCCESS", "number": hub.number(phone), "activationId": activation_id, **hub.extras}
    assert (_typed(sold), type(activation_id)) == (_typed(expected), int)
    assert market.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    source = market.source()
    market.deliver(source, {"phone": phone, "from": "Telegram", "text": "code 123", "id": "1"})
    (said,) = market.messages(partner, activation_id).body["messages"]
    expected = {"smsId": hub.sms_id(said["smsId"]), "phone": hub.phone(phone), "phoneFrom": "Telegram"}
    assert _typed({field: said[field] for field in expected}) == _typed(expected)
    for _ in range(2):
        finished = market.finish(partner, activation_id, 3)
        assert (finished.status, finished.body) == (200, SUCCESS)
    nothing = market.buy(partner, service="tg", country="nowhere")
    assert (nothing.status, nothing.body) == (200, NO_NUMBERS)


@each_hub
def test_counts_have_the_form_of_the_hub_and_its_operators(market: Shop, name: str) -> None:
    hub, partner = HUBS[name], market.partner(["tg"], dialect=name)
    counts = {"O2": 2, "Three": 1, "any": 3}
    for word in hub.counts:
        reply = market.call(partner, word)
        operators: Any = {operator: {"tg": counts[operator]} for operator in hub.operators}
        if word == "GET_COUNT":
            operators = {operator: {"tg": {"SMS": counts[operator]}} for operator in hub.operators}
            expected: dict[str, Any] = {"countMap": {COUNTRY: operators}}
        else:
            expected = {"countryList": [{"country": COUNTRY, "operatorMap": operators}]}
        assert (reply.status, reply.body) == (200, {"status": "SUCCESS", **expected})
        assert list(operators) == list(_operators(reply.body))


@each_hub
def test_a_limit_holds_for_each_count_and_their_sum(market: Shop, name: str) -> None:
    partner = market.partner(["tg"], dialect=name, max_live=1)
    counts = _operators(market.call(partner, "GET_SERVICES").body)
    assert {count["tg"] for count in counts.values()} == {1}


@each_hub
def test_any_operator_buys_all_there_are(market: Shop, name: str) -> None:
    partner = market.partner(dialect=name)
    bought = {str(market.buy(partner, operator="any").body["number"]) for _ in PHONES}
    assert (bought, market.buy(partner, operator="any").body) == (set(PHONES), NO_NUMBERS)


@each_hub
@pytest.mark.parametrize("base", ["/SMSBOWER", "/api/partner"])
def test_a_path_of_its_own_needs_no_action(market: Shop, name: str, base: str) -> None:
    partner = market.partner(["tg"], dialect=name)
    bearer = {"Authorization": f"Bearer {in_clear(partner.key)}"}

    def both(path: str, **fields: object) -> list[Any]:
        texts = [(field, str(value)) for field, value in fields.items()]
        sent = {"key": partner.key, **fields}
        return [
            market.post(sent, path=f"{base}/{path}", headers=bearer).body,
            market.get(("key", in_clear(partner.key)), *texts, path=f"{base}/{path}").body,
        ]

    for body in both("getServices"):
        assert set(_operators(body)) == set(HUBS[name].operators)
    wanted = {"country": COUNTRY, "operator": "any", "service": "tg"}
    ids = [body["activationId"] for body in (*both("getNumber", **wanted), *both("getNumber", **wanted)[:1])]
    for activation_id in ids:
        assert both("finishActivation", activationId=activation_id, status=5) == [SUCCESS] * 2
    assert both("getNumber", action="GET_NUMBER", **wanted)[0]["status"] == "SUCCESS"
    for path in ("getServices", "getNumber", "finishActivation"):
        for action in {"GET_SERVICES", "GET_NUMBER", "FINISH_ACTIVATION", ""} - {_action_of(path)}:
            for body in both(path, action=action, **wanted, activationId=ids[0], status=5):
                told = f"action: expected {' or '.join(_words(name, path))} here, or none"
                assert {body.get(field) for field in HUBS[name].errors_in} == {told}


@each_hub
def test_every_error_has_the_form_of_the_hub(market: Shop, name: str) -> None:
    hub, partner = HUBS[name], market.partner(["tg"], dialect=name)
    for refused, status in (
        (market.call(partner, "NONSENSE"), 400),
        (market.buy(partner, country=None), 400),
        (market.buy(partner, "wa"), 403),
        (market.finish(partner, 1, 3), 404),
        (market.finish(partner, 1, 2), 400),
        (market.messages(partner, 1), 404),
        (market.poll_on_page(partner.key, 1), 404),
        (market.explain(partner.key, "wa"), 403),
    ):
        assert refused.status == (200 if hub.errors_are_200 else status)
        texts = {refused.body[field] for field in hub.errors_in}
        assert (refused.body.keys(), refused.body["status"]) == ({"status", *hub.errors_in}, "ERROR")
        assert len(texts) == 1


@each_hub
def test_names_are_suggested_that_the_counts_of_the_hub_list(market: Shop, name: str) -> None:
    partner = market.partner(dialect=name)
    told = market.explain(partner.key, operator="Thre").body
    assert told["suggestions"] == (["Three"] if "Three" in HUBS[name].operators else ["any"])


@each_hub
def test_an_answer_that_is_too_large_is_an_error_in_the_form_of_the_hub(name: str) -> None:
    hub, nothing = HUBS[name], Request({"headers": {}})
    large = answered(lambda: Response(200, "x" * LARGEST_RESPONSE), manner_of(DIALECTS[name]))
    refused = proxy_answer(large, nothing)
    assert refused["statusCode"] == (200 if hub.errors_are_200 else 406)
    assert json.loads(refused["body"]).keys() == {"status", *hub.errors_in}


@each_hub
def test_a_failure_of_ours_has_the_form_of_the_hub(market: Shop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, partner = HUBS[name], market.partner(dialect=name)

    def fail(*_: object) -> Any:
        raise RuntimeError

    monkeypatch.setattr(type(market.activations), "get", fail)
    refused = market.finish(partner, 1, 3)
    # With 200 a hub would take it for an outcome, and not try again.
    assert refused.status == 500
    assert refused.body.keys() == {"status", *hub.errors_in}


def test_what_a_partner_has_otherwise_replaces_the_switch_and_nothing_else(market: Shop) -> None:
    overrides = {"types": {"number": "string", "smsId": "string"}, "errorFields": ["message"], "errorHttp": "mapped"}
    partner, other = (market.partner(dialect="smshub") for _ in range(2))
    market.partners.change(partner.partner_id, {"overrides": {**overrides, "gzipFrom": 10_000}})
    source = market.source()
    for one, spelled, status, fields in ((partner, str, 404, {"message"}), (other, int, 200, {"error"})):
        sold = market.buy(one, operator="O2").body
        market.deliver(source, {"phone": str(sold["number"]), "from": "Telegram", "text": "code 123", "id": "1"})
        (said,) = market.messages(one, sold["activationId"]).body["messages"]
        types = [type(value) for value in (sold["number"], said["smsId"], said["phone"])]
        assert (types, sold.keys()) == ([spelled, spelled, int], {"status", "number", "activationId"})
        refused = market.finish(one, 1, 3)
        assert (refused.status, refused.body.keys()) == (status, {"status", *fields})
        answer = _asked(market, {"key": one.key, "action": "GET_SERVICES"})
        assert ("Content-Encoding" in answer["headers"]) is (one is other)


@each_hub
@pytest.mark.parametrize("overrides", [{"types": {"phone": "string"}}, {"types": {"phone": "number"}}])
def test_an_override_is_the_same_in_every_dialect(market: Shop, name: str, overrides: dict[str, Any]) -> None:
    partner = market.partner(dialect=name)
    market.partners.change(partner.partner_id, {"overrides": overrides})
    sold = market.buy(partner, operator="O2").body
    market.deliver(market.source(), {"phone": str(sold["number"]), "from": "Telegram", "text": "code", "id": "1"})
    (said,) = market.messages(partner, sold["activationId"]).body["messages"]
    assert type(said["phone"]) is {"string": str, "number": int}[overrides["types"]["phone"]]
    assert type(sold["number"]) is HUBS[name].number


@each_hub
def test_staff_see_what_a_dialect_has_of_its_own(market: Shop, name: str) -> None:
    hub = HUBS[name]
    (shown,) = (one for one in Desk(market.cloud).get("/admin/dialects").body["dialects"] if one["name"] == name)
    spelled = {str: "string", int: "number"}
    assert shown["pushUrl"] == PUSH_URLS.get(name)
    assert shown["switches"] == {
        "types": {"number": spelled[hub.number], "phone": spelled[hub.phone], "smsId": spelled[hub.sms_id]},
        "numberExtras": hub.extras,
        "pushExtras": PUSHES[name].extras,
        "errorFields": sorted(hub.errors_in, reverse=True),
        "errorHttp": 200 if hub.errors_are_200 else "mapped",
        "gzipFrom": 0 if hub.short_is_gzipped else 1024,
        "counts": {word: "countMap" if word == "GET_COUNT" else "countryList" for word in hub.counts},
        "any": "split" if "any" not in hub.operators else "any" if hub.operators == ("any",) else "split+any",
        "cancelLimit": 4 if name == "smshub" else None,
        "hold": "finish" if name == "smshub" else "lease",
        "outcomes": {str(code): outcome.value for code, outcome in hub.statuses.items()},
        "pushDone": "http200" if PUSHES[name].takes is ANY_200 else "body",
        "pushStopWords": sorted(PUSHES[name].stops),
        "pushAuthorization": "bearer" if PUSHES[name].is_bearer else "none",
        "pushAcceptGzip": PUSHES[name].accepts == "gzip",
        "pushGzip": False,
    }


def test_the_dialects_of_the_catalogue_are_those_of_the_documents(market: Shop) -> None:
    desk = Desk(market.cloud)
    shown = desk.get("/admin/dialects").body["dialects"]
    assert [one["name"] for one in shown] == list(HUBS)
    assert [one["evidence"] for one in shown] == ["contract", "document", "part", "part", "part", "observed"]
    for one in shown:
        named = {*one["switches"], *(f"types.{field}" for field in one["switches"]["types"])}
        assert {*one["uncertain"]} <= named
        if one["pushUrl"] is not None:
            assert desk.partner(pushUrl=one["pushUrl"], dialect=one["name"])["pushUrl"] == one["pushUrl"]


@each_hub
def test_a_bad_key_has_no_dialect(market: Shop, name: str) -> None:
    partner = market.partner(dialect=name)
    bad = f"{in_clear(partner.key)[:-1]}x"
    for refused in (
        *(market.post({"key": bad, "action": action}) for action in ("GET_SERVICES", "GET_COUNT", "NONSENSE")),
        market.poll(("apiKey", bad), ("id", "1")),
    ):
        assert (refused.status, refused.body) == (401, INVALID_KEY)


@each_hub
def test_the_codes_of_outcomes_are_the_hubs(market: Shop, name: str) -> None:
    hub, partner = HUBS[name], market.partner(dialect=name)
    for status in range(20):
        market.sell(f"s{status}")
        # Whatever ends an activation that wasn't finished has ended it.
        market.cloud.clock.advance(minutes=24 * 60 + 1)
        market.sweep()
        activation_id = market.buy(partner, f"s{status}", operator="any").body["activationId"]
        known = market.finish(partner, activation_id, status).body == SUCCESS
        outcome = present(market.activations.get(ActivationId(activation_id))).outcome
        assert (known, outcome) == (status in hub.statuses, hub.statuses.get(status))


@each_hub
def test_answers_are_gzipped_from_the_size_that_the_hub_wants(market: Shop, name: str) -> None:
    partner = market.partner(dialect=name)
    short = _asked(market, {"key": partner.key, "action": "GET_SERVICES"})
    assert ("Content-Encoding" in short["headers"]) is HUBS[name].short_is_gzipped
    market.sell(*(f"service{n}" for n in range(100)))
    answer = _asked(market, {"key": partner.key, "action": "GET_SERVICES"})
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"])))["status"] == "SUCCESS"
    refused = _asked(market, {"key": partner.key, "action": "NONSENSE"})
    assert ("Content-Encoding" in refused["headers"]) is HUBS[name].short_is_gzipped


@each_hub
def test_a_dialect_changed_meanwhile_changes_nothing_but_the_form(market: Shop, name: str) -> None:
    partner = market.partner(dialect="smsbower")
    sold = market.buy(partner, operator="O2").body
    source = market.source()
    market.deliver(source, {"phone": sold["number"], "from": "Telegram", "text": "code 123", "id": "1"})
    before = present(market.numbers.get(sold["number"]))
    market.partners.change(partner.partner_id, {"dialect": name})
    (said,) = market.messages(partner, sold["activationId"]).body["messages"]
    assert (str(said["phone"]), said["text"], type(said["phone"])) == (sold["number"], "code 123", HUBS[name].phone)
    assert present(market.numbers.get(sold["number"])) == before
    assert market.finish(partner, sold["activationId"], 5).body == SUCCESS
    assert present(market.activations.get(ActivationId(sold["activationId"]))).outcome is Outcome.RETURNED


@dataclass(frozen=True)
class PushedTo:
    """What a hub's documents say of its pushes."""

    phone: object
    sms_id: type[str | int]
    extras: Mapping[str, object]
    accepts: str
    is_bearer: bool
    takes: Answer
    refuses: Answer
    stops: tuple[str, ...] = ()


TEST_PHONE = "447700900000"
TAKES, REFUSES = Answer(body=b'{"status":"SUCCESS"}'), Answer(body=b'{"status":"ERROR"}')
ANY_200, ANY_500 = Answer(body=b"whatever"), Answer(status=500, body=b'{"status":"SUCCESS"}')
PUSHES: dict[str, PushedTo] = {
    "globalconnect": PushedTo(TEST_PHONE, str, NO_CALLS, "identity", False, TAKES, REFUSES),
    "smshub": PushedTo(int(TEST_PHONE), int, {}, "gzip", False, TAKES, REFUSES),
    "smsbower": PushedTo(TEST_PHONE, str, NO_CALLS, "gzip", False, TAKES, REFUSES),
    "grizzly": PushedTo(int(TEST_PHONE), int, {}, "identity", False, TAKES, REFUSES),
    "onlinesim": PushedTo(
        *(TEST_PHONE, int, {}, "identity", True, ANY_200, ANY_500), stops=("NO_OPERATION", "NO_OP", "BAD_SERVICE")
    ),
    "herosms": PushedTo(int(TEST_PHONE), int, {}, "gzip", False, TAKES, REFUSES),
}


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_has_the_form_of_the_hub_and_is_taken_as_it_says(cloud: Cloud, name: str) -> None:
    cloud.env["PUSH_LOOPBACK"] = "true"
    desk, pushed_to = Desk(cloud), PUSHES[name]
    with PretendPartner() as far:
        issued = desk.partner(pushUrl=far.url, dialect=name)

        def push(answer: Answer) -> str:
            far.answer(answer)
            told = desk.post(f"/admin/partners/{issued['partnerId']}/test-push").body
            assert told["delivered"] is (told["outcome"] == "delivered")
            return str(told["outcome"])

        assert push(pushed_to.takes) == "delivered"
        assert push(pushed_to.refuses) in {"refused_answer", "http_status"}
        for word in pushed_to.stops:
            for status in (200, 400):
                assert push(Answer(status=status, body=b'{"status":"%b"}' % word.encode())) == "stop_word"
        for word in {"NO_OPERATION", "IGNORED", "SERVICE_BAN"} - {*pushed_to.stops}:
            assert push(Answer(status=400, body=b'{"status":"%b"}' % word.encode())) == "http_status"
        sent = far.pushes[0]
    sms_id, text = sent.body["smsId"], sent.body["text"]
    expected = {
        "key": issued["key"],
        "action": "PUSH_SMS",
        "smsId": pushed_to.sms_id(sms_id),
        "phone": pushed_to.phone,
        "phoneFrom": "GlobalConnect",
        "text": text,
        **pushed_to.extras,
    }
    assert _typed(sent.body) == _typed(expected)
    headers = {field.lower(): value for field, value in sent.headers.items()}
    assert headers["accept-encoding"] == pushed_to.accepts
    assert headers.get("authorization") == (f"Bearer {issued['key']}" if pushed_to.is_bearer else None)
    assert headers["user-agent"].startswith("GlobalConnect/")
    assert "content-encoding" not in headers


def test_a_push_is_in_the_form_and_taken_by_what_the_partner_has_otherwise(cloud: Cloud) -> None:
    cloud.env["PUSH_LOOPBACK"] = "true"
    desk = Desk(cloud)
    with PretendPartner() as far:
        overrides = {"types": {"phone": "number"}, "pushDone": "http200"}
        issued = desk.partner(pushUrl=far.url, dialect="smsbower", overrides=overrides)
        far.answer(ANY_200)
        assert desk.post(f"/admin/partners/{issued['partnerId']}/test-push").body["delivered"]
        (sent,) = far.pushes
    assert (sent.body["phone"], type(sent.body["smsId"]), sent.body["call"]) == (int(TEST_PHONE), str, 0)


def test_a_refusal_is_logged_as_such_though_the_hub_is_told_200(
    market: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    partner = market.partner(dialect="smshub")
    market.finish(partner, 1, 3)
    (line,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (line["level"], line["status"], line["error"]) == ("WARNING", 200, "NotFound")


def _action_of(path: str) -> str:
    words = {"getServices": "GET_SERVICES", "getNumber": "GET_NUMBER", "finishActivation": "FINISH_ACTIVATION"}
    return words[path]


def _words(name: str, path: str) -> list[str]:
    return [*HUBS[name].counts] if path == "getServices" else [_action_of(path)]


def _typed(body: Mapping[str, object]) -> dict[str, tuple[type, object]]:
    """Return fields with their types: 1 is not true, and a string of digits is no number."""
    return {name: (type(value), value) for name, value in body.items()}


def _operators(body: Mapping[str, Any]) -> dict[str, Any]:
    if "countMap" in body:
        return dict(body["countMap"][COUNTRY])
    (country,) = body["countryList"]
    return dict(country["operatorMap"])


def _asked(shop: Shop, fields: Mapping[str, object]) -> dict[str, Any]:
    event = {
        "httpMethod": "POST",
        "resource": "/SMSBOWER",
        "requestContext": {"requestId": "request-1"},
        "headers": {"Accept": "text/html, image/gif, image/jpeg, *, application/json", "Accept-Encoding": "gzip"},
        "body": json.dumps(fields),
    }
    return dict(endpoint(lambda request: partner_api.app.answer(request, shop.partner_parts))(event, None))

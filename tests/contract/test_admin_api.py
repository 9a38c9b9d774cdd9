"""The operators' API through the deployed URL, signed in at Cognito: contract 5."""

import base64
import json
import re
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from admin_api.app import ROUTES
from globalconnect.domain.ids import LARGEST_TEST_SMS_ID
from local.pretend_partner import ERROR, PretendPartner
from tests.contract.market import Gateway, Hub, Market, until

JSON = "application/json; charset=utf-8"
CSV = {"Content-Type": "text/csv"}
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
# A key or secret that is revoked stops working within this (contract 5).
REVOKED_SECONDS = 60
# API Gateway gives up after 29 s.
GATEWAY_SECONDS = 29
PAGE = 100

_phones = count(490_000_000_000)


@pytest.fixture(scope="module")
def hub(market: Market) -> Hub:
    return market.hub()


def _new_phones(number: int) -> list[str]:
    return [str(next(_phones)) for _ in range(number)]


def _rows(phones: list[str], country: str, operator: str = "Import") -> list[dict[str, str]]:
    return [{"phone": phone, "country": country, "operator": operator} for phone in phones]


def _csv(phones: list[str], country: str, header: str = "phone,country,operator") -> bytes:
    return "\n".join([header, *(f"{phone},{country},Import" for phone in phones), ""]).encode()


def _country(phones: list[str]) -> str:
    """Return a country that no other test imports into."""
    return f"land{phones[0]}"


def _listed(market: Market, path: str, things: str, **query: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        answer = market.admin("GET", f"{path}?{httpx.QueryParams({**query, **cursor})}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page.keys() == {things, "cursor"}
        yield from page[things]
        if page["cursor"] is None:
            return
        cursor = {"cursor": page["cursor"]}


def _refused(answer: httpx.Response, status: int, message: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    body = answer.json()
    assert (body.keys(), body["status"]) == ({"status", "message"}, "ERROR")
    assert re.match(message, body["message"]), body


# ---------------------------------------------------------------- who may come in


def _claims(token: str, **changes: object) -> str:
    """Return a token with other claims and the signature of the true ones."""
    head, claims, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return ".".join((head, _encoded(known | changes), signature))


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _of_another_pool(market: Market) -> str:
    """Return a token that a stranger's user pool has issued in all form."""
    cognito: Any = boto3.client("cognito-idp", endpoint_url=market.stack.endpoint_url, region_name=market.stack.region)
    pool = cognito.create_user_pool(PoolName="strangers")["UserPool"]["Id"]
    flow = "USER_PASSWORD_AUTH"
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="strangers", ExplicitAuthFlows=[f"ALLOW_{flow}"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="stranger", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="stranger", Password="Stranger-1-pass", Permanent=True)
    signed_in = cognito.initiate_auth(
        ClientId=client, AuthFlow=flow, AuthParameters={"USERNAME": "stranger", "PASSWORD": "Stranger-1-pass"}
    )
    token: str = signed_in["AuthenticationResult"]["IdToken"]
    return token


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_route_answers_without_a_token(market: Market, route: Any) -> None:
    path = re.sub(r"\{\w+\}", "1", route.path)
    _refused(market.http.request(route.method, path, json={}), 401, "Sign in")


@pytest.mark.parametrize(
    "forged",
    ["", "nonsense", "a.b.c", "unsigned", "another signature", "another claim", "expired", "another operator", "Basic"],
)
def test_a_token_that_is_not_the_operators_is_401_in_our_json(market: Market, forged: str) -> None:
    token = market.stack.admin_token
    head, claims, signature = token.split(".")
    made = {
        "unsigned": f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        "another signature": f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        "another claim": _claims(token, sub="somebody else"),
        "expired": _claims(token, exp=1_700_000_000),
        "another operator": _claims(token, email="root@localhost"),
        "Basic": "Basic b3BlcmF0b3I6cGFzc3dvcmQ=",
    }.get(forged, forged)
    _refused(market.http.get("/admin/partners", headers={"Authorization": made}), 401, "Sign in")


def test_a_token_of_another_user_pool_is_401(market: Market) -> None:
    _refused(market.http.get("/admin/partners", headers={"Authorization": _of_another_pool(market)}), 401, "Sign in")


def test_a_partners_key_opens_nothing_here(market: Market, hub: Hub) -> None:
    for headers in ({"Authorization": hub.key}, {"Authorization": f"Bearer {hub.key}"}, {"X-Api-Key": hub.key}):
        _refused(market.http.get("/admin/partners", headers=headers), 401, "Sign in")


# ---------------------------------------------------------------- partners and their keys


def test_a_partner_is_issued_a_key_listed_read_changed_and_revoked(market: Market) -> None:
    wanted = {"name": "Hub Ltd", "pushUrl": "https://hub.example.com/push", "services": ["tg"], "dialect": "default"}
    answer = market.admin("POST", "/admin/partners", wanted)
    issued = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, JSON)
    assert {name: issued[name] for name in wanted} == wanted
    shown = {name: value for name, value in issued.items() if name != "key"}
    path = f"/admin/partners/{issued['partnerId']}"
    assert market.made("GET", path) == shown
    changed = market.made("PATCH", path, {"services": None, "pushUrl": None})
    assert changed == {**shown, "services": None, "pushUrl": None, "version": 1}
    assert market.admin("PATCH", path, {"name": "Late", "version": 0}).status_code == 409
    assert changed in list(_listed(market, "/admin/partners", "partners"))
    assert market.made("DELETE", path)["revoked"] is True
    assert market.made("GET", path)["revoked"] is True


def test_a_key_is_shown_by_the_answers_that_create_it_and_nowhere_else(market: Market) -> None:
    issued = market.made("POST", "/admin/partners", {"name": "Hub"})
    path = f"/admin/partners/{issued['partnerId']}"
    rotated = market.made("POST", f"{path}/rotate-key")
    assert issued["key"] != rotated["key"]
    later = [market.admin("GET", path).text, market.admin("PATCH", path, {"name": "Hub 2"}).text]
    later += [json.dumps(list(_listed(market, "/admin/partners", "partners"))), market.admin("DELETE", path).text]
    for key in (issued["key"], rotated["key"]):
        assert not any(key in text for text in later)


@pytest.mark.parametrize("how", ["rotated", "revoked"])
def test_a_rotated_or_revoked_key_stops_working_within_60_seconds_everywhere(market: Market, how: str) -> None:
    hub, service, pool = market.hub(), market.service(), market.pool(2)
    activation_id = hub.buy(pool, service)["activationId"]
    path = f"/admin/partners/{hub.partner_id}"
    made = market.made("POST", f"{path}/rotate-key") if how == "rotated" else market.made("DELETE", path)
    for look in (
        lambda: hub.call("GET_SERVICES"),
        lambda: hub.messages(activation_id),
        lambda: hub.finish(activation_id, 5),
        lambda: hub.call("GET_NUMBER", country=pool.country, operator=pool.operator, service=service),
    ):
        refused = until(look, lambda answer: answer.status_code == 401, REVOKED_SECONDS)
        assert refused.json() == INVALID_KEY
    if how == "rotated":
        renewed = Hub(market, hub.partner_id, made["key"])
        assert renewed.messages(activation_id).json() == {"status": "WAIT_CODE"}
        assert renewed.finish(activation_id, 5).json() == {"status": "SUCCESS"}


def test_a_rotated_key_is_the_one_that_pushes_carry(market: Market) -> None:
    with PretendPartner() as partner:
        hub, pool = market.hub(pushUrl=partner.url), market.pool()
        hub.buy(pool, market.service())
        key = market.made("POST", f"/admin/partners/{hub.partner_id}/rotate-key")["key"]
        market.gateway().deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"})
        (push,) = partner.wait_for(1, 60)
        assert push.body["key"] == key


def test_pushes_are_signed_with_every_signing_secret_of_the_last_day_until_they_are_removed(market: Market) -> None:
    with PretendPartner([ERROR]) as partner:
        hub, service, pool, gateway = market.hub(pushUrl=partner.url), market.service(), market.pool(), market.gateway()
        path = f"/admin/partners/{hub.partner_id}"
        hub.buy(pool, service)
        answers = [market.admin("POST", f"{path}/signing-secret") for _ in range(2)]
        assert [(answer.status_code, list(answer.json())) for answer in answers] == [(201, ["signingSecret"])] * 2
        secrets = [answer.json()["signingSecret"] for answer in answers]
        gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"})
        first, second = partner.wait_for(2, 60)
        for push in (first, second):
            for secret in secrets:
                assert Webhook(secret).verify(push.raw, dict(push.headers)) == push.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"sms_{first.body['smsId']}"
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) in range(8, 13)
        shown = market.admin("GET", path)
        assert shown.json()["signed"] is True
        assert not any(secret in shown.text for secret in secrets)
        assert market.made("DELETE", f"{path}/signing-secret")["signed"] is False
        gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5016"})
        (unsigned,) = partner.wait_for(1, 60, lambda push: push.body["text"] == "Code: 5016")
    assert not any(name.lower().startswith("webhook-") for name in unsigned.headers)


def test_a_test_push_shows_whether_a_partners_server_is_ready_and_keeps_nothing(market: Market) -> None:
    with PretendPartner([ERROR]) as partner:
        hub = market.hub(pushUrl=partner.url)
        path = f"/admin/partners/{hub.partner_id}"
        secret = market.made("POST", f"{path}/signing-secret")["signingSecret"]
        failed, delivered = (market.made("POST", f"{path}/test-push") for _ in range(2))
        assert (failed.pop("durationMs"), delivered.pop("durationMs")) < (5_001, 5_001)
        assert failed == {
            "delivered": False,
            "outcome": "refused_answer",
            "httpStatus": 200,
            "answer": '{"status":"ERROR"}',
        }
        assert delivered == {
            "delivered": True,
            "outcome": "delivered",
            "httpStatus": 200,
            "answer": '{"status":"SUCCESS"}',
        }
        pushes = partner.pushes
    assert len(pushes) == 2
    for push in pushes:
        assert Webhook(secret).verify(push.raw, dict(push.headers)) == push.body
        assert push.body.items() >= {"key": hub.key, "action": "PUSH_SMS", "phone": "447700900000"}.items()
        assert 1 <= int(push.body["smsId"]) <= LARGEST_TEST_SMS_ID
    assert market.made("GET", f"/admin/activations?partnerId={hub.partner_id}")["activations"] == []
    market.made("PATCH", path, {"pushUrl": None})
    _refused(market.admin("POST", f"{path}/test-push"), 409, "partner: has no Push URL")


def test_a_service_list_that_is_changed_is_what_the_key_may_buy(market: Market) -> None:
    allowed, other, pool = market.service(), market.service(), market.pool(2)
    hub = market.hub(services=[allowed])
    wanted = {"country": pool.country, "operator": pool.operator, "service": other}
    assert hub.call("GET_NUMBER", **wanted).status_code == 403
    market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"services": None})
    until(lambda: hub.call("GET_NUMBER", **wanted), lambda answer: answer.status_code == 200, REVOKED_SECONDS)


# ---------------------------------------------------------------- Push URLs

REFUSED_PUSH_URLS = {
    "ftp": "ftp://hub.example.com/push",
    "no scheme": "hub.example.com/push",
    "javascript": "javascript:alert(1)",
    "file": "file:///etc/passwd",
    "user": "https://user@hub.example.com/push",
    "user and password": "https://user:secret@hub.example.com/push",
    "credentials before loopback": "http://hub.example.com@127.0.0.1:9000/",
    "private 10": "http://10.0.0.1/",
    "private 172": "http://172.16.0.1/",
    "private 192": "http://192.168.1.1/",
    "link-local": "http://169.254.1.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata by name": "http://metadata.google.internal/",
    "any address": "http://0.0.0.0:9000/",
    "shared": "http://100.64.0.1/",
    "multicast": "http://224.0.0.1/",
    "decimal": "http://2130706433:9000/",
    "hexadecimal": "http://0x7f000001:9000/",
    "octal": "http://0177.0.0.1:9000/",
    "short": "http://127.1:9000/",
    "other loopback": "http://127.0.0.2:9000/",
    "IPv6 loopback": "http://[::1]:9000/",
    "IPv6 mapped": "http://[::ffff:127.0.0.1]:9000/",
    "IPv6 mapped, hexadecimal": "http://[::ffff:7f00:1]:9000/",
    "IPv6 private": "http://[fd00::1]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "IPv6 NAT64": "http://[64:ff9b::7f00:1]/",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1/",
    "dot at the end": "http://localhost.:9000/",
    "low port": "http://hub.example.com:22/",
    "backslash": "http://hub.example.com\\@127.0.0.1/",
    "line break": "http://hub.example.com/\r\nX-Header: 1",
    "empty": "",
    "text": "nonsense",
}


@pytest.mark.parametrize("url", REFUSED_PUSH_URLS.values(), ids=REFUSED_PUSH_URLS.keys())
def test_a_push_url_that_leads_inside_or_is_no_plain_http_is_400_and_changes_nothing(
    market: Market, hub: Hub, url: str
) -> None:
    path = f"/admin/partners/{hub.partner_id}"
    before = market.made("GET", path)
    _refused(market.admin("PATCH", path, {"pushUrl": url}), 400, "pushUrl: ")
    _refused(market.admin("POST", "/admin/partners", {"name": "Never", "pushUrl": url}), 400, "pushUrl: ")
    assert market.made("GET", path) == before


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://127.0.0.1:22/push", "http://127.0.0.1:65535/", "http://localhost:9000/",
     "https://hub.example.com/push?token=1", "http://hub.example.com:8080/", "https://[2606:4700:4700::1111]/"],
)  # fmt: skip
def test_a_push_url_outside_and_any_port_of_127_0_0_1_are_accepted_on_this_stack(market: Market, url: str) -> None:
    issued = market.made("POST", "/admin/partners", {"name": "Hub", "pushUrl": url})
    assert issued["pushUrl"] == url


# ---------------------------------------------------------------- services


def test_the_catalogue_is_entered_replaced_and_listed(market: Market) -> None:
    code = market.service()
    shown = {"code": code, "name": code, "reusable": False, "enabled": True, "cancelLimit": None}
    assert shown in market.made("GET", "/admin/services")["services"]
    replaced = {"code": code, "name": "Telegram", "reusable": True, "enabled": False, "cancelLimit": 3}
    assert (
        market.made("PUT", f"/admin/services/{code}", {name: replaced[name] for name in list(replaced)[1:]}) == replaced
    )
    assert replaced in market.made("GET", "/admin/services")["services"]


# ---------------------------------------------------------------- numbers: import


def test_json_and_csv_with_a_bom_import_the_same(market: Market) -> None:
    phones = _new_phones(4)
    country = _country(phones)
    imported = {"imported": 2, "updated": 0, "rejected": []}
    assert market.made("POST", "/admin/numbers", _rows(phones[:2], country)) == imported
    answer = market.admin("POST", "/admin/numbers", b"\xef\xbb\xbf" + _csv(phones[2:], country), headers=CSV)
    assert (answer.status_code, answer.json()) == (200, imported)
    assert sorted(number["phone"] for number in _listed(market, "/admin/numbers", "numbers", country=country)) == phones


def test_a_known_number_is_updated_with_its_lease_and_history_untouched(market: Market, hub: Hub) -> None:
    service, other, pool = market.service(), market.service(), market.pool()
    hub.finish(hub.buy(pool, service)["activationId"], 1)
    activation_id = hub.buy(pool, other)["activationId"]
    (before,) = _listed(market, "/admin/numbers", "numbers", country=pool.country)
    again = _rows([pool.phones[0]], pool.country, pool.operator)
    moved = _rows([pool.phones[0]], pool.country, "Another")
    for rows in (again, moved):
        assert market.made("POST", "/admin/numbers", rows) == {"imported": 0, "updated": 1, "rejected": []}
    (after,) = _listed(market, "/admin/numbers", "numbers", country=pool.country)
    assert after == {**before, "operator": "Another"}
    assert (after["activationId"], after["blocked"]) == (activation_id, [service])


def test_one_bad_row_among_good_ones_is_reported_and_the_good_ones_land(market: Market) -> None:
    phones = _new_phones(3)
    country = _country(phones)
    rows: list[object] = [*_rows(phones[:2], country), *_rows(["+44 74", "abc", "0447472190035", ""], country), 5]
    rows += [
        {"phone": phones[2], "country": country},
        *_rows([f"+{phones[0]}"], country),
        *_rows([phones[2]], country, "any"),
    ]
    answer = market.made("POST", "/admin/numbers", rows)
    assert (answer["imported"], answer["updated"]) == (2, 0)
    assert [refused["row"] for refused in answer["rejected"]] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert all(refused["reason"] for refused in answer["rejected"])
    content = _csv([phones[0], "+49 1", phones[2]], country) + b"\n\n,,\n"
    answer = market.admin("POST", "/admin/numbers", content, headers=CSV).json()
    assert (answer["imported"], answer["updated"], [refused["row"] for refused in answer["rejected"]]) == (1, 1, [2])
    assert sorted(number["phone"] for number in _listed(market, "/admin/numbers", "numbers", country=country)) == phones


@pytest.mark.parametrize(
    "header", ["phone,country", "phone,country,operator,note", "phone country operator", "number,country,operator", ""]
)
def test_a_csv_with_a_wrong_header_is_400_and_nothing_is_imported(market: Market, header: str) -> None:
    phones = _new_phones(1)
    answer = market.admin("POST", "/admin/numbers", _csv(phones, _country(phones), header), headers=CSV)
    _refused(answer, 400, "header: ")
    assert list(_listed(market, "/admin/numbers", "numbers", country=_country(phones))) == []


def test_5000_rows_are_imported_within_the_time_of_the_gateway_and_5001_are_413(market: Market, hub: Hub) -> None:
    phones = _new_phones(5_001)
    country = _country(phones)
    _refused(market.admin("POST", "/admin/numbers", _csv(phones, country), headers=CSV), 413, "body: ")
    assert list(_listed(market, "/admin/numbers", "numbers", country=country)) == []
    began = time.monotonic()
    answer = market.admin("POST", "/admin/numbers", _csv(phones[:5_000], country), headers=CSV)
    took = time.monotonic() - began
    assert (answer.status_code, answer.text) == (200, '{"imported":5000,"updated":0,"rejected":[]}')
    assert took < GATEWAY_SECONDS
    listed = [number["phone"] for number in _listed(market, "/admin/numbers", "numbers", country=country)]
    assert (len(listed), set(listed)) == (5_000, set(phones[:5_000]))


# ---------------------------------------------------------------- numbers: browse, withdraw, restore


def test_numbers_are_browsed_by_country_and_operator_page_by_page_each_once(market: Market) -> None:
    phones = _new_phones(2 * PAGE + 3)
    country = _country(phones)
    market.made("POST", "/admin/numbers", _rows(phones[: PAGE + 1], country, "One"))
    market.made("POST", "/admin/numbers", _rows(phones[PAGE + 1 :], country, "Two"))
    for operator, expected in (({}, phones), ({"operator": "One"}, phones[: PAGE + 1])):
        listed = list(_listed(market, "/admin/numbers", "numbers", country=country, **operator))
        assert sorted(number["phone"] for number in listed) == expected
    first = market.made("GET", f"/admin/numbers?country={country}")
    assert len(first["numbers"]) == PAGE
    # Opaque: it works for the listing it came from, and for no other.
    path = f"/admin/numbers?country={country}&operator=One&cursor={quote(first['cursor'])}"
    _refused(market.admin("GET", path), 400, "cursor: ")


def test_withdrawing_and_restoring_leave_a_live_activation_to_its_end(market: Market, hub: Hub) -> None:
    service, pool, gateway = market.service(), market.pool(), market.gateway()
    path = f"/admin/numbers/{pool.phones[0]}"
    activation_id = hub.buy(pool, service)["activationId"]
    held = market.made("PATCH", path, {"enabled": False})
    assert (held["enabled"], held["activationId"]) == (False, activation_id)
    gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "while withdrawn"})
    assert [sms["text"] for sms in hub.messages(activation_id).json()["messages"]] == ["while withdrawn"]
    restored = market.made("PATCH", path, {"enabled": True})
    assert (restored["enabled"], restored["activationId"], restored["heldUntil"]) == (
        True,
        activation_id,
        held["heldUntil"],
    )
    assert hub.buy(pool, service) == {"status": "NO_NUMBERS"}
    market.made("PATCH", path, {"enabled": False})
    assert hub.finish(activation_id, 5).json() == {"status": "SUCCESS"}
    assert hub.buy(pool, service) == {"status": "NO_NUMBERS"}
    until(lambda: hub.counts(pool), lambda counts: counts == {})
    market.made("PATCH", path, {"enabled": True})
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 1)
    assert hub.buy(pool, service)["number"] == pool.phones[0]


# ---------------------------------------------------------------- activations


def test_marks_are_lifted_per_number_and_service_but_what_a_success_used_up(market: Market, hub: Hub) -> None:
    pool, service, used_up = market.pool(1), market.service(), market.service()
    [phone] = pool.phones
    prohibited = hub.buy(pool, service)["activationId"]
    hub.finish(prohibited, 1)
    hub.finish(hub.buy(pool, used_up)["activationId"], 3)
    marks = {mark["service"]: mark["causes"] for mark in market.made("GET", f"/admin/numbers/{phone}")["marks"]}
    assert (marks[service][0]["activationId"], marks[service][0]["partnerId"]) == (prohibited, hub.partner_id)
    path = f"/admin/numbers/{phone}/lift-marks"
    assert market.made("POST", path, {"service": service, "reason": "a test"})["lifted"] == 1
    assert market.made("POST", path, {"service": service, "reason": "a test"})["lifted"] == 0
    assert market.admin("POST", path, {"service": used_up, "reason": "a test"}).status_code == 409
    assert market.admin("POST", path, {"service": service}).status_code == 400
    until(lambda: hub.counts(pool), lambda counts: (counts[service], counts[used_up]) == (1, 0))
    assert hub.buy(pool, service)["number"] == phone


def test_all_that_one_partner_left_since_a_time_is_lifted_and_what_others_left_stays(market: Market) -> None:
    hub, other = market.hub(), market.hub()
    pool, service = market.pool(3), market.service()
    before = "2020-01-01T00:00:00Z"
    for partner, outcome in ((hub, 1), (hub, 3), (other, 1)):
        partner.finish(partner.buy(pool, service)["activationId"], outcome)
    path = f"/admin/partners/{hub.partner_id}/lift-marks"
    body = {"since": before, "reason": "a test"}
    lifted = [market.made("POST", path, body) for _ in range(2)]
    assert lifted == [{"lifted": 1, "cursor": None}, {"lifted": 0, "cursor": None}]
    until(lambda: hub.counts(pool), lambda counts: counts[service] == 1)
    newest = market.made("GET", "/admin/audit")["entries"][0]
    assert (newest["action"], newest["details"]["reason"]) == ("partner.marks_lifted", "a test")


def test_an_activation_is_shown_with_its_messages_and_every_push_attempt(market: Market) -> None:
    with PretendPartner([ERROR]) as partner:
        hub, service, pool = market.hub(pushUrl=partner.url), market.service(), market.pool()
        activation_id = hub.buy(pool, service, sum="20.00", currency=643)["activationId"]
        market.gateway().deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"})
        partner.wait_for(2, 60)
        path = f"/admin/activations/{activation_id}"
        # How an attempt ended is entered in the log a moment after its SMS is marked as delivered.
        shown = until(
            lambda: market.made("GET", path),
            lambda sale: (
                sale["messages"][0]["pushState"] == "delivered" and len(sale["messages"][0]["attemptLog"]) == 2
            ),
            30,
        )
    (message,) = shown.pop("messages")
    assert shown.pop("messageCount") == 1
    assert (
        shown.items()
        >= {
            "activationId": activation_id,
            "partnerId": hub.partner_id,
            "phone": pool.phones[0],
            "country": pool.country,
            "operator": pool.operator,
            "service": service,
            "state": "live",
            "outcome": None,
            "sum": "20.00",
            "currency": "643",
        }.items()
    )
    failed, delivered = message["attemptLog"]
    (hidden,) = market.made("GET", f"/admin/activations/{activation_id}?texts=hidden")["messages"]
    assert hidden["attemptLog"] == [attempt | {"answer": None} for attempt in (failed, delivered)]
    activity = f"/admin/partners/{hub.partner_id}/activity"
    (failure,) = market.made("GET", f"{activity}?texts=shown")["failures"]
    assert failure["answer"] == failed["answer"]
    assert market.made("GET", f"{activity}?texts=hidden")["failures"] == [failure | {"answer": None}]
    assert message["attempts"] == 2
    assert (failed["httpStatus"], delivered["outcome"]) == (200, "delivered")
    assert json.loads(failed["answer"]) == {"status": "ERROR"}
    assert hub.key not in json.dumps(message)
    for query in ({"partnerId": hub.partner_id}, {"phone": pool.phones[0]}):
        assert list(_listed(market, "/admin/activations", "activations", **query)) == [shown]
    hub.finish(activation_id, 3)
    assert market.made("GET", path).items() >= {"state": "finished", "outcome": 3}.items()


def test_activations_are_listed_newest_first_page_by_page_each_once(market: Market) -> None:
    hub, service, pool = market.hub(), market.service(), market.pool()
    sold = []
    for _ in range(PAGE + 2):
        sold.append(hub.buy(pool, service)["activationId"])
        hub.finish(sold[-1], 5)
    for query in ({"partnerId": hub.partner_id}, {"phone": pool.phones[0]}):
        listed = [shown["activationId"] for shown in _listed(market, "/admin/activations", "activations", **query)]
        assert listed == sold[::-1]


def test_an_activation_or_message_that_does_not_exist_is_404(market: Market) -> None:
    _refused(market.admin("GET", "/admin/activations/1"), 404, "activation")
    _refused(market.admin("POST", "/admin/activations/1/messages/1/push"), 404, "activation")
    for bad in ("0", "-1", "1.5", "abc", str(2**53), str(2**64)):
        _refused(market.admin("GET", f"/admin/activations/{bad}"), 400, "activationId: ")


# ---------------------------------------------------------------- sources and the inbox


def test_a_source_shows_its_secret_once_and_stops_within_60_seconds_of_its_removal(market: Market) -> None:
    answer = market.admin("POST", "/admin/sources", {"name": "Gateway", "provider": "generic"})
    made = answer.json()
    assert answer.status_code == 201
    assert made["url"] == f"{market.stack.api}/inbound/{made['sourceId']}"
    listed = list(_listed(market, "/admin/sources", "sources"))
    assert {name: value for name, value in made.items() if name != "secret"} in listed
    assert made["secret"] not in json.dumps(listed)
    gateway = market.gateway()
    source_id = gateway.url.rpartition("/")[2]
    sms = {"phone": "447472190035", "from": "Microsoft", "text": "Code: 5015"}
    assert gateway.deliver(sms).status_code == 200
    assert market.made("DELETE", f"/admin/sources/{source_id}") == {"status": "SUCCESS"}
    until(lambda: gateway.deliver(sms).status_code, lambda status: status == 401, REVOKED_SECONDS)
    _refused(market.admin("DELETE", f"/admin/sources/{source_id}"), 404, "source")


def test_a_sources_secret_is_replaced_and_the_former_one_still_good(market: Market) -> None:
    gateway = market.gateway()
    path = f"/admin/sources/{gateway.url.rpartition('/')[2]}/secret"
    assert gateway.deliver([]).status_code == 200
    answer = market.admin("POST", path)
    made = answer.json()
    assert (answer.status_code, made.keys(), made["warning"]) == (201, {"sourceId", "secret", "warning"}, None)
    given = market.made("POST", path, {"secret": "of a provider"})
    assert (given["secret"], given["warning"] is None) == ("of a provider", False)
    for secret in ("of a provider", made["secret"], gateway.secret):
        renewed = Gateway(market, gateway.url, secret)
        until(lambda renewed=renewed: renewed.deliver([]).status_code, lambda status: status == 200, 60)  # type: ignore[misc]
    assert gateway.deliver([], signature="0" * 64).status_code == 401
    everything = (
        json.dumps(list(_listed(market, "/admin/sources", "sources"))) + market.admin("GET", "/admin/audit").text
    )
    assert not any(secret in everything for secret in ("of a provider", made["secret"], gateway.secret))
    _refused(market.admin("POST", path, {"secret": "short"}), 400, "secret")


def test_unclaimed_sms_and_unreadable_payloads_are_paged_newest_first(market: Market) -> None:
    gateway, pool = market.gateway(), market.pool()
    for part in range(2):
        gateway.deliver([{"phone": pool.phones[0], "from": "X", "text": f"{part}.{n}"} for n in range(PAGE - 40)])
    gateway.deliver(b"rubbish " + pool.phones[0].encode())
    listed = [sms for sms in _listed(market, "/admin/unclaimed", "messages") if sms["phone"] == pool.phones[0]]
    assert len({sms["smsId"] for sms in listed}) == len(listed) == 2 * (PAGE - 40)
    assert [sms["text"][0] for sms in listed] == ["1"] * (PAGE - 40) + ["0"] * (PAGE - 40)
    payloads = [kept["payload"] for kept in _listed(market, "/admin/unreadable", "payloads")]
    assert f"rubbish {pool.phones[0]}" in payloads


def test_changes_and_looks_at_texts_are_in_the_audit_log_and_hidden_texts_are_not(market: Market) -> None:
    hub, service, pool, gateway = market.hub(), market.service(), market.pool(), market.gateway()
    activation_id = hub.buy(pool, service)["activationId"]
    gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"})
    path = f"/admin/activations/{activation_id}"
    (hidden,) = market.made("GET", f"{path}?texts=hidden")["messages"]
    assert (hidden["text"], hidden["phoneFrom"]) == (None, "Microsoft")
    assert market.admin("DELETE", "/admin/partners/nobody").status_code == 404
    (shown,) = market.made("GET", path)["messages"]
    assert shown["text"] == "Code: 5015"
    entries = market.made("GET", "/admin/audit")["entries"]
    found = {(entry["action"], entry["id"]): entry for entry in entries}
    assert found["partner.issued", hub.partner_id]["result"] == "done"
    assert found["partner.revoked", "nobody"]["result"] == "refused"
    assert found["sms.texts_read", str(activation_id)]["details"] == {"messages": 1}
    assert [entry["id"] for entry in entries if entry["action"] == "sms.texts_read"].count(str(activation_id)) == 1
    assert found["partner.issued", hub.partner_id]["staffName"] == market.stack.admin_user
    heard = {source["sourceId"]: source["lastHeardAt"] for source in _listed(market, "/admin/sources", "sources")}
    assert heard[gateway.url.rpartition("/")[2]] is not None
    pools = {(shown["country"], shown["operator"]): shown for shown in _listed(market, "/admin/pools", "pools")}
    assert pools[pool.country, pool.operator]["services"].keys() >= {service}


# ---------------------------------------------------------------- every route


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/admin/partners", {"name": "Hub", "unknown": 1}),
        ("POST", "/admin/partners", {"name": "Hub", "key": "gc_mine"}),
        ("PUT", "/admin/services/never", {"name": "Never", "unknown": 1}),
        ("PATCH", "/admin/numbers/447472190035", {"enabled": True, "unknown": 1}),
        ("POST", "/admin/sources", {"name": "Never", "provider": "generic", "unknown": 1}),
        ("GET", "/admin/partners?unknown=1", None),
        ("GET", "/admin/services?unknown=1", None),
        ("GET", "/admin/numbers?unknown=1", None),
        ("GET", "/admin/activations?unknown=1", None),
        ("GET", "/admin/sources?unknown=1", None),
        ("GET", "/admin/unclaimed?unknown=1", None),
        ("POST", "/admin/sources?unknown=1", {"name": "Never", "provider": "generic"}),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_an_unknown_field_is_400_naming_it(market: Market, method: str, path: str, body: object) -> None:
    named = "key" if isinstance(body, dict) and "key" in body else "unknown"
    _refused(market.admin(method, path, body), 400, f"{named}: unknown field")


@pytest.mark.parametrize(
    "path",
    ["/admin/partners?cursor=a&cursor=a", "/admin/numbers?country=a&country=b", "/admin/activations?phone=1&phone=1"],
)
def test_a_query_field_given_twice_is_400_naming_it(market: Market, path: str) -> None:
    name = path.partition("?")[2].partition("=")[0]
    _refused(market.admin("GET", path), 400, f"{name}: expected once")


@pytest.mark.parametrize("path", ["partners", "numbers", "activations", "sources", "unclaimed", "unreadable"])
@pytest.mark.parametrize(
    "cursor", ["x", "bm9uc2Vuc2U", "%25%25", "", "a" * 4_097], ids=["x", "text", "%", "empty", "long"]
)
def test_a_cursor_that_is_none_of_ours_is_400(market: Market, path: str, cursor: str) -> None:
    _refused(market.admin("GET", f"/admin/{path}?cursor={cursor}"), 400, "cursor: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"name":NaN}', b"[" * 100_000, b'{"name":"' + b"x" * 1_000_000 + b'"}'],
    ids=["empty", "cut", "list", "text", "no UTF-8", "NaN", "deep", "1 MB"],
)
@pytest.mark.parametrize("path", ["/admin/partners", "/admin/sources"])
def test_a_body_that_is_no_json_object_is_400(market: Market, path: str, content: bytes) -> None:
    _refused(market.admin("POST", path, content), 400, "body: ")


@pytest.mark.parametrize("bad", ["++447472190035", "44.7472190035", "44747219003x", "4474", "4" * 16])
def test_what_can_be_no_phone_is_400(market: Market, bad: str) -> None:
    _refused(market.admin("PATCH", f"/admin/numbers/{quote(bad)}", {"enabled": False}), 400, "phone: ")


@pytest.mark.parametrize("bad", ["t g", "x" * 41, "т", "t%2Fg"])
def test_a_service_code_that_can_be_none_is_400(market: Market, bad: str) -> None:
    _refused(market.admin("PUT", f"/admin/services/{quote(bad)}", {"name": "Never"}), 400, "code: ")


@pytest.mark.parametrize(("method", "path"), [("GET", "/admin/nothing"), ("DELETE", "/admin/services/tg")])
def test_an_unknown_path_or_method_is_404_and_without_a_token_401(market: Market, method: str, path: str) -> None:
    _refused(market.http.request(method, path), 401, "Sign in")
    _refused(market.admin(method, path), 404, "path")


def test_what_does_not_exist_is_404(market: Market) -> None:
    for method, path in (("GET", "/admin/partners/nobody"), ("DELETE", "/admin/sources/nobody"), ("GET", "/admin")):
        assert market.admin(method, path).status_code == 404
    _refused(market.admin("PATCH", "/admin/numbers/99999", {"enabled": True}), 404, "number")
    _refused(market.admin("PATCH", "/admin/partners/nobody", {"name": "X"}), 404, "partner")
    _refused(market.admin("POST", "/admin/partners/nobody/rotate-key"), 404, "partner")

"""The API of staff through the deployed URL, signed in at Cognito: contract 5."""

import base64
import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from admin_api.app import ROUTES
from local.pretend_partner import PretendPartner
from tests.contract.market import Hub, Market, until

JSON = "application/json; charset=utf-8"
CSV = {"Content-Type": "text/csv"}
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
# A key or secret that is revoked stops working within this (contract 5).
REVOKED_SECONDS = 60
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
def test_a_token_that_is_not_of_staff_is_401_in_our_json(market: Market, forged: str) -> None:
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
    with PretendPartner() as partner:
        hub, service, pool, gateway = market.hub(pushUrl=partner.url), market.service(), market.pool(), market.gateway()
        path = f"/admin/partners/{hub.partner_id}"
        hub.buy(pool, service)
        answers = [market.admin("POST", f"{path}/signing-secret") for _ in range(2)]
        assert [(answer.status_code, list(answer.json())) for answer in answers] == [(201, ["signingSecret"])] * 2
        secrets = [answer.json()["signingSecret"] for answer in answers]
        gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"})
        (signed,) = partner.wait_for(1, 60)
        for secret in secrets:
            assert Webhook(secret).verify(signed.raw, dict(signed.headers)) == signed.body
        assert signed.headers["webhook-id"] == f"sms_{signed.body['smsId']}"
        shown = market.admin("GET", path)
        assert shown.json()["signed"] is True
        assert not any(secret in shown.text for secret in secrets)
        assert market.made("DELETE", f"{path}/signing-secret")["signed"] is False
        gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5016"})
        (unsigned,) = partner.wait_for(1, 60, lambda push: push.body["text"] == "Code: 5016")
    assert not any(name.lower().startswith("webhook-") for name in unsigned.headers)


# ---------------------------------------------------------------- Push URLs


@pytest.mark.parametrize(
    "url",
    ["ftp://hub.example.com/push", "https://user:secret@hub.example.com/push", "http://10.0.0.1/",
     "http://169.254.169.254/latest/meta-data/", "http://2130706433:9000/", "http://[::ffff:7f00:1]:9000/",
     "http://hub.example.com:22/", "http://hub.example.com/\r\nX-Header: 1", ""],
)  # fmt: skip
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
    ["http://127.0.0.1:22/push", "http://127.0.0.1:65535/", "http://localhost:9000/", "https://hub.example.com/push?token=1"],
)  # fmt: skip
def test_a_push_url_outside_and_any_port_of_127_0_0_1_are_accepted_on_this_stack(market: Market, url: str) -> None:
    issued = market.made("POST", "/admin/partners", {"name": "Hub", "pushUrl": url})
    assert issued["pushUrl"] == url


# ---------------------------------------------------------------- numbers


def test_json_and_csv_with_a_bom_import_the_same(market: Market) -> None:
    phones = _new_phones(4)
    country = _country(phones)
    imported = {"imported": 2, "updated": 0, "rejected": []}
    assert market.made("POST", "/admin/numbers", _rows(phones[:2], country)) == imported
    answer = market.admin("POST", "/admin/numbers", b"\xef\xbb\xbf" + _csv(phones[2:], country), headers=CSV)
    assert (answer.status_code, answer.json()) == (200, imported)
    assert sorted(number["phone"] for number in _listed(market, "/admin/numbers", "numbers", country=country)) == phones


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


# ---------------------------------------------------------------- every route


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/admin/partners", {"name": "Hub", "key": "gc_mine"}, "key: unknown field"),
        ("PUT", "/admin/services/never", {"name": "Never", "unknown": 1}, "unknown: unknown field"),
        ("GET", "/admin/partners?unknown=1", None, "unknown: unknown field"),
        ("POST", "/admin/sources?unknown=1", {"name": "Never", "provider": "generic"}, "unknown: unknown field"),
        ("GET", "/admin/numbers?country=a&country=b", None, "country: expected once"),
        ("GET", "/admin/partners?cursor=bm9uc2Vuc2U", None, "cursor: "),
        ("GET", "/admin/activations?cursor=%25%25", None, "cursor: "),
        ("GET", "/admin/unclaimed?cursor=", None, "cursor: "),
        ("POST", "/admin/partners", b"[" * 100_000, "body: "),
        ("POST", "/admin/partners", b"\xff\xfe", "body: "),
        ("POST", "/admin/sources", b'{"name":"' + b"x" * 1_000_000 + b'"}', "body: "),
        ("PATCH", "/admin/numbers/44.7472190035", {"enabled": False}, "phone: "),
        ("PATCH", f"/admin/numbers/{'4' * 16}", {"enabled": False}, "phone: "),
        ("PUT", "/admin/services/t%20g", {"name": "Never"}, "code: "),
        ("PUT", f"/admin/services/{quote('т')}", {"name": "Never"}, "code: "),
    ],
    ids=lambda part: part[:40] if isinstance(part, str) else "",
)
def test_what_can_not_be_read_is_400_naming_it(
    market: Market, method: str, path: str, body: object, message: str
) -> None:
    _refused(market.admin(method, path, body), 400, message)


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

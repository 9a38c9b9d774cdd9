"""The API of staff through the deployed URL, signed in at Cognito: contract 5."""

import base64
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from standardwebhooks.webhooks import Webhook

from admin_api.app import ROUTES
from local.pretend_partner import PretendPartner
from tests.contract.market import INVALID_KEY, JSON, SUCCESSFUL, Hub, Market, refused, until

# A key or secret that is revoked stops working within this (contract 5).
REVOKED_SECONDS = 60


# ---------------------------------------------------------------- who may come in


def _claims(token: str, **changes: object) -> str:
    """Return a token with other claims and the signature of the true ones."""
    head, claims, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return ".".join((head, _encoded(known | changes), signature))


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_route_answers_without_a_token(market: Market, route: Any) -> None:
    path = re.sub(r"\{\w+\}", "1", route.path)
    refused(market.http.request(route.method, path, json={}), 401, "Sign in")


@pytest.mark.parametrize(
    "forged",
    ["", "nonsense", "a.b.c", "unsigned", "another signature", "another claim", "expired", "another address", "Basic"],
)
def test_a_token_that_is_not_of_staff_is_401_in_our_json(market: Market, forged: str) -> None:
    token = market.stack.admin_token
    head, claims, signature = token.split(".")
    made = {
        "unsigned": f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        "another signature": f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        "another claim": _claims(token, sub="somebody else"),
        "expired": _claims(token, exp=1_700_000_000),
        "another address": _claims(token, email="root@localhost"),
        "Basic": "Basic b3BlcmF0b3I6cGFzc3dvcmQ=",
    }.get(forged, forged)
    refused(market.http.get("/admin/partners", headers={"Authorization": made}), 401, "Sign in")


def test_a_partners_key_opens_nothing_here(market: Market, hub: Hub) -> None:
    for headers in ({"Authorization": hub.key}, {"Authorization": f"Bearer {hub.key}"}, {"X-Api-Key": hub.key}):
        refused(market.http.get("/admin/partners", headers=headers), 401, "Sign in")


# ---------------------------------------------------------------- partners and their keys


def test_a_partner_is_issued_a_key_listed_read_changed_and_revoked(market: Market) -> None:
    wanted = {
        "name": "Hub Ltd",
        "pushUrl": "https://hub.example.com/push",
        "services": ["tg"],
        "dialect": "globalconnect",
    }
    answer = market.admin("POST", "/admin/partners", wanted)
    issued = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, JSON)
    assert {name: issued[name] for name in wanted} == wanted
    # What is said once, of this answer alone.
    shown = {name: value for name, value in issued.items() if name not in {"key", "offerWarning"}}
    path = f"/admin/partners/{issued['partnerId']}"
    assert market.made("GET", path) == shown
    changed = market.made("PATCH", path, {"services": None, "pushUrl": None})
    assert changed == {**shown, "services": None, "pushUrl": None, "version": 1, "offerWarning": None}
    assert market.admin("PATCH", path, {"name": "Late", "version": 0}).status_code == 409
    assert market.made("DELETE", path)["revoked"] is True
    assert market.made("GET", path)["revoked"] is True


@pytest.mark.parametrize("how", ["rotated", "revoked"])
def test_a_rotated_or_revoked_key_stops_working_within_60_seconds_everywhere(market: Market, how: str) -> None:
    hub = market.hub()
    sale, path = market.sell(hub), f"/admin/partners/{hub.partner_id}"
    made = market.made("POST", f"{path}/rotate-key") if how == "rotated" else market.made("DELETE", path)
    for look in (
        lambda: hub.call("GET_SERVICES"),
        lambda: hub.messages(sale.activation_id),
        lambda: hub.finish(sale.activation_id, 5),
    ):
        answer = until(look, lambda answer: answer.status_code == 401, REVOKED_SECONDS)
        assert answer.json() == INVALID_KEY
    if how == "rotated":
        renewed = replace(sale, hub=replace(hub, key=made["key"]))
        assert renewed.polled() == {"status": "WAIT_CODE"}
        assert renewed.finish(5) == SUCCESSFUL


def test_pushes_are_signed_with_every_signing_secret_of_the_last_day_until_they_are_removed(market: Market) -> None:
    with PretendPartner() as partner:
        sale = market.sell(market.hub(pushUrl=partner.url))
        path = f"/admin/partners/{sale.hub.partner_id}"
        answers = [market.admin("POST", f"{path}/signing-secret") for _ in range(2)]
        assert [(answer.status_code, list(answer.json())) for answer in answers] == [(201, ["signingSecret"])] * 2
        secrets = [answer.json()["signingSecret"] for answer in answers]
        sale.deliver("Code: 5015")
        (signed,) = partner.wait_for(1, 60)
        for secret in secrets:
            assert Webhook(secret).verify(signed.raw, dict(signed.headers)) == signed.body
        assert signed.headers["webhook-id"] == f"sms_{signed.body['smsId']}"
        shown = market.admin("GET", path)
        assert shown.json()["signed"] is True
        assert not any(secret in shown.text for secret in secrets)
        assert market.made("DELETE", f"{path}/signing-secret")["signed"] is False
        sale.deliver("Code: 5016")
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
    refused(market.admin("PATCH", path, {"pushUrl": url}), 400, "pushUrl: ")
    refused(market.admin("POST", "/admin/partners", {"name": "Never", "pushUrl": url}), 400, "pushUrl: ")
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
    country, operator, imported = "land of both", "Import", {"imported": 1, "updated": 0, "rejected": []}
    row = {"phone": "490000000001", "country": country, "operator": operator}
    assert market.made("POST", "/admin/numbers", [row]) == imported
    content = f"\ufeffphone,country,operator\n490000000002,{country},{operator}\n".encode()
    answer = market.admin("POST", "/admin/numbers", content, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()) == (200, imported)
    numbers = market.made("GET", f"/admin/numbers?country={quote(country)}")["numbers"]
    assert sorted(number["phone"] for number in numbers) == ["490000000001", "490000000002"]


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
    refused(market.admin(method, path, body), 400, message)


@pytest.mark.parametrize(("method", "path"), [("GET", "/admin/nothing"), ("DELETE", "/admin/services/tg")])
def test_an_unknown_path_or_method_is_404_and_without_a_token_401(market: Market, method: str, path: str) -> None:
    refused(market.http.request(method, path), 401, "Sign in")
    refused(market.admin(method, path), 404, "path")

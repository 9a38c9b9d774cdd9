"""The partner API through the deployed URL: contract 1 and 2."""

import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.market import INVALID_KEY, JSON, NO_NUMBERS, SUCCESSFUL, Hub, Market, refused, until

PATHS = ["/SMSBOWER", "/SMSBOWER/", "/api/partner", "/api/partner/"]


# ---------------------------------------------------------------- every request


@pytest.mark.parametrize("path", PATHS)
def test_every_path_answers_the_same_by_get_and_post(market: Market, hub: Hub, path: str) -> None:
    service, pool = market.service(), market.pool(2)
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 2)
    by_post = hub.call("GET_SERVICES", path)
    by_get = market.http.get(path, params={"key": hub.key, "action": "GET_SERVICES"})
    assert by_post.status_code == by_get.status_code == 200
    assert by_post.json() == by_get.json()
    fields = {"country": pool.country, "operator": pool.operator, "service": service}
    got = market.http.get(path, params={"key": hub.key, "action": "GET_NUMBER", **fields})
    posted = hub.call("GET_NUMBER", path, **fields)
    assert {got.json()["number"], posted.json()["number"]} == set(pool.phones)
    assert {answer.headers["content-type"] for answer in (by_post, by_get, got, posted)} == {JSON}


@pytest.mark.parametrize("base", ["/SMSBOWER", "/api/partner"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_what_has_a_path_of_its_own_needs_no_action_and_a_bearer_is_no_error(
    market: Market, hub: Hub, base: str, slash: str
) -> None:
    service, pool = market.service(), market.pool(2)
    headers = {"Authorization": f"Bearer {hub.key}"}

    def both(path: str, **fields: object) -> list[httpx.Response]:
        url, sent = f"{base}/{path}{slash}", {"key": hub.key, **fields}
        posted = market.http.post(url, json=sent, headers=headers)
        return [
            posted,
            market.http.get(url, params={name: str(value) for name, value in sent.items()}, headers=headers),
        ]

    assert [answer.json()["status"] for answer in both("getServices")] == ["SUCCESS"] * 2
    bought = both("getNumber", country=pool.country, operator=pool.operator, service=service)
    assert {answer.json()["number"] for answer in bought} == set(pool.phones)
    finished = both("finishActivation", activationId=bought[0].json()["activationId"], status=3)
    assert [(answer.status_code, answer.json()) for answer in finished] == [(200, {"status": "SUCCESS"})] * 2


@pytest.mark.parametrize(
    "path", ["/SMSBOWER/getsms/", "/SMSBOWER/getsms", "/api/partner/getsms/", "/api/partner/getsms"]
)
def test_getsms_answers_on_all_its_paths(market: Market, hub: Hub, path: str) -> None:
    answer = hub.messages(market.sell(hub).activation_id, path)
    assert (answer.status_code, answer.json()) == (200, {"status": "WAIT_CODE"})
    assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "application/json", "User-Agent": ""}, {"Content-Type": JSON, "User-Agent": "curl/8"},
     {"Content-Type": "text/plain"}, {"Content-Type": "application/octet-stream", "User-Agent": "curl/8"},
     {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "hub 1.0 (+https://hub.example)"}],
)  # fmt: skip
def test_any_content_type_and_any_user_agent_are_accepted(market: Market, hub: Hub, headers: dict[str, str]) -> None:
    body = json.dumps({"key": hub.key, "action": "GET_SERVICES"}).encode()
    request = market.http.build_request("POST", "/SMSBOWER", content=body)
    del request.headers["User-Agent"]
    request.headers.update(headers)
    answer = market.http.send(request)
    assert (answer.status_code, answer.json()["status"]) == (200, "SUCCESS")


def test_a_gzip_body_works(market: Market, hub: Hub) -> None:
    body = gzip.compress(json.dumps({"key": hub.key, "action": "GET_SERVICES"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert market.http.post("/SMSBOWER", content=body, headers=headers).json()["status"] == "SUCCESS"


def test_a_long_answer_is_gzipped_when_asked_for(market: Market) -> None:
    hub, pool = market.hub(services=[f"s{n}" for n in range(100)]), market.pool()
    for n in range(100):
        market.made("PUT", f"/admin/services/s{n}", {"name": "Service"})
    until(lambda: hub.counts(pool), lambda counts: len(counts) == 100)
    for asked, encoded in (("gzip", "gzip"), ("identity", None)):
        request = {"key": hub.key, "action": "GET_SERVICES"}
        answer = market.http.post("/SMSBOWER", json=request, headers={"Accept-Encoding": asked})
        assert (answer.headers.get("content-encoding"), answer.headers["content-type"]) == (encoded, JSON)
        assert answer.json()["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nothing"), ("PATCH", "/SMSBOWER"), ("DELETE", "/api/partner/"), ("POST", "/SMSBOWER/getsms"),
     ("GET", "/api"), ("GET", "/SMSBOWER/more/of/it"), ("DELETE", "/inbound/x"), ("PUT", "/inbound/x/y"), ("GET", "/smsbower"),
     ("POST", "/admin"), ("GET", "/%00"), ("GET", "/..%2f..%2fetc/passwd")],
)  # fmt: skip
def test_a_path_or_method_we_do_not_have_is_404_in_our_json(market: Market, method: str, path: str) -> None:
    refused(market.http.request(method, market.stack.api + path), 404, "")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"sum":NaN}', b'{"a":' * 30_000, b"\x1f\x8b", gzip.compress(b"{}")[:-4],
     gzip.compress(b" " * 20_000_000), b'{"padding":"' + b"x" * 1_000_000 + b'"}'],
    ids=["empty", "cut", "list", "no UTF-8", "NaN", "deep", "no gzip", "cut gzip", "gzip bomb", "a megabyte"],
)  # fmt: skip
def test_a_body_that_is_no_json_object_or_too_large_is_400(market: Market, content: bytes) -> None:
    refused(market.http.post("/SMSBOWER", content=content), 400, "body: ")


def test_checks_happen_in_the_order_of_the_contract(market: Market) -> None:
    hub, pool = market.hub(services=[]), market.pool()
    # Each request is right in one thing more than the one before it, and still wrong in all that is checked later.
    refused(market.http.post("/SMSBOWER", content=b'{"key": "nonsense", "action": "NONSENSE"'), 400, "body: ")
    asked: dict[str, object] = {"key": "nonsense", "action": "NONSENSE", "country": "", "service": "nothing"}
    for right, status, message in (
        ({}, 401, "Invalid key"),
        ({"key": hub.key}, 400, "action: "),
        ({"action": "GET_NUMBER"}, 400, "country: "),
        ({"country": "atlantis", "operator": pool.operator}, 403, "service: "),
    ):
        asked |= right
        refused(market.http.post("/SMSBOWER", json=asked), status, message)
    market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"services": None})
    assert market.http.post("/SMSBOWER", json=asked).json() == NO_NUMBERS


def test_a_missing_or_unknown_key_is_401_with_exactly_the_contracts_body(market: Market) -> None:
    for answer in (
        market.http.post("/SMSBOWER", json={"action": "NONSENSE"}),
        market.http.post("/SMSBOWER", json={"action": "GET_SERVICES", "key": "nonsense"}),
        market.http.get("/SMSBOWER"),
        market.http.get("/SMSBOWER/getsms/", params={"id": "x"}),
    ):
        assert (answer.status_code, answer.json()) == (401, INVALID_KEY)


def test_fields_that_are_missing_wrong_or_double_are_400_and_named(market: Market, hub: Hub) -> None:
    for answer, message in (
        (hub.call("NONSENSE"), "action: "),
        (hub.call("GET_NUMBER", operator="x", service="x"), "country: "),
        (hub.call("GET_NUMBER", country="x", operator="", service="x"), "operator: "),
        (hub.finish("x", 3), "activationId: "),
        (hub.finish(1, 2), "status: "),
        (market.http.get(f"/SMSBOWER?key={hub.key}&action=GET_SERVICES&action=x"), "action: "),
        (hub.messages(2**53), "id: "),
    ):
        refused(answer, 400, message)


def test_a_service_outside_the_keys_list_is_403_and_not_listed(market: Market) -> None:
    allowed, other, pool = market.service(), market.service(), market.pool()
    hub = market.hub(services=[allowed])
    refused(hub.call("GET_NUMBER", country=pool.country, operator=pool.operator, service=other), 403, "service: ")
    until(lambda: hub.counts(pool), lambda counts: counts == {allowed: 1})


def test_an_activation_of_another_key_is_404_word_for_word_like_none(market: Market, hub: Hub) -> None:
    stranger, sale = market.hub(), market.sell(hub)
    for theirs, nobodys in (
        (stranger.finish(sale.activation_id, 3), stranger.finish(sale.activation_id + 1, 3)),
        (stranger.messages(sale.activation_id), stranger.messages(sale.activation_id + 1)),
    ):
        refused(theirs, 404, "")
        assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
        assert theirs.headers.keys() == nobodys.headers.keys()
    assert sale.polled() == {"status": "WAIT_CODE"}


# ---------------------------------------------------------------- selling


def test_a_sale_from_get_services_to_finish_activation(market: Market) -> None:
    hub, service, pool, gateway = market.hub(), market.service(), market.pool(), market.gateway()
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 1)
    bought = hub.buy(pool, service, sum="20.00", currency="643", exceptionPhoneSet=["999"])
    activation_id = bought.pop("activationId")
    assert bought == {"number": pool.phones[0], "status": "SUCCESS", "call": 0, "voice": 0}
    assert isinstance(activation_id, int)
    assert 0 < activation_id < 10**14
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 0)
    assert hub.buy(pool, service) == NO_NUMBERS
    assert hub.messages(activation_id).json() == {"status": "WAIT_CODE"}
    assert gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"}).status_code == 200
    (message,) = hub.messages(activation_id).json()["messages"]
    sms = {name: message[name] for name in ("phone", "phoneFrom", "text")}
    assert sms == {"phone": pool.phones[0], "phoneFrom": "Microsoft", "text": "Code: 5015"}
    assert message.keys() == {"smsId", "receivedAt", *sms}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", message["receivedAt"])
    assert 0 < int(message["smsId"]) < 2**53
    for _ in range(2):
        assert hub.finish(activation_id, 3).json() == SUCCESSFUL
    assert hub.messages(activation_id).json() == {"status": "SUCCESS", "messages": [message]}
    assert hub.buy(pool, service) == NO_NUMBERS
    assert hub.buy(pool, market.service())["number"] == pool.phones[0]


def test_n_means_that_n_calls_in_a_row_succeed_and_the_next_gets_no_numbers(market: Market, hub: Hub) -> None:
    service, other, pool = market.service(), market.service(), market.pool(9)
    for status in (1, 3, 4, 5, 3):
        assert hub.finish(hub.buy(pool, service)["activationId"], status).json() == SUCCESSFUL
    hub.buy(pool, other)
    market.made("PATCH", f"/admin/numbers/{pool.phones[-1]}", {"enabled": False})
    counts = until(lambda: hub.counts(pool), lambda seen: seen.get(other) == 7)
    bought = [hub.buy(pool, service) for _ in range(counts[service] + 1)]
    assert [answer["status"] for answer in bought] == ["SUCCESS"] * counts[service] + ["NO_NUMBERS"]
    until(lambda: hub.counts(pool), lambda seen: seen.get(service) == 0)


def test_a_restriction_comes_through_however_a_query_spells_it(market: Market, hub: Hub) -> None:
    service, pool = market.service(), market.pool(2)
    first, second = pool.phones
    fields = {"key": hub.key, "action": "GET_NUMBER", "country": pool.country, "operator": "any", "service": service}
    for restriction in (
        f"exceptionPhoneSet={first}&exceptionPhoneSet={second}",
        # Most PHP clients write a list with brackets.
        f"exceptionPhoneSet[]={first}&exceptionPhoneSet[0]={second}",
        f"exceptionPhoneSet=+{first},+{second}",
    ):
        assert market.http.get(f"/SMSBOWER?{httpx.QueryParams(fields)}&{restriction}").json() == NO_NUMBERS


def test_thirty_callers_at_once_for_ten_numbers(market: Market) -> None:
    market.warm_up(30)
    hub, service, pool = market.hub(), market.service(), market.pool(10)
    with ThreadPoolExecutor(30) as callers:
        answers = list(callers.map(lambda _: hub.buy(pool, service), range(30)))
    sold = [answer for answer in answers if answer["status"] == "SUCCESS"]
    assert sorted(answer["number"] for answer in sold) == sorted(pool.phones)
    assert len({answer["activationId"] for answer in sold}) == 10
    assert [answer for answer in answers if answer not in sold] == [NO_NUMBERS] * 20


def test_a_partners_limit_and_pause_end_its_sales_and_nobody_elses(market: Market) -> None:
    limited, other, service, pool = market.hub(maxLive=2), market.hub(), market.service(), market.pool(5)
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 2)
    first, _ = (limited.buy(pool, service)["activationId"] for _ in range(2))
    assert limited.buy(pool, service) == NO_NUMBERS
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 0)
    until(lambda: other.counts(pool), lambda counts: counts.get(service) == 3)
    assert other.buy(pool, service)["status"] == "SUCCESS"
    assert limited.finish(first, 5).json() == SUCCESSFUL
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 1)

    path = f"/admin/partners/{limited.partner_id}/pause"
    assert market.made("POST", path, {"reason": "Unpaid"})["paused"]["reason"] == "Unpaid"
    assert limited.counts(pool)[service] == 0
    assert limited.buy(pool, service) == NO_NUMBERS
    assert other.buy(pool, service)["status"] == "SUCCESS"
    assert market.made("DELETE", path)["paused"] is None
    assert limited.buy(pool, service)["status"] == "SUCCESS"

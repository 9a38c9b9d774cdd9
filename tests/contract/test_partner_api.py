"""The partner API through the deployed URL: contract 1 and 2."""

import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.market import Hub, Market, until

JSON = "application/json; charset=utf-8"
PATHS = ["/SMSBOWER", "/SMSBOWER/", "/api/partner", "/api/partner/"]


@pytest.fixture(scope="module")
def hub(market: Market) -> Hub:
    return market.hub()


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
    for answer in (by_post, by_get, got, posted):
        assert answer.headers["content-type"] == JSON


def test_a_sale_from_get_services_to_finish_activation(market: Market) -> None:
    hub, service, pool, gateway = market.hub(), market.service(), market.pool(), market.gateway()
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 1)
    bought = hub.buy(pool, service, sum="20.00", currency="643", exceptionPhoneSet=["999"])
    activation_id = bought.pop("activationId")
    assert bought == {"number": pool.phones[0], "status": "SUCCESS", "call": 0, "voice": 0}
    assert isinstance(activation_id, int)
    assert 0 < activation_id < 10**14
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 0)
    assert hub.buy(pool, service) == {"status": "NO_NUMBERS"}
    assert hub.messages(activation_id).json() == {"status": "WAIT_CODE"}
    assert gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": "Code: 5015"}).status_code == 200
    (message,) = hub.messages(activation_id).json()["messages"]
    assert message.keys() == {"smsId", "phone", "phoneFrom", "text", "receivedAt"}
    assert (message["phone"], message["phoneFrom"], message["text"]) == (pool.phones[0], "Microsoft", "Code: 5015")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", message["receivedAt"])
    assert 0 < int(message["smsId"]) < 2**53
    for _ in range(2):
        assert hub.finish(activation_id, 3).json() == {"status": "SUCCESS"}
    assert hub.messages(activation_id).json() == {"status": "SUCCESS", "messages": [message]}
    assert hub.buy(pool, service) == {"status": "NO_NUMBERS"}
    assert hub.buy(pool, market.service())["number"] == pool.phones[0]


@pytest.mark.parametrize(
    "path", ["/SMSBOWER/getsms/", "/SMSBOWER/getsms", "/api/partner/getsms/", "/api/partner/getsms"]
)
def test_getsms_answers_on_all_its_paths(market: Market, hub: Hub, path: str) -> None:
    service, pool = market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    answer = hub.messages(activation_id, path)
    assert (answer.status_code, answer.json()) == (200, {"status": "WAIT_CODE"})
    assert answer.headers["content-type"] == JSON
    hub.finish(activation_id, 4)
    assert hub.messages(activation_id, path).json() == {"status": "EXPIRED"}


def test_thirty_callers_at_once_for_ten_numbers(market: Market) -> None:
    market.warm_up(30)
    hub, service, pool = market.hub(), market.service(), market.pool(10)
    with ThreadPoolExecutor(30) as callers:
        answers = list(callers.map(lambda _: hub.buy(pool, service), range(30)))
    sold = [answer for answer in answers if answer["status"] == "SUCCESS"]
    assert sorted(answer["number"] for answer in sold) == sorted(pool.phones)
    assert len({answer["activationId"] for answer in sold}) == 10
    assert [answer for answer in answers if answer not in sold] == [{"status": "NO_NUMBERS"}] * 20


def test_a_partners_limit_and_pause_end_its_sales_and_nobody_elses(market: Market) -> None:
    limited, other, service, pool = market.hub(maxLive=2), market.hub(), market.service(), market.pool(5)
    path = f"/admin/partners/{limited.partner_id}"
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 2)
    until(lambda: other.counts(pool), lambda counts: counts.get(service) == 5)
    first = limited.buy(pool, service)["activationId"]
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 1)
    assert limited.buy(pool, service)["status"] == "SUCCESS"
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 0)
    assert limited.buy(pool, service) == {"status": "NO_NUMBERS"}
    until(lambda: other.counts(pool), lambda counts: counts.get(service) == 3)
    assert other.buy(pool, service)["status"] == "SUCCESS"
    assert limited.finish(first, 5).json() == {"status": "SUCCESS"}
    until(lambda: limited.buy(pool, service), lambda answer: answer["status"] == "SUCCESS")
    assert market.made("PATCH", path, {"maxLive": None})["maxLive"] is None
    until(lambda: limited.counts(pool), lambda counts: counts.get(service) == 2)

    for reason in ("Unpaid", "Burns numbers"):
        assert market.made("POST", f"{path}/pause", {"reason": reason})["paused"]["reason"] == reason
    assert limited.counts(pool)[service] == 0
    assert limited.buy(pool, service) == {"status": "NO_NUMBERS"}
    assert limited.messages(first).json() == {"status": "EXPIRED"}
    assert limited.finish(first, 5).json() == {"status": "SUCCESS"}
    assert other.buy(pool, service)["status"] == "SUCCESS"
    for _ in range(2):
        assert market.made("DELETE", f"{path}/pause")["paused"] is None
    assert limited.buy(pool, service)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("content_type", "agent"),
    [(None, None), ("application/json", ""), ("application/json; charset=utf-8", "curl/8"), ("text/plain", None),
     ("application/x-www-form-urlencoded", "hub 1.0 (+https://hub.example)"), ("application/octet-stream", "curl/8")],
)  # fmt: skip
def test_any_content_type_and_any_user_agent_are_accepted(
    market: Market, hub: Hub, content_type: str | None, agent: str | None
) -> None:
    request = market.http.build_request(
        "POST", "/SMSBOWER", content=json.dumps({"key": hub.key, "action": "GET_SERVICES"}).encode()
    )
    for name, value in (("Content-Type", content_type), ("User-Agent", agent)):
        request.headers.pop(name, None)
        if value is not None:
            request.headers[name] = value
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
        assert answer.headers.get("content-encoding") == encoded
        assert answer.headers["content-type"] == JSON
        assert answer.json()["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nothing"), ("PATCH", "/SMSBOWER"), ("DELETE", "/api/partner/"), ("POST", "/SMSBOWER/getsms"),
     ("GET", "/api"), ("GET", "/SMSBOWER/more/of/it"), ("GET", "/inbound/x"), ("PUT", "/inbound/x"), ("GET", "/smsbower"),
     ("POST", "/admin"), ("GET", "/%00"), ("GET", "/..%2f..%2fetc/passwd")],
)  # fmt: skip
def test_a_path_or_method_we_do_not_have_is_404_in_our_json(market: Market, method: str, path: str) -> None:
    _refused(market.http.request(method, market.stack.api + path), 404, "")


def _refused(answer: httpx.Response, status: int, named: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    assert answer.json()["status"] == "ERROR"
    assert answer.json()["message"].startswith(named)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"sum":NaN}', b'{"a":' * 30_000, b"\x1f\x8b", gzip.compress(b"{}")[:-4],
     gzip.compress(b" " * 20_000_000), b'{"padding":"' + b"x" * 1_000_000 + b'"}'],
    ids=["empty", "cut", "list", "no UTF-8", "NaN", "deep", "no gzip", "cut gzip", "gzip bomb", "a megabyte"],
)  # fmt: skip
def test_a_body_that_is_no_json_object_or_too_large_is_400(market: Market, content: bytes) -> None:
    _refused(market.http.post("/SMSBOWER", content=content), 400, "body: ")


def test_a_missing_or_unknown_key_is_401_with_exactly_the_contracts_body(market: Market) -> None:
    for answer in (
        market.http.post("/SMSBOWER", json={"action": "NONSENSE"}),
        market.http.post("/SMSBOWER", json={"action": "GET_SERVICES", "key": "nonsense"}),
        market.http.get("/SMSBOWER"),
        market.http.get("/SMSBOWER/getsms/", params={"id": "x"}),
    ):
        assert (answer.status_code, answer.json()) == (401, {"status": "ERROR", "message": "Invalid key"})


def test_fields_that_are_missing_wrong_or_double_are_400_and_named(market: Market, hub: Hub) -> None:
    pool, service = market.pool(), market.service()
    key = ("key", hub.key)
    _refused(hub.call("NONSENSE"), 400, "action: ")
    _refused(hub.call("GET_NUMBER", operator="x", service="x"), 400, "country: ")
    _refused(hub.call("GET_NUMBER", country=pool.country, operator="", service=service), 400, "operator: ")
    _refused(hub.finish("x", 3), 400, "activationId: ")
    _refused(hub.finish(1, 2), 400, "status: ")
    _refused(market.http.get("/SMSBOWER", params=[key, ("action", "GET_SERVICES"), ("action", "x")]), 400, "action: ")
    _refused(hub.messages(2**53), 400, "id: ")
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 1)


def test_a_service_outside_the_keys_list_is_403_and_not_listed(market: Market) -> None:
    allowed, other, pool = market.service(), market.service(), market.pool()
    hub = market.hub(services=[allowed])
    fields = {"country": pool.country, "operator": pool.operator, "service": other}
    _refused(hub.call("GET_NUMBER", **fields), 403, "service: ")
    until(lambda: hub.counts(pool), lambda counts: counts == {allowed: 1})


def test_an_activation_of_another_key_is_404_word_for_word_like_none(market: Market, hub: Hub) -> None:
    stranger, service, pool = market.hub(), market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    for theirs, nobodys in (
        (stranger.finish(activation_id, 3), stranger.finish(activation_id + 1, 3)),
        (stranger.messages(activation_id), stranger.messages(activation_id + 1)),
    ):
        _refused(theirs, 404, "")
        assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
        assert theirs.headers.keys() == nobodys.headers.keys()
    assert hub.messages(activation_id).json() == {"status": "WAIT_CODE"}


def test_any_operator_buys_from_every_pool_of_the_country(market: Market, hub: Hub) -> None:
    service, pool = market.service(), market.pool()
    extra = {"phone": str(int(pool.phones[0]) + 5_000), "country": pool.country, "operator": "Another"}
    market.made("POST", "/admin/numbers", [extra])
    bought = [hub.buy(pool, service, operator="any") for _ in range(3)]
    assert sorted(answer.get("number", "-") for answer in bought) == ["-", pool.phones[0], extra["phone"]]

"""Rules of contract 1 to 4 one by one through the deployed URL, where the handlers alone could not show them."""

import gzip
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local import demo
from local.pretend_partner import SUCCESS, Answer, PretendPartner, slow
from tests.contract.market import Hub, Market, Pool, until

JSON = "application/json; charset=utf-8"
SUCCESSFUL = {"status": "SUCCESS"}
NO_NUMBERS = {"status": "NO_NUMBERS"}
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}


@pytest.fixture(scope="module")
def hub(market: Market) -> Hub:
    return market.hub()


def _wanted(pool: Pool, service: str, **fields: object) -> dict[str, object]:
    return {"country": pool.country, "operator": pool.operator, "service": service, **fields}


def _query(*fields: tuple[str, object]) -> httpx.QueryParams:
    return httpx.QueryParams([(name, str(value)) for name, value in fields])


def _refused(answer: httpx.Response, status: int, named: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    body = answer.json()
    assert (body.keys(), body["status"]) == ({"status", "message"}, "ERROR")
    assert body["message"].startswith(named), body


def _sms(phone: str, text: str = "Code: 5015", **more: object) -> dict[str, object]:
    return {"phone": phone, "from": "Microsoft", "text": text, **more}


# ---------------------------------------------------------------- 1: every request


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/SMSBOWER"), ("PUT", "/api/partner"), ("DELETE", "/api/partner/"), ("PUT", "/SMSBOWER/getsms/"),
     ("GET", "/api"), ("GET", "/api/partner/more"), ("GET", "/SMSBOWERS"), ("GET", "/inbound"), ("PUT", "/inbound/x"),
     ("GET", "/admin"), ("GET", "/%00"), ("GET", "/..%2f..%2fetc/passwd"),
     ("POST", "/SMSBOWER/getsms/")],
)  # fmt: skip
def test_what_we_do_not_have_is_404_in_our_json(market: Market, method: str, path: str) -> None:
    _refused(market.http.request(method, market.stack.api + path), 404, "")


def test_checks_happen_in_the_order_of_the_contract(market: Market) -> None:
    hub, pool = market.hub(services=[]), market.pool()
    # Each request is right in one thing more than the one before it, and still wrong in all that is checked later.
    _refused(market.http.post("/SMSBOWER", content=b'{"key": "nonsense", "action": "NONSENSE"'), 400, "body: ")
    asked: dict[str, object] = {"key": "nonsense", "action": "NONSENSE", "country": "", "service": "nothing"}
    assert market.http.post("/SMSBOWER", json=asked).json() == INVALID_KEY
    asked |= {"key": hub.key}
    _refused(market.http.post("/SMSBOWER", json=asked), 400, "action: ")
    asked |= {"action": "GET_NUMBER"}
    _refused(market.http.post("/SMSBOWER", json=asked), 400, "country: ")
    asked |= {"country": "atlantis", "operator": pool.operator}
    _refused(market.http.post("/SMSBOWER", json=asked), 403, "service: ")
    market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"services": None})
    assert market.http.post("/SMSBOWER", json=asked).json() == NO_NUMBERS


@pytest.mark.parametrize(
    "content",
    [b"null", b"17", b'{"a":1e}', b'{"sum":Infinity}', b'{"sum":-Infinity}',
     b'{"a":' * 30_000, b"{'key': 1}", b"\x1f\x8b", gzip.compress(b"{}")[:-4], gzip.compress(b" " * 20_000_000)],
    ids=["null", "number", "broken number", "Infinity", "-Infinity", "deep", "single quotes", "no gzip",
         "cut gzip", "gzip bomb"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/SMSBOWER", "/api/partner/"])
def test_a_body_that_is_no_json_object_is_400_in_our_json(market: Market, path: str, content: bytes) -> None:
    _refused(market.http.post(path, content=content), 400, "body: ")


def test_nothing_that_is_refused_changes_anything(market: Market) -> None:
    hub, stranger, service, pool = market.hub(), market.hub(), market.service(), market.pool(2)
    activation_id = hub.buy(pool, service)["activationId"]
    numbers = f"/admin/numbers?country={pool.country}"
    before = (market.made("GET", numbers), market.made("GET", f"/admin/activations?partnerId={hub.partner_id}"))
    wanted = _wanted(pool, service)
    for fields in ({"country": ""}, {"operator": 5}, {"service": None}, {"exceptionPhoneSet": 48}, {"key": "x"}):
        refused = hub.call("GET_NUMBER", **{**wanted, **fields})
        assert refused.status_code in {400, 401}
    assert hub.call("GET_NUMBER", **wanted, padding="x" * 1_000_000).status_code == 400
    for status in (0, 2, 6, -1, 3.5, "x", None, True, [3]):
        _refused(hub.finish(activation_id, status), 400, "status: ")
    _refused(stranger.finish(activation_id, 3), 404, "")
    query = [("key", hub.key), ("action", "FINISH_ACTIVATION"), ("activationId", activation_id)]
    _refused(market.http.get("/SMSBOWER", params=_query(*query, ("status", 3), ("status", 3))), 400, "status: ")
    after = (market.made("GET", numbers), market.made("GET", f"/admin/activations?partnerId={hub.partner_id}"))
    assert after == before
    assert hub.messages(activation_id).json() == {"status": "WAIT_CODE"}


def test_somebody_elses_activation_is_404_word_for_word_like_none(market: Market) -> None:
    hub, stranger, pool = market.hub(), market.hub(), market.pool()
    activation_id = hub.buy(pool, market.service())["activationId"]
    asked = (("key", stranger.key), ("action", "FINISH_ACTIVATION"), ("status", 3))
    theirs, nobodys = (
        market.http.get("/api/partner", params=_query(*asked, ("activationId", wanted)))
        for wanted in (activation_id, activation_id + 1)
    )
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
    assert theirs.status_code == 404
    assert theirs.headers.keys() == nobodys.headers.keys()


# ---------------------------------------------------------------- 1.1: GET_SERVICES


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


def test_a_pool_without_numbers_is_left_out_and_a_service_with_none_free_is_listed_with_0(
    market: Market, hub: Hub
) -> None:
    service, off, pool = market.service(), market.service(enabled=False), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    counts = until(lambda: hub.counts(pool), lambda seen: seen.get(service) == 0)
    assert off not in counts
    hub.finish(activation_id, 5)
    market.made("PATCH", f"/admin/numbers/{pool.phones[0]}", {"enabled": False})
    until(lambda: hub.counts(pool), lambda seen: seen == {})
    listed = hub.call("GET_SERVICES").json()["countryList"]
    assert pool.country not in {entry["country"] for entry in listed}
    assert all(entry.keys() == {"country", "operatorMap"} for entry in listed)


# ---------------------------------------------------------------- 1.2 and 1.3: GET_NUMBER


@pytest.mark.parametrize("unknown", ["country", "operator", "service", "switched off"])
def test_what_is_unknown_or_switched_off_is_no_numbers_and_no_error(market: Market, hub: Hub, unknown: str) -> None:
    service, pool = market.service(enabled=unknown != "switched off"), market.pool()
    fields = {} if unknown == "switched off" else {unknown: "nothing|of#the kind"}
    answer = hub.call("GET_NUMBER", **{**_wanted(pool, service), **fields})
    assert (answer.status_code, answer.json()) == (200, NO_NUMBERS)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\0", "\N{GRINNING FACE}" * 200, "../..", "' OR 1=1"])
@pytest.mark.parametrize("name", ["country", "operator", "service"])
def test_a_name_of_any_characters_is_no_numbers_or_400_and_never_5xx(
    market: Market, hub: Hub, name: str, text: str
) -> None:
    asked = {"key": hub.key, "action": "GET_NUMBER", "country": "c", "operator": "o", "service": "s", name: text}
    # Escaped as ASCII, since half a surrogate pair can be sent in no other way.
    answer = market.http.post("/SMSBOWER", content=json.dumps(asked).encode())
    if answer.status_code == 200:
        assert answer.json() == NO_NUMBERS
    else:
        _refused(answer, 400, f"{name}: ")


@pytest.mark.parametrize(
    "total", ["20.00", 20, 20.5, -1, 0, 1e300, True, None, {}, [], "", "x" * 1_000, "\ud800", "20,00 ₽"], ids=ascii
)
def test_sum_and_currency_of_any_form_are_no_reason_to_refuse_and_operators_can_look_at_the_sale(
    market: Market, hub: Hub, total: Any
) -> None:
    service, pool = market.service(), market.pool()
    asked = {"key": hub.key, "action": "GET_NUMBER", **_wanted(pool, service), "sum": total, "currency": total}
    answer = market.http.post("/SMSBOWER", content=json.dumps(asked).encode())
    assert answer.json()["status"] == "SUCCESS", answer.text
    shown = market.admin("GET", f"/admin/activations/{answer.json()['activationId']}")
    assert shown.status_code == 200
    if isinstance(total, str) and total.isprintable() and len(total) <= 20:
        assert shown.json()["sum"] == total


def test_exception_phone_set_holds_prefixes_as_strings_or_integers_by_post_and_by_get(market: Market, hub: Hub) -> None:
    service, pool = market.service(), market.pool(4)
    first, second, third, fourth = pool.phones
    everything = first[:-4]
    for unwanted in ([everything], [int(everything)], [f"+{everything}"], [first, second, int(third), f"+{fourth}"]):
        assert hub.buy(pool, service, exceptionPhoneSet=unwanted) == NO_NUMBERS
    # What stands inside a number is no prefix of it.
    assert hub.buy(pool, service, exceptionPhoneSet=[first, second, third, fourth[1:]])["number"] == fourth
    query = [
        ("key", hub.key),
        ("action", "GET_NUMBER"),
        *((name, str(value)) for name, value in _wanted(pool, service).items()),
    ]
    by_get = [*query, ("exceptionPhoneSet", f"{first},+{second}"), ("exceptionPhoneSet", fourth)]
    assert market.http.get("/SMSBOWER", params=_query(*by_get)).json()["number"] == third
    unencoded = f"/SMSBOWER?{_query(*query)}&exceptionPhoneSet=+{first},+{second}"
    assert market.http.get(unencoded).json() == NO_NUMBERS
    # Most PHP clients write a list with brackets.
    by_get = [*query, ("exceptionPhoneSet[]", first), ("exceptionPhoneSet[0]", second)]
    assert market.http.get("/SMSBOWER", params=_query(*by_get)).json() == NO_NUMBERS


def test_the_least_recently_used_number_is_preferred(market: Market, hub: Hub) -> None:
    service, pool = market.service(), market.pool(3)
    issued = []
    for _ in range(6):
        bought = hub.buy(pool, service)
        issued.append(bought["number"])
        hub.finish(bought["activationId"], 5)
    assert sorted(issued[:3]) == sorted(pool.phones)
    assert issued[3:] == issued[:3]


def test_an_activation_id_is_taken_as_a_number_and_as_a_string_of_digits(market: Market, hub: Hub) -> None:
    service, pool = market.service(), market.pool(2)
    ids = [hub.buy(pool, service)["activationId"] for _ in range(2)]
    assert hub.finish(ids[0], 5).json() == SUCCESSFUL
    assert hub.finish(str(ids[1]), "5").json() == SUCCESSFUL
    assert {market.made("GET", f"/admin/activations/{sold}")["outcome"] for sold in ids} == {5}
    assert abs(ids[0] - ids[1]) > 1


@pytest.mark.parametrize(
    "bad",
    [-1, 0, 2**53, 2**64, 1.5, 0.0, 1e300, "1.5", "-1", "abc", "", None, True, [1], {"a": 1}, "٣", " 1"],
    ids=repr,
)
def test_an_id_that_can_be_none_is_400_and_named(market: Market, hub: Hub, bad: Any) -> None:
    _refused(hub.finish(bad, 3), 400, "activationId: ")
    if isinstance(bad, str | int | float) and not isinstance(bad, bool):
        query = _query(("key", hub.key), ("action", "FINISH_ACTIVATION"), ("activationId", bad), ("status", 3))
        _refused(market.http.get("/api/partner/", params=query), 400, "activationId: ")
        _refused(hub.messages(bad), 400, "id: ")


# ---------------------------------------------------------------- 1.5: FINISH_ACTIVATION


@pytest.mark.parametrize(
    ("status", "again"), [(1, False), (3, False), (4, True), (5, True)], ids=["prohibited", "success", "canceled", "returned"]
)  # fmt: skip
def test_an_outcome_decides_for_its_service_and_frees_the_number_for_others(
    market: Market, hub: Hub, status: int, again: bool
) -> None:
    service, other, pool = market.service(), market.service(), market.pool()
    assert hub.finish(hub.buy(pool, service)["activationId"], status).json() == SUCCESSFUL
    assert hub.buy(pool, service)["status"] == ("SUCCESS" if again else "NO_NUMBERS")
    if not again:
        assert hub.buy(pool, other)["status"] == "SUCCESS"


def test_a_reusable_service_is_sold_again_after_success_and_never_after_prohibited(market: Market, hub: Hub) -> None:
    service, pool = market.service(reusable=True), market.pool()
    for status in (3, 3, 1):
        assert hub.finish(hub.buy(pool, service)["activationId"], status).json() == SUCCESSFUL
    assert hub.buy(pool, service) == NO_NUMBERS


def test_the_fifth_cancel_ends_the_service_for_the_number_and_repeats_do_not_count(market: Market, hub: Hub) -> None:
    service, other, pool = market.service(), market.service(), market.pool()
    for _ in range(5):
        activation_id = hub.buy(pool, service)["activationId"]
        for _ in range(2):
            assert hub.finish(activation_id, 4).json() == SUCCESSFUL
    assert hub.buy(pool, service) == NO_NUMBERS
    assert hub.buy(pool, other)["status"] == "SUCCESS"


@pytest.mark.parametrize(("first", "second", "stands"), [(3, 5, 5), (3, 4, 3), (5, 3, 5), (4, 1, 4), (1, 5, 1)])
def test_the_first_outcome_stands_but_for_a_refund_which_frees_nothing(
    market: Market, hub: Hub, first: int, second: int, stands: int
) -> None:
    service, pool = market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    for status in (first, second, second):
        assert hub.finish(activation_id, status).json() == SUCCESSFUL
    assert market.made("GET", f"/admin/activations/{activation_id}")["outcome"] == stands
    assert hub.buy(pool, service)["status"] == ("NO_NUMBERS" if first in {1, 3} else "SUCCESS")


def test_ten_finishes_at_once_have_one_effect(market: Market) -> None:
    hub, service, pool = market.hub(), market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    with ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: hub.finish(activation_id, 4), range(10)))
    assert [answer.json() for answer in answers] == [SUCCESSFUL] * 10
    (number,) = market.made("GET", f"/admin/numbers?country={pool.country}")["numbers"]
    assert number["cancels"] == {service: 1}


# ---------------------------------------------------------------- 1.6 and 2: routing and getsms


def test_messages_are_oldest_first_in_the_form_of_the_contract_and_stay_after_the_end(market: Market, hub: Hub) -> None:
    service, pool, gateway = market.service(), market.pool(), market.gateway()
    activation_id = hub.buy(pool, service)["activationId"]
    # Later than the activation began by our clock, as a gateway's clock may be, too; shown as now at the latest.
    began = datetime.now(UTC) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC), lambda now: now > began + timedelta(seconds=2))
    for later, text in ((2, "third"), (0, "first"), (1, "second")):
        received = (began + timedelta(seconds=later)).isoformat(timespec="milliseconds")
        assert gateway.deliver(_sms(pool.phones[0], text, receivedAt=received)).status_code == 200
    hub.finish(activation_id, 3)
    answer = hub.messages(activation_id)
    messages = answer.json()["messages"]
    assert (answer.status_code, answer.json()["status"]) == (200, "SUCCESS")
    assert [message["text"] for message in messages] == ["first", "second", "third"]
    for message in messages:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", message["receivedAt"])
        assert 0 < int(message["smsId"]) < 2**53
        assert message["smsId"] == str(int(message["smsId"]))


def test_of_messages_that_outgrow_an_answer_the_newest_that_fit_are_given(market: Market, hub: Hub) -> None:
    pool, gateway = market.pool(), market.gateway()
    activation_id = hub.buy(pool, market.service())["activationId"]
    texts = [f"{number:03}" + "語" * 19_997 for number in range(108)]
    for first in range(0, len(texts), 4):
        longest = [_sms(pool.phones[0], text, id=text[:3]) for text in texts[first : first + 4]]
        assert gateway.deliver(longest).status_code == 200
    fields = {"apiKey": hub.key, "id": str(activation_id)}
    answer = market.http.get("/SMSBOWER/getsms/", params=fields, headers={"Accept-Encoding": "identity"})
    given = [message["text"] for message in answer.json()["messages"]]
    assert (answer.status_code, answer.json().keys()) == (200, {"status", "messages"})
    assert 100 < len(given) < len(texts)
    assert given[-1][:3] == "107"
    # Whoever accepts gzip gets all of them.
    assert len(hub.messages(activation_id).json()["messages"]) == len(texts)
    path = f"/admin/activations/{activation_id}"
    staff = market.admin("GET", path, headers={"Accept-Encoding": "identity"}).json()
    assert (staff["messageCount"], len(staff["messages"]) in range(100, len(texts))) == (len(texts), True)
    assert staff["messages"][-1]["text"][:3] == "107"


def test_an_sms_received_before_the_activation_began_is_unclaimed(market: Market, hub: Hub) -> None:
    pool, gateway = market.pool(), market.gateway()
    activation_id = hub.buy(pool, market.service())["activationId"]
    old = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    assert gateway.deliver(_sms(pool.phones[0], "of the buyer before", receivedAt=old)).status_code == 200
    assert gateway.deliver(_sms(pool.phones[0], "own")).status_code == 200
    assert [message["text"] for message in hub.messages(activation_id).json()["messages"]] == ["own"]
    unclaimed = market.made("GET", "/admin/unclaimed")["messages"]
    assert [sms["text"] for sms in unclaimed if sms["phone"] == pool.phones[0]] == ["of the buyer before"]


def test_polling_works_beside_a_push_url(market: Market) -> None:
    with PretendPartner() as partner:
        hub, pool = market.hub(pushUrl=partner.url), market.pool()
        activation_id = hub.buy(pool, market.service())["activationId"]
        market.gateway().deliver(_sms(pool.phones[0]))
        (push,) = partner.wait_for(1, 60)
        (message,) = hub.messages(activation_id).json()["messages"]
        assert message["smsId"] == push.body["smsId"]


def test_a_missing_wrong_or_doubled_field_of_getsms_is_refused(market: Market, hub: Hub) -> None:
    path = "/SMSBOWER/getsms/"
    for query in ([], [("id", "1")], [("apiKey", "x"), ("id", "1")], [("apiKey", hub.key)] * 2 + [("id", "1")]):
        assert market.http.get(path, params=_query(*query)).json() == INVALID_KEY
    for query in ([("apiKey", hub.key)], [("apiKey", hub.key), ("id", "1"), ("id", "1")]):
        _refused(market.http.get(path, params=_query(*query)), 400, "id: ")
    _refused(hub.messages(1), 404, "id")


# ---------------------------------------------------------------- 3: PUSH_SMS

NO_SUCCESS = {
    "another body": Answer(body=b'{"status":"OK"}'),
    "no JSON": Answer(body=b"SUCCESS"),
    "a list": Answer(body=b'["SUCCESS"]'),
    "empty": Answer(body=b""),
    "lower case": Answer(body=b'{"status":"success"}'),
    "500 with SUCCESS": Answer(status=500),
    "404 with SUCCESS": Answer(status=404),
    "redirect": Answer(status=302, headers={"Location": "/elsewhere"}),
    "too large": Answer(body=b'{"status":"SUCCESS","x":"' + b"x" * 100_000 + b'"}'),
    "too slow": slow(8),
    "dropped": Answer(drop=True),
}


def test_whatever_is_not_2xx_with_success_is_a_failed_attempt_and_tried_again_after_ten_seconds(market: Market) -> None:
    """Play all answers at once, each to a partner of its own, since every one costs 10 s."""
    gateway, service = market.gateway(), market.service()
    partners = {name: PretendPartner([answer]) for name, answer in NO_SUCCESS.items()}
    accepting = PretendPartner([Answer(status=201, body=b' {"id": 7, "status": "SUCCESS"}\r\n')])
    try:
        for partner in (*partners.values(), accepting):
            hub, pool = market.hub(pushUrl=partner.url), market.pool()
            hub.buy(pool, service)
            assert gateway.deliver(_sms(pool.phones[0])).status_code == 200
        for name, partner in partners.items():
            first, second = partner.wait_for(2, 60)[:2]
            assert 9 <= second.at - first.at <= 11, name
            assert first.body == second.body
            assert first.path == second.path == "/push"
        assert len(accepting.pushes) == 1
        assert [len(partner.pushes) for partner in partners.values()] == [2] * len(partners)
    finally:
        for partner in (*partners.values(), accepting):
            partner.close()


def test_a_refused_connection_is_a_failed_attempt_and_tried_again(market: Market) -> None:
    with PretendPartner() as gone:
        port = gone.port
    hub, pool = market.hub(pushUrl=f"http://127.0.0.1:{port}/push"), market.pool()
    activation_id = hub.buy(pool, market.service())["activationId"]
    market.gateway().deliver(_sms(pool.phones[0]))

    def attempts() -> list[Any]:
        (message,) = market.made("GET", f"/admin/activations/{activation_id}")["messages"]
        found: list[Any] = message["attemptLog"]
        return found

    until(attempts, bool, 60)
    with PretendPartner(port=port) as back:
        (push,) = back.wait_for(1, 60)
        assert push.body["key"] == hub.key


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(market: Market) -> None:
    with (
        PretendPartner([SUCCESS], otherwise=Answer(status=503)) as warm,
        PretendPartner(otherwise=Answer(status=503)) as partner,
    ):
        gateway, service = market.gateway(), market.service()
        first, pool = market.hub(pushUrl=warm.url), market.pool()
        first.buy(pool, service)
        gateway.deliver(_sms(pool.phones[0]))
        warm.wait_for(1, 60)
        hub, pool = market.hub(pushUrl=partner.url), market.pool(3)
        sold = [hub.buy(pool, service) for _ in pool.phones]
        for bought in sold:
            gateway.deliver(_sms(bought["number"]))
        partner.wait_for(len(sold), 60)
        finished = {}
        for bought, status in zip(sold, (1, 3, 4), strict=True):
            assert hub.finish(bought["activationId"], status).json() == SUCCESSFUL
            finished[bought["number"]] = time.monotonic()
        with pytest.raises(TimeoutError):
            partner.wait_for(1, 13, lambda push: push.at > finished[push.body["phone"]] + 0.5)


# ---------------------------------------------------------------- 4: gateways


def test_of_a_list_what_can_not_be_read_is_kept_and_the_others_are_stored(market: Market, hub: Hub) -> None:
    service, pool, gateway = market.service(), market.pool(), market.gateway()
    activation_id = hub.buy(pool, service)["activationId"]
    assert gateway.deliver([_sms(pool.phones[0], "good", id="good"), {"phone": "x"}]).json() == SUCCESSFUL
    source_id = gateway.url.rpartition("/")[2]
    kept = market.made("GET", "/admin/unreadable")["payloads"]
    assert [payload["payload"] for payload in kept if payload["sourceId"] == source_id] == ['{"phone": "x"}']
    assert gateway.deliver([_sms(pool.phones[0], str(n), id=n) for n in range(5)]).json() == SUCCESSFUL
    # 2xx is answered only after the SMS is durable: it can be read at once.
    texts = {message["text"] for message in hub.messages(activation_id).json()["messages"]}
    assert texts == {"good", "0", "1", "2", "3", "4"}


@pytest.mark.parametrize("phone", ["44747219008x", "SIM 1", "", 447472190082.5, None])
def test_a_destination_that_is_no_number_is_400_and_kept_for_the_operator(market: Market, phone: object) -> None:
    gateway = market.gateway()
    _refused(gateway.deliver({"phone": phone, "from": "X", "text": "Y"}), 400, "phone: ")
    source_id = gateway.url.rpartition("/")[2]
    kept = market.made("GET", "/admin/unreadable")["payloads"]
    assert [payload["reason"].partition(":")[0] for payload in kept if payload["sourceId"] == source_id] == ["phone"]


def test_a_plus_before_the_destination_and_any_text_are_fine(market: Market, hub: Hub) -> None:
    pool, gateway = market.pool(), market.gateway()
    activation_id = hub.buy(pool, market.service())["activationId"]
    text = 'Код: 5015 \N{GRINNING FACE}\n"<b>&\\\t' + "x" * 2_000
    assert gateway.deliver(_sms(f"+{pool.phones[0]}", text)).status_code == 200
    (message,) = hub.messages(activation_id).json()["messages"]
    assert (message["phone"], message["text"]) == (pool.phones[0], text)


def test_an_unknown_source_is_401_like_a_wrong_signature(market: Market) -> None:
    gateway = market.gateway()
    wrong = gateway.deliver(_sms("447472190082"), signature="00")
    nobody = market.http.post("/inbound/nobody", json=_sms("447472190082"))
    missing = market.http.post(gateway.url, json=_sms("447472190082"))
    assert wrong.status_code == nobody.status_code == missing.status_code == 401
    assert wrong.content == nobody.content == missing.content


# ---------------------------------------------------------------- 6: the demo


def test_the_sale_of_make_demo_plays_to_its_end(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    played = demo.play(market.stack)
    hub = Hub(market, played.partner_id, played.key)
    assert hub.call("GET_SERVICES").json()["status"] == "SUCCESS"
    told = capsys.readouterr().out
    for step in ("GET_SERVICES", "GET_NUMBER", "getsms", "FINISH_ACTIVATION"):
        assert step in told

"""Rules of contract 1 one by one through the deployed URL, where the handlers alone could not show them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

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


# ---------------------------------------------------------------- 1: every request


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


@pytest.mark.parametrize("text", ["\ud800", "\0", "\N{GRINNING FACE}" * 200, "../.."])
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


@pytest.mark.parametrize("total", ["20.00", 20.5, 1e300, None, {}, "x" * 1_000, "\ud800", "20,00 ₽"], ids=ascii)
def test_sum_and_currency_of_any_form_are_no_reason_to_refuse_and_staff_can_look_at_the_sale(
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
    [-1, 0, 2**53, 2**64, 1.5, 1e300, "1.5", "", None, [1], "٣"],
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
    ("outcomes", "stands", "again"),
    [([1], 1, False), ([3], 3, False), ([4], 4, True), ([5], 5, True),
     ([3, 5], 5, False), ([3, 4], 3, False), ([5, 3], 5, True), ([4, 1], 4, True), ([1, 5], 1, False)],
    ids=str,
)  # fmt: skip
def test_an_outcome_decides_for_its_service_alone_and_the_first_stands_but_for_a_refund_which_frees_nothing(
    market: Market, hub: Hub, outcomes: list[int], stands: int, again: bool
) -> None:
    service, other, pool = market.service(), market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    for outcome in (*outcomes, outcomes[-1]):
        assert hub.finish(activation_id, outcome).json() == SUCCESSFUL
    assert market.made("GET", f"/admin/activations/{activation_id}")["outcome"] == stands
    assert hub.buy(pool, service)["status"] == ("SUCCESS" if again else "NO_NUMBERS")
    if not again:
        assert hub.buy(pool, other)["status"] == "SUCCESS"


def test_the_fifth_cancel_ends_the_service_for_the_number_and_repeats_do_not_count(market: Market, hub: Hub) -> None:
    service, other, pool = market.service(), market.service(), market.pool()
    for _ in range(5):
        activation_id = hub.buy(pool, service)["activationId"]
        for _ in range(2):
            assert hub.finish(activation_id, 4).json() == SUCCESSFUL
    assert hub.buy(pool, service) == NO_NUMBERS
    assert hub.buy(pool, other)["status"] == "SUCCESS"


def test_ten_finishes_at_once_have_one_effect(market: Market) -> None:
    hub, service, pool = market.hub(), market.service(), market.pool()
    activation_id = hub.buy(pool, service)["activationId"]
    with ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: hub.finish(activation_id, 4), range(10)))
    assert [answer.json() for answer in answers] == [SUCCESSFUL] * 10
    (number,) = market.made("GET", f"/admin/numbers?country={pool.country}")["numbers"]
    assert number["cancels"] == {service: 1}

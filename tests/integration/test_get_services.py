"""GET_SERVICES: contract 1.1."""

import base64
import gzip
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from globalconnect.domain.pool_counts import PoolCounts, on_sale
from globalconnect.domain.service import Service
from globalconnect.hub_protocol.answers import services_body
from globalconnect.runtime.http import LARGEST_RESPONSE, ProxyAnswer, Request, Response, proxy_answer
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(20)]


def _counts(shop: Shop, services: list[str] | None = None) -> dict[str, dict[str, dict[str, int]]]:
    shop.project()
    reply = shop.call(shop.partner(services), "GET_SERVICES")
    assert reply.status == 200
    assert reply.body["status"] == "SUCCESS"
    return {country["country"]: country["operatorMap"] for country in reply.body["countryList"]}


def test_lists_countries_operators_and_services_in_the_form_of_the_contract(shop: Shop) -> None:
    shop.stock(*PHONES[:4])
    shop.project()
    assert shop.call(shop.partner(), "GET_SERVICES").body == {
        "status": "SUCCESS",
        "countryList": [{"country": COUNTRY, "operatorMap": {OPERATOR: {"go": 4, "tg": 4}}}],
    }


def test_nothing_in_stock_is_an_empty_list(shop: Shop) -> None:
    assert _counts(shop) == {}


def test_only_services_that_the_key_may_buy_are_listed(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    assert _counts(shop, ["go"]) == {COUNTRY: {OPERATOR: {"go": 2}}}


def test_a_service_switched_off_is_not_listed(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    shop.sell("tg", enabled=False)
    assert _counts(shop) == {COUNTRY: {OPERATOR: {"go": 2}}}


def test_a_pool_without_numbers_is_left_out(shop: Shop) -> None:
    shop.stock(operator="Empty")
    shop.stock(PHONES[0], operator="Withdrawn")
    shop.project()
    shop.numbers.withdraw(PHONES[0])
    assert _counts(shop) == {}


def test_a_sold_out_service_is_listed_with_0(shop: Shop) -> None:
    shop.stock(PHONES[0])
    shop.buy(shop.partner())
    assert _counts(shop) == {COUNTRY: {OPERATOR: {"go": 0, "tg": 0}}}


def test_n_means_that_n_calls_succeed_and_the_next_gets_no_numbers(shop: Shop) -> None:
    partner = shop.partner()
    shop.stock(*PHONES[:8])
    for status in (1, 3, 4, 5):
        shop.finish(partner, shop.buy(partner).body["activationId"], status)
    shop.buy(partner, "go")
    shop.numbers.withdraw(PHONES[7])
    counts = _counts(shop)[COUNTRY][OPERATOR]
    assert counts == {"go": 6, "tg": 5}
    for _ in range(counts["tg"]):
        assert shop.buy(partner).body["status"] == "SUCCESS"
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    assert _counts(shop)[COUNTRY][OPERATOR] == {"go": 1, "tg": 0}


def test_an_activation_that_expired_unfinished_is_counted_after_the_sweep(shop: Shop) -> None:
    shop.stock(PHONES[0])
    shop.buy(shop.partner())
    shop.cloud.clock.advance(minutes=60)
    assert _counts(shop)[COUNTRY][OPERATOR]["tg"] == 0
    shop.sweep()
    assert _counts(shop)[COUNTRY][OPERATOR]["tg"] == 1


def test_by_get_the_answer_is_the_same(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    shop.project()
    partner = shop.partner()
    by_get = shop.get(("action", "GET_SERVICES"), ("key", partner.key))
    assert by_get == shop.call(partner, "GET_SERVICES")


def test_names_and_codes_of_any_characters_are_spelled_as_json(shop: Shop) -> None:
    country, operator, code = 'Côte d\'Ivoire "%s" {', 'Орёл \\ 100 %d "', "100%-tg"
    pools = [PoolCounts(country, operator, 3, 3, {code: 1}), PoolCounts(country, "B", 1, 0), PoolCounts("a", "B", 0)]
    catalogue = {code: Service(code, "A service"), "go": Service("go", "Google")}
    text = services_body(on_sale(pools, catalogue, shop.partner()))
    countries = [{"country": country, "operatorMap": {"B": {code: 0, "go": 0}, operator: {code: 2, "go": 3}}}]
    body = {"status": "SUCCESS", "countryList": countries}
    assert text == json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def test_a_key_that_may_buy_nothing_sees_pools_without_services(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    assert _counts(shop, []) == {COUNTRY: {OPERATOR: {}}}


def test_reads_do_not_grow_with_numbers(shop: Shop) -> None:
    partner = shop.partner()

    def reads() -> tuple[int, float]:
        shop.project()
        made: list[float] = []

        def note(params: dict[str, Any], **_: object) -> None:
            params["ReturnConsumedCapacity"] = "TOTAL"

        def noted(parsed: dict[str, Any], **_: object) -> None:
            made.append(parsed["ConsumedCapacity"]["CapacityUnits"])

        events = shop.cloud.client.meta.events
        events.register("provide-client-params.dynamodb", note)
        events.register("after-call.dynamodb", noted)
        shop.call(partner, "GET_SERVICES")
        events.unregister("provide-client-params.dynamodb", note)
        events.unregister("after-call.dynamodb", noted)
        return len(made), sum(made)

    shop.stock(*PHONES[:1])
    few = reads()
    shop.stock(*[str(447_472_000_000 + place) for place in range(200)])
    assert reads() == few


# ------------------------------------------------------------------ what Lambda takes

_TAKES_GZIP = {"Accept": "*/*", "Accept-Encoding": "gzip"}


def _answered(body: str, headers: Mapping[str, str]) -> ProxyAnswer:
    return proxy_answer(Response(200, json.dumps({"a": body})), Request({"headers": headers}))


def _size(answer: ProxyAnswer) -> int:
    """Return how long an answer is as the runtime writes it."""
    return len(json.dumps(answer, ensure_ascii=False).encode())


@pytest.mark.parametrize("text", ["x", '"', "é", "\n"])
def test_an_answer_as_long_as_lambda_takes_is_given_and_a_byte_more_is_406_that_says_what_helps(text: str) -> None:
    wide = _size(_answered(text, {})) - _size(_answered("", {}))
    fits, rest = divmod(LARGEST_RESPONSE - _size(_answered("", {})), wide)
    longest = _answered(text * fits + "x" * rest, {})
    assert (longest["statusCode"], _size(longest)) == (200, LARGEST_RESPONSE)
    refused = _answered(text * fits + "x" * (rest + 1), {})
    assert refused["statusCode"] == 406
    message = json.loads(refused["body"])
    assert message.keys() == {"status", "message"}
    assert message["status"] == "ERROR"
    assert "Accept-Encoding: gzip" in message["message"]


def test_an_answer_too_long_for_lambda_is_given_to_who_accepts_gzip() -> None:
    answer = _answered('"' * LARGEST_RESPONSE, _TAKES_GZIP)
    assert answer["statusCode"] == 200
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"]))) == {"a": '"' * LARGEST_RESPONSE}


def test_an_answer_too_long_for_lambda_even_with_gzip_is_406() -> None:
    rubbish = random.Random(1).randbytes(LARGEST_RESPONSE).hex()
    refused = _answered(rubbish, _TAKES_GZIP)
    assert refused["statusCode"] == 406
    assert _size(refused) < LARGEST_RESPONSE


@pytest.mark.parametrize("headers", [{}, _TAKES_GZIP], ids=["plain", "gzip"])
def test_a_list_that_may_be_shortened_keeps_as_many_of_its_last_entries_as_fit(headers: Mapping[str, str]) -> None:
    rng = random.Random(1)
    entries = [rng.randbytes(50_000).hex() for _ in range(400)]

    def given(*entries: str) -> ProxyAnswer:
        return proxy_answer(Response(200, {"a": 1, "list": entries}, shortened="list"), Request({"headers": headers}))

    answer = given(*entries)
    body = base64.b64decode(answer["body"]) if headers else answer["body"].encode()
    content = json.loads(gzip.decompress(body) if headers else body)
    kept = len(content["list"])
    assert content == {"a": 1, "list": entries[-kept:]}
    assert LARGEST_RESPONSE - 110_000 < _size(answer) <= LARGEST_RESPONSE
    assert given(rng.randbytes(LARGEST_RESPONSE).hex())["statusCode"] == 406


def test_what_is_too_large_says_how_to_ask_for_less_of_just_that() -> None:
    too_much = "x" * LARGEST_RESPONSE
    for advice, said in (("ask with texts=hidden", "; if you do, ask with texts=hidden"), (None, "gzip")):
        refused = proxy_answer(Response(200, {"a": too_much}, ask_for_less=advice), Request({"headers": {}}))
        assert refused["statusCode"] == 406
        assert json.loads(refused["body"])["message"].endswith(said)

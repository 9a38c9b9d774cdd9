"""GET_SERVICES: contract 1.1. How many it shows, after whatever history: test_inventory_machine.py."""

import base64
import gzip
import json
import random
from collections.abc import Mapping

import pytest

from globalconnect.domain.pool_counts import PoolCounts, on_sale
from globalconnect.domain.service import Service
from globalconnect.hub_protocol.answers import services_body
from globalconnect.hub_protocol.dialect import COUNTRY_LIST, SPLIT
from globalconnect.runtime.http import LARGEST_RESPONSE, ProxyAnswer, Request, Response, proxy_answer
from simulation.calls import heard
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(20)]


@pytest.mark.parametrize(
    ("services", "listed"),
    [(None, {"go": 4, "tg": 4}), (["go"], {"go": 4}), (["go", "off"], {"go": 4}), ([], {})],
    ids=["all", "one", "one that is switched off", "none"],
)
def test_the_services_that_the_key_may_buy_and_that_are_on_are_listed_in_the_form_of_the_contract(
    shop: Shop, services: list[str] | None, listed: dict[str, int]
) -> None:
    shop.sell("off", enabled=False)
    shop.stock(*PHONES[:4])
    shop.project()
    reply = shop.call(shop.partner(services), "GET_SERVICES")
    assert reply.status == 200
    assert reply.body == {
        "status": "SUCCESS",
        "countryList": [{"country": COUNTRY, "operatorMap": {OPERATOR: listed}}],
    }


def test_names_and_codes_of_any_characters_are_spelled_as_json(shop: Shop) -> None:
    country, operator, code = 'Côte d\'Ivoire "%s" {', 'Орёл \\ 100 %d "', "100%-tg"
    pools = [PoolCounts(country, operator, 3, 3, {code: 1}), PoolCounts(country, "B", 1, 0), PoolCounts("a", "B", 0)]
    catalogue = {code: Service(code, "A service"), "go": Service("go", "Google")}
    text = services_body(on_sale(pools, catalogue, shop.partner(), shop.cloud.clock()), COUNTRY_LIST, SPLIT)
    countries = [{"country": country, "operatorMap": {"B": {code: 0, "go": 0}, operator: {code: 2, "go": 3}}}]
    body = {"status": "SUCCESS", "countryList": countries}
    assert text == json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def test_reads_do_not_grow_with_numbers(shop: Shop) -> None:
    partner = shop.partner()

    def reads() -> list[tuple[str, int]]:
        shop.project()
        with heard(shop.cloud.client, "after-call.dynamodb") as told:
            shop.call(partner, "GET_SERVICES")
        # That the partner polled is written by the first alone.
        told = [call for call in told if call["model"].name != "UpdateItem"]
        return [(call["model"].name, call["parsed"].get("ScannedCount", 1)) for call in told]

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
    assert message == {"status": "ERROR", "message": message["message"]}
    assert "Accept-Encoding: gzip" in message["message"]


def test_an_answer_too_long_for_lambda_is_given_to_who_accepts_gzip_or_is_406_if_that_is_too_long() -> None:
    answer = _answered('"' * LARGEST_RESPONSE, _TAKES_GZIP)
    assert answer["statusCode"] == 200
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"]))) == {"a": '"' * LARGEST_RESPONSE}
    refused = _answered(random.Random(1).randbytes(LARGEST_RESPONSE).hex(), _TAKES_GZIP)
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


@pytest.mark.parametrize(
    ("advice", "said"), [("ask with texts=hidden", "; if you do, ask with texts=hidden"), (None, "gzip")]
)
def test_what_is_too_large_says_how_to_ask_for_less_of_just_that(advice: str | None, said: str) -> None:
    refused = proxy_answer(Response(200, {"a": "x" * LARGEST_RESPONSE}, ask_for_less=advice), Request({"headers": {}}))
    assert refused["statusCode"] == 406
    assert json.loads(refused["body"])["message"].endswith(said)

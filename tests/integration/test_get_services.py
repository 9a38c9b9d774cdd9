"""GET_SERVICES: contract 1.1."""

from tests.integration.shop import COUNTRY, OPERATOR, Shop

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

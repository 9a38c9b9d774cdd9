"""GET_NUMBER: contract 1.2 to 1.4. To whom a number may be given, after whatever history: test_inventory_machine.py."""

from dataclasses import replace

import pytest

from globalconnect.domain.partner import in_clear
from simulation.shop import COUNTRY, OPERATOR, Shop, present

PHONES = [f"4474721900{n:02}" for n in range(20)]
NO_NUMBERS = {"status": "NO_NUMBERS"}


def _asked(shop: Shop) -> dict[str, str]:
    """Return the fields of a GET_NUMBER by a new partner."""
    wanted = {"country": COUNTRY, "operator": OPERATOR, "service": "tg"}
    return {"key": in_clear(shop.partner().key), "action": "GET_NUMBER", **wanted}


def test_issues_a_number_with_the_fields_of_the_contract(shop: Shop) -> None:
    shop.stock(PHONES[0])
    reply = shop.buy(shop.partner())
    activation_id = reply.body.pop("activationId")
    assert reply.body == {"number": PHONES[0], "status": "SUCCESS", "call": 0, "voice": 0}
    assert reply.status == 200
    assert 0 < activation_id < 10**14


@pytest.mark.parametrize(
    "unknown",
    [{"country": "atlantis"}, {"operator": "Nobody"}, {"service": "nothing"}, {"service": "off"}],
    ids=["country", "operator", "service", "service that is switched off"],
)
def test_what_is_unknown_or_switched_off_is_no_numbers(shop: Shop, unknown: dict[str, str]) -> None:
    shop.stock(PHONES[0])
    shop.sell("off", enabled=False)
    reply = shop.buy(shop.partner(), **{"service": "tg", **unknown})
    assert (reply.status, reply.body) == (200, NO_NUMBERS)


def test_any_operator_buys_from_every_pool_of_the_country_and_no_other(shop: Shop) -> None:
    shop.stock(PHONES[0], operator="One")
    shop.stock(PHONES[1], operator="Two")
    shop.stock(PHONES[2], country="wales", operator="One")
    partner = shop.partner()
    bought = [shop.buy(partner, operator="any").body for _ in range(3)]
    assert sorted(reply.get("number", "-") for reply in bought) == ["-", *PHONES[:2]]


@pytest.mark.parametrize("services", [["go"], []])
def test_a_service_outside_the_keys_list_is_403_and_so_are_all_when_it_is_empty(
    shop: Shop, services: list[str]
) -> None:
    shop.stock(PHONES[0])
    status, message = shop.buy(shop.partner(services=services)).refusal
    assert status == 403
    assert "service" in message


def test_the_least_recently_used_number_of_all_pools_comes_first(shop: Shop) -> None:
    for phone, operator in zip(PHONES[:4], ("One", "Two", "One", "Two"), strict=True):
        shop.stock(phone, operator=operator)
        shop.cloud.clock.advance(seconds=1)
    partner = shop.partner()
    assert [shop.buy(partner, operator="any").body["number"] for _ in range(4)] == PHONES[:4]


COMPOSED, DECOMPOSED = "C\u00f4te d'Ivoire", "Co\u0302te d'Ivoire"


@pytest.mark.parametrize("country", [COMPOSED, DECOMPOSED, f" {COMPOSED} ", "C\u00f4te\u00a0 d'Ivoire"])
@pytest.mark.parametrize("operator", ["Orange CI", "Orange  CI\n", "any", " any"])
def test_names_are_compared_in_one_form_and_without_needless_white_space(
    shop: Shop, country: str, operator: str
) -> None:
    shop.stock(PHONES[0], country=COMPOSED, operator="Orange CI")
    reply = shop.buy(shop.partner(services=["tg"]), " tg ", country=country, operator=operator)
    assert reply.body["number"] == PHONES[0]
    activation = present(shop.activations.get(reply.body["activationId"]))
    assert (activation.country, activation.operator, activation.service) == (COMPOSED, "Orange CI", "tg")


@pytest.mark.parametrize("operator", ["Orange  CI", "any"])
def test_a_pool_whose_names_are_stored_otherwise_is_found_as_it_is_stored(shop: Shop, operator: str) -> None:
    shop.stock(PHONES[0], country=DECOMPOSED, operator="Orange  CI")
    shop.stock(PHONES[1], country=COMPOSED, operator="Orange CI")
    partner = shop.partner()
    bought = [shop.buy(partner, country=DECOMPOSED, operator=operator).body.get("number") for _ in range(3)]
    # Who spells a name as it is stored means the pool of the same name, too.
    assert sorted(bought, key=str) == [*PHONES[:2], None]


@pytest.mark.parametrize("name", ["country", "operator", "service"])
def test_a_name_with_what_nobody_sees_is_400_naming_it(shop: Shop, name: str) -> None:
    reply = shop.post(_asked(shop) | {name: "tg\u202e"})
    assert reply.refusal == (400, f"{name}: contains U+202E")


@pytest.mark.parametrize(
    ("unwanted", "number"),
    [
        ([PHONES[0]], PHONES[1]),
        ([int(PHONES[0])], PHONES[1]),
        ([f"+{PHONES[0]}"], PHONES[1]),
        ([f" +{PHONES[0]}\n", "485 "], PHONES[1]),
        (["44747"], "48500000001"),
        (["4474721900", 485], None),
        (["74721"], PHONES[0]),
        ([], PHONES[0]),
        (None, PHONES[0]),
    ],
    ids=["whole number", "integer", "plus", "white space", "prefix", "all", "inside is no prefix", "empty", "null"],
)
def test_exception_phone_set_holds_prefixes(shop: Shop, unwanted: object, number: str | None) -> None:
    for phone in (*PHONES[:2], "48500000001"):
        shop.stock(phone)
        shop.cloud.clock.advance(seconds=1)
    reply = shop.buy(shop.partner(), exceptionPhoneSet=unwanted)
    assert reply.body.get("number") == number


_SET = "exceptionPhoneSet"


@pytest.mark.parametrize(
    "fields",
    [
        [(_SET, f"{PHONES[0]},{PHONES[1]}"), (_SET, PHONES[2])],
        [(_SET, "+" + ",+".join(PHONES[:3]))],
        [(_SET, " " + ", ".join(PHONES[:3]))],
        [(_SET, f" {PHONES[0]} , +{PHONES[1]},, ,{PHONES[2]} ")],
        [(f"{_SET}[]", PHONES[0]), (f"{_SET}[]", PHONES[1]), (f"{_SET}[]", PHONES[2])],
        [(f" {_SET}", PHONES[0]), (f"{_SET} ", PHONES[1]), ("ExceptionPhoneset", PHONES[2])],
        [(f"{_SET}[0]", PHONES[0]), (f"{_SET}[1]", PHONES[1]), (f"{_SET}[2]", PHONES[2])],
        [(_SET, PHONES[0]), (f"{_SET}[]", f"{PHONES[1]},"), (f"{_SET}[7]", PHONES[2])],
        [(_SET, f"{PHONES[0]}.0,{PHONES[1]}e0, +{PHONES[2]}")],
    ],
    ids=["repeated", "plus", "plus unencoded", "spaced", "brackets", "name", "places", "mixed", "spelled"],
)
def test_a_restriction_is_read_however_a_query_spells_it(shop: Shop, fields: list[tuple[str, str]]) -> None:
    shop.stock(*PHONES[:4])
    assert shop.get(*_asked(shop).items(), *fields).body["number"] == PHONES[3]


@pytest.mark.parametrize(
    "fields",
    [
        {_SET: ",".join(PHONES[:3])},
        {_SET: [f"{PHONES[0]}, {PHONES[1]}", PHONES[2]]},
        {_SET: f"+{PHONES[0]},,{PHONES[1]} , {PHONES[2]} "},
        {f"{_SET}[]": PHONES[:2], f"{_SET}[1]": PHONES[2]},
    ],
    ids=["commas", "commas in a list", "spaced", "brackets"],
)
def test_a_restriction_is_read_however_a_body_spells_it(shop: Shop, fields: dict[str, object]) -> None:
    shop.stock(*PHONES[:4])
    assert shop.post(_asked(shop) | fields).body["number"] == PHONES[3]


@pytest.mark.parametrize("empty", ["", " ", ",", " , ,"])
def test_empty_entries_of_exception_phone_set_are_skipped_by_get_and_by_post(shop: Shop, empty: str) -> None:
    shop.stock(*PHONES[:4])
    asked = _asked(shop)
    replies = [
        shop.get(*asked.items(), (_SET, empty)),
        shop.get(*asked.items(), (f"{_SET}[]", empty), (f"{_SET}[]", "48")),
        shop.post(asked | {_SET: empty}),
        shop.post(asked | {_SET: [empty, None, "48"]}),
    ]
    assert [reply.body["status"] for reply in replies] == ["SUCCESS"] * 4


@pytest.mark.parametrize("name", [f"{_SET}[0][]", f"{_SET}[", f"{_SET}[x]", f"{_SET}.0"])
def test_a_restriction_that_is_spelled_in_no_known_way_is_400(shop: Shop, name: str) -> None:
    asked = _asked(shop)
    for reply in (shop.get(*asked.items(), (name, "48")), shop.post(asked | {name: ["48"]})):
        assert (reply.status, reply.body["message"].partition(":")[0]) == (400, _SET)


def test_sum_and_currency_are_kept_with_the_activation(shop: Shop) -> None:
    shop.stock(PHONES[0])
    activation_id = shop.buy(shop.partner(), sum="20.00", currency=643).body["activationId"]
    activation = present(shop.activations.get(activation_id))
    assert (activation.total, activation.currency) == ("20.00", "643")


@pytest.mark.parametrize(("deployments", "minutes"), [({}, 60), ({"ACTIVATION_MINUTES": "5"}, 5)])
def test_after_sixty_minutes_or_what_a_deployment_says_a_number_can_be_bought_without_any_job(
    shop: Shop, deployments: dict[str, str], minutes: int
) -> None:
    shop = Shop(shop.cloud, deployments)
    shop.stock(PHONES[0])
    shop.sold()
    shop.cloud.clock.advance(minutes=minutes, ms=-1)
    assert shop.buy(shop.partner()).body == NO_NUMBERS
    shop.cloud.clock.advance(ms=1)
    assert shop.buy(shop.partner()).body["number"] == PHONES[0]


def test_an_activation_id_that_is_taken_is_rolled_again(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    partner, first = shop.sold()
    # The head of one candidate, then the same id as before, then another.
    low = first % 10**10
    rolls = iter([0, low, low + 1])
    shop.partner_parts = replace(shop.partner_parts, rng=lambda _: next(rolls))
    assert shop.buy(partner).body["activationId"] == first + 1

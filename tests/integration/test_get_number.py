"""GET_NUMBER: contract 1.2 to 1.4."""

from dataclasses import replace

import pytest

from simulation.shop import COUNTRY, OPERATOR, Shop, present

PHONES = [f"4474721900{n:02}" for n in range(20)]


def test_issues_a_number_with_the_fields_of_the_contract(shop: Shop) -> None:
    shop.stock(PHONES[0])
    reply = shop.buy(shop.partner())
    activation_id = reply.body.pop("activationId")
    assert reply.body == {"number": PHONES[0], "status": "SUCCESS", "call": 0, "voice": 0}
    assert reply.status == 200
    assert 0 < activation_id < 10**14


def test_a_held_number_is_not_issued_again(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    shop.buy(partner)
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    assert shop.buy(partner, "go").body == {"status": "NO_NUMBERS"}


def test_the_least_recently_used_number_comes_first(shop: Shop) -> None:
    partner = shop.partner()
    shop.sell("tg", reusable=True)
    for phone in PHONES[:3]:
        shop.stock(phone)
        shop.cloud.clock.advance(seconds=1)
    issued = []
    for _ in range(6):
        reply = shop.buy(partner)
        issued.append(reply.body["number"])
        shop.cloud.clock.advance(seconds=1)
        shop.finish(partner, reply.body["activationId"], 5)
    assert issued == PHONES[:3] * 2


@pytest.mark.parametrize(
    "field",
    [{"country": "atlantis"}, {"operator": "Nobody"}, {"service": "nothing"}],
    ids=["country", "operator", "service"],
)
def test_an_unknown_country_operator_or_service_is_no_numbers(shop: Shop, field: dict[str, str]) -> None:
    shop.stock(PHONES[0])
    reply = shop.buy(shop.partner(), **{"service": "tg", **field})
    assert (reply.status, reply.body) == (200, {"status": "NO_NUMBERS"})


def test_a_service_switched_off_is_no_numbers(shop: Shop) -> None:
    shop.stock(PHONES[0])
    shop.sell("tg", enabled=False)
    assert shop.buy(shop.partner()).body == {"status": "NO_NUMBERS"}


def test_a_service_outside_the_keys_list_is_403(shop: Shop) -> None:
    shop.stock(PHONES[0])
    reply = shop.buy(shop.partner(services=["go"]))
    assert reply.status == 403
    assert reply.body["status"] == "ERROR"
    assert "service" in reply.body["message"]


def test_a_key_with_an_empty_list_of_services_may_buy_nothing(shop: Shop) -> None:
    shop.stock(PHONES[0])
    assert shop.buy(shop.partner(services=[])).status == 403


def test_any_operator_buys_from_every_pool_of_the_country_and_no_other(shop: Shop) -> None:
    shop.stock(PHONES[0], operator="One")
    shop.stock(PHONES[1], operator="Two")
    shop.stock(PHONES[2], country="wales", operator="One")
    partner = shop.partner()
    bought = [shop.buy(partner, operator="any").body for _ in range(3)]
    assert sorted(reply.get("number", "-") for reply in bought) == ["-", *PHONES[:2]]


def test_any_operator_prefers_the_least_recently_used_of_all_pools(shop: Shop) -> None:
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
    wanted: dict[str, str] = {"country": COUNTRY, "operator": OPERATOR, "service": "tg"}
    wanted[name] += "\u202e"
    reply = shop.post({"key": shop.partner().key, "action": "GET_NUMBER", **wanted})
    assert (reply.status, reply.body["message"]) == (400, f"{name}: contains U+202E")


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


def test_exception_phone_set_by_get_may_be_repeated_and_comma_separated(shop: Shop) -> None:
    shop.stock(*PHONES[:4])
    partner = shop.partner()
    reply = shop.get(
        ("key", partner.key),
        ("action", "GET_NUMBER"),
        ("country", COUNTRY),
        ("operator", OPERATOR),
        ("service", "tg"),
        ("exceptionPhoneSet", f"{PHONES[0]},{PHONES[1]}"),
        ("exceptionPhoneSet", PHONES[2]),
    )
    assert reply.body["number"] == PHONES[3]


@pytest.mark.parametrize(
    "unwanted", ["+{0},+{1},+{2}", " {0}, {1}, {2}", " {0} , +{1},, ,{2} "], ids=["encoded", "unencoded", "spaced"]
)
def test_exception_phone_set_by_get_may_be_written_with_plus_and_spaces(shop: Shop, unwanted: str) -> None:
    shop.stock(*PHONES[:4])
    fields = {"key": shop.partner().key, "action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR}
    reply = shop.get(*fields.items(), ("service", "tg"), ("exceptionPhoneSet", unwanted.format(*PHONES)))
    assert reply.body["number"] == PHONES[3]


@pytest.mark.parametrize(
    "fields",
    [
        [("exceptionPhoneSet[]", PHONES[0]), ("exceptionPhoneSet[]", PHONES[1]), ("exceptionPhoneSet[]", PHONES[2])],
        [(" exceptionPhoneSet", PHONES[0]), ("exceptionPhoneSet ", PHONES[1]), ("ExceptionPhoneset", PHONES[2])],
        [("exceptionPhoneSet[0]", PHONES[0]), ("exceptionPhoneSet[1]", PHONES[1]), ("exceptionPhoneSet[2]", PHONES[2])],
        [
            ("exceptionPhoneSet", PHONES[0]),
            ("exceptionPhoneSet[]", f"{PHONES[1]},"),
            ("exceptionPhoneSet[7]", PHONES[2]),
        ],
        [("exceptionPhoneSet", f"{PHONES[0]}.0,{PHONES[1]}e0, +{PHONES[2]}")],
    ],
    ids=["brackets", "name", "places", "mixed", "spelled"],
)
def test_a_restriction_is_read_however_a_query_spells_it(shop: Shop, fields: list[tuple[str, str]]) -> None:
    shop.stock(*PHONES[:4])
    asked = {"key": shop.partner().key, "action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR}
    assert shop.get(*asked.items(), ("service", "tg"), *fields).body["number"] == PHONES[3]


@pytest.mark.parametrize(
    "unwanted", [f"{PHONES[0]},{PHONES[1]}", [f"{PHONES[0]}, {PHONES[1]}"], f"+{PHONES[0]},,447472190001 "]
)
def test_exception_phone_set_by_post_may_be_one_text_with_commas(shop: Shop, unwanted: object) -> None:
    shop.stock(*PHONES[:3])
    assert shop.buy(shop.partner(), exceptionPhoneSet=unwanted).body["number"] == PHONES[2]


def test_brackets_carry_a_restriction_by_post_too(shop: Shop) -> None:
    shop.stock(*PHONES[:3])
    asked = {
        "key": shop.partner().key,
        "action": "GET_NUMBER",
        "country": COUNTRY,
        "operator": OPERATOR,
        "service": "tg",
    }
    reply = shop.post({**asked, "exceptionPhoneSet[]": [PHONES[0]], "exceptionPhoneSet[1]": PHONES[1]})
    assert reply.body["number"] == PHONES[2]


@pytest.mark.parametrize("empty", ["", " ", ",", " , ,"])
def test_empty_entries_of_exception_phone_set_are_skipped_by_get_and_by_post(shop: Shop, empty: str) -> None:
    shop.stock(*PHONES[:4])
    partner = shop.partner()
    asked = {"key": partner.key, "action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR, "service": "tg"}
    replies = [
        shop.get(*asked.items(), ("exceptionPhoneSet", empty)),
        shop.get(*asked.items(), ("exceptionPhoneSet[]", empty), ("exceptionPhoneSet[]", "48")),
        shop.buy(partner, exceptionPhoneSet=empty),
        shop.buy(partner, exceptionPhoneSet=[empty, None, "48"]),
    ]
    assert [reply.body["status"] for reply in replies] == ["SUCCESS"] * 4


@pytest.mark.parametrize(
    "name",
    [
        "exceptionPhoneSet[0][]",
        "exceptionPhoneSet[",
        "exceptionPhoneSet[x]",
        "exceptionPhoneSet.0",
    ],
)
def test_a_restriction_that_is_spelled_in_no_known_way_is_400(shop: Shop, name: str) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    asked = {"key": partner.key, "action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR, "service": "tg"}
    for reply in (shop.get(*asked.items(), (name, "48")), shop.post({**asked, name: ["48"]})):
        assert (reply.status, reply.body["message"].partition(":")[0]) == (400, "exceptionPhoneSet")


@pytest.mark.parametrize("total", ["20.00", 20, 20.5, 1e300, {}, [], True, None, "x" * 1_000])
def test_sum_is_never_a_reason_to_refuse(shop: Shop, total: object) -> None:
    shop.stock(PHONES[0])
    assert shop.buy(shop.partner(), sum=total, currency=total).body["status"] == "SUCCESS"


def test_sum_and_currency_are_kept_with_the_activation(shop: Shop) -> None:
    shop.stock(PHONES[0])
    activation_id = shop.buy(shop.partner(), sum="20.00", currency=643).body["activationId"]
    activation = present(shop.activations.get(activation_id))
    assert (activation.total, activation.currency) == ("20.00", "643")


def test_after_sixty_minutes_the_number_can_be_bought_without_any_job(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    shop.buy(partner)
    shop.cloud.clock.advance(minutes=60, ms=-1)
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    shop.cloud.clock.advance(ms=1)
    assert shop.buy(partner).body["number"] == PHONES[0]


def test_the_lifetime_is_a_deployment_parameter(shop: Shop) -> None:
    shop = Shop(shop.cloud, {"ACTIVATION_MINUTES": "5"})
    shop.stock(PHONES[0])
    partner = shop.partner()
    shop.buy(partner)
    shop.cloud.clock.advance(minutes=5)
    assert shop.buy(partner).body["status"] == "SUCCESS"


def test_a_withdrawn_number_is_not_issued_and_a_restored_one_is(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    shop.numbers.withdraw(PHONES[0])
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    shop.numbers.restore(PHONES[0], shop.cloud.clock())
    assert shop.buy(partner).body["number"] == PHONES[0]


def test_restoring_does_not_cut_a_running_lease_short(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    shop.buy(partner)
    shop.numbers.withdraw(PHONES[0])
    shop.numbers.restore(PHONES[0], shop.cloud.clock())
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    shop.cloud.clock.advance(minutes=60)
    assert shop.buy(partner).body["number"] == PHONES[0]


def test_an_activation_id_that_is_taken_is_rolled_again(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    partner, first = shop.sold()
    # The head of one candidate, then the same id as before, then another.
    low = first % 10**10
    rolls = iter([0, low, low + 1])
    shop.partner_parts = replace(shop.partner_parts, rng=lambda _: next(rolls))
    assert shop.buy(partner).body["activationId"] == first + 1

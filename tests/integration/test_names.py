"""Partners call countries, operators and services as they like: contract 1.10 and 5."""

from collections.abc import Mapping
from typing import Any

import pytest

from globalconnect.domain.partner import Partner
from globalconnect.store.dynamo import expression
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop

ENGLISH = [f"4474721900{n:02}" for n in range(3)]
WELSH = [f"4474721901{n:02}" for n in range(2)]
THREE = [f"4474721902{n:02}" for n in range(4)]


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop.cloud)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """England has two operators, Wales one of the same name."""
    shop.stock(*ENGLISH)
    shop.stock(*THREE, operator="Three")
    shop.stock(*WELSH, country="wales")
    shop.sell("tg", "wa")
    shop.sell("go", enabled=False)
    shop.project()
    return shop


def _name(desk: Desk, partner: Partner, names: Mapping[str, object]) -> Reply:
    reply = desk.put(f"/admin/partners/{partner.partner_id}/names", names)
    assert reply.status == 200, reply.body
    return reply


def _shown(shop: Shop, partner: Partner) -> dict[str, Any]:
    shop.project()
    countries = shop.call(partner, "GET_SERVICES").body["countryList"]
    return {country["country"]: country["operatorMap"] for country in countries}


def _bought(shop: Shop, partner: Partner, *asked: str, times: int = 1) -> list[str]:
    """Ask for a country, operator and service; return the numbers in order, and NO_NUMBERS for each time that there was none."""
    wanted = dict(zip(("country", "operator", "service"), asked, strict=True))
    replies = [shop.call(partner, "GET_NUMBER", **wanted).body for _ in range(times)]
    return sorted(str(reply.get("number", reply["status"])) for reply in replies)


def test_counts_and_sales_of_several_behind_one_name_are_together(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    names = {
        "countries": {COUNTRY: "uk", "wales": "uk"},
        "operators": {COUNTRY: {"Three": OPERATOR}},
        "services": {"tg": "telegram"},
    }
    assert _name(desk, partner, names).body == {**names, "unmapped": "pass"}
    assert _shown(stocked, partner) == {"uk": {OPERATOR: {"telegram": 9, "wa": 9}}}
    assert _bought(stocked, partner, "uk", OPERATOR, "telegram", times=10) == sorted(
        [*ENGLISH, *WELSH, *THREE, "NO_NUMBERS"]
    )
    assert _shown(stocked, partner) == {"uk": {OPERATOR: {"telegram": 0, "wa": 0}}}


def test_what_was_sold_by_their_names_is_ours_in_the_books(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(desk, partner, {"countries": {"wales": "cymru"}, "services": {"tg": "telegram"}})
    assert _bought(stocked, partner, "cymru", "any", "telegram") == [WELSH[0]]
    (sold,) = desk.get("/admin/activations").body["activations"]
    assert [sold[name] for name in ("country", "operator", "service")] == ["wales", OPERATOR, "tg"]


@pytest.mark.parametrize(
    ("country", "operator", "service"),
    [
        (COUNTRY, OPERATOR, "telegram"),
        ("uk", "Three", "telegram"),
        ("uk", OPERATOR, "tg"),
        ("uk", "nobody", "telegram"),
    ],
)
def test_a_name_of_ours_that_has_another_means_nothing_to_a_partner(
    stocked: Shop, desk: Desk, country: str, operator: str, service: str
) -> None:
    partner = stocked.partner()
    names = {"countries": {COUNTRY: "uk"}, "operators": {COUNTRY: {"Three": "3"}}, "services": {"tg": "telegram"}}
    _name(desk, partner, names)
    assert _bought(stocked, partner, country, operator, service) == ["NO_NUMBERS"]
    assert _bought(stocked, partner, "uk", "3", "telegram", times=5) == [*THREE, "NO_NUMBERS"]


def test_names_may_change_places_and_be_mapped_to_themselves(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner(["tg"])
    names = {"countries": {COUNTRY: "wales", "wales": COUNTRY}, "services": {"tg": "wa", "wa": "tg"}}
    _name(desk, partner, {**names, "operators": {"wales": {OPERATOR: OPERATOR}}})
    assert _shown(stocked, partner) == {
        "wales": {"Three": {"wa": 4}, OPERATOR: {"wa": 3}},
        COUNTRY: {OPERATOR: {"wa": 2}},
    }
    assert _bought(stocked, partner, COUNTRY, OPERATOR, "wa", times=3) == [*WELSH, "NO_NUMBERS"]
    # What it may buy is said in our names, and tg of ours is its wa.
    assert stocked.buy(partner, "tg").status == 403


def test_what_has_no_entry_is_not_offered_where_it_is_hidden(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    names = {"countries": {COUNTRY: COUNTRY}, "operators": {COUNTRY: {"Three": "three"}}, "services": {"tg": "tg"}}
    _name(desk, partner, {**names, "unmapped": "hide"})
    assert _shown(stocked, partner) == {COUNTRY: {"three": {"tg": 4}}}
    for asked in ((COUNTRY, OPERATOR, "tg"), ("wales", OPERATOR, "tg"), (COUNTRY, "three", "wa")):
        assert _bought(stocked, partner, *asked) == ["NO_NUMBERS"]
    assert _bought(stocked, partner, COUNTRY, "any", "tg", times=5) == [*THREE, "NO_NUMBERS"]


def test_a_star_is_all_operators_that_have_no_entry(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(
        desk,
        partner,
        {"operators": {COUNTRY: {"*": "other", "Three": "three"}, "wales": {"*": "any"}}, "services": {"wa": "wa"}},
    )
    assert _shown(stocked, partner) == {
        COUNTRY: {"other": {"tg": 3, "wa": 3}, "three": {"tg": 4, "wa": 4}},
        "wales": {"any": {"tg": 2, "wa": 2}},
    }
    assert _bought(stocked, partner, COUNTRY, "other", "tg", times=4) == [*ENGLISH, "NO_NUMBERS"]
    assert _bought(stocked, partner, "wales", "any", "tg", times=3) == [*WELSH, "NO_NUMBERS"]
    assert _bought(stocked, partner, "wales", OPERATOR, "tg") == ["NO_NUMBERS"]


def test_names_are_compared_as_people_see_them(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(
        desk,
        partner,
        {"countries": {f" {COUNTRY} ": "Co\u0302te  d'Azur"}, "operators": {COUNTRY: {"Three": "日本 3"}}},
    )
    assert _shown(stocked, partner)["Côte d'Azur"]["日本 3"]["tg"] == 4
    assert _bought(stocked, partner, "Co\u0302te d'Azur ", " 日本\u00a03", "tg") == [THREE[0]]


def test_a_pool_that_is_stored_under_a_name_as_it_once_was_typed_can_be_named(shop: Shop, desk: Desk) -> None:
    shop.stock(*ENGLISH, country="south  england", operator="cafe\u0301")
    shop.project()
    partner = shop.partner()
    _name(desk, partner, {"countries": {"south england": "south"}, "operators": {"south england": {"café": "coffee"}}})
    assert _shown(shop, partner)["south"]["coffee"]["tg"] == 3
    assert _bought(shop, partner, "south", "coffee", "tg") == [ENGLISH[0]]


def test_a_dialect_that_lists_any_alone_sums_up_what_is_offered(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner(dialect="herosms")
    _name(desk, partner, {"countries": {COUNTRY: "uk", "wales": "uk"}, "services": {"tg": "telegram"}})
    body = stocked.call(partner, "GET_COUNT").body
    assert body["countMap"] == {"uk": {"any": {"telegram": {"SMS": 9}, "wa": {"SMS": 9}}}}
    assert _bought(stocked, partner, "uk", "any", "telegram", times=10) == sorted(
        [*ENGLISH, *WELSH, *THREE, "NO_NUMBERS"]
    )


def test_names_are_read_once_and_again_when_they_were_changed(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(desk, partner, {"services": {"tg": "telegram"}})
    table = stocked.cloud.env["NAMES_TABLE"]
    assert _shown(stocked, partner)
    kept = stocked.cloud.db.get(table, {"partner_id": partner.partner_id})
    stocked.cloud.db.delete(table, {"partner_id": partner.partner_id}, expression("attribute_exists(#partner_id)"))
    assert "telegram" in _shown(stocked, partner)[COUNTRY][OPERATOR]
    assert kept is not None
    stocked.cloud.db.put(table, kept)
    _name(desk, partner, {"services": {"tg": "tgram"}})
    assert "tgram" in _shown(stocked, partner)[COUNTRY][OPERATOR]
    _name(desk, partner, {})
    assert "tg" in _shown(stocked, partner)[COUNTRY][OPERATOR]


def test_an_explanation_and_what_it_suggests_are_in_their_names(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(
        desk,
        partner,
        {"countries": {COUNTRY: "britain"}, "operators": {COUNTRY: {"Three": "drei"}}, "services": {"tg": "telegram"}},
    )
    asked = {"country": "britain", "operator": "any"}
    assert stocked.explain(partner.key, "telegram", **asked).body == {"status": "SUCCESS"}
    for service, changed, reason, suggested in (
        ("telegrm", {}, "unknownService", "telegram"),
        ("tg", {}, "unknownService", None),
        ("telegram", {"country": "britan"}, "unknownCountry", "britain"),
        ("telegram", {"operator": "dreI"}, "unknownOperator", "drei"),
        ("telegram", {"operator": "Three"}, "unknownOperator", None),
    ):
        body = stocked.explain(partner.key, service, **asked | changed).body
        assert body["reason"] == reason
        assert suggested is None or suggested in body["suggestions"]


def test_csv_says_the_same_as_json(stocked: Shop, desk: Desk) -> None:
    path = f"/admin/partners/{stocked.partner().partner_id}/names"
    rows = f"kind,country,ours,theirs\ncountry,,{COUNTRY},uk\noperator,{COUNTRY},*,any\nservice,,tg,telegram\nunmapped,,,hide\n"
    names = {
        "countries": {COUNTRY: "uk"},
        "operators": {COUNTRY: {"*": "any"}},
        "services": {"tg": "telegram"},
        "unmapped": "hide",
    }
    for content in (
        rows,
        "\ufeff" + rows.replace(",", ";").upper().replace("TG", "tg").replace("TELEGRAM", "telegram"),
    ):
        reply = desk.put_file(path, content)
        assert (reply.status, {*reply.body}) == (200, {*names})
    assert desk.put_file(path, rows).body == names
    assert desk.get(path).body == names


@pytest.mark.parametrize(
    ("names", "named"),
    [
        ({"services": {"tg": "x", "wa": "x"}}, "services.wa: tg and wa would both be called x"),
        ({"services": {"tg": "wa"}}, "services.tg: tg would be called wa and so would wa, which has no entry"),
        ({"countries": {"a": ""}}, "countries.a: expected a text of 1 to 100 characters"),
        ({"countries": {"a": 5}}, "countries.a: expected a text of 1 to 100 characters"),
        ({"countries": {"": "a"}}, "countries.: expected a text of 1 to 100 characters"),
        ({"countries": {"*": "a"}}, "countries.*: expected a country; * stands for operators alone"),
        ({"countries": {"a": "b", " a": "c"}}, "countries. a: a has a name already"),
        ({"operators": {"a": {"any": "b"}}}, 'operators.a.any: "any" means any operator'),
        ({"operators": {"a": "b"}}, "operators.a: expected an object of names"),
        ({"operators": {"*": {"a": "b"}}}, "operators.*.a: expected a country"),
        ({"services": {"ü": "a"}}, "services.ü: expected the code of a service"),
        ({"services": []}, "services: expected an object of names"),
        ({"unmapped": "drop"}, "unmapped: expected pass or hide"),
        ({"country": {}}, "country: expected only countries, operators, services and unmapped"),
        ([], "body: expected a JSON object of names"),
    ],
)
def test_names_that_can_not_be_kept_are_refused_by_their_field_and_change_nothing(
    stocked: Shop, desk: Desk, names: Any, named: str
) -> None:
    path = f"/admin/partners/{stocked.partner().partner_id}/names"
    reply = desk.put(path, names)
    assert (reply.status, reply.body["message"][: len(named)]) == (400, named)
    assert desk.get(path).body == {"countries": {}, "operators": {}, "services": {}, "unmapped": "pass"}


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ("kind,ours,theirs\n", "header: expected the columns kind, country, ours, theirs"),
        ("kind,country,ours,theirs\ncountry,,a\n", "row 1: expected 4 cells"),
        ("kind,country,ours,theirs\ncountry,,a,b\n\nplanet,,a,b\n", "row 2: expected kind to be"),
        ("kind,country,ours,theirs\nservice,,tg,x\nservice,,wa,x\n", "row 2: tg and wa would both be called x"),
        ("kind,country,ours,theirs\noperator,,a,b\n", "row 1: expected a text"),
    ],
)
def test_rows_that_can_not_be_kept_are_refused_by_their_place(stocked: Shop, desk: Desk, rows: str, named: str) -> None:
    reply = desk.put_file(f"/admin/partners/{stocked.partner().partner_id}/names", rows)
    assert (reply.status, reply.body["message"][: len(named)]) == (400, named)


def test_names_are_5_000_at_most_and_belong_to_a_partner_that_works(stocked: Shop, desk: Desk) -> None:
    path = f"/admin/partners/{(partner := stocked.partner()).partner_id}/names"
    many = {"countries": {f"country {n}": f"их {n}" for n in range(5_000)}}
    assert desk.put(path, many).status == 200
    many["countries"]["one more"] = "x"
    assert desk.put(path, many).status == 413
    assert len(desk.get(path).body["countries"]) == 5_000
    stocked.partners.revoke(partner.partner_id, stocked.cloud.clock())
    assert desk.put(path, {}).status == 409
    assert desk.put("/admin/partners/nobody/names", {}).status == 404


def test_a_preview_is_what_the_partner_is_answered_and_lists_what_has_no_entry(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner(["tg", "wa"], max_live=3, dialect="onlinesim")
    _name(
        desk,
        partner,
        {"countries": {COUNTRY: "uk"}, "operators": {"wales": {"*": "any"}}, "services": {"tg": "telegram"}},
    )
    preview = desk.get(f"/admin/partners/{partner.partner_id}/preview").body
    assert preview["answer"] == stocked.call(partner, "GET_SERVICES").body
    assert preview["action"] == "GET_SERVICES"
    assert preview["unmapped"] == {
        "countries": ["wales"],
        "operators": {COUNTRY: [OPERATOR, "Three"]},
        "services": ["wa"],
    }


def test_starting_names_are_a_hubs_with_ours_only_where_code_or_name_is_equal(stocked: Shop, desk: Desk) -> None:
    stocked.stock("79261234567", country="Russia", operator="MTS")
    desk.put("/admin/services/gram", {"name": "instagram"})
    stocked.project()
    names = desk.get("/admin/dialects/smshub/names").body["names"]
    filled = {(one["kind"], one["country"], one["theirs"]): one["ours"] for one in names if one["ours"]}
    assert filled == {
        ("country", None, "russia"): "Russia",
        ("country", None, COUNTRY): COUNTRY,
        ("service", None, "go"): "go",
        ("operator", "russia", "mts"): "MTS",
        ("service", None, "tg"): "tg",
        ("service", None, "wa"): "wa",
        ("service", None, "ig"): "gram",
    }
    assert all(one["evidence"] for one in names)
    assert {one["theirs"]: one["title"] for one in names}["tg"] == "Telegram"
    assert [
        desk.get(f"/admin/dialects/{name}/names").status for name in ("globalconnect", "nobody", "grizzly", "herosms")
    ] == [404, 404, 200, 200]


def test_names_that_come_again_after_others_are_the_current_ones(stocked: Shop, desk: Desk) -> None:
    """A version of names must not come back with them: what is remembered under it may have been read after the others came."""
    warm = Shop(stocked.cloud, {"CACHE_SECONDS": "60"})
    partner = warm.partner()
    good, mistaken = {"services": {"tg": "telegram"}}, {"services": {"tg": "oops"}}
    _name(desk, partner, good)
    # The partner is known from here on, its names are not read yet.
    warm.finish(partner, 1, 3)
    _name(desk, partner, mistaken)
    assert "oops" in _shown(warm, partner)[COUNTRY][OPERATOR]
    _name(desk, partner, good)
    warm.cloud.clock.advance(seconds=61)
    assert "telegram" in _shown(warm, partner)[COUNTRY][OPERATOR]


def test_an_operator_that_is_called_any_is_counted_once_with_the_others(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    _name(desk, partner, {"operators": {COUNTRY: {"Three": "any"}}})
    assert _shown(stocked, partner)[COUNTRY] == {"any": {"tg": 7, "wa": 7}, OPERATOR: {"tg": 3, "wa": 3}}


def test_names_that_no_item_can_hold_are_refused(stocked: Shop, desk: Desk) -> None:
    # Of letters that do not repeat, so that packing makes little of them.
    name = "".join(chr(0x4E00 + (n * 7_919) % 20_000) for n in range(500_000))
    many = {name[n * 95 : n * 95 + 95]: f"{n}" for n in range(5_000)}
    path = f"/admin/partners/{stocked.partner().partner_id}/names"
    assert desk.put(path, {"countries": many}).status == 413
    assert desk.get(path).body["countries"] == {}


def test_many_countries_behind_one_name_cost_as_much_as_the_counts(stocked: Shop, desk: Desk) -> None:
    partner = stocked.partner()
    names = {f"country {n}": "earth" for n in range(50)} | {COUNTRY: "earth"}
    _name(desk, partner, {"countries": names})
    stocked.call(partner, "GET_SERVICES")
    with Calls(stocked.cloud.client) as calls:
        made = calls.of(lambda: stocked.call(partner, "GET_NUMBER", country="earth", operator="any", service="tg"))
    assert len(made) <= 6

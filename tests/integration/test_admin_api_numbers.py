"""Admin API, numbers: contract 5."""

import base64
import gzip
import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.number import Mark
from globalconnect.store.dynamo import expression
from globalconnect.store.numbers import Numbers
from globalconnect.store.transactions import Transactions
from simulation.aws import Cloud
from simulation.calls import Calls
from simulation.desk import CSV, JSON, Desk, event
from simulation.shop import Reply, present

PHONE = "447472190035"
OTHER = "447472190036"
HEADER = "phone,country,operator\n"
PHONE_EXPECTED = "phone: expected 5 to 15 digits, country code first"
ROW_EXPECTED = "row: expected exactly phone, country, operator"
TWICE = "phone: expected once; an earlier row has it"


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


def row(phone: object = PHONE, country: object = "england", operator: object = "O2") -> dict[str, object]:
    return {"phone": phone, "country": country, "operator": operator}


def imported(desk: Desk, rows: Sequence[object]) -> Reply:
    reply = desk.post("/admin/numbers", rows)
    assert reply.status == 200
    return reply


def phones(desk: Desk) -> set[str]:
    return {number["phone"] for number in desk.all_pages("/admin/numbers", "numbers")}


def for_sale(desk: Desk, pool: str, service: str = "tg") -> list[str]:
    country, _, operator = pool.partition("|")
    found = desk.admin.numbers.eligible(country, operator, service, desk.cloud.clock())
    return [candidate.phone for candidate in found]


# ---------------------------------------------------------------- import


def test_imported_numbers_are_for_sale_at_once_and_their_pools_are_entered(desk: Desk) -> None:
    reply = imported(desk, [row(), row(OTHER), row("48111111111", "poland", "Play")])
    assert reply.body == {"imported": 3, "updated": 0, "rejected": []}
    assert sorted(for_sale(desk, "england|O2")) == [PHONE, OTHER]
    assert for_sale(desk, "poland|Play") == ["48111111111"]
    pools = desk.admin.pool_counts.all()
    assert {(pool.country, pool.operator, pool.total) for pool in pools} == {
        ("england", "O2", 0),
        ("poland", "Play", 0),
    }


@pytest.mark.parametrize(
    "content",
    [
        f"phone,country,operator\n{PHONE},england,O2\n",
        f"phone,country,operator\r\n{PHONE},england,O2\r\n",
        f"phone,country,operator\n{PHONE},england,O2",
        f"operator,phone,country\nO2,{PHONE},england\n",
        f"\ufeffphone,country,operator\n{PHONE},england,O2\n",
        f'"phone","country","operator"\n"{PHONE}","england","O2"\n',
        f"\n\nphone,country,operator\n\n{PHONE},england,O2\n\n   \n,,\n\n",
        f"phone;country;operator\n{PHONE};england;O2\n;;\n",
        f"phone\tcountry\toperator\n{PHONE}\tengland\tO2\n\t\t\n",
        f"Phone, COUNTRY ,\u00a0operator\n{PHONE},england,O2\n",
        f'\ufeff\ufeffphone;"Country";operator\u0085\n{PHONE};england;O2\n',
        f"{HEADER}+44 7472-190035, england,O2 \n",
        f"{HEADER}\ufeff\n{PHONE},england,O2\n\u0085\n\x1c\n",
    ],
    ids=[
        "lf", "crlf", "no last line end", "other order", "bom", "quoted", "empty lines", "semicolons", "tabs", "header",
        "odd white space in the header", "cells as people write them", "lines that are white space to some",
    ],
)  # fmt: skip
def test_csv_is_read_however_a_spreadsheet_writes_it(desk: Desk, content: str) -> None:
    reply = desk.upload(content)
    assert (reply.status, reply.body) == (200, {"imported": 1, "updated": 0, "rejected": []})
    assert for_sale(desk, "england|O2") == [PHONE]


def test_a_quoted_cell_may_hold_a_comma(desk: Desk) -> None:
    desk.upload(f'{HEADER}{PHONE},england,"Hutchison, 3G"\n')
    assert for_sale(desk, "england|Hutchison, 3G") == [PHONE]


@pytest.mark.parametrize(
    "media_type", ["text/csv; charset=utf-8; header=present", "TEXT/CSV", "application/vnd.ms-excel"]
)
def test_csv_is_known_by_its_media_type_whatever_its_parameters(desk: Desk, media_type: str) -> None:
    assert desk.upload(f"{HEADER}{PHONE},england,O2\n", media_type).body["imported"] == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        f"{PHONE},england,O2\n",
        f"phone,country\n{PHONE},england\n",
        f"phone,country,operator,note\n{PHONE},england,O2,x\n",
        f"phone,phone,operator\n{PHONE},england,O2\n",
        f"phone;country,operator\n{PHONE};england,O2\n",
        f"phone|country|operator\n{PHONE}|england|O2\n",
        f"phone number,country,operator\n{PHONE},england,O2\n",
        json.dumps([row()]),
    ],
)
def test_a_wrong_header_is_400_naming_the_header_and_nothing_is_stored(desk: Desk, content: str) -> None:
    expected = (
        "header: expected exactly the columns phone, country, operator, in any order, with commas, semicolons or tabs"
    )
    assert desk.upload(content).refusal == (400, expected)
    assert phones(desk) == set()


@pytest.mark.parametrize(
    ("content", "media_type", "message"),
    [
        (f'{HEADER}{PHONE},england,"O2\n', CSV, "body: expected valid CSV"),
        (f'{HEADER}{PHONE},england,"O2"x\n', CSV, "body: expected valid CSV"),
        (f"{HEADER}{PHONE},england,{'x' * 200_000}\n", CSV, "body: expected valid CSV"),
        (f"{HEADER}{PHONE},england,O2\n", JSON, "body: expected valid JSON, or CSV as text/csv"),
        ("", JSON, "body: expected valid JSON, or CSV as text/csv"),
        ("[NaN]", JSON, "body: expected valid JSON, or CSV as text/csv"),
        ("[" * 100_000, JSON, "body: expected valid JSON, or CSV as text/csv"),
        ('{"phone": "447472190035"}', JSON, "body: expected a JSON list of rows"),
        ("null", JSON, "body: expected a JSON list of rows"),
    ],
)
def test_what_can_not_be_read_is_400_and_nothing_is_stored(
    desk: Desk, content: str, media_type: str, message: str
) -> None:
    assert desk.upload(content, media_type).refusal == (400, message)
    assert phones(desk) == set()


@pytest.mark.parametrize("spelled", ["5", "5.0", "0.5e1"])
def test_a_whole_number_is_one_however_json_of_staff_spells_it(desk: Desk, spelled: str) -> None:
    reply = desk.send(event("PUT", "/admin/services/tg", body=f'{{"name": "Telegram", "cancelLimit": {spelled}}}'))
    assert reply.body["cancelLimit"] == 5


@pytest.mark.parametrize("written", [f"+{PHONE}", f"00{PHONE}", "+44 7472-190035", int(PHONE), float(PHONE)])
def test_a_phone_is_read_however_it_is_written(desk: Desk, written: str | float) -> None:
    assert imported(desk, [row(written)]).body["imported"] == 1
    assert phones(desk) == {PHONE}
    if isinstance(written, str):
        assert desk.send(event("GET", "/admin/numbers/{phone}", said={"phone": written})).body["phone"] == PHONE
        assert desk.patch("/admin/numbers", {"phones": [written], "enabled": False}).body["changed"] == 1


def test_what_is_no_utf8_is_400(desk: Desk) -> None:
    body = base64.b64encode(HEADER.encode() + b"447472190035,\xe9ire,O2\n").decode()
    request = event("POST", "/admin/numbers", headers={"Content-Type": CSV}) | {"body": body, "isBase64Encoded": True}
    assert desk.send(request).refusal == (400, "body: expected UTF-8")


def test_an_import_of_nothing_does_nothing(desk: Desk) -> None:
    nothing = {"imported": 0, "updated": 0, "rejected": []}
    assert imported(desk, []).body == nothing
    assert desk.upload(HEADER).body == nothing


BAD_ROWS = [
    (row("++447472190036"), PHONE_EXPECTED),
    (row("44.7472.190036"), PHONE_EXPECTED),
    (row("+44 (0)7472 190036"), PHONE_EXPECTED),
    (row("4.47472E+11"), PHONE_EXPECTED),
    (row("44747219003a"), PHONE_EXPECTED),
    (row("07472 190036"), "phone: needs its country code"),
    (row("4474"), PHONE_EXPECTED),
    (row("4" * 16), PHONE_EXPECTED),
    (row(""), PHONE_EXPECTED),
    (row("\u0664\u0664\u0667\u0664\u0667"), PHONE_EXPECTED),
    (row(OTHER, ""), "country: expected a text of 1 to 100 characters"),
    (row(OTHER, " "), "country: expected a text of 1 to 100 characters"),
    (row(OTHER, "eng|land"), "country: expected a text without |"),
    (row(OTHER, "x" * 101), "country: expected a text of 1 to 100 characters"),
    (row(OTHER, "england", "\x00"), "operator: contains U+0000"),
    (row(OTHER, "england", "O2\u202e"), "operator: contains U+202E"),
    (row(OTHER, "england", "\u200dO2"), "operator: contains U+200D"),
    (row(OTHER, "england", "any"), 'operator: "any" means any operator and can\'t be the name of one'),
    (row(OTHER, "england", "ANY"), 'operator: "any" means any operator and can\'t be the name of one'),
    (row(PHONE), TWICE),
]

BAD_JSON_ROWS = [
    (row(447472190036.5), PHONE_EXPECTED),
    (row(None), PHONE_EXPECTED),
    (row(OTHER, ["england"]), "country: expected a text of 1 to 100 characters"),
    (row(OTHER, "\ud800"), "country: contains U+D800"),
    ("\ud800", ROW_EXPECTED),
    ({"phone": OTHER, "country": "england"}, ROW_EXPECTED),
    (row(OTHER) | {"note": "x"}, ROW_EXPECTED),
    ([OTHER, "england", "O2"], ROW_EXPECTED),
    (OTHER, ROW_EXPECTED),
    (None, ROW_EXPECTED),
]


def test_one_bad_row_among_good_ones_is_reported_and_the_good_ones_land(desk: Desk) -> None:
    good = [row(f"4474721901{n:02}") for n in range(30)]
    bad = [*BAD_ROWS, *BAD_JSON_ROWS]
    reply = imported(desk, [row(), *(refused for refused, _ in bad), *good])
    expected = [{"row": place, "reason": reason} for place, (_, reason) in enumerate(bad, start=2)]
    assert reply.body == {"imported": 31, "updated": 0, "rejected": expected}
    assert phones(desk) == {PHONE, *(str(number["phone"]) for number in good)}


def test_bad_rows_of_a_csv_are_reported_with_their_row_not_counting_header_and_empty_lines(desk: Desk) -> None:
    lines = [",".join(str(value) for value in refused.values()) for refused, _ in BAD_ROWS]
    ragged = [f"{OTHER},england", f"{OTHER},england,O2,x"]
    content = HEADER + "\n".join([f"{PHONE},england,O2", "", *lines, "  ", ",,", *ragged, "447472190099,england,O2"])
    reply = desk.upload(content)
    reasons = [*(reason for _, reason in BAD_ROWS), ROW_EXPECTED, ROW_EXPECTED]
    expected = [{"row": place, "reason": reason} for place, reason in enumerate(reasons, start=2)]
    assert reply.body == {"imported": 2, "updated": 0, "rejected": expected}
    assert phones(desk) == {PHONE, "447472190099"}


def test_a_phone_whose_earlier_row_was_refused_is_no_repetition(desk: Desk) -> None:
    assert imported(desk, [row(PHONE, ""), row(PHONE)]).body["imported"] == 1


def test_a_number_that_is_in_its_pool_already_is_not_written_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(desk, [row(), row(OTHER)])
    monkeypatch.delattr(Numbers, "add")
    monkeypatch.delattr(Numbers, "move")
    assert imported(desk, [row(), row(OTHER)]).body == {"imported": 0, "updated": 2, "rejected": []}


@pytest.mark.parametrize("media_type", [CSV, JSON])
def test_5001_rows_are_413_and_nothing_is_stored(desk: Desk, media_type: str) -> None:
    rows = [row(f"4477{n:08}") for n in range(5_001)]
    content = HEADER + "".join(f"{given['phone']},england,O2\n" for given in rows)
    reply = desk.upload(content if media_type == CSV else json.dumps(rows), media_type)
    assert reply.refusal == (413, "body: expected at most 5000 rows")
    assert phones(desk) == set()


def test_bad_rows_count_towards_the_5000_and_empty_lines_do_not(desk: Desk) -> None:
    assert desk.upload(HEADER + "x,y,z\n" * 5_001).status == 413
    reply = desk.upload(HEADER + "x,y,z\n\n" * 5_000)
    assert reply.status == 200
    assert len(reply.body["rejected"]) == 5_000


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_above_2_mb_is_413(desk: Desk, packed: bool) -> None:
    content = (HEADER + " " * 2_097_152).encode()
    body = base64.b64encode(gzip.compress(content) if packed else content).decode()
    request = event("POST", "/admin/numbers", headers={"Content-Type": CSV}) | {"body": body, "isBase64Encoded": True}
    assert desk.send(request).refusal == (413, "body: expected at most 2097152 bytes")


def test_an_import_whose_gzip_ends_early_is_400_and_enters_nothing(desk: Desk) -> None:
    rows = "".join(f"{int(PHONE) + n},england,O2\n" for n in range(300))
    packed = gzip.compress(f"{HEADER}{rows}".encode())
    for cut in (4, 30):
        body = base64.b64encode(packed[:-cut]).decode()
        reply = desk.send(
            event("POST", "/admin/numbers", body=body, headers={"Content-Type": CSV}) | {"isBase64Encoded": True}
        )
        assert (reply.status, reply.body["message"]) == (400, "body: expected a gzip body to be whole and valid")
    assert desk.get("/admin/numbers").body["numbers"] == []


def test_an_import_may_come_gzipped(desk: Desk) -> None:
    body = base64.b64encode(gzip.compress(f"{HEADER}{PHONE},england,O2\n".encode())).decode()
    request = event("POST", "/admin/numbers", headers={"Content-Type": CSV}) | {"body": body, "isBase64Encoded": True}
    assert desk.send(request).body["imported"] == 1


COMPOSED, DECOMPOSED = "C\u00f4te d'Ivoire", "Co\u0302te d'Ivoire"


def test_an_import_uses_the_stored_names_of_a_pool(desk: Desk) -> None:
    stored = desk.stocked("2250700000001", DECOMPOSED, "Orange  CI")
    desk.admin.pool_counts.open_pool(stored.country, stored.operator)
    rows = [row("2250700000001", COMPOSED, "Orange CI"), row("2250700000002", COMPOSED, " Orange CI")]
    assert imported(desk, [*rows, row("2250700000003", COMPOSED, "MTN")]).body == {
        "imported": 2,
        "updated": 1,
        "rejected": [],
    }
    pools = {(number["country"], number["operator"]) for number in desk.all_pages("/admin/numbers", "numbers")}
    assert pools == {(DECOMPOSED, "Orange  CI"), (DECOMPOSED, "MTN")}
    assert imported(desk, rows).body == {"imported": 0, "updated": 2, "rejected": []}
    unchanged = desk.admin.numbers.get("2250700000001")
    assert unchanged == stored


@pytest.mark.parametrize("country", [COMPOSED, DECOMPOSED, f"{COMPOSED} "])
@pytest.mark.parametrize("operator", ["Orange  CI", "Orange CI"])
def test_numbers_are_found_by_any_spelling_of_their_pool(desk: Desk, country: str, operator: str) -> None:
    desk.stocked("2250700000001", DECOMPOSED, "Orange  CI")
    desk.admin.pool_counts.open_pool(DECOMPOSED, "Orange  CI")
    for query in ([("country", country)], [("country", country), ("operator", operator)]):
        assert [number["phone"] for number in desk.get("/admin/numbers", *query).body["numbers"]] == ["2250700000001"]


def test_a_known_number_moves_with_its_lease_and_history_untouched(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    activation = desk.sold("hub", number)
    desk.cloud.db.update(
        desk.admin.numbers.table,
        {"phone": PHONE},
        expression("SET #cancels.#go = :two ADD #blocked :wa", two=2, wa={"wa"}),
        expression("attribute_exists(#phone)"),
    )
    before = desk.admin.numbers.get(PHONE)
    reply = imported(desk, [row(PHONE, "poland", "Play")])
    after = desk.admin.numbers.get(PHONE)
    assert reply.body == {"imported": 0, "updated": 1, "rejected": []}
    assert before is not None
    assert after is not None
    assert (after.country, after.operator) == ("poland", "Play")
    assert after.activation_id == activation.activation_id
    assert after.available_from == before.available_from
    assert after.blocked == before.blocked == frozenset({"wa"})
    assert after.cancels == before.cancels == {"go": 2}


def test_a_free_number_that_moves_is_the_last_that_came_free_in_its_new_pool(desk: Desk) -> None:
    desk.stocked(PHONE)
    desk.cloud.clock.advance(minutes=1)
    desk.stocked(OTHER, "poland", "Play")
    desk.cloud.clock.advance(minutes=1)
    assert imported(desk, [row(PHONE, "poland", "Play")]).body["updated"] == 1
    assert for_sale(desk, "poland|Play") == [OTHER, PHONE]
    desk.cloud.clock.advance(minutes=1)
    imported(desk, [row(OTHER, "poland", "Play")])
    assert for_sale(desk, "poland|Play") == [OTHER, PHONE]


def test_a_number_that_moves_is_written_once_and_not_read_again(desk: Desk) -> None:
    read = desk.stocked(PHONE)
    with Calls(desk.cloud.client) as calls:
        made = calls.of(lambda: desk.admin.numbers.move(read, "poland", "Play", desk.cloud.clock()))
    assert made == ["UpdateItem"]


def test_a_number_that_is_sold_while_it_moves_keeps_its_lease(desk: Desk) -> None:
    read = desk.stocked(PHONE)
    activation = desk.sold("hub", read)
    with Calls(desk.cloud.client) as calls:
        made = calls.of(lambda: desk.admin.numbers.move(read, "poland", "Play", desk.cloud.clock()))
    moved = desk.admin.numbers.get(PHONE)
    assert made == ["GetItem", "UpdateItem", "UpdateItem"]
    assert moved is not None
    assert (moved.country, moved.activation_id) == ("poland", activation.activation_id)
    assert moved.available_from == activation.expires_at


def test_a_known_number_that_is_withdrawn_stays_withdrawn(desk: Desk) -> None:
    desk.stocked(PHONE)
    desk.patch(f"/admin/numbers/{PHONE}", {"enabled": False})
    for operator in ("O2", "Vodafone"):
        assert imported(desk, [row(operator=operator)]).body["updated"] == 1
        assert for_sale(desk, f"england|{operator}") == []
    assert desk.get("/admin/numbers").body["numbers"][0]["enabled"] is False
    desk.patch(f"/admin/numbers/{PHONE}", {"enabled": True})
    assert for_sale(desk, "england|Vodafone") == [PHONE]


def test_two_imports_of_the_same_file_at_once_store_each_number_once(desk: Desk) -> None:
    rows = [row(f"4474721900{n:02}") for n in range(40)]
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(imported(desk, rows))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(reply.body["imported"] for reply in replies) == 40
    assert sum(reply.body["updated"] for reply in replies) == 40
    assert len(phones(desk)) == 40


# ---------------------------------------------------------------- browse


def test_a_number_shows_what_holds_it_and_what_outcomes_left_on_it(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    free = {
        "phone": PHONE,
        "country": "england",
        "operator": "O2",
        "enabled": True,
        "heldUntil": None,
        "activationId": None,
        "restingUntil": None,
        "blocked": [],
        "cancels": {},
    }
    assert desk.get("/admin/numbers").body == {"numbers": [free], "cursor": None}

    activation = desk.sold("hub", number)
    held = free | {"heldUntil": "2026-09-21T15:13:20+00:00", "activationId": activation.activation_id}
    assert desk.get("/admin/numbers").body["numbers"] == [held]

    current = present(desk.admin.numbers.get(PHONE))
    Transactions(desk.cloud.db, desk.admin.numbers, desk.admin.activations).finish(
        activation, Outcome.CANCELED, Mark("tg", cancels=5, block=True), current, desk.cloud.clock()
    )
    assert desk.get("/admin/numbers").body["numbers"] == [free | {"blocked": ["tg"], "cancels": {"tg": 5}}]


def test_a_number_whose_activation_expired_is_shown_as_free_before_any_sweep(desk: Desk) -> None:
    desk.sold("hub", desk.stocked(PHONE))
    desk.cloud.clock.advance(minutes=60)
    shown = desk.get("/admin/numbers").body["numbers"][0]
    assert (shown["heldUntil"], shown["activationId"]) == (None, None)


def test_numbers_are_listed_by_pool_page_by_page_each_once(desk: Desk) -> None:
    pools = {("england", "O2"): 120, ("england", "O2 Business"): 3, ("poland", "Play"): 2}
    wanted = {
        pool: {f"44{place}{n:07}" for n in range(count)} for place, (pool, count) in enumerate(pools.items(), start=1)
    }
    imported(desk, [row(phone, *pool) for pool, given in wanted.items() for phone in given])

    def listed(*query: tuple[str, str]) -> list[str]:
        return [number["phone"] for number in desk.all_pages("/admin/numbers", "numbers", *query)]

    assert sorted(listed()) == sorted(phone for given in wanted.values() for phone in given)
    english = listed(("country", "england"))
    assert len(english) == 123
    assert set(english) == wanted["england", "O2"] | wanted["england", "O2 Business"]
    assert listed(("country", "england"), ("operator", "O2")) == sorted(wanted["england", "O2"])
    assert listed(("country", "poland"), ("operator", "Play")) == sorted(wanted["poland", "Play"])
    assert listed(("country", "atlantis")) == []
    assert len(desk.get("/admin/numbers", ("country", "england")).body["numbers"]) == 100


def test_a_cursor_works_only_for_the_listing_and_filters_it_came_from(desk: Desk) -> None:
    imported(desk, [row(f"44{n:08}") for n in range(10_000_000, 10_000_101)])
    of_all = desk.get("/admin/numbers").body["cursor"]
    of_country = desk.get("/admin/numbers", ("country", "england")).body["cursor"]
    of_operator = desk.get("/admin/numbers", ("country", "england"), ("operator", "O2")).body["cursor"]
    assert None not in {of_all, of_country, of_operator}
    wrong = [
        ("/admin/numbers", (), of_country),
        ("/admin/numbers", (("country", "england"),), of_all),
        ("/admin/numbers", (("country", "england"),), of_operator),
        ("/admin/numbers", (("country", "poland"),), of_country),
        ("/admin/numbers", (("country", "england"), ("operator", "Play")), of_operator),
        ("/admin/partners", (), of_all),
        ("/admin/activations", (), of_all),
    ]
    for path, query, cursor in wrong:
        expected = (400, "cursor: expected the cursor of an earlier answer to the same listing")
        assert desk.get(path, *query, ("cursor", cursor)).refusal == expected


# ---------------------------------------------------------------- read


def test_a_number_is_shown_with_its_activations_newest_first_and_how_each_ended(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    desk.stocked(OTHER)
    finished = desk.sold("hub", number)
    current = present(desk.admin.numbers.get(PHONE))
    Transactions(desk.cloud.db, desk.admin.numbers, desk.admin.activations).finish(
        finished, Outcome.SUCCESS, Mark("tg", block=True), current, desk.cloud.clock()
    )
    desk.cloud.clock.advance(minutes=1)
    expired = desk.sold("hub", number, "go")
    desk.cloud.clock.advance(minutes=60)
    live = desk.sold("other hub", number, "wa")
    reply = desk.get(f"/admin/numbers/{PHONE}")
    assert reply.status == 200
    history = reply.body.pop("activations")
    assert [mark["service"] for mark in reply.body.pop("marks")] == ["tg"]
    assert reply.body == desk.get("/admin/numbers", ("country", "england")).body["numbers"][0]
    assert (reply.body["activationId"], reply.body["blocked"]) == (live.activation_id, ["tg"])
    assert [(shown["activationId"], shown["service"], shown["state"], shown["outcome"]) for shown in history] == [
        (live.activation_id, "wa", "live", None),
        (expired.activation_id, "go", "expired", None),
        (finished.activation_id, "tg", "finished", 3),
    ]
    assert history == desk.get("/admin/activations", ("phone", PHONE)).body["activations"]


def test_of_a_number_that_was_sold_often_the_newest_50_activations_are_shown(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    activation = desk.sold("hub", number)
    for place in range(1, 53):
        started_at = activation.started_at + place
        desk.recorded(replace(activation, activation_id=activation.activation_id + place, started_at=started_at))
    shown = desk.get(f"/admin/numbers/{PHONE}").body["activations"]
    assert [sale["activationId"] - activation.activation_id for sale in shown] == list(range(52, 2, -1))


def test_a_number_that_was_never_sold_has_no_history(desk: Desk) -> None:
    desk.stocked(PHONE)
    desk.patch(f"/admin/numbers/{PHONE}", {"enabled": False})
    shown = desk.get(f"/admin/numbers/{PHONE}").body
    assert (shown["enabled"], shown["activations"]) == (False, [])


def test_reading_a_number_we_do_not_have_is_404_and_what_can_be_none_400(desk: Desk) -> None:
    assert desk.get(f"/admin/numbers/{PHONE}").refusal == (404, "number not found")
    assert desk.get("/admin/numbers/4474x").refusal == (400, PHONE_EXPECTED)


@pytest.mark.parametrize("before", ["+", "%2B", "%20"])
def test_a_phone_in_a_path_may_have_its_plus(desk: Desk, before: str) -> None:
    desk.stocked(PHONE)
    path = f"/admin/numbers/{before}{PHONE}"
    assert desk.get(path).body["phone"] == PHONE
    assert desk.patch(path, {"enabled": False}).body["enabled"] is False
    assert desk.get("/admin/audit").body["entries"][0]["id"] == PHONE


# ---------------------------------------------------------------- withdraw and restore


def test_a_withdrawn_number_is_not_for_sale_until_it_is_restored(desk: Desk) -> None:
    desk.stocked(PHONE)
    path = f"/admin/numbers/{PHONE}"
    withdrawn = desk.patch(path, {"enabled": False})
    assert (withdrawn.status, withdrawn.body["enabled"]) == (200, False)
    assert desk.patch(path, {"enabled": False}).body == withdrawn.body
    assert for_sale(desk, "england|O2") == []
    restored = desk.patch(path, {"enabled": True})
    assert (restored.status, restored.body["enabled"]) == (200, True)
    assert desk.patch(path, {"enabled": True}).body == restored.body
    assert for_sale(desk, "england|O2") == [PHONE]


def test_withdrawing_and_restoring_leave_a_live_activation_to_its_end(desk: Desk) -> None:
    activation = desk.sold("hub", desk.stocked(PHONE))
    path = f"/admin/numbers/{PHONE}"
    for enabled in (False, True):
        shown = desk.patch(path, {"enabled": enabled}).body
        assert shown["activationId"] == activation.activation_id
        assert shown["heldUntil"] == "2026-09-21T15:13:20+00:00"
    assert for_sale(desk, "england|O2") == []
    desk.cloud.clock.advance(minutes=60)
    assert for_sale(desk, "england|O2") == [PHONE]


def test_a_number_we_do_not_have_is_404(desk: Desk) -> None:
    for enabled in (False, True):
        assert desk.patch(f"/admin/numbers/{PHONE}", {"enabled": enabled}).refusal == (404, "number not found")
    assert phones(desk) == set()

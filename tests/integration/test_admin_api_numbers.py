"""Admin API, numbers: contract 5."""

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.number import Mark
from globalconnect.store.dynamo import expression
from globalconnect.store.transactions import Transactions
from simulation.calls import Calls
from simulation.desk import CSV, JSON, Desk, event
from simulation.shop import Reply, present

PHONE = "447472190035"
OTHER = "447472190036"
HEADER = "phone,country,operator\n"
PHONE_EXPECTED = "phone: expected 5 to 15 digits, country code first"
ROW_EXPECTED = "row: expected exactly phone, country, operator"
TWICE = "phone: expected once; an earlier row has it"


def row(phone: object = PHONE, country: object = "england", operator: object = "O2") -> dict[str, object]:
    return {"phone": phone, "country": country, "operator": operator}


def imported(desk: Desk, rows: Sequence[object]) -> Reply:
    reply = desk.post("/admin/numbers", rows)
    assert reply.status == 200
    return reply


def phones(desk: Desk) -> set[str]:
    return {number["phone"] for number in desk.all_pages("/admin/numbers", "numbers")}


def sent(desk: Desk, body: bytes) -> Reply:
    """Send bytes as CSV."""
    request = event("POST", "/admin/numbers", body=base64.b64encode(body).decode(), headers={"Content-Type": CSV})
    return desk.send(request | {"isBase64Encoded": True})


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
    assert sent(desk, HEADER.encode() + b"447472190035,\xe9ire,O2\n").refusal == (400, "body: expected UTF-8")


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


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_body_above_2_mb_is_413(desk: Desk, pack: Callable[[bytes], bytes]) -> None:
    content = (HEADER + " " * 2_097_152).encode()
    assert sent(desk, pack(content)).refusal == (413, "body: expected at most 2097152 bytes")


def test_an_import_may_come_gzipped(desk: Desk) -> None:
    assert sent(desk, gzip.compress(f"{HEADER}{PHONE},england,O2\n".encode())).body["imported"] == 1


@pytest.mark.parametrize("cut", [4, 30])
def test_an_import_whose_gzip_ends_early_is_400_and_enters_nothing(desk: Desk, cut: int) -> None:
    rows = "".join(f"{int(PHONE) + n},england,O2\n" for n in range(300))
    refusal = (400, "body: expected a gzip body to be whole and valid")
    assert sent(desk, gzip.compress(f"{HEADER}{rows}".encode())[:-cut]).refusal == refusal
    assert phones(desk) == set()


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
    assert desk.admin.numbers.get("2250700000001") == stored


@pytest.mark.parametrize("country", [COMPOSED, DECOMPOSED, f"{COMPOSED} "])
@pytest.mark.parametrize("operator", ["Orange  CI", "Orange CI"])
def test_numbers_are_found_by_any_spelling_of_their_pool(desk: Desk, country: str, operator: str) -> None:
    desk.stocked("2250700000001", DECOMPOSED, "Orange  CI")
    desk.admin.pool_counts.open_pool(DECOMPOSED, "Orange  CI")
    for query in ([("country", country)], [("country", country), ("operator", operator)]):
        assert [number["phone"] for number in desk.get("/admin/numbers", *query).body["numbers"]] == ["2250700000001"]


def test_a_known_number_moves_with_its_lease_and_history_untouched(desk: Desk) -> None:
    desk.sold("hub", desk.stocked(PHONE))
    marks = expression("SET #cancels.#go = :two ADD #blocked :wa", two=2, wa={"wa"})
    desk.cloud.db.update(desk.admin.numbers.table, {"phone": PHONE}, marks)
    before = present(desk.admin.numbers.get(PHONE))
    assert imported(desk, [row(PHONE, "poland", "Play")]).body == {"imported": 0, "updated": 1, "rejected": []}
    after = present(desk.admin.numbers.get(PHONE))
    moved = replace(before, country="poland", operator="Play", version=before.version + 1)
    assert replace(after, entered_by=None) == moved


def test_a_number_that_is_sold_while_it_moves_keeps_its_lease(desk: Desk) -> None:
    read = desk.stocked(PHONE)
    activation = desk.sold("hub", read)
    with Calls(desk.cloud.client) as calls:
        made = calls.of(lambda: desk.admin.numbers.move(read, "poland", "Play", desk.cloud.clock()))
    assert made == ["GetItem", "UpdateItem", "UpdateItem"]
    moved = present(desk.admin.numbers.get(PHONE))
    assert (moved.country, moved.activation_id) == ("poland", activation.activation_id)
    assert moved.available_from == activation.expires_at


# ---------------------------------------------------------------- browse


def finish(desk: Desk, activation: Activation, outcome: Outcome, mark: Mark) -> None:
    sales = Transactions(desk.cloud.db, desk.admin.numbers, desk.admin.activations)
    sales.finish(activation, outcome, mark, present(desk.admin.numbers.get(PHONE)), desk.cloud.clock())


def test_a_number_shows_what_holds_it_and_what_outcomes_left_on_it(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    free = {
        "phone": PHONE,
        "country": "england",
        "operator": "O2",
        "enabled": True,
        "offline": None,
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

    finish(desk, activation, Outcome.CANCELED, Mark("tg", cancels=5, block=True))
    assert desk.get("/admin/numbers").body["numbers"] == [free | {"blocked": ["tg"], "cancels": {"tg": 5}}]


def test_a_number_whose_activation_expired_is_shown_as_free_before_any_sweep(desk: Desk) -> None:
    desk.sold("hub", desk.stocked(PHONE))
    desk.cloud.clock.advance(minutes=60)
    shown = desk.get("/admin/numbers").body["numbers"][0]
    assert (shown["heldUntil"], shown["activationId"]) == (None, None)


# ---------------------------------------------------------------- read


def test_a_number_is_shown_with_its_activations_newest_first_and_how_each_ended(desk: Desk) -> None:
    finished = desk.sold("hub", desk.stocked(PHONE))
    finish(desk, finished, Outcome.SUCCESS, Mark("tg", block=True))
    desk.cloud.clock.advance(minutes=1)
    expired = desk.sold("hub", present(desk.admin.numbers.get(PHONE)), "go")
    desk.cloud.clock.advance(minutes=60)
    live = desk.sold("other hub", present(desk.admin.numbers.get(PHONE)), "wa")
    shown = desk.get(f"/admin/numbers/{PHONE}").body
    history = shown.pop("activations")
    assert [mark["service"] for mark in shown.pop("marks")] == ["tg"]
    assert [shown.pop(name) for name in ("online", "sourceId", "line")] == [None, None, None]
    assert shown == desk.get("/admin/numbers", ("country", "england")).body["numbers"][0]
    assert (shown["activationId"], shown["blocked"]) == (live.activation_id, ["tg"])
    assert [(sale["activationId"], sale["service"], sale["state"], sale["outcome"]) for sale in history] == [
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
        desk.recorded(
            replace(activation, activation_id=ActivationId(activation.activation_id + place), started_at=started_at)
        )
    shown = desk.get(f"/admin/numbers/{PHONE}").body["activations"]
    assert [sale["activationId"] - activation.activation_id for sale in shown] == list(range(52, 2, -1))


def test_a_number_we_do_not_have_is_404(desk: Desk) -> None:
    path = f"/admin/numbers/{PHONE}"
    replies = [desk.get(path), *(desk.patch(path, {"enabled": enabled}) for enabled in (False, True))]
    assert {reply.refusal for reply in replies} == {(404, "number not found")}
    assert phones(desk) == set()


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
    for enabled in (False, True):
        replies = [desk.patch(f"/admin/numbers/{PHONE}", {"enabled": enabled}) for _ in range(2)]
        assert [(reply.status, reply.body["enabled"]) for reply in replies] == [(200, enabled)] * 2
        assert replies[0].body == replies[1].body
        assert for_sale(desk, "england|O2") == [PHONE] * enabled

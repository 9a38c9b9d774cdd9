"""Admin API, imports that are sent in parts, and many numbers at once: contract 5, docs/adr/0024."""

import itertools
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from globalconnect.domain.import_job import ImportPart
from simulation.counting import Killed
from simulation.desk import JSON, STAFF_ID, Desk
from simulation.failing import TRANSIENT, Fault, Faults, Scripted, failing_cloud
from simulation.shop import present

HEADER = "phone,country,operator\n"
NOBODY = "1790000000000abcdefgh"
TWICE = "phone: expected once; an earlier row has it"
PHONE_EXPECTED = "phone: expected 5 to 15 digits, country code first"
FINISHED = (409, "import: is finished; begin another")
LARGEST_ITEM = 400 * 1024


def phones_from(first: int, count: int) -> list[str]:
    return [str(447_472_000_000 + place) for place in range(first, first + count)]


def csv_of(phones: Sequence[str], operator: str = "O2") -> str:
    return HEADER + "".join(f"{phone},england,{operator}\n" for phone in phones)


def begun(desk: Desk, *, dry_run: bool = False, file_name: str = "numbers.csv") -> str:
    reply = desk.post("/admin/imports", {"fileName": file_name, "dryRun": dry_run})
    assert reply.status == 201
    return str(reply.body["importId"])


def taken(desk: Desk, import_id: str, part: int, content: str) -> dict[str, Any]:
    reply = desk.send_part(import_id, part, content)
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def job(desk: Desk, import_id: str) -> dict[str, Any]:
    body: dict[str, Any] = desk.get(f"/admin/imports/{import_id}").body
    return body


def sums(shown: dict[str, Any]) -> dict[str, int]:
    """Return what an import has counted, but for zeros."""
    names = ("parts", "rows", "imported", "updated", "unchanged", "rejected")
    return {name: shown[name] for name in names if shown[name]}


def stored(desk: Desk, variable: str) -> list[dict[str, Any]]:
    """Return a table as it is, byte for byte, in an order of its own."""
    items = desk.cloud.client.scan(TableName=desk.cloud.env[variable], ConsistentRead=True)["Items"]
    return sorted(items, key=repr)


def everything(desk: Desk) -> list[list[dict[str, Any]]]:
    return [stored(desk, variable) for variable in ("NUMBERS_TABLE", "AVAILABILITY_TABLE", "IMPORTS_TABLE")]


def known(desk: Desk) -> set[str]:
    return {item["phone"]["S"] for item in stored(desk, "NUMBERS_TABLE")}


def failing(desk: Desk, faults: Faults, *, remembers_tokens: bool = True) -> Desk:
    """Return the same desk over a DynamoDB that fails as told."""
    return Desk(failing_cloud(desk.cloud, faults, remembers_tokens=remembers_tokens), seed=3)


def before(operation: str, meddle: Callable[[], object]) -> Faults:
    """Let something happen before the first call of an operation; all calls succeed."""
    waiting = [meddle]

    def faults(called: str) -> Fault | None:
        while called == operation and waiting:
            waiting.pop()()
        return None

    return faults


def killed_at(operation: str, number: int) -> Faults:
    """End the function at a call of an operation, the first is 0."""
    calls, gone = itertools.count(), threading.Event()

    def faults(called: str) -> Fault | None:
        if called == operation and next(calls) == number:
            gone.set()
        if gone.is_set():
            raise Killed
        return None

    return faults


# ---------------------------------------------------------------- the job


def test_an_import_in_parts_is_begun_sent_and_finished(desk: Desk) -> None:
    reply = desk.post("/admin/imports", {"fileName": "stock of may.csv"})
    began = {
        "importId": reply.body["importId"],
        "fileName": "stock of may.csv",
        "dryRun": False,
        "state": "open",
        "startedAt": "2026-09-21T14:13:20+00:00",
        "finishedAt": None,
        "staff": STAFF_ID,
        "parts": 0,
        "rows": 0,
        "imported": 0,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert (reply.status, reply.body) == (201, began)
    import_id = reply.body["importId"]
    first, second = phones_from(0, 3), phones_from(3, 2)
    desk.stocked(second[0])
    desk.stocked(second[1], operator="Vodafone")
    assert taken(desk, import_id, 1, csv_of([*first, "x"])) == {
        "part": 1,
        "rows": 4,
        "imported": 3,
        "updated": 0,
        "unchanged": 0,
        "rejected": [{"row": 4, "reason": PHONE_EXPECTED}],
    }
    assert taken(desk, import_id, 2, csv_of(second)) == {
        "part": 2,
        "rows": 2,
        "imported": 0,
        "updated": 2,
        "unchanged": 1,
        "rejected": [],
    }
    desk.cloud.clock.advance(seconds=1)
    finished = desk.post(f"/admin/imports/{import_id}/finish")
    ended = {"state": "finished", "finishedAt": "2026-09-21T14:13:21+00:00"}
    sums = {"parts": 2, "rows": 6, "imported": 3, "updated": 2, "unchanged": 1, "rejected": 1}
    assert (finished.status, finished.body) == (200, began | ended | sums)
    assert job(desk, import_id) == finished.body
    listed = desk.all_pages("/admin/numbers", "numbers", ("country", "england"), ("operator", "O2"))
    assert {number["phone"] for number in listed} == {*first, *second}


def test_a_part_may_be_json(desk: Desk) -> None:
    reply = desk.send_part(begun(desk), 1, '[{"phone": "447472190035", "country": "england", "operator": "O2"}]', JSON)
    assert (reply.status, reply.body["imported"]) == (200, 1)


def test_finishing_twice_changes_nothing(desk: Desk) -> None:
    import_id = begun(desk)
    finished = desk.post(f"/admin/imports/{import_id}/finish").body
    desk.cloud.clock.advance(minutes=1)
    assert desk.post(f"/admin/imports/{import_id}/finish").body == finished


def test_after_finish_a_new_part_is_409_and_enters_nothing_and_a_known_one_is_answered_again(desk: Desk) -> None:
    import_id = begun(desk)
    content = csv_of(phones_from(0, 2))
    answered = taken(desk, import_id, 1, content)
    desk.post(f"/admin/imports/{import_id}/finish")
    entered = everything(desk)
    assert desk.send_part(import_id, 2, csv_of(phones_from(2, 2))).refusal == FINISHED
    assert taken(desk, import_id, 1, content) == answered
    assert everything(desk) == entered


NAME_EXPECTED = "fileName: expected a text of 1 to 255 printable characters, without spaces at its ends"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, NAME_EXPECTED),
        *(({"fileName": name}, NAME_EXPECTED) for name in ("", "a\nb", "x" * 256)),
        ({"fileName": "a.csv", "dryRun": "yes"}, "dryRun: expected true or false"),
        ({"fileName": "a.csv", "parts": 3}, "parts: unknown field"),
    ],
)
def test_a_bad_field_of_an_import_is_400_naming_it(desk: Desk, body: dict[str, object], message: str) -> None:
    assert desk.post("/admin/imports", body).refusal == (400, message)


@pytest.mark.parametrize("import_id", [NOBODY, "NOBODY", "x" * 41, "a-b"])
def test_an_import_that_does_not_exist_is_404(desk: Desk, import_id: str) -> None:
    path = f"/admin/imports/{import_id}"
    replies = [desk.get(path), desk.get(f"{path}/rejected"), desk.post(f"{path}/finish")]
    replies.append(desk.send_part(import_id, 1, csv_of(phones_from(0, 1))))
    assert {reply.refusal for reply in replies} == {(404, "import not found")}
    assert known(desk) == set()


@pytest.mark.parametrize("part", ["0", "-1", "01", "1.5", "x", "1e1", "9" * 17])
def test_a_part_that_can_be_none_is_400(desk: Desk, part: str) -> None:
    reply = desk.send_part(begun(desk), part, csv_of(phones_from(0, 1)))
    assert reply.refusal == (400, "part: expected a whole number from 1 to 200")


# ---------------------------------------------------------------- parts, in order and again


def test_parts_come_in_order_and_a_gap_is_409_that_names_the_next(desk: Desk) -> None:
    import_id = begun(desk)
    assert desk.send_part(import_id, 2, csv_of(phones_from(0, 1))).refusal == (409, "part: expected 1, the next one")
    taken(desk, import_id, 1, csv_of(phones_from(0, 1)))
    entered = everything(desk)
    assert desk.send_part(import_id, 3, csv_of(phones_from(1, 1))).refusal == (409, "part: expected 2, the next one")
    assert everything(desk) == entered


def test_the_same_part_again_has_the_same_answer_and_no_effect(desk: Desk) -> None:
    import_id = begun(desk)
    contents = [csv_of([*phones_from(0, 3), "x"]), csv_of([*phones_from(2, 3)])]
    answers = [taken(desk, import_id, place, content) for place, content in enumerate(contents, 1)]
    desk.cloud.clock.advance(minutes=1)
    entered = everything(desk)
    for _ in range(3):
        assert [taken(desk, import_id, place, content) for place, content in enumerate(contents, 1)] == answers
    assert everything(desk) == entered


def test_another_content_under_the_number_of_a_part_is_409_and_enters_nothing(desk: Desk) -> None:
    import_id = begun(desk)
    taken(desk, import_id, 1, csv_of(phones_from(0, 2)))
    entered = everything(desk)
    reply = desk.send_part(import_id, 1, csv_of(phones_from(2, 2)))
    assert reply.refusal == (409, "part: came before with other content")
    assert everything(desk) == entered


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (
            "nothing",
            (
                400,
                "header: expected exactly the columns phone, country, operator, in any order, with commas, semicolons or tabs",
            ),
        ),
        (csv_of(phones_from(0, 5_001)), (413, "body: expected at most 5000 rows")),
    ],
    ids=["header", "5,001 rows"],
)
def test_what_can_not_be_read_is_refused_and_its_number_stays_free(
    desk: Desk, content: str, refusal: tuple[int, str]
) -> None:
    import_id = begun(desk)
    entered = everything(desk)
    assert desk.send_part(import_id, 1, content).refusal == refusal
    assert everything(desk) == entered
    taken(desk, import_id, 1, csv_of(phones_from(0, 1)))


def test_an_import_has_at_most_200_parts_and_the_last_knows_the_phones_of_all(desk: Desk) -> None:
    import_id = begun(desk)
    refusal = (413, "part: expected at most 200 parts of up to 5000 rows")
    assert desk.send_part(import_id, 201, csv_of(phones_from(0, 1))).refusal == refusal
    for part in range(1, 200):
        current = present(desk.admin.import_jobs.get(import_id))
        done = ImportPart(part, "content", rows=1, imported=1, updated=0, unchanged=0, rejected=())
        desk.admin.import_jobs.record(current, done, phones_from(part, 1))
    answer = taken(desk, import_id, 200, csv_of(phones_from(0, 202)))
    assert (answer["imported"], len(answer["rejected"]), answer["rejected"][0]["row"]) == (3, 199, 201)
    assert known(desk) == {phone for place in (0, 200, 201) for phone in phones_from(place, 1)}
    assert desk.send_part(import_id, 201, csv_of(phones_from(900, 1))).refusal == refusal
    assert sums(job(desk, import_id)) == {"parts": 200, "rows": 401, "imported": 202, "rejected": 199}


def test_a_part_without_rows_is_a_part(desk: Desk) -> None:
    import_id = begun(desk)
    nothing = {"rows": 0, "imported": 0, "updated": 0, "unchanged": 0, "rejected": []}
    assert taken(desk, import_id, 1, HEADER) == {"part": 1} | nothing
    assert taken(desk, import_id, 2, csv_of(phones_from(0, 1)))["imported"] == 1


# ---------------------------------------------------------------- at the same time, and killed


@pytest.mark.parametrize("operation", ["BatchGetItem", "PutItem", "TransactWriteItems"])
def test_a_part_sent_twice_at_the_same_time_counts_once_and_both_get_the_same_answer(
    desk: Desk, operation: str
) -> None:
    import_id = begun(desk)
    content = csv_of([*phones_from(0, 4), "x"])
    answers: list[dict[str, Any]] = []
    overtaken = failing(desk, before(operation, lambda: answers.append(taken(desk, import_id, 1, content))))
    # Of the last, the slower one entered the numbers; the faster one, which found them all, was recorded.
    assert answers == [taken(overtaken, import_id, 1, content)]
    assert sums(job(desk, import_id)) == {"parts": 1, "rows": 5, "imported": 4, "rejected": 1}
    assert known(desk) == set(phones_from(0, 4))


def test_of_two_contents_under_one_number_at_the_same_time_one_counts_and_the_other_is_409(desk: Desk) -> None:
    import_id = begun(desk)
    overtaken = failing(
        desk, before("TransactWriteItems", lambda: taken(desk, import_id, 1, csv_of(phones_from(100, 2))))
    )
    reply = overtaken.send_part(import_id, 1, csv_of(phones_from(0, 4)))
    assert reply.refusal == (409, "part: came before with other content")
    assert job(desk, import_id)["rows"] == 2


def test_a_part_whose_import_is_finished_meanwhile_is_409_and_does_not_count(desk: Desk) -> None:
    import_id = begun(desk)
    overtaken = failing(desk, before("TransactWriteItems", lambda: desk.post(f"/admin/imports/{import_id}/finish")))
    assert overtaken.send_part(import_id, 1, csv_of(phones_from(0, 4))).refusal == FINISHED
    assert job(desk, import_id)["rows"] == 0


@pytest.mark.parametrize(
    ("operation", "number"),
    [
        ("BatchGetItem", 0),
        ("UpdateItem", 0),
        ("PutItem", 1),
        ("PutItem", 25),
        ("UpdateItem", 3),
        ("TransactWriteItems", 0),
    ],
)
def test_a_part_that_was_killed_in_the_middle_ends_right_when_it_is_sent_again(
    desk: Desk, operation: str, number: int
) -> None:
    import_id = begun(desk)
    taken(desk, import_id, 1, csv_of(phones_from(0, 5)))
    content = csv_of([*phones_from(5, 50), phones_from(0, 1)[0], *phones_from(100, 9)])
    for place, phone in enumerate(phones_from(100, 9)):
        desk.stocked(phone, operator="O2" if place < 4 else "Vodafone")
    # The audit log's entry is the first item that is put.
    reply = failing(desk, killed_at(operation, number)).send_part(import_id, 2, content)
    assert reply.status == 500
    assert job(desk, import_id)["parts"] == 1
    # What it has entered may be sold by now.
    for entered in desk.admin.numbers.get_many(phones_from(5, 2)):
        desk.sold("hub", entered)
    again = taken(desk, import_id, 2, content)
    assert (again["imported"], again["updated"], again["unchanged"]) == (50, 9, 4)
    assert again["rejected"] == [{"row": 56, "reason": TWICE}]
    assert known(desk) == set(phones_from(0, 55)) | set(phones_from(100, 9))
    assert {item["operator"]["S"] for item in stored(desk, "NUMBERS_TABLE")} == {"O2"}
    expected = {"parts": 2, "rows": 65, "imported": 55, "updated": 9, "unchanged": 4, "rejected": 1}
    assert sums(job(desk, import_id)) == expected


@pytest.mark.parametrize("fault", [*TRANSIENT, Fault.BROKEN])
@pytest.mark.parametrize("remembers_tokens", [True, False])
def test_a_part_whose_record_fails_or_whose_answer_is_lost_counts_once(
    desk: Desk, fault: Fault, remembers_tokens: bool
) -> None:
    import_id = begun(desk)
    content = csv_of([*phones_from(0, 3), "x"])
    failed = failing(desk, Scripted(fault, fault), remembers_tokens=remembers_tokens)
    answer = taken(failed, import_id, 1, content)
    assert (answer["imported"], len(answer["rejected"])) == (3, 1)
    assert sums(job(desk, import_id)) == {"parts": 1, "rows": 4, "imported": 3, "rejected": 1}
    assert taken(desk, import_id, 1, content) == answer


# ---------------------------------------------------------------- rows


def test_a_phone_of_an_earlier_row_is_refused_in_the_same_part_and_in_every_later_one(desk: Desk) -> None:
    import_id = begun(desk)
    one, two, three = phones_from(0, 3)
    assert taken(desk, import_id, 1, csv_of([one, two, one]))["rejected"] == [{"row": 3, "reason": TWICE}]
    assert taken(desk, import_id, 2, csv_of([three, "x"]))["rejected"] == [{"row": 5, "reason": PHONE_EXPECTED}]
    answer = taken(desk, import_id, 3, csv_of([two, three, two, "x"], operator="Vodafone"))
    assert answer["rejected"] == [
        {"row": 6, "reason": TWICE},
        {"row": 7, "reason": TWICE},
        {"row": 8, "reason": TWICE},
        {"row": 9, "reason": PHONE_EXPECTED},
    ]
    assert {item["operator"]["S"] for item in stored(desk, "NUMBERS_TABLE")} == {"O2"}


def test_a_phone_whose_earlier_row_was_refused_is_no_repetition(desk: Desk) -> None:
    import_id = begun(desk)
    one, two = phones_from(0, 2)
    assert taken(desk, import_id, 1, f"{HEADER}{one},,O2\n{one},england,O2\n{two},england,any\n")["imported"] == 1
    assert taken(desk, import_id, 2, csv_of([two]))["imported"] == 1


def test_a_phone_of_another_import_is_no_repetition(desk: Desk) -> None:
    content = csv_of(phones_from(0, 2))
    taken(desk, begun(desk), 1, content)
    assert taken(desk, begun(desk), 1, content)["unchanged"] == 2


def test_refused_rows_are_paged_and_all_there_with_their_rows_in_the_whole_file(desk: Desk) -> None:
    import_id = begun(desk)
    sizes = [900, 0, 700, 1, 1_500]
    row, expected = 0, []
    for part, size in enumerate(sizes, 1):
        content = HEADER + "x,england,O2\n" * size + f"{phones_from(part, 1)[0]},england,O2\n"
        taken(desk, import_id, part, content)
        expected += [{"row": row + place, "reason": PHONE_EXPECTED} for place in range(1, size + 1)]
        row += size + 1
    path = f"/admin/imports/{import_id}/rejected"
    assert desk.all_pages(path, "rejected") == expected
    assert len(desk.get(path).body["rejected"]) == 1_000
    assert job(desk, import_id)["rejected"] == len(expected) == 3_101


def test_a_page_of_refused_rows_that_ends_with_the_last_one_has_no_cursor(desk: Desk) -> None:
    import_id = begun(desk)
    taken(desk, import_id, 1, HEADER + "x,y,z\n" * 1_000)
    taken(desk, import_id, 2, csv_of(phones_from(0, 1)))
    page = desk.get(f"/admin/imports/{import_id}/rejected").body
    assert (len(page["rejected"]), page["cursor"]) == (1_000, None)


def test_5000_refused_rows_fit_into_a_part_and_so_do_5000_phones(desk: Desk) -> None:
    import_id = begun(desk)
    bad = [
        "x,england,O2",
        "447472190035,,O2",
        "447472190035,england,any",
        "447472190035,england",
        "447472190035,england,|",
        "447472190036,england,O2",
    ]
    rolls = random.Random(5)
    lines = [rolls.choice(bad) for _ in range(5_000)]
    answer = taken(desk, import_id, 1, HEADER + "".join(f"{line}\n" for line in lines))
    assert len(answer["rejected"]) == 4_999
    dry = begun(desk, dry_run=True)
    scattered = {str(rolls.randrange(10**14, 10**15)) for _ in range(5_000)}
    assert taken(desk, dry, 1, csv_of(sorted(scattered)))["imported"] == len(scattered)
    parts = [item for item in stored(desk, "IMPORTS_TABLE") if item["collection"]["S"].startswith("parts#")]
    assert len(parts) == 2
    assert max(size_of(item) for item in parts) < LARGEST_ITEM / 4


def size_of(item: dict[str, Any]) -> int:
    """Return about how large an item is: names, and values as DynamoDB counts them, numbers generously."""
    return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())


# ---------------------------------------------------------------- what an import leaves behind


def test_a_dry_run_enters_nothing_and_tells_what_would_be(desk: Desk) -> None:
    here, elsewhere, new = phones_from(0, 3)
    desk.stocked(here)
    desk.stocked(elsewhere, operator="Vodafone")
    entered = everything(desk)[:2]
    dry = begun(desk, dry_run=True)
    contents = [csv_of([here, elsewhere, "x"]), csv_of([new, here])]
    told = [taken(desk, dry, part, content) for part, content in enumerate(contents, 1)]
    assert everything(desk)[:2] == entered
    shown = job(desk, dry)
    assert (shown["dryRun"], told[1]["rejected"]) == (True, [{"row": 5, "reason": TWICE}])
    expected = {"parts": 2, "rows": 5, "imported": 1, "updated": 2, "unchanged": 1, "rejected": 2}
    assert sums(shown) == expected
    real = begun(desk)
    assert [taken(desk, real, part, content) for part, content in enumerate(contents, 1)] == told


def test_the_same_file_again_changes_no_number(desk: Desk) -> None:
    content = csv_of(phones_from(0, 20))
    held, withdrawn = phones_from(0, 2)
    assert taken(desk, begun(desk), 1, content)["imported"] == 20
    desk.sold("hub", present(desk.admin.numbers.get(held)))
    desk.admin.numbers.withdraw(withdrawn)
    desk.cloud.clock.advance(minutes=5)
    entered = everything(desk)[:2]
    again = taken(desk, begun(desk), 1, content)
    assert (again["imported"], again["updated"], again["unchanged"]) == (0, 20, 20)
    assert everything(desk)[:2] == entered


def test_a_number_that_somebody_else_enters_in_the_same_pool_meanwhile_is_left_alone(desk: Desk) -> None:
    phones = phones_from(0, 3)
    overtaken = failing(desk, before("UpdateItem", lambda: [desk.stocked(phone) for phone in phones]))
    answer = taken(overtaken, begun(desk), 1, csv_of(phones))
    assert (answer["imported"], answer["unchanged"]) == (0, 3)
    assert {item["version"]["N"] for item in stored(desk, "NUMBERS_TABLE")} == {"0"}


def test_a_number_that_is_withdrawn_after_the_import_read_it_moves_and_stays_withdrawn(desk: Desk) -> None:
    (phone,) = phones_from(0, 1)
    desk.stocked(phone)
    # The pool is opened, then the number moves.
    overtaken = failing(desk, before("UpdateItem", lambda: desk.admin.numbers.withdraw(phone)))
    answer = taken(overtaken, begun(desk), 1, csv_of([phone], operator="Vodafone"))
    assert (answer["updated"], answer["unchanged"], answer["rejected"]) == (1, 0, [])
    (moved,) = desk.admin.numbers.get_many([phone])
    assert (moved.operator, moved.enabled) == ("Vodafone", False)


def test_a_number_that_others_keep_changing_is_refused_and_stays_where_it_is(desk: Desk) -> None:
    (phone,) = phones_from(0, 1)
    desk.stocked(phone)

    def change(operation: str) -> Fault | None:
        if operation == "UpdateItem":
            desk.admin.numbers.withdraw(phone)
        return None

    answer = taken(failing(desk, change), begun(desk), 1, csv_of([phone], operator="Vodafone"))
    rejected = [{"row": 1, "reason": "phone: changed by others meanwhile; import it again"}]
    assert (answer["updated"], answer["rejected"]) == (0, rejected)
    assert present(desk.admin.numbers.get(phone)).operator == "O2"


def test_a_number_that_is_entered_though_no_answer_came_counts_as_new(desk: Desk) -> None:
    # The first item that is put is the audit log's entry.
    puts = itertools.count()
    lost = failing(desk, lambda called: Fault.UNANSWERED if called == "PutItem" and next(puts) in {1, 2} else None)
    answer = taken(lost, begun(desk), 1, csv_of(phones_from(0, 5)))
    assert (answer["imported"], answer["updated"]) == (5, 0)


def test_imports_and_their_parts_are_kept_for_the_retention_time(desk: Desk) -> None:
    import_id = begun(desk)
    began = desk.cloud.clock() // 1_000
    desk.cloud.clock.advance(minutes=90)
    taken(desk, import_id, 1, csv_of(phones_from(0, 1)))
    month = 30 * 24 * 60 * 60
    assert [item["expire_at"]["N"] for item in stored(desk, "IMPORTS_TABLE")] == [str(began + month)] * 2


# ---------------------------------------------------------------- many numbers


def enabled_of(desk: Desk) -> dict[str, bool]:
    return {number["phone"]: number["enabled"] for number in desk.all_pages("/admin/numbers", "numbers")}


def test_many_numbers_are_withdrawn_and_restored_and_unknown_ones_are_named(desk: Desk) -> None:
    phones, strangers = phones_from(0, 150), phones_from(900, 2)
    for phone in phones:
        desk.stocked(phone)
    desk.admin.numbers.withdraw(phones[0])
    asked = {"phones": [strangers[1], *phones[:120], strangers[0], phones[5]], "enabled": False}
    reply = desk.patch("/admin/numbers", asked)
    assert (reply.status, reply.body) == (200, {"changed": 119, "unknown": [strangers[1], strangers[0]]})
    assert enabled_of(desk) == {phone: place >= 120 for place, phone in enumerate(phones)}
    entered = stored(desk, "NUMBERS_TABLE")
    assert desk.patch("/admin/numbers", asked).body["changed"] == 0
    assert stored(desk, "NUMBERS_TABLE") == entered
    reply = desk.patch("/admin/numbers", {"phones": phones, "enabled": True})
    assert reply.body == {"changed": 120, "unknown": []}
    assert enabled_of(desk) == dict.fromkeys(phones, True)


def test_withdrawing_and_restoring_many_leave_live_activations_to_their_end(desk: Desk) -> None:
    phone, other = phones_from(0, 2)
    activation = desk.sold("hub", desk.stocked(phone))
    desk.stocked(other)
    for enabled in (False, True):
        assert desk.patch("/admin/numbers", {"phones": [phone, other], "enabled": enabled}).body["changed"] == 2
        number = present(desk.admin.numbers.get(phone))
        assert (number.enabled, number.activation_id) == (enabled, activation.activation_id)
        assert number.available_from == activation.expires_at


PHONES_EXPECTED = "phones: expected a list of 1 to 500 numbers, each 5 to 15 digits, country code first"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"enabled": True}, PHONES_EXPECTED),
        ({"phones": [], "enabled": True}, PHONES_EXPECTED),
        ({"phones": phones_from(0, 501), "enabled": True}, PHONES_EXPECTED),
        ({"phones": "447472190035", "enabled": True}, PHONES_EXPECTED),
        ({"phones": ["07472190035"], "enabled": True}, PHONES_EXPECTED),
        ({"phones": [447472190035], "enabled": True}, PHONES_EXPECTED),
        ({"phones": [None], "enabled": True}, PHONES_EXPECTED),
        ({"phones": ["447472190035"]}, "enabled: expected true or false"),
        ({"phones": ["447472190035"], "enabled": 1}, "enabled: expected true or false"),
        ({"phones": ["447472190035"], "enabled": True, "country": "england"}, "country: unknown field"),
    ],
)
def test_a_bad_change_of_many_numbers_is_400_naming_the_field(
    desk: Desk, body: dict[str, object], message: str
) -> None:
    desk.stocked("447472190035")
    assert desk.patch("/admin/numbers", body).refusal == (400, message)
    assert {item["version"]["N"] for item in stored(desk, "NUMBERS_TABLE")} == {"0"}

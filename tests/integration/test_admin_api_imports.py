"""Admin API, imports that are sent in parts, and many numbers at once: contract 5, docs/adr/0024."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from globalconnect.domain.import_job import ImportPart
from simulation.aws import Cloud
from simulation.counting import Killed
from simulation.desk import JSON, STAFF_ID, Desk
from simulation.failing import Fault, Scripted, failing_cloud
from simulation.shop import Reply, present

HEADER = "phone,country,operator\n"
NOBODY = "1790000000000abcdefgh"
TWICE = "phone: expected once; an earlier row has it"
PHONE_EXPECTED = "phone: expected 5 to 15 digits, country code first"
FINISHED = (409, "import: is finished; begin another")
LARGEST_ITEM = 400 * 1024


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


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


def counts(shown: dict[str, Any]) -> dict[str, int]:
    return {name: shown[name] for name in ("parts", "rows", "imported", "updated", "unchanged", "rejected")}


def stored(desk: Desk, variable: str) -> list[dict[str, Any]]:
    """Return a table as it is, byte for byte, in an order of its own."""
    items = desk.cloud.client.scan(TableName=desk.cloud.env[variable], ConsistentRead=True)["Items"]
    return sorted(items, key=repr)


def everything(desk: Desk) -> list[list[dict[str, Any]]]:
    return [stored(desk, variable) for variable in ("NUMBERS_TABLE", "AVAILABILITY_TABLE", "IMPORTS_TABLE")]


def known(desk: Desk) -> set[str]:
    return {item["phone"]["S"] for item in stored(desk, "NUMBERS_TABLE")}


def failing(desk: Desk, faults: Callable[[str], Fault | None], *, remembers_tokens: bool = True) -> Desk:
    """Return the same desk over a DynamoDB that fails as told."""
    return Desk(failing_cloud(desk.cloud, faults, remembers_tokens=remembers_tokens), seed=3)


class KilledAt:
    """Ends the function at its n-th call of an operation."""

    def __init__(self, operation: str, number: int) -> None:
        self._operation = operation
        self._left = number
        self._lock = threading.Lock()

    def __call__(self, operation: str) -> Fault | None:
        with self._lock:
            if operation == self._operation:
                self._left -= 1
            if self._left < 0:
                raise Killed
        return None


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


def test_a_finish_whose_answer_is_lost_is_done_once_and_answered(desk: Desk) -> None:
    import_id = begun(desk)

    failed = failing(desk, Scripted(Fault.UNANSWERED, operation="UpdateItem"))
    assert failed.post(f"/admin/imports/{import_id}/finish").body["state"] == "finished"


def test_after_finish_a_new_part_is_409_and_enters_nothing_and_a_known_one_is_answered_again(desk: Desk) -> None:
    import_id = begun(desk)
    content = csv_of(phones_from(0, 2))
    answered = taken(desk, import_id, 1, content)
    desk.post(f"/admin/imports/{import_id}/finish")
    before = everything(desk)
    assert desk.send_part(import_id, 2, csv_of(phones_from(2, 2))).refusal == FINISHED
    assert taken(desk, import_id, 1, content) == answered
    assert everything(desk) == before


def test_imports_are_listed_newest_first_page_by_page_each_once(desk: Desk) -> None:
    begun_ids = []
    for place in range(205):
        desk.cloud.clock.advance(ms=place % 3)
        begun_ids.append(begun(desk, file_name=f"{place}.csv"))
    desk.cloud.clock.advance(seconds=1)
    begun_ids.append(begun(desk))
    listed = desk.all_pages("/admin/imports", "imports")
    assert len(listed) == 206
    assert [shown["importId"] for shown in listed] == sorted(begun_ids, reverse=True)
    assert listed[0] == job(desk, begun_ids[-1])
    assert len(desk.get("/admin/imports").body["imports"]) == 100


def test_the_listing_of_imports_takes_its_own_cursors_only(desk: Desk) -> None:
    for _ in range(101):
        begun(desk)
        desk.cloud.clock.advance(ms=1)
    cursor = desk.get("/admin/imports").body["cursor"]
    import_id = desk.get("/admin/imports").body["imports"][0]["importId"]
    expected = (400, "cursor: expected the cursor of an earlier answer to the same listing")
    assert desk.get("/admin/partners", ("cursor", cursor)).refusal == expected
    assert desk.get(f"/admin/imports/{import_id}/rejected", ("cursor", cursor)).refusal == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "fileName: expected a text of 1 to 255 printable characters, without spaces at its ends"),
        ({"fileName": ""}, "fileName: expected a text of 1 to 255 printable characters, without spaces at its ends"),
        (
            {"fileName": "a\nb"},
            "fileName: expected a text of 1 to 255 printable characters, without spaces at its ends",
        ),
        (
            {"fileName": "x" * 256},
            "fileName: expected a text of 1 to 255 printable characters, without spaces at its ends",
        ),
        ({"fileName": "a.csv", "dryRun": "yes"}, "dryRun: expected true or false"),
        ({"fileName": "a.csv", "parts": 3}, "parts: unknown field"),
    ],
)
def test_a_bad_field_of_an_import_is_400_naming_it(desk: Desk, body: dict[str, object], message: str) -> None:
    assert desk.post("/admin/imports", body).refusal == (400, message)


@pytest.mark.parametrize("import_id", [NOBODY, "NOBODY", "x" * 41, "a-b"])
def test_an_import_that_does_not_exist_is_404(desk: Desk, import_id: str) -> None:
    expected = (404, "import not found")
    assert desk.get(f"/admin/imports/{import_id}").refusal == expected
    assert desk.get(f"/admin/imports/{import_id}/rejected").refusal == expected
    assert desk.post(f"/admin/imports/{import_id}/finish").refusal == expected
    assert desk.send_part(import_id, 1, csv_of(phones_from(0, 1))).refusal == expected
    assert stored(desk, "IMPORTS_TABLE") == []
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
    before = everything(desk)
    assert desk.send_part(import_id, 3, csv_of(phones_from(1, 1))).refusal == (409, "part: expected 2, the next one")
    assert everything(desk) == before


def test_the_same_part_again_has_the_same_answer_and_no_effect(desk: Desk) -> None:
    import_id = begun(desk)
    contents = [csv_of([*phones_from(0, 3), "x"]), csv_of([*phones_from(2, 3)])]
    answers = [taken(desk, import_id, place, content) for place, content in enumerate(contents, 1)]
    desk.cloud.clock.advance(minutes=1)
    before = everything(desk)
    for _ in range(3):
        assert [taken(desk, import_id, place, content) for place, content in enumerate(contents, 1)] == answers
    assert everything(desk) == before


def test_another_content_under_the_number_of_a_part_is_409_and_enters_nothing(desk: Desk) -> None:
    import_id = begun(desk)
    taken(desk, import_id, 1, csv_of(phones_from(0, 2)))
    before = everything(desk)
    reply = desk.send_part(import_id, 1, csv_of(phones_from(2, 2)))
    assert reply.refusal == (409, "part: came before with other content")
    assert everything(desk) == before


def test_what_can_not_be_read_is_refused_and_its_number_stays_free(desk: Desk) -> None:
    import_id = begun(desk)
    before = everything(desk)
    expected = "expected exactly the columns phone, country, operator, in any order, with commas, semicolons or tabs"
    header = (400, f"header: {expected}")
    assert desk.send_part(import_id, 1, "nothing").refusal == header
    too_many = csv_of(phones_from(0, 5_001))
    assert desk.send_part(import_id, 1, too_many).refusal == (413, "body: expected at most 5000 rows")
    assert everything(desk) == before
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
    assert counts(job(desk, import_id)) == {
        "parts": 200,
        "rows": 401,
        "imported": 202,
        "updated": 0,
        "unchanged": 0,
        "rejected": 199,
    }


def test_a_part_without_rows_is_a_part(desk: Desk) -> None:
    import_id = begun(desk)
    nothing = {"rows": 0, "imported": 0, "updated": 0, "unchanged": 0, "rejected": []}
    assert taken(desk, import_id, 1, HEADER) == {"part": 1} | nothing
    assert taken(desk, import_id, 2, csv_of(phones_from(0, 1)))["imported"] == 1


# ---------------------------------------------------------------- at the same time, and killed


def test_a_part_sent_twice_at_the_same_time_counts_once_and_both_get_the_same_answer(desk: Desk) -> None:
    import_id = begun(desk)
    content = csv_of([*phones_from(0, 60), "x"])
    replies: list[Reply] = []
    start = threading.Barrier(3)

    def send() -> None:
        start.wait()
        replies.append(desk.send_part(import_id, 1, content))

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert replies[0].body == replies[1].body == replies[2].body
    shown = job(desk, import_id)
    assert (shown["parts"], shown["rows"], shown["rejected"]) == (1, 61, 1)
    assert (shown["imported"], shown["updated"]) == (60, 0)
    assert known(desk) == set(phones_from(0, 60))


def test_a_part_that_was_recorded_while_a_copy_of_it_was_at_work_is_answered_as_recorded(desk: Desk) -> None:
    import_id = begun(desk)
    content = csv_of(phones_from(0, 4))
    first: list[dict[str, Any]] = []

    def overtake(operation: str) -> Fault | None:
        if operation == "TransactWriteItems" and not first:
            first.append(taken(desk, import_id, 1, content))
        return None

    second = taken(failing(desk, overtake), import_id, 1, content)
    # The slower one entered the numbers; the faster one, which found them all, was recorded.
    assert first == [second]
    assert counts(job(desk, import_id)) == {
        "parts": 1,
        "rows": 4,
        "imported": 4,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }


def test_of_two_contents_under_one_number_at_the_same_time_one_counts_and_the_other_is_409(desk: Desk) -> None:
    import_id = begun(desk)
    other = csv_of(phones_from(100, 2))
    sent: list[dict[str, Any]] = []

    def overtake(operation: str) -> Fault | None:
        if operation == "TransactWriteItems" and not sent:
            sent.append(taken(desk, import_id, 1, other))
        return None

    reply = failing(desk, overtake).send_part(import_id, 1, csv_of(phones_from(0, 4)))
    assert reply.refusal == (409, "part: came before with other content")
    assert counts(job(desk, import_id))["rows"] == 2


def test_a_part_whose_import_is_finished_meanwhile_is_409_and_does_not_count(desk: Desk) -> None:
    import_id = begun(desk)

    def finish(operation: str) -> Fault | None:
        if operation == "TransactWriteItems":
            desk.post(f"/admin/imports/{import_id}/finish")
        return None

    assert failing(desk, finish).send_part(import_id, 1, csv_of(phones_from(0, 4))).refusal == FINISHED
    assert counts(job(desk, import_id))["rows"] == 0


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
    reply = failing(desk, KilledAt(operation, number)).send_part(import_id, 2, content)
    assert reply.status == 500
    assert job(desk, import_id)["parts"] == 1
    # What it has entered may be sold by now.
    for new in known(desk) & set(phones_from(5, 2)):
        entered = present(desk.admin.numbers.get(new))
        desk.sold("hub", entered)
    again = taken(desk, import_id, 2, content)
    assert (again["imported"], again["updated"], again["unchanged"]) == (50, 9, 4)
    assert again["rejected"] == [{"row": 56, "reason": TWICE}]
    assert known(desk) == set(phones_from(0, 55)) | set(phones_from(100, 9))
    assert {item["operator"]["S"] for item in stored(desk, "NUMBERS_TABLE")} == {"O2"}
    assert counts(job(desk, import_id)) == {
        "parts": 2,
        "rows": 65,
        "imported": 55,
        "updated": 9,
        "unchanged": 4,
        "rejected": 1,
    }


@pytest.mark.parametrize("fault", [*Fault])
@pytest.mark.parametrize("remembers_tokens", [True, False])
def test_a_part_whose_record_fails_or_whose_answer_is_lost_counts_once(
    desk: Desk, fault: Fault, remembers_tokens: bool
) -> None:
    import_id = begun(desk)
    content = csv_of([*phones_from(0, 3), "x"])
    failed = failing(desk, Scripted(fault, fault), remembers_tokens=remembers_tokens)
    answer = taken(failed, import_id, 1, content)
    assert (answer["imported"], len(answer["rejected"])) == (3, 1)
    assert counts(job(desk, import_id)) == {
        "parts": 1,
        "rows": 4,
        "imported": 3,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
    }
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


def test_parts_and_the_whole_file_at_once_refuse_the_same_rows(desk: Desk) -> None:
    rolls = random.Random(7)
    phones = [rolls.choice([*phones_from(0, 40), "x", "+44", ""]) for _ in range(200)]
    whole = desk.upload(csv_of(phones, operator="Whole")).body
    import_id = begun(desk)
    place = 0
    for part in range(1, 9):
        size = 25
        taken(desk, import_id, part, csv_of(phones[place : place + size], operator="Parts"))
        place += size
    assert desk.all_pages(f"/admin/imports/{import_id}/rejected", "rejected") == whole["rejected"]
    shown = job(desk, import_id)
    assert shown["updated"] == whole["imported"]
    assert shown["unchanged"] == 0


def test_a_phone_whose_earlier_row_was_refused_is_no_repetition(desk: Desk) -> None:
    import_id = begun(desk)
    (phone,) = phones_from(0, 1)
    assert len(taken(desk, import_id, 1, HEADER + f"{phone},england,any\n")["rejected"]) == 1
    assert taken(desk, import_id, 2, csv_of([phone]))["imported"] == 1


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
    pages, cursor = [], None
    while True:
        page = desk.get(path, *([("cursor", cursor)] if cursor else [])).body
        pages.append(len(page["rejected"]))
        cursor = page["cursor"]
        if cursor is None:
            break
    assert pages == [1_000, 1_000, 1_000, 101]
    assert job(desk, import_id)["rejected"] == len(expected)


def test_a_page_of_refused_rows_that_ends_with_the_last_one_has_no_cursor(desk: Desk) -> None:
    import_id = begun(desk)
    taken(desk, import_id, 1, HEADER + "x,y,z\n" * 1_000)
    taken(desk, import_id, 2, csv_of(phones_from(0, 1)))
    page = desk.get(f"/admin/imports/{import_id}/rejected").body
    assert (len(page["rejected"]), page["cursor"]) == (1_000, None)


def test_refused_rows_have_cursors_of_their_import_only(desk: Desk) -> None:
    import_id, other = begun(desk), begun(desk)
    taken(desk, import_id, 1, HEADER + "x,y,z\n" * 1_001)
    cursor = desk.get(f"/admin/imports/{import_id}/rejected").body["cursor"]
    assert len(desk.get(f"/admin/imports/{import_id}/rejected", ("cursor", cursor)).body["rejected"]) == 1
    expected = (400, "cursor: expected the cursor of an earlier answer to the same listing")
    assert desk.get(f"/admin/imports/{other}/rejected", ("cursor", cursor)).refusal == expected


def test_an_import_without_refused_rows_has_an_empty_list(desk: Desk) -> None:
    assert desk.get(f"/admin/imports/{begun(desk)}/rejected").body == {"rejected": [], "cursor": None}


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
    before = [stored(desk, table) for table in ("NUMBERS_TABLE", "AVAILABILITY_TABLE")]
    dry = begun(desk, dry_run=True)
    contents = [csv_of([here, elsewhere, "x"]), csv_of([new, here])]
    told = [taken(desk, dry, part, content) for part, content in enumerate(contents, 1)]
    assert [stored(desk, table) for table in ("NUMBERS_TABLE", "AVAILABILITY_TABLE")] == before
    assert told[1]["rejected"] == [{"row": 5, "reason": TWICE}]
    assert job(desk, dry)["dryRun"] is True
    assert counts(job(desk, dry)) == {
        "parts": 2,
        "rows": 5,
        "imported": 1,
        "updated": 2,
        "unchanged": 1,
        "rejected": 2,
    }
    real = begun(desk)
    assert [taken(desk, real, part, content) for part, content in enumerate(contents, 1)] == told


def test_the_same_file_again_changes_no_number(desk: Desk) -> None:
    phones = phones_from(0, 60)
    contents = [csv_of(phones[place : place + 20]) for place in (0, 20, 40)]
    first = begun(desk)
    for part, content in enumerate(contents, 1):
        assert taken(desk, first, part, content)["imported"] == 20
    held = present(desk.admin.numbers.get(phones[0]))
    desk.sold("hub", held)
    desk.patch(f"/admin/numbers/{phones[1]}", {"enabled": False})
    desk.cloud.clock.advance(minutes=5)
    before = [stored(desk, table) for table in ("NUMBERS_TABLE", "AVAILABILITY_TABLE")]
    again = begun(desk)
    for part, content in enumerate(contents, 1):
        assert taken(desk, again, part, content)["unchanged"] == 20
    assert [stored(desk, table) for table in ("NUMBERS_TABLE", "AVAILABILITY_TABLE")] == before
    assert counts(job(desk, again)) == {
        "parts": 3,
        "rows": 60,
        "imported": 0,
        "updated": 60,
        "unchanged": 60,
        "rejected": 0,
    }


def test_a_number_that_somebody_else_enters_in_the_same_pool_meanwhile_is_left_alone(desk: Desk) -> None:
    phones = phones_from(0, 3)

    def overtake(operation: str) -> Fault | None:
        if operation == "UpdateItem" and not known(desk):
            for phone in phones:
                desk.stocked(phone)
        return None

    answer = taken(failing(desk, overtake), begun(desk), 1, csv_of(phones))
    assert (answer["imported"], answer["unchanged"]) == (0, 3)
    assert {item["version"]["N"] for item in stored(desk, "NUMBERS_TABLE")} == {"0"}


def test_a_number_that_is_withdrawn_after_the_import_read_it_moves_and_stays_withdrawn(desk: Desk) -> None:
    (phone,) = phones_from(0, 1)
    desk.stocked(phone)

    def withdraw(operation: str) -> Fault | None:
        # The pool is opened, then the number moves.
        if operation == "UpdateItem" and enabled_of(desk)[phone]:
            desk.admin.numbers.withdraw(phone)
        return None

    answer = taken(failing(desk, withdraw), begun(desk), 1, csv_of([phone], operator="Vodafone"))
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
    assert answer["updated"] == 0
    assert answer["rejected"] == [{"row": 1, "reason": "phone: changed by others meanwhile; import it again"}]
    (number,) = desk.admin.numbers.get_many([phone])
    assert number.operator == "O2"


class LostAnswers:
    """Loses the answers of two items that are put, after the audit log's entry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._puts = 0

    def __call__(self, operation: str) -> Fault | None:
        """Return how the next call fails."""
        with self._lock:
            self._puts += operation == "PutItem"
            return Fault.UNANSWERED if operation == "PutItem" and self._puts in {2, 3} else None


def test_a_number_that_is_entered_though_no_answer_came_counts_as_new(desk: Desk) -> None:
    import_id = begun(desk)
    answer = taken(failing(desk, LostAnswers()), import_id, 1, csv_of(phones_from(0, 5)))
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
    phones = phones_from(0, 150)
    for phone in phones:
        desk.stocked(phone)
    strangers = phones_from(900, 3)
    desk.patch(f"/admin/numbers/{phones[0]}", {"enabled": False})
    asked = [strangers[1], *phones[:120], strangers[0], phones[5]]
    reply = desk.patch("/admin/numbers", {"phones": asked, "enabled": False})
    assert (reply.status, reply.body) == (200, {"changed": 119, "unknown": [strangers[1], strangers[0]]})
    assert enabled_of(desk) == {phone: place >= 120 for place, phone in enumerate(phones)}
    before = stored(desk, "NUMBERS_TABLE")
    assert desk.patch("/admin/numbers", {"phones": asked, "enabled": False}).body["changed"] == 0
    assert stored(desk, "NUMBERS_TABLE") == before
    reply = desk.patch("/admin/numbers", {"phones": phones, "enabled": True})
    assert reply.body == {"changed": 120, "unknown": []}
    assert all(enabled_of(desk).values())
    assert set(known(desk)) == set(phones)


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
    before = stored(desk, "NUMBERS_TABLE")
    assert desk.patch("/admin/numbers", body).refusal == (400, message)
    assert stored(desk, "NUMBERS_TABLE") == before

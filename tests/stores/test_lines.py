"""The store of lines."""

import pytest

from globalconnect.domain.errors import Conflict, TooLarge
from globalconnect.domain.ids import SourceId
from globalconnect.domain.source import Line
from globalconnect.store.lines import Lines
from simulation.aws import START, Cloud
from tests.stores.pages import every

SOURCE, OTHER = SourceId("s1"), SourceId("s2")
PHONES = ["447472190081", "447472190082", "447472190083"]


@pytest.fixture
def lines(tables: Cloud) -> Lines:
    return Lines(tables.db, tables.env["LINES_TABLE"])


def test_lines_are_read_as_they_were_mapped_and_numbers_lead_to_them(lines: Lines) -> None:
    lines.replace(SOURCE, {"1A": PHONES[0], "phone 1": PHONES[1]})
    assert lines.phones(SOURCE, ["1A", "2B"]) == {"1A": PHONES[0]}
    assert lines.phones(OTHER, ["1A"]) == {}
    assert lines.line_of(PHONES[1]) == Line(SOURCE, "phone 1", PHONES[1])
    assert lines.line_of(PHONES[2]) is None
    assert every(lambda after: lines.page(SOURCE, 1, after)) == [*lines.every(SOURCE)]
    assert [line.line for line in lines.every(SOURCE)] == ["1A", "phone 1"]


def test_numbers_move_between_lines_and_what_is_not_named_is_none_any_more(lines: Lines) -> None:
    lines.replace(SOURCE, {"1A": PHONES[0], "1B": PHONES[1], "1C": PHONES[2]})
    for _ in range(2):
        lines.replace(SOURCE, {"1A": PHONES[1], "1B": PHONES[0]})
        assert {line.line: line.phone for line in lines.every(SOURCE)} == {"1A": PHONES[1], "1B": PHONES[0]}
    assert lines.line_of(PHONES[2]) is None
    lines.replace(OTHER, {"1C": PHONES[2]})
    assert lines.line_of(PHONES[2]) == Line(OTHER, "1C", PHONES[2])


def test_a_number_is_one_line_and_whose_is_said_before_anything_is_changed(lines: Lines) -> None:
    lines.replace(SOURCE, {"1A": PHONES[0]})
    with pytest.raises(Conflict, match=f"{PHONES[0]} is line 1A of source s1"):
        lines.replace(OTHER, {"2A": PHONES[1], "2B": PHONES[0]})
    assert [*lines.every(OTHER)] == []


def test_no_change_makes_more_lines_than_a_source_may_have(lines: Lines) -> None:
    lines.replace(SOURCE, {"1A": PHONES[0], "1B": PHONES[1]})
    with pytest.raises(TooLarge):
        lines.change(SOURCE, {"1C": PHONES[2]}, most=2)
    lines.change(SOURCE, {"1A": None, "1C": PHONES[2]}, most=2)
    assert {line.line: line.phone for line in lines.every(SOURCE)} == {"1B": PHONES[1], "1C": PHONES[2]}


@pytest.mark.parametrize(
    ("source_id", "line", "phone"), [(OTHER, "2A", PHONES[0]), (SOURCE, "1A", PHONES[1])], ids=["a number", "a line"]
)
def test_of_two_who_map_the_same_at_the_same_moment_one_is_refused(
    tables: Cloud, lines: Lines, source_id: SourceId, line: str, phone: str
) -> None:
    class Overtaken(Lines):
        """Somebody else is a little faster."""

        def _write(self, actions: list[dict[str, object]]) -> None:
            lines.replace(source_id, {line: phone})
            super()._write(actions)

    with pytest.raises(Conflict, match="meanwhile"):
        Overtaken(tables.db, tables.env["LINES_TABLE"]).replace(SOURCE, {"1A": PHONES[0]})
    assert lines.line_of(phone) == Line(source_id, line, phone)


def test_a_line_that_was_heard_stays_known_until_its_source_is_gone(lines: Lines) -> None:
    heard = Line(SOURCE, "1A", heard_at=START)
    for later in range(2):
        lines.note(SOURCE, "1A", START + later)
    assert [*lines.every(SOURCE)] == [heard]
    assert lines.phones(SOURCE, ["1A"]) == {"1A": None}
    lines.replace(SOURCE, {"1A": PHONES[0]})
    lines.note(SOURCE, "1A", START + 2)
    assert [*lines.every(SOURCE)] == [Line(SOURCE, "1A", PHONES[0], START)]
    lines.replace(SOURCE, {})
    assert [*lines.every(SOURCE)] == [heard]
    lines.replace(SOURCE, {"1A": PHONES[0]})
    lines.remove(SOURCE)
    assert ([*lines.every(SOURCE)], lines.line_of(PHONES[0])) == ([], None)

"""The frame of `make bench`: which rows run, what is kept of them, and how it ends."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS, main, table
from bench.row import Row, Say
from bench.warm_requests import variables
from globalconnect.runtime.settings import GetsmsSettings, PartnerApiSettings


def row(row_id: str, value: float = 1.0, *, ok: bool = True) -> Row:
    return Row(row_id, f"the claim of {row_id}", value, "s", 2.0, ok)


@dataclass
class Pretend:
    """A benchmark that gives what it was made with and notes what it was asked for."""

    given: list[Row]
    silent: Collection[str] = ()
    asked: list[set[str]] = field(default_factory=list)

    @property
    def IDS(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        return tuple(row.id for row in self.given)

    def rows(self, progress: Say, wanted: Collection[str]) -> Iterator[Row]:
        self.asked.append(set(wanted))
        progress("measuring")
        yield from (row for row in self.given if row.id in wanted and row.id not in self.silent)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


def kept(results: Path) -> dict[str, float]:
    return {row["id"]: row["value"] for row in json.loads(results.read_text())}


def test_every_row_is_measured_without_arguments(results: Path) -> None:
    pushes, stock = Pretend([row("push.1"), row("push.2")]), Pretend([row("inventory.1")])
    assert main([], [pushes, stock], results, say=lambda _: None) == 0
    assert pushes.asked == [{"push.1", "push.2"}]
    assert stock.asked == [{"inventory.1"}]
    assert json.loads(results.read_text()) == [
        asdict(row("inventory.1")),
        asdict(row("push.1")),
        asdict(row("push.2")),
    ]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["push.1"], [{"push.1"}]),
        (["push"], [{"push.1", "push.10"}]),
        (["push.1", "push.10"], [{"push.1", "push.10"}]),
    ],
)
def test_arguments_name_rows_or_all_rows_of_a_kind(results: Path, arguments: list[str], asked: list[set[str]]) -> None:
    pushes, stock = Pretend([row("push.1"), row("push.10")]), Pretend([row("inventory.1")])
    main(arguments, [pushes, stock], results, say=lambda _: None)
    assert pushes.asked == asked
    assert stock.asked == []


def test_argument_that_names_no_row_measures_nothing(results: Path) -> None:
    said: list[str] = []
    pushes = Pretend([row("push.1")])
    assert main(["push.1", "pull"], [pushes], results, say=said.append) == 2
    assert pushes.asked == []
    assert said == ["No row is called pull. There are: push.1"]


def test_rows_that_were_not_measured_now_are_kept_as_they_were(results: Path) -> None:
    main([], [Pretend([row("push.2", 1), row("push.10", 1)])], results, say=lambda _: None)
    main(["push.2"], [Pretend([row("push.2", 5), row("push.10", 5)])], results, say=lambda _: None)
    assert kept(results) == {"push.2": 5, "push.10": 1}
    assert list(kept(results)) == ["push.2", "push.10"]


def test_rows_that_nobody_gives_any_more_are_forgotten(results: Path) -> None:
    main([], [Pretend([row("push.1")])], results, say=lambda _: None)
    main([], [Pretend([row("push.2")])], results, say=lambda _: None)
    assert kept(results) == {"push.2": 1}


def test_rows_before_a_failure_are_kept(results: Path) -> None:
    class Broken(Pretend):
        def rows(self, progress: Say, wanted: Collection[str]) -> Iterator[Row]:
            yield from super().rows(progress, wanted)
            raise OSError("the machine gave in")

    with pytest.raises(OSError, match="gave in"):
        main([], [Broken([row("push.1")])], results, say=lambda _: None)
    assert kept(results) == {"push.1": 1}


def test_claim_that_does_not_hold_ends_with_1(results: Path) -> None:
    assert main([], [Pretend([row("push.1"), row("push.2", ok=False)])], results, say=lambda _: None) == 1


def test_row_that_was_not_measured_ends_with_1_and_is_named(results: Path) -> None:
    said: list[str] = []
    assert main([], [Pretend([row("push.1"), row("push.2")], silent=["push.2"])], results, say=said.append) == 1
    assert said[-1] == "Not measured: push.2"


def test_table_has_a_line_per_row_with_its_figures() -> None:
    heading, first, second = table([row("push.9", 0.25), row("push.10", 12.0, ok=False)]).split("\n")
    assert heading.split() == ["id", "value", "limit", "unit", "ok", "claim"]
    assert first.split() == ["push.9", "0.25", "2", "s", "yes", "the", "claim", "of", "push.9"]
    assert second.split() == ["push.10", "12", "2", "s", "NO", "the", "claim", "of", "push.10"]


def test_no_two_benchmarks_give_the_same_row() -> None:
    ids = [row_id for benchmark in BENCHMARKS for row_id in benchmark.IDS]
    assert len(ids) == len(set(ids))


def test_the_functions_that_are_measured_start_with_the_variables_of_the_template() -> None:
    measured = variables()
    assert PartnerApiSettings.from_env(measured).numbers_table == "NumbersTable"
    assert GetsmsSettings.from_env(measured).cache_seconds == 30

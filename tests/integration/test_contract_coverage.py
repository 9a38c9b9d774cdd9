"""docs/contract-coverage.md can't rot: what it names exists, and what it must speak of is there."""

import ast
import re
from functools import cache

import pytest

from local.place import REPOSITORY

TEXT = (REPOSITORY / "docs" / "contract-coverage.md").read_text(encoding="utf-8")
FOLDERS = "browser|contract|deployment|faults|integration|providers|stores|unit|rie"
NAMED = re.findall(rf"`((?:{FOLDERS})/\w+\.py)::(test_\w+)`", TEXT)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| rule |", "| item |"))
]


@cache
def _tests_in(path: str) -> frozenset[str]:
    module = ast.parse((REPOSITORY / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)), ids=lambda part: part)
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in _tests_in(path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_rule_names_a_test_or_says_why_it_has_none(row: list[str]) -> None:
    _, guarded = row
    assert "::test_" in guarded or (guarded.startswith("*Not tested*") and len(guarded) > len("*Not tested*: "))


def test_every_section_and_numbered_decision_of_the_contract_has_its_rows() -> None:
    sections = re.findall(r"^## (\d)\. ", TEXT, flags=re.MULTILINE)
    assert sections == ["1", "2", "3", "4", "5", "6"]
    decisions = {row[0].partition(" ")[0] for row in ROWS}
    assert {f"1.{number}" for number in range(1, 9)} <= decisions


def test_whatever_looks_like_a_test_is_one_we_check() -> None:
    assert TEXT.count("::test_") == len(NAMED)

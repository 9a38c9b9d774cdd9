"""docs/conformance.md is of the rules that there are now; its verdicts are those of its last run."""

import re

import pytest

from conformance.checks.catalogue import CHECKS
from conformance.hubs import ENOUGH, HUBS, Level
from local.place import REPOSITORY

_PAGE = (REPOSITORY / "docs" / "conformance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHECKS)
def test_the_page_has_every_check_with_how_sure_it_is_of_each_hub(name: str) -> None:
    (row,) = re.findall(rf"^\| .* \(`{name}`\) \| (.*) \|$", _PAGE, re.MULTILINE)
    shown = [cell.strip().rpartition(" ")[2] for cell in row.split(" | ")]
    rules = [hub.rules.get(name) for hub in HUBS.values()]
    assert shown == [rule.level[0].upper() if rule else "" for rule in rules]


def test_every_rule_is_of_a_check_and_every_check_is_of_a_hub() -> None:
    assert {name for hub in HUBS.values() for name in hub.rules} == CHECKS.keys()


def test_only_hubs_whose_documents_say_enough_can_be_certified() -> None:
    required = {name: sum(rule.level is Level.REQUIRED for rule in hub.rules.values()) for name, hub in HUBS.items()}
    assert {name for name, count in required.items() if count < ENOUGH} == {"grizzly", "herosms"}

"""Links lead somewhere, the index of decisions says what its pages say, and diagrams can be drawn."""

import re
from pathlib import Path

import pytest

from deployment.parameters import variable_of
from globalconnect.runtime.logs import Event
from local.place import REPOSITORY
from simulation.aws import TEMPLATE

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "events").glob("*.md")])
DECISIONS = sorted((REPOSITORY / "docs" / "adr").glob("0*.md"))
INDEX = (REPOSITORY / "docs" / "adr" / "README.md").read_text(encoding="utf-8")


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not re.match(r"[a-z]+:", link):
            assert target.exists(), link
            assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name[:4])
def test_a_decision_has_a_status_and_a_date_and_the_index_says_the_same(page: Path) -> None:
    stated = re.match(
        r"# (\d{4}): (.+)\n\nStatus: (accepted|superseded by \S+) \((\d{4}-\d\d-\d\d)\)(, amended by .+)?\n",
        page.read_text(encoding="utf-8"),
    )
    assert stated
    number, title, status, date, amended = stated.groups("")
    assert f"| [{page.name[:4]}]({page.name}) | {title} | {status}{amended} | {date} |\n" in INDEX
    assert number == page.name[:4]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_diagram_has_a_semicolon_which_would_end_its_line(page: Path) -> None:
    diagrams = re.findall(r"^```mermaid\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert [line for diagram in diagrams for line in diagram.splitlines() if ";" in line.replace("#35;", "")] == []


def test_the_runbook_has_a_page_for_every_alarm_and_names_nothing_that_is_not_there() -> None:
    runbook = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    resources = TEMPLATE["Resources"]
    alarms = {name for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    assert set(re.findall(r"^## (.+)$", runbook, re.MULTILINE)) == {
        *alarms,
        "Nobody can sign in as an owner",
        "Restore a table",
    }

    named = re.findall(r'(?:\(physical "|`errors )(\w+)', runbook)
    assert named
    assert set(named) <= set(resources)
    variables = {variable_of(parameter) for parameter in TEMPLATE["Parameters"]}
    assert set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)+)=", runbook)) <= variables
    events = re.findall(r"\b[a-z]+(?:_[a-z]+)+", " ".join(re.findall(r"--filter-pattern (.+)", runbook)))
    assert events
    assert set(events) <= set(Event)

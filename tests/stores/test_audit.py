"""The audit log."""

from dataclasses import replace

import pytest

from globalconnect.domain.audit import AuditEntry, AuditResult
from globalconnect.domain.times import DAY
from globalconnect.store.audit import Audit
from simulation.aws import START, Cloud
from tests.stores.pages import every

ENTRY = AuditEntry(
    START, "a", "id-ada", "ada", "partner.change", "hub", AuditResult.STARTED, {"fields": ["name"], "n": 1}
)


@pytest.fixture
def audit(tables: Cloud) -> Audit:
    return Audit(tables.db, tables.env["AUDIT_TABLE"], 400 * DAY)


def test_entries_are_listed_newest_first_over_months_and_pages(audit: Audit) -> None:
    entries = [replace(ENTRY, at=START - days * DAY, details={}) for days in (0, 1, 45, 46, 399)]
    for entry in entries[::-1]:
        audit.write(entry)
    for limit in (1, 2, 9):
        assert every(lambda after, limit=limit: audit.page(limit, after, START)) == entries  # type: ignore[misc]


def test_what_became_of_a_deed_takes_the_place_of_its_beginning(audit: Audit) -> None:
    other = replace(ENTRY, token="b", changed_id=None)
    for entry in (ENTRY, other, replace(ENTRY, result=AuditResult.DONE)):
        audit.write(entry)
    assert every(lambda after: audit.page(9, after, START)) == [other, replace(ENTRY, result=AuditResult.DONE)]


def test_what_is_past_its_time_is_listed_no_more(audit: Audit) -> None:
    audit.write(ENTRY)
    assert every(lambda after: audit.page(9, after, START + 400 * DAY - 1_000)) == [ENTRY]
    assert every(lambda after: audit.page(9, after, START + 400 * DAY)) == []

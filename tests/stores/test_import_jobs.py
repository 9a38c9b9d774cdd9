"""The store of imports."""

from dataclasses import replace

import pytest

from globalconnect.domain.errors import NotFound
from globalconnect.domain.import_job import ImportJob, ImportPart, RejectedRow
from globalconnect.domain.times import DAY
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.import_jobs import ImportJobs
from simulation.aws import START, Cloud
from tests.stores.pages import every

JOB = ImportJob("i1", "numbers.csv", dry_run=False, staff="ada", started_at=START)
FIRST = ImportPart(1, "ab" * 32, 5, 1, 1, 1, tuple(RejectedRow(row, f"row {row}: не номер") for row in (2, 4)))
SECOND = ImportPart(2, "cd" * 32, 3, 3, 0, 0, (RejectedRow(7, "again"),))


@pytest.fixture
def jobs(tables: Cloud) -> ImportJobs:
    stored = ImportJobs(tables.db, tables.env["IMPORTS_TABLE"], 30 * DAY)
    stored.start(JOB)
    return stored


def test_an_import_counts_what_its_parts_did_until_it_is_finished(jobs: ImportJobs) -> None:
    jobs.record(JOB, FIRST, {"2", "1"})
    jobs.record(JOB, SECOND, {"3"})
    done = replace(JOB, parts=2, rows=8, imported=4, updated=1, unchanged=1, rejected=3)
    assert jobs.get("i1") == done
    assert [jobs.part("i1", number) for number in (1, 2, 3)] == [FIRST, SECOND, None]
    assert [jobs.finish("i1", START + at) for at in (5, 6)] == [replace(done, finished_at=START + 5)] * 2


def test_only_the_next_part_of_an_open_import_is_recorded(jobs: ImportJobs) -> None:
    with pytest.raises(ConditionFailed):
        jobs.record(JOB, SECOND, ())
    jobs.record(JOB, FIRST, ())
    with pytest.raises(ConditionFailed):
        jobs.record(JOB, FIRST, ())
    jobs.finish("i1", START)
    with pytest.raises(ConditionFailed):
        jobs.record(JOB, SECOND, ())


def test_numbers_of_earlier_parts_are_known(jobs: ImportJobs) -> None:
    jobs.record(JOB, FIRST, {"1", "2"})
    jobs.record(JOB, SECOND, {"3"})
    assert [jobs.taken_before("i1", number, {"2", "3", "4"}) for number in (1, 2, 3)] == [set(), {"2"}, {"2", "3"}]


def test_rejected_rows_are_listed_in_the_order_of_the_file(jobs: ImportJobs) -> None:
    jobs.record(JOB, FIRST, ())
    jobs.record(JOB, SECOND, ())
    assert every(lambda after: jobs.rejected("i1", 1, after)) == [*FIRST.rejected, *SECOND.rejected]
    with pytest.raises(NotFound):
        jobs.rejected("none", 1, None)


def test_imports_are_listed_newest_first_and_an_id_is_given_once(jobs: ImportJobs) -> None:
    for number in (3, 2):
        jobs.start(replace(JOB, import_id=f"i{number}"))
    jobs.record(JOB, FIRST, ())
    with pytest.raises(ConditionFailed):
        jobs.start(JOB)
    assert [job.import_id for job in every(lambda after: jobs.page(1, after))] == ["i3", "i2", "i1"]
    assert jobs.get("i4") is None
    with pytest.raises(NotFound):
        jobs.finish("i4", START)

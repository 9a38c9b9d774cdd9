"""What staff send and get of imports that are sent in parts (contract 5)."""

from typing import Literal, Self

from admin_api.numbers.views import RejectedRowView
from admin_api.schema import Body, FileName, Flag, Time, View
from globalconnect.domain.import_job import ImportJob, ImportPart
from globalconnect.domain.times import to_iso, to_iso_if_any


class NewImport(Body):
    """A file that is to be sent in parts; of a dry run nothing is entered, only told what would be."""

    file_name: FileName
    dry_run: Flag = False


class ImportJobView(View):
    """An import that is sent in parts, and what its `parts` parts did so far.

    `updated` are numbers that were known, `unchanged` those of them that were in their pool already. `staff` is the id
    of who began it.
    """

    import_id: str
    file_name: str
    dry_run: bool
    state: Literal["open", "finished"]
    started_at: Time
    finished_at: Time | None
    staff: str
    parts: int
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: int

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        return cls(
            import_id=job.import_id,
            file_name=job.file_name,
            dry_run=job.dry_run,
            state="open" if job.finished_at is None else "finished",
            started_at=to_iso(job.started_at),
            finished_at=to_iso_if_any(job.finished_at),
            staff=job.staff,
            parts=job.parts,
            rows=job.rows,
            imported=job.imported,
            updated=job.updated,
            unchanged=job.unchanged,
            rejected=job.rejected,
        )


class ImportJobPage(View):
    """A page of imports, newest first."""

    imports: list[ImportJobView]
    cursor: str | None


class ImportPartView(View):
    """What a part of an import did; rows are counted over the whole file."""

    part: int
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: list[RejectedRowView]

    @classmethod
    def of(cls, part: ImportPart) -> Self:
        return cls(
            part=part.number,
            rows=part.rows,
            imported=part.imported,
            updated=part.updated,
            unchanged=part.unchanged,
            rejected=[RejectedRowView.of(row) for row in part.rejected],
        )


class RejectedRowPage(View):
    """A page of the rows of an import that were not imported, in the order of the file."""

    rejected: list[RejectedRowView]
    cursor: str | None

"""Imports of numbers that are sent in parts: begin, send, finish, look at (contract 5, docs/adr/0024)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal, Self

from admin_api.import_rows import MOST_ROWS, enter, read_rows, refuse_repeated
from admin_api.numbers import RejectedRowView
from admin_api.route import PAGE, Call, Upload, id_in, route
from admin_api.schema import Body, FileName, Flag, NoFields, NoQuery, PageQuery, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import Conflict, InvalidInput, TooLarge, existing
from globalconnect.domain.ids import new_token
from globalconnect.domain.import_job import ImportJob, ImportPart
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.store.dynamo import ConditionFailed

MOST_PARTS = 200

_TOKEN_LENGTH = 8
_REJECTED_PAGE = 1_000
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_FINISHED = "import: is finished; begin another"


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


@route(
    "POST",
    "/admin/imports",
    Role.STOCK,
    "Begin an import that is sent in parts. A dry run enters nothing and tells what would be.",
    action="import.started",
    status=201,
)
def start(parts: Parts, call: Call[NoQuery, NewImport]) -> ImportJobView:
    now = parts.now()
    job = ImportJob(
        # In the order in which they were begun.
        import_id=f"{now:013}{new_token(_TOKEN_LENGTH, parts.rng)}",
        file_name=call.body.file_name,
        dry_run=call.body.dry_run,
        staff=call.staff,
        started_at=now,
    )
    parts.import_jobs.start(job)
    call.log_change(changed_id=job.import_id)
    return ImportJobView.of(job)


@route(
    "PUT",
    "/admin/imports/{importId}/parts/{part}",
    Role.STOCK,
    "Send the next part of an import, with a header of its own, imported as POST /admin/numbers does. The same "
    "part again, with the same content, has no effect and the same answer; with other content, or after a gap, "
    "it is 409.",
    action="import.part_sent",
    errors=(404, 409, 413),
)
def take_part(parts: Parts, call: Call[NoQuery, Upload]) -> ImportPartView:
    number, job = _number(call.path), _job(parts, call.path)
    content = hashlib.sha256(call.body.content).hexdigest()
    if number <= job.parts:
        return ImportPartView.of(_recorded(parts, job, number, content))
    if job.finished_at is not None:
        raise Conflict(_FINISHED)
    if number > job.parts + 1:
        raise Conflict(f"part: expected {job.parts + 1}, the next one")
    rows, rejected = read_rows(call.body, job.rows)
    taken = parts.import_jobs.taken_before(job.import_id, number, {row.phone for row in rows})
    fresh, refused = refuse_repeated(rows, rejected, taken)
    outcome = enter(parts, fresh, refused, sent_as=f"{job.import_id}#{number}", dry_run=job.dry_run)
    part = ImportPart(
        number=number,
        content=content,
        rows=len(rows) + len(rejected),
        imported=outcome.imported,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        rejected=tuple(outcome.rejected),
    )
    try:
        parts.import_jobs.record(job, part, [row.phone for row in fresh])
    except ConditionFailed:
        # Another copy of it was faster, or the import was finished meanwhile.
        part = _recorded(parts, job, number, content)
    call.log_change(rows=part.rows, imported=part.imported, updated=part.updated, rejected=len(part.rejected))
    return ImportPartView.of(part)


@route(
    "POST",
    "/admin/imports/{importId}/finish",
    Role.STOCK,
    "End an import: it takes no more parts. A second time changes nothing.",
    action="import.finished",
    errors=(404,),
)
def finish(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    job = parts.import_jobs.finish(_id(call.path), parts.now())
    call.log_change(parts=job.parts, rows=job.rows)
    return ImportJobView.of(job)


@route(
    "GET",
    "/admin/imports",
    Role.VIEW,
    "List imports that were sent in parts, newest first.",
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> ImportJobPage:
    page = parts.import_jobs.page(PAGE, call.query.get("cursor"))
    return ImportJobPage(imports=[ImportJobView.of(job) for job in page.items], cursor=page.cursor)


@route(
    "GET",
    "/admin/imports/{importId}",
    Role.VIEW,
    "Read an import, and what its parts did so far.",
    errors=(404,),
)
def read(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    return ImportJobView.of(_job(parts, call.path))


@route(
    "GET",
    "/admin/imports/{importId}/rejected",
    Role.VIEW,
    "List the rows of an import that were not imported, in the order of the file.",
    errors=(404,),
)
def rejected(parts: Parts, call: Call[PageQuery, NoFields]) -> RejectedRowPage:
    page = parts.import_jobs.rejected(_id(call.path), _REJECTED_PAGE, call.query.get("cursor"))
    return RejectedRowPage(rejected=[RejectedRowView.of(row) for row in page.items], cursor=page.cursor)


def _id(path: Mapping[str, str]) -> str:
    return id_in(path, "importId", "import")


def _number(path: Mapping[str, str]) -> int:
    if not _NUMBER.fullmatch(path["part"]):
        raise InvalidInput("part", f"expected a whole number from 1 to {MOST_PARTS}")
    number = int(path["part"])
    if number > MOST_PARTS:
        raise TooLarge(f"part: expected at most {MOST_PARTS} parts of up to {MOST_ROWS} rows")
    return number


def _job(parts: Parts, path: Mapping[str, str]) -> ImportJob:
    return existing(parts.import_jobs.get(_id(path)), "import")


def _recorded(parts: Parts, job: ImportJob, number: int, content: str) -> ImportPart:
    """Return a part as it was recorded. Raises Conflict when it was not, or was another one."""
    part = parts.import_jobs.part(job.import_id, number)
    if part is None:
        raise Conflict(_FINISHED)
    if part.content != content:
        raise Conflict("part: came before with other content")
    return part

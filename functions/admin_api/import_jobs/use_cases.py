"""Imports of numbers that are sent in parts: begin, send, finish, look at (contract 5, docs/adr/0024)."""

import hashlib
import re
from collections.abc import Mapping

from admin_api.import_jobs.views import ImportJobPage, ImportJobView, ImportPartView, NewImport, RejectedRowPage
from admin_api.numbers.rows import MOST_ROWS, enter, read_rows, refuse_repeated
from admin_api.numbers.views import RejectedRowView
from admin_api.route import PAGE, Call, Upload, id_in
from admin_api.schema import NoFields, NoQuery, PageQuery
from admin_api.wiring import Parts
from globalconnect.domain.errors import Conflict, InvalidInput, NotFound, TooLarge
from globalconnect.domain.ids import new_token
from globalconnect.domain.import_job import ImportJob, ImportPart
from globalconnect.store.failures import ConditionFailed

MOST_PARTS = 200

_TOKEN_LENGTH = 8
_REJECTED_PAGE = 1_000
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_FINISHED = "import: is finished; begin another"


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


def take_part(parts: Parts, call: Call[NoQuery, Upload]) -> ImportPartView:
    """Import a part of a file; the same part again has no effect and the same answer."""
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
        imported=outcome.new,
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


def finish(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    """End an import: it takes no more parts."""
    job = parts.import_jobs.finish(_id(call.path), parts.now())
    call.log_change(parts=job.parts, rows=job.rows)
    return ImportJobView.of(job)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> ImportJobPage:
    page = parts.import_jobs.page(PAGE, call.query.get("cursor"))
    return ImportJobPage(imports=[ImportJobView.of(job) for job in page.items], cursor=page.cursor)


def read(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    return ImportJobView.of(_job(parts, call.path))


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
    job = parts.import_jobs.get(_id(path))
    if job is None:
        raise NotFound("import")
    return job


def _recorded(parts: Parts, job: ImportJob, number: int, content: str) -> ImportPart:
    """Return a part as it was recorded. Raises Conflict when it was not, or was another one."""
    part = parts.import_jobs.part(job.import_id, number)
    if part is None:
        raise Conflict(_FINISHED)
    if part.content != content:
        raise Conflict("part: came before with other content")
    return part

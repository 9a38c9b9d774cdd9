"""Imports of numbers that are sent in parts: begin, send, finish, look at (contract 5, docs/adr/0024)."""

import hashlib
import re
from collections.abc import Iterable, Mapping

from admin_api.models import (
    ImportJobPage,
    ImportJobView,
    ImportPartView,
    NewImport,
    NoFields,
    NoQuery,
    PageQuery,
    RejectedRowPage,
    RejectedRowView,
)
from admin_api.number_import import MOST_ROWS, enter, read_rows, refuse_repeated
from admin_api.routes import PAGE, Call, Route, Upload, id_in
from admin_api.wiring import Parts
from globalconnect.domain.errors import Conflict, InvalidInput, NotFound, TooLarge
from globalconnect.domain.ids import new_token
from globalconnect.domain.import_job import ImportJob, ImportPart, RejectedRow
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.store.dynamo import ConditionFailed

MOST_PARTS = 200

_TOKEN_LENGTH = 8
_REJECTED_PAGE = 1_000
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_FINISHED = "import: is finished; begin another"


def start(parts: Parts, call: Call[NoQuery, NewImport]) -> ImportJobView:
    """Begin an import."""
    now = parts.now()
    job = ImportJob(
        # In the order in which they were begun.
        import_id=f"{now:013}{new_token(_TOKEN_LENGTH, parts.rng)}",
        file_name=call.body.file_name,
        dry_run=call.body.dry_run,
        staff=call.staff,
        started_at=now,
    )
    parts.imports.start(job)
    call.log_change(changed_id=job.import_id)
    return _shown(job)


def take_part(parts: Parts, call: Call[NoQuery, Upload]) -> ImportPartView:
    """Import a part of a file; the same part again has no effect and the same answer."""
    number, job = _number(call.path), _job(parts, call.path)
    content = hashlib.sha256(call.body.content).hexdigest()
    if number <= job.parts:
        return _part_shown(_recorded(parts, job, number, content))
    if job.finished_at is not None:
        raise Conflict(_FINISHED)
    if number > job.parts + 1:
        raise Conflict(f"part: expected {job.parts + 1}, the next one")
    rows, rejected = read_rows(call.body, job.rows)
    taken = parts.imports.taken_before(job.import_id, number, {row.phone for row in rows})
    fresh, refused = refuse_repeated(rows, rejected, taken)
    outcome = enter(parts, fresh, refused, sent_as=f"{job.import_id}#{number}", dry_run=job.dry_run)
    part = ImportPart(
        number=number,
        content=content,
        rows=len(rows) + len(rejected),
        imported=outcome.new,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        rejected=tuple(RejectedRow(row.row, row.reason) for row in outcome.rejected),
    )
    try:
        parts.imports.record(job, part, [row.phone for row in fresh])
    except ConditionFailed:
        # Another copy of it was faster, or the import was finished meanwhile.
        part = _recorded(parts, job, number, content)
    call.log_change(rows=part.rows, imported=part.imported, updated=part.updated, rejected=len(part.rejected))
    return _part_shown(part)


def finish(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    """End an import: it takes no more parts."""
    job = parts.imports.finish(_id(call.path), parts.now())
    call.log_change(parts=job.parts, rows=job.rows)
    return _shown(job)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> ImportJobPage:
    """List imports, newest first."""
    page = parts.imports.page(PAGE, call.query.get("cursor"))
    return ImportJobPage(imports=[_shown(job) for job in page.items], cursor=page.cursor)


def read(parts: Parts, call: Call[NoQuery, NoFields]) -> ImportJobView:
    """Read an import."""
    return _shown(_job(parts, call.path))


def rejected(parts: Parts, call: Call[PageQuery, NoFields]) -> RejectedRowPage:
    """List the rows of an import that were not imported."""
    page = parts.imports.rejected(_job(parts, call.path).import_id, _REJECTED_PAGE, call.query.get("cursor"))
    return RejectedRowPage(rejected=_rows_shown(page.items), cursor=page.cursor)


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
    job = parts.imports.get(_id(path))
    if job is None:
        raise NotFound("import")
    return job


def _recorded(parts: Parts, job: ImportJob, number: int, content: str) -> ImportPart:
    """Return a part as it was recorded. Raises Conflict when it was not, or was another one."""
    part = parts.imports.part(job.import_id, number)
    if part is None:
        raise Conflict(_FINISHED)
    if part.content != content:
        raise Conflict("part: came before with other content")
    return part


def _shown(job: ImportJob) -> ImportJobView:
    return ImportJobView(
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


def _part_shown(part: ImportPart) -> ImportPartView:
    return ImportPartView(
        part=part.number,
        rows=part.rows,
        imported=part.imported,
        updated=part.updated,
        unchanged=part.unchanged,
        rejected=_rows_shown(part.rejected),
    )


def _rows_shown(refused: Iterable[RejectedRow]) -> list[RejectedRowView]:
    return [RejectedRowView(row=row.row, reason=row.reason) for row in refused]


ROUTES = (
    Route(
        method="POST",
        path="/admin/imports",
        action="import.started",
        use=start,
        body=NewImport,
        answer=ImportJobView,
        status=201,
        summary="Begin an import that is sent in parts. A dry run enters nothing and tells what would be.",
    ),
    Route(
        method="GET",
        path="/admin/imports",
        use=browse,
        query=PageQuery,
        answer=ImportJobPage,
        summary="List imports that were sent in parts, newest first.",
    ),
    Route(
        method="GET",
        path="/admin/imports/{importId}",
        use=read,
        answer=ImportJobView,
        errors=(404,),
        summary="Read an import, and what its parts did so far.",
    ),
    Route(
        method="PUT",
        path="/admin/imports/{importId}/parts/{part}",
        action="import.part_sent",
        use=take_part,
        body=Upload,
        answer=ImportPartView,
        errors=(404, 409, 413),
        summary="Send the next part of an import, with a header of its own, imported as POST /admin/numbers does. The same "
        "part again, with the same content, has no effect and the same answer; with other content, or after a gap, "
        "it is 409.",
    ),
    Route(
        method="POST",
        path="/admin/imports/{importId}/finish",
        action="import.finished",
        use=finish,
        answer=ImportJobView,
        errors=(404,),
        summary="End an import: it takes no more parts. A second time changes nothing.",
    ),
    Route(
        method="GET",
        path="/admin/imports/{importId}/rejected",
        use=rejected,
        query=PageQuery,
        answer=RejectedRowPage,
        errors=(404,),
        summary="List the rows of an import that were not imported, in the order of the file.",
    ),
)

"""Importing numbers: rows of JSON or CSV are read and checked, then entered in their pools (contract 5).

Rows are counted from 1, without the header. A line of a CSV with nothing in its cells but white space is no row and
counts for nothing; spreadsheets leave such lines at the end.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import batched

from admin_api.route import Upload
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.import_job import RejectedRow
from globalconnect.domain.names import StoredNames, check_pool_name
from globalconnect.domain.number import Number
from globalconnect.domain.numerals import plain_number, read_json
from globalconnect.domain.phones import check_phone
from globalconnect.hub_protocol.requests import check_operator
from globalconnect.store.dynamo import ConditionFailed

MOST_ROWS = 5_000
COLUMNS: Mapping[str, Callable[[object, str], str]] = {
    "phone": check_phone,
    "country": check_pool_name,
    "operator": check_operator,
}

# 5,000 writes have to be done within the 29 s that API Gateway waits; the client keeps 50 connections.
WRITERS = 32

# As what browsers and mail programs send a CSV where a spreadsheet is installed.
CSV_TYPES = frozenset({"text/csv", "application/vnd.ms-excel"})
# White space as Python has it, and a byte-order mark, which files bring along that were joined.
_BLANK = re.compile(r"[\s\ufeff]*")
_COLUMN = re.compile(rf"[\s\ufeff]*({'|'.join(COLUMNS)})[\s\ufeff]*", re.IGNORECASE)
_HEADER = re.compile(r'[\s\ufeff,;"]*[^,;\t\r\n]*([,;\t])?')
_READ_AT_ONCE = 100
_TWICE = ("phone", "expected once; an earlier row has it")
_CONTESTED = "phone: changed by others meanwhile; import it again"


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be imported."""

    row: int
    phone: str
    country: str
    operator: str


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import did. Of those `updated`, which were known wherever they were (contract 5), `unchanged` were in place."""

    imported: int
    updated: int
    unchanged: int
    rejected: Sequence[RejectedRow]


class _RowResult(StrEnum):
    NEW = "new"
    MOVED = "moved"
    UNCHANGED = "unchanged"
    CONTESTED = "contested"


def read_rows(upload: Upload, before: int = 0) -> tuple[list[Row], list[RejectedRow]]:
    """Return the rows that can be imported, and the others with what is wrong with each; `before` rows came earlier.

    An upload is read as CSV when its media type says so, else as JSON. Raises InvalidInput when it can't be read as
    that, and TooLarge when it has more than MOST_ROWS rows.
    """
    text = text_of(upload)
    given = _csv_rows(text) if upload.media_type in CSV_TYPES else _json_rows(upload.content)
    if len(given) > MOST_ROWS:
        raise TooLarge(f"body: expected at most {MOST_ROWS} rows")
    return _check(given, before + 1)


def text_of(upload: Upload) -> str:
    """Return a file as text. Raises InvalidInput."""
    try:
        return upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("body", "expected UTF-8") from None


def refuse_repeated(
    rows: Sequence[Row], rejected: Sequence[RejectedRow], taken: AbstractSet[str]
) -> tuple[list[Row], list[RejectedRow]]:
    """Return what `read_rows` gave, with the rows refused whose phone an earlier part of the file has taken."""
    refused = [RejectedRow(row=row.row, reason=str(InvalidInput(*_TWICE))) for row in rows if row.phone in taken]
    return [row for row in rows if row.phone not in taken], _in_order([*rejected, *refused])


def enter(
    parts: Parts,
    rows: Sequence[Row],
    rejected: Sequence[RejectedRow],
    *,
    sent_as: str | None = None,
    dry_run: bool = False,
) -> ImportCounts:
    """Enter each row's number in its pool, as that is stored, many at a time; those that are in it are left alone.

    What broke off may be done again with the same rows. When `sent_as` names what is sent, it is then told the same
    way: a number that it has entered counts as such. A dry run only tells what would be done. Raises Busy.
    """
    with ThreadPoolExecutor(WRITERS) as threads:
        phones = batched((row.phone for row in rows), _READ_AT_ONCE, strict=False)
        known = {number.phone: number for found in threads.map(parts.numbers.get_many, phones) for number in found}
        if not all(_is_in_place(row, known.get(row.phone)) for row in rows):
            stored = StoredNames((pool.country, pool.operator) for pool in parts.pool_counts.all())
            named = [stored.pool(row.country, row.operator) for row in rows]
            rows = [
                replace(row, country=country, operator=operator)
                for row, (country, operator) in zip(rows, named, strict=True)
            ]
        ends = {row: _row_result(row, known.get(row.phone), sent_as) for row in rows}
        if not dry_run:
            moving = [row for row in rows if not _is_in_place(row, known.get(row.phone))]
            # Pools first, so that the number can be found and counted as soon as it is there.
            pools = sorted({(row.country, row.operator) for row in moving})
            list(threads.map(lambda pool: parts.pool_counts.open_pool(*pool), pools))
            placed = threads.map(lambda row: _place(parts, row, known.get(row.phone), sent_as), moving)
            ends |= zip(moving, placed, strict=True)
    contested = [
        RejectedRow(row=row.row, reason=_CONTESTED) for row, end in ends.items() if end is _RowResult.CONTESTED
    ]
    counts = Counter(ends.values())
    return ImportCounts(
        imported=counts[_RowResult.NEW],
        updated=counts[_RowResult.MOVED] + counts[_RowResult.UNCHANGED],
        unchanged=counts[_RowResult.UNCHANGED],
        rejected=_in_order([*rejected, *contested]),
    )


def _is_in_place(row: Row, number: Number | None) -> bool:
    return number is not None and (number.country, number.operator) == (row.country, row.operator)


def _row_result(row: Row, number: Number | None, sent_as: str | None) -> _RowResult:
    """Tell what entering a row comes to, or came to before, when its number is as it was read."""
    if number is None:
        return _RowResult.NEW
    if not _is_in_place(row, number):
        return _RowResult.MOVED
    for end in (_RowResult.NEW, _RowResult.MOVED):
        if number.entered_by is not None and number.entered_by == _mark(end, sent_as):
            return end
    return _RowResult.UNCHANGED


def _mark(end: _RowResult, sent_as: str | None) -> str | None:
    return None if sent_as is None else f"{end.value}#{sent_as}"


def _place(parts: Parts, row: Row, known: Number | None, sent_as: str | None) -> _RowResult:
    now = parts.now()
    if known is None:
        new = Number(row.phone, row.country, row.operator, now, entered_by=_mark(_RowResult.NEW, sent_as))
        try:
            parts.numbers.add(new)
        except ConditionFailed:
            # Somebody else has just entered it, or this very call did and lost the answer.
            known = parts.numbers.get(row.phone)
        else:
            return _RowResult.NEW
        if known is None:
            return _RowResult.CONTESTED
        if _is_in_place(row, known):
            return _row_result(row, known, sent_as)
    try:
        parts.numbers.move(known, row.country, row.operator, now, _mark(_RowResult.MOVED, sent_as))
    except ConditionFailed:
        return _RowResult.CONTESTED
    return _RowResult.MOVED


def _in_order(rejected: Iterable[RejectedRow]) -> list[RejectedRow]:
    return sorted(rejected, key=lambda refused: refused.row)


def _csv_rows(text: str) -> list[object]:
    """Return each row as a mapping, or as the bare list of its cells when they are not as many as the columns."""
    lines = csv_lines(text)
    header = [_column(cell) for cell in lines[0]] if lines else []
    if sorted(header) != sorted(COLUMNS):
        raise InvalidInput(
            "header",
            f"expected exactly the columns {', '.join(COLUMNS)}, in any order, with commas, semicolons or tabs",
        )
    return [dict(zip(header, cells, strict=True)) if len(cells) == len(header) else cells for cells in lines[1:]]


def _column(cell: str) -> str:
    """Return the name of a column as we spell it; what is none stays as it is."""
    found = _COLUMN.fullmatch(cell)
    return found[1].lower() if found else cell


def csv_lines(text: str) -> list[list[str]]:
    """Return the cells of each line of a CSV, blank lines left out. Raises InvalidInput.

    What parts cells is the first comma, semicolon or tab after the first name of the header. console/src/csv.ts reads
    files the same way, cell by cell.
    """
    found = _HEADER.match(text)
    delimiter = (found and found[1]) or ","
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [cells for cells in lines if not _BLANK.fullmatch("".join(cells))]
    except csv.Error:
        raise InvalidInput("body", "expected valid CSV") from None


def _json_rows(content: bytes) -> list[object]:
    try:
        rows = read_json(content, plain_number)
    except InvalidInput:
        raise InvalidInput("body", "expected valid JSON, or CSV as text/csv") from None
    if not isinstance(rows, list):
        raise InvalidInput("body", "expected a JSON list of rows")
    return rows


def _check(given: Iterable[object], first: int) -> tuple[list[Row], list[RejectedRow]]:
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    phones: set[str] = set()
    for position, fields in enumerate(given, start=first):
        try:
            row = _checked(position, fields, phones)
        except InvalidInput as error:
            rejected.append(RejectedRow(row=position, reason=str(error)))
        else:
            phones.add(row.phone)
            rows.append(row)
    return rows, rejected


def _checked(position: int, fields: object, taken: AbstractSet[str]) -> Row:
    if not isinstance(fields, dict) or fields.keys() != COLUMNS.keys():
        raise InvalidInput("row", f"expected exactly {', '.join(COLUMNS)}")
    row = Row(position, **{name: check(fields[name], name) for name, check in COLUMNS.items()})
    if row.phone in taken:
        raise InvalidInput(*_TWICE)
    return row

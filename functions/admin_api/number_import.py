"""Reading an import of numbers, row by row, from JSON or CSV (contract 5).

Rows are counted from 1, without the header. A line of a CSV with nothing in its cells but white space is no row and
counts for nothing; spreadsheets leave such lines at the end.
"""

import csv
import io
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from pydantic_core import from_json

from admin_api.models import RejectedRow
from admin_api.routes import Upload
from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.number import check_operator, check_phone, check_pool_name

MOST_ROWS = 5_000
COLUMNS: Mapping[str, Callable[[object, str], str]] = {
    "phone": check_phone,
    "country": check_pool_name,
    "operator": check_operator,
}

_CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be imported."""

    row: int
    phone: str
    country: str
    operator: str


def read_rows(upload: Upload) -> tuple[list[Row], list[RejectedRow]]:
    """Give the rows that can be imported, and the others with what is wrong with each.

    An upload is read as CSV when its media type says so, else as JSON. Raises InvalidInput when it can't be read as
    that, and TooLarge when it has more than MOST_ROWS rows.
    """
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("body", "expected UTF-8") from None
    given = _csv_rows(text) if upload.media_type == _CSV else _json_rows(text)
    if len(given) > MOST_ROWS:
        raise TooLarge(f"body: expected at most {MOST_ROWS} rows")
    return _check(given)


def _csv_rows(text: str) -> list[object]:
    """Give each row as a mapping, or as the bare list of its cells when they are not as many as the columns."""
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if "".join(line).strip()]
    except csv.Error:
        raise InvalidInput("body", "expected valid CSV") from None
    header = lines[0] if lines else []
    if sorted(header) != sorted(COLUMNS):
        raise InvalidInput("header", f"expected exactly the columns {', '.join(COLUMNS)}, in any order")
    return [dict(zip(header, cells, strict=True)) if len(cells) == len(header) else cells for cells in lines[1:]]


def _json_rows(text: str) -> list[object]:
    try:
        rows: object = from_json(text, allow_inf_nan=False)
    except ValueError:
        raise InvalidInput("body", "expected valid JSON, or CSV as text/csv") from None
    if not isinstance(rows, list):
        raise InvalidInput("body", "expected a JSON list of rows")
    return rows


def _check(given: Iterable[object]) -> tuple[list[Row], list[RejectedRow]]:
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    phones: set[str] = set()
    for position, fields in enumerate(given, start=1):
        try:
            row = _checked(position, fields, phones)
        except InvalidInput as error:
            rejected.append(RejectedRow(row=position, reason=str(error)))
        else:
            phones.add(row.phone)
            rows.append(row)
    return rows, rejected


def _checked(position: int, fields: object, taken: Container[str]) -> Row:
    if not isinstance(fields, dict) or fields.keys() != COLUMNS.keys():
        raise InvalidInput("row", f"expected exactly {', '.join(COLUMNS)}")
    row = Row(position, **{name: check(fields[name], name) for name, check in COLUMNS.items()})
    if row.phone in taken:
        raise InvalidInput("phone", "expected once; an earlier row has it")
    return row

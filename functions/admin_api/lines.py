"""Lines: what gateways call their SIMs and devices, and what came in on those that nobody has mapped (contract 4 and 5)."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field

from admin_api.devices import known_of, sold_until, source_in
from admin_api.import_rows import CSV_TYPES, csv_lines, text_of
from admin_api.route import PAGE, Call, Upload, route
from admin_api.schema import Body, NoFields, NoQuery, PageQuery, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.ids import SourceId
from globalconnect.domain.line_state import Said
from globalconnect.domain.number import Number
from globalconnect.domain.numerals import plain_number, read_json
from globalconnect.domain.phones import check_phone
from globalconnect.domain.source import LONGEST_LINE, Line
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.inbound.waiting import place_waiting

COLUMNS = ("line", "phone")
MOST_LINES = 5_000
# Of what waits, in the request that maps lines, as far as it gets in 15 s; the sweep goes on with the rest.
MOST_WAITING = 100_000


class LineView(View):
    """A line of a gateway, by what that calls it. `phone` is the number of ours that it is, null while nobody has said;
    `heardAt` is when an SMS came in on it that had to wait for that. `online` tells what its device says of it, null when nothing
    says, and `since` since when; `soldUntil` is until when its number is sold.
    """

    line: str
    phone: str | None
    heard_at: Time | None
    online: bool | None
    since: Time | None
    sold_until: Time | None

    @classmethod
    def of(cls, line: Line, said: Said | None, number: Number | None, now: int) -> Self:
        """Return a line as staff see it at `now` (ms), by what is `said` of it; `number` is what it is mapped to."""
        return cls(
            line=line.line,
            phone=line.phone,
            heard_at=to_iso_if_any(line.heard_at),
            online=said and said.is_online,
            since=to_iso(said.since) if said else None,
            sold_until=sold_until(number, now),
        )


class LinePage(View):
    """A page of a gateway's lines, by name."""

    lines: list[LineView]
    cursor: str | None


class LineChanges(Body):
    """Which numbers some lines are from now on."""

    lines: Annotated[
        dict[str, str | None],
        Field(description="an object of the numbers of lines, by name, null for one that is to be none of ours"),
    ]


class LinesResult(View):
    """How many of the lines sent are mapped now, and how many SMS that waited for them were given to whom they belong; the others are within
    minutes.
    """

    lines: int
    placed: int


@route(
    "GET",
    "/admin/sources/{sourceId}/lines",
    Role.VIEW,
    "List what a gateway calls its SIMs or devices, and which numbers these are; also those that nobody has mapped yet.",
    errors=(404,),
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> LinePage:
    source_id = source_in(parts, call.path).source_id
    page = parts.inbound.lines.page(source_id, PAGE, call.query.get("cursor"))
    phones = [line.phone for line in page.items if line.phone is not None]
    numbers = {number.phone: number for number in parts.numbers.get_many(phones)}
    said = known_of(parts, source_id, {line.line: numbers.get(line.phone or "") for line in page.items})
    now = parts.now()
    lines = [LineView.of(line, said.get(line.line), numbers.get(line.phone or ""), now) for line in page.items]
    return LinePage(lines=lines, cursor=page.cursor)


@route(
    "PUT",
    "/admin/sources/{sourceId}/lines",
    Role.STOCK,
    "Say which numbers a gateway's lines are, all of them: JSON `[{line, phone}]`, or CSV with that header, up to 5,000. "
    "What waited for them is given to whoever held the number when it came. 409 names the line that is one of the numbers "
    "already. What broke off may be sent again.",
    action="source.lines_replaced",
    errors=(404, 409, 413),
)
def replace(parts: Parts, call: Call[NoQuery, Upload]) -> LinesResult:
    source_id = source_in(parts, call.path).source_id
    lines = read_lines(call.body)
    return set_lines(parts, source_id, lines)


@route(
    "PATCH",
    "/admin/sources/{sourceId}/lines",
    Role.STOCK,
    "Say which numbers some of a gateway's lines are, null for none of ours; its other lines stay. Else as PUT.",
    action="source.lines_changed",
    errors=(404, 409, 413),
)
def change(parts: Parts, call: Call[NoQuery, LineChanges]) -> LinesResult:
    source_id = source_in(parts, call.path).source_id
    lines = check_lines([*call.body.lines.items()], may_free=True)
    parts.inbound.lines.change(source_id, lines, MOST_LINES)
    return _placed(parts, source_id, sum(phone is not None for phone in lines.values()))


def set_lines(parts: Parts, source_id: SourceId, lines: Mapping[str, str]) -> LinesResult:
    """Map a source's lines, and place what waited for them. Raises Conflict and Busy."""
    parts.inbound.lines.replace(source_id, lines)
    return _placed(parts, source_id, len(lines))


def _placed(parts: Parts, source_id: SourceId, mapped: int) -> LinesResult:
    return LinesResult(lines=mapped, placed=place_waiting(parts.inbound, MOST_WAITING, source_id).count)


def read_lines(upload: Upload) -> dict[str, str]:
    """Return the numbers of lines by their names. Raises InvalidInput, and TooLarge for more than MOST_LINES."""
    text = text_of(upload)
    return mapped(_rows(_csv_rows(text) if upload.media_type in CSV_TYPES else read_json(upload.content, plain_number)))


def _rows(rows: object) -> list[tuple[object, object]]:
    if not isinstance(rows, list):
        raise InvalidInput("body", "expected a JSON list of lines, or CSV as text/csv")
    pairs: list[tuple[object, object]] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or row.keys() != {*COLUMNS}:
            raise InvalidInput(f"row {number}", f"expected exactly {' and '.join(COLUMNS)}")
        pairs.append((row["line"], row["phone"]))
    return pairs


def mapped(pairs: list[tuple[object, object]]) -> dict[str, str]:
    """Return the numbers of lines by their names, each number once. Raises InvalidInput and TooLarge."""
    return {line: phone for line, phone in check_lines(pairs, may_free=False).items() if phone is not None}


def check_lines(pairs: list[tuple[object, object]], *, may_free: bool) -> dict[str, str | None]:
    """Return the numbers of lines by their names, each number once; None for a line that is to be none, if one may be.

    Raises InvalidInput and TooLarge.
    """
    if len(pairs) > MOST_LINES:
        raise TooLarge(f"lines: expected at most {MOST_LINES}")
    lines: dict[str, str | None] = {}
    phones: set[str] = set()
    for number, (line, phone) in enumerate(pairs, start=1):
        name = str(line) if isinstance(line, int) and not isinstance(line, bool) else line
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_LINE:
            raise InvalidInput(f"row {number}", f"expected a line of 1 to {LONGEST_LINE} characters")
        checked = None if may_free and phone is None else check_phone(phone, f"row {number}")
        if name in lines or checked in phones:
            raise InvalidInput(f"row {number}", "expected each line and each phone once; an earlier row has it")
        lines[name] = checked
        if checked is not None:
            phones.add(checked)
    return lines


def _csv_rows(text: str) -> list[object]:
    header, *rows = csv_lines(text) or [[]]
    if sorted(cell.strip().lower() for cell in header) != sorted(COLUMNS):
        raise InvalidInput("header", "expected the columns line and phone")
    names = [cell.strip().lower() for cell in header]
    return [dict(zip(names, cells, strict=True)) if len(cells) == len(names) else cells for cells in rows]

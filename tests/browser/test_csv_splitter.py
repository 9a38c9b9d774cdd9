"""The console splits a CSV into the records that the API's own reader finds in it, wherever its pieces were cut."""

import json
import random

import pytest

from admin_api.import_rows import csv_lines
from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.names import check_pool_name
from local.place import REPOSITORY
from tests.browser.driving import node

SPLITTER = REPOSITORY / "console" / "src" / "csv.ts"

# Takes lists of pieces; gives for each the cells, the records as they stand, or what is wrong.
_READ = f"""
import {{ CsvReader, CsvError }} from {json.dumps(str(SPLITTER))};
let given = "";
for await (const piece of process.stdin.setEncoding("utf8")) given += piece;
const read = (pieces) => {{
  try {{
    const reader = new CsvReader();
    const records = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
    return {{ cells: records.map((one) => one.cells), texts: records.map((one) => one.text) }};
  }} catch (error) {{
    if (!(error instanceof CsvError)) throw error;
    return {{ wrong: error.message }};
  }}
}};
process.stdout.write(JSON.stringify(JSON.parse(given).map(read)));
"""
_WRITE = f"""
import {{ writeRecord }} from {json.dumps(str(SPLITTER))};
process.stdout.write(JSON.stringify(writeRecord(JSON.parse(process.argv[1]))));
"""
_FOLD = f"""
import {{ folded }} from {json.dumps(str(SPLITTER))};
process.stdout.write(JSON.stringify(JSON.parse(process.argv[1]).map(folded)));
"""
_SPLIT = f"""
import {{ partsOf, scan, CsvError }} from {json.dumps(str(SPLITTER))};
let bytes = [];
for await (const piece of process.stdin) bytes.push(piece);
const file = new Blob(bytes);
try {{
  const scanned = await scan(file);
  const parts = [];
  for await (const part of partsOf(file)) parts.push(part);
  process.stdout.write(JSON.stringify({{ scanned, parts }}));
}} catch (error) {{
  if (!(error instanceof CsvError)) throw error;
  process.stdout.write(JSON.stringify({{ wrong: error.message }}));
}}
"""


def _by_api(text: str) -> list[list[str]] | None:
    """What the API reads in it, None when it refuses it."""
    try:
        return csv_lines(text)
    except InvalidInput:
        return None


def _pieces(text: str, rng: random.Random) -> list[str]:
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randrange(6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def test_records_are_the_ones_that_the_api_reads_wherever_pieces_are_cut() -> None:
    rng = random.Random(18)
    alphabet = [
        *("a", "1", "é", " ", ",", ";", "\t", '"', '""', "\n", "\r\n", "\r", '"\n', "\u2028"),
        # What is white space to one of the two languages only, alone on its line as well.
        *(f"{end}{blank}{end}" for blank in ("\ufeff", "\x85", "\x1c", "\x1f", "\xa0") for end in ("", "\n")),
    ]
    headers = [
        "",
        "",
        "phone,country,operator\n",
        "\n Phone ;COUNTRY;\ufeffoperator\r\n",
        '"phone"\tcountry\toperator\n',
    ]
    # Commas and quotes meet more often than by chance.
    alphabet += [',"', '",', '";', "\n,;"]
    texts = [rng.choice(headers) + "".join(rng.choices(alphabet, k=rng.randrange(1, 14))) for _ in range(4_000)]
    found = node(_READ, given=json.dumps([_pieces(text, rng) for text in texts]).encode())
    valid = 0
    for text, read in zip(texts, found, strict=True):
        expected = _by_api(text)
        assert read.get("cells") == expected, repr(text)
        if expected is not None:
            valid += 1
            # Sent one after another they are the same file again.
            assert _by_api("\n".join(read["texts"])) == expected, repr(text)
    assert valid > len(texts) / 4


def test_what_is_written_is_no_formula_and_one_cell() -> None:
    written = {
        "=1+1": '"\'=1+1"',
        "+48": '"\'+48"',
        "-2": '"\'-2"',
        "@SUM(A1)": '"\'@SUM(A1)"',
        "\t=1": '"\'\t=1"',
        'say "no", twice': '"say ""no"", twice"',
        "two\nlines": '"two\nlines"',
        "48123": "48123",
        "": "",
    }
    assert node(_WRITE, json.dumps(list(written))) == ",".join(written.values())


def test_a_file_is_split_at_2500_rows_each_part_with_the_header() -> None:
    rows = "".join(f'{48_000_000_000 + number},poland,"Play,\nPL"\r\n\r\n' for number in range(12_001))
    content = f"phone,country,operator\r\n{rows}"
    split = node(_SPLIT, given=f"\ufeff{content}".encode())
    pools = [{"country": "poland", "operator": "Play, PL", "rows": 12_001}]
    assert split["scanned"] == {"rows": 12_001, "parts": 5, "pools": pools}
    assert [part["number"] for part in split["parts"]] == [1, 2, 3, 4, 5]
    header, *whole = csv_lines(content)
    parts = [csv_lines(part["text"]) for part in split["parts"]]
    assert parts == [[header, *whole[first : first + 2_500]] for first in range(0, 12_001, 2_500)]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "The file is empty."),
        (b"phone,country,operator\n", "The file has a header but no rows."),
        (b"phone|country|operator\n1|a|b\n", "with commas, semicolons or tabs. Found: phone|country|operator"),
        (b"phone;country\n1;a\n", "with commas, semicolons or tabs. Found: phone, country"),
        (b'phone;country;operator\n1;a;"b"x\n', "Row 1: text follows a closing quote; expected a semicolon"),
        (b'phone,country,operator\n48123456,"a,b\n', "Row 1: a quote is opened and never closed."),
        (b'phone,country,operator\n48123456,a,b\n48,"a"b,c\n', "Row 2: text follows a closing quote"),
        ("phone,country,operator\n48123456,a,b\n".encode("utf-16"), "The file is not UTF-8."),
        (b"phone,country,operator\n48123456,\xff,b\n", "The file is not UTF-8."),
        (
            b'phone,country,operator\n48123456,"' + b"a,b\n" * 20_000,
            "longer than 50000 characters. Is a quote missing?",
        ),
        (b"phone,country,operator\n" + b"1,a,b\n" * 500_001, "at most 500000 rows"),
    ],
    ids=[
        "empty",
        "no rows",
        "bars",
        "column missing",
        "after semicolon",
        "open quote",
        "text after quote",
        "utf-16",
        "latin-1",
        "lost quote",
        "long",
    ],
)
def test_what_cannot_be_imported_is_said_before_anything_is_sent(content: bytes, wrong: str) -> None:
    assert wrong in node(_SPLIT, given=content)["wrong"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_split_whatever_parts_its_cells_and_however_its_header_is_spelled(delimiter: str) -> None:
    rows = [
        ["PHONE ", "\ufeffCountry", "operator"],
        ["48123456", "poland", 'Play, "PL"; PL'],
        ["48123457", "poland", "T\tMobile"],
    ]
    text = "".join(delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) + "\r\n" for row in rows)
    split = node(_SPLIT, given=text.encode())
    assert [(part["rows"], _by_api(part["text"])) for part in split["parts"]] == [(2, rows)]
    assert [pool["operator"] for pool in split["scanned"]["pools"]] == ['Play, "PL"; PL', "T Mobile"]


def test_a_pool_has_the_names_in_the_preview_that_the_api_keeps() -> None:
    rng = random.Random(4)
    parts = [
        "a",
        "O",
        "o\u0302",
        "\u00f4",
        "\u212b",
        "\u1112\u1161",
        " ",
        "  ",
        "\t",
        "\x1c",
        "\x85",
        "\u00a0",
        "\u2028",
        "\ufeff",
        "\u200d",
    ]
    names = ["".join(rng.choices(parts, k=rng.randrange(1, 8))) for _ in range(1_000)]
    kept = 0
    for name, shown in zip(names, node(_FOLD, json.dumps(names)), strict=True):
        try:
            assert check_pool_name(name, "country") == shown, repr(name)
        except InvalidInput:
            continue
        kept += 1
    assert kept > len(names) / 4

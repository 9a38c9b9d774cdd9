"""The console splits a CSV into the records that the API's own reader finds in it, wherever its pieces were cut."""

import csv
import io
import json
import random
import subprocess
from typing import Any

import pytest

from local.place import NODE, REPOSITORY

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


def _node(script: str, *arguments: str, given: bytes = b"") -> Any:
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", script, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def _by_python(text: str) -> list[list[str]] | None:
    """What the API reads in it (admin_api.number_import), None when it refuses it."""
    try:
        return [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if "".join(line).strip()]
    except csv.Error:
        return None


def _pieces(text: str, dice: random.Random) -> list[str]:
    cuts = sorted(dice.randrange(len(text) + 1) for _ in range(dice.randrange(6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def test_records_are_the_ones_that_the_api_reads_wherever_pieces_are_cut() -> None:
    dice = random.Random(18)
    alphabet = ["a", "1", "é", " ", ",", '"', '""', "\n", "\r\n", "\r", ',"', '",', '"\n', "\u2028"]
    texts = ["".join(dice.choices(alphabet, k=dice.randrange(1, 14))) for _ in range(4_000)]
    found = _node(_READ, given=json.dumps([_pieces(text, dice) for text in texts]).encode())
    valid = 0
    for text, read in zip(texts, found, strict=True):
        expected = _by_python(text)
        assert read.get("cells") == expected, repr(text)
        if expected is not None:
            valid += 1
            # Sent one after another they are the same file again.
            assert _by_python("\n".join(read["texts"])) == expected, repr(text)
    assert valid > len(texts) / 4


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", '"\'=1+1"'),
        ("+48", '"\'+48"'),
        ("-2", '"\'-2"'),
        ("@SUM(A1)", '"\'@SUM(A1)"'),
        ("\t=1", '"\'\t=1"'),
        ('say "no", twice', '"say ""no"", twice"'),
        ("two\nlines", '"two\nlines"'),
        ("48123", "48123"),
        ("", ""),
    ],
)
def test_what_is_written_is_no_formula_and_one_cell(cell: str, written: str) -> None:
    assert _node(_WRITE, json.dumps([cell])) == written


def _numbers(rows: int) -> bytes:
    return b"phone,country,operator\r\n" + b"".join(
        b'%d,poland,"Play,\nPL"\r\n\r\n' % (48_000_000_000 + n) for n in range(rows)
    )


def test_a_file_is_split_at_2500_rows_each_part_with_the_header() -> None:
    content = _numbers(12_001)
    split = _node(_SPLIT, given=b"\xef\xbb\xbf" + content)
    assert split["scanned"] == {"rows": 12_001, "parts": 5}
    assert [part["number"] for part in split["parts"]] == [1, 2, 3, 4, 5]
    parts = [_by_python(part["text"]) for part in split["parts"]]
    whole = _by_python(content.decode())
    assert whole is not None
    assert [part[0] for part in parts if part] == [whole[0]] * 5
    assert [len(part) - 1 for part in parts if part] == [2_500, 2_500, 2_500, 2_500, 2_001]
    assert [row for part in parts if part for row in part[1:]] == whole[1:]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "The file is empty."),
        (b"phone,country,operator\n", "The file has a header and no rows."),
        (b"phone;country;operator\n1;a;b\n", "with commas. Found: phone;country;operator"),
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
    ids=["empty", "no rows", "semicolons", "open quote", "text after quote", "utf-16", "latin-1", "lost quote", "long"],
)
def test_what_cannot_be_imported_is_said_before_anything_is_sent(content: bytes, wrong: str) -> None:
    assert wrong in _node(_SPLIT, given=content)["wrong"]

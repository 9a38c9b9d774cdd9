"""Importing numbers from the browser: previewed, broken off, resumed, rejected rows read."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import Console, confirm, press, shows
from tests.browser.life import HOSTILE
from tests.contract.market import Market

HEADER = "phone,country,operator\n"
PARTS = re.compile(r"/admin/imports/[a-z0-9]+/parts/\d+$")
SECOND_PART = re.compile(r"/admin/imports/[a-z0-9]+/parts/2$")
# What a part may take on a machine that does much else (ms).
PATIENCE = 60_000

# Rejected rows are quick to import; two parts of them and a few good ones are a long file that takes no long time.
GOOD = [f"49151{n:06},germany,O2" for n in range(3)]
LONG = HEADER + "\n".join([GOOD[0], *("no phone,germany,O2" for _ in range(2_500)), *GOOD[1:]]) + "\n"


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    return written(tmp_path, "long", LONG)


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.csv"
    file.write_text(text, encoding="utf-8")
    return file


def choose(page: Page, file: Path, button: str | None = None) -> None:
    page.locator("input[type=file]").set_input_files(file)
    if button:
        press(page, button)


def begin(page: Page, file: Path, button: str = "Import without preview") -> None:
    choose(page, file, button)
    expect(page.get_by_role("link", name="All imports")).to_be_visible()


def said(page: Page, text: str) -> None:
    expect(page.get_by_text(text)).to_be_visible(timeout=PATIENCE)


def expect_figures(page: Page, **expected: str) -> None:
    for name, figure in expected.items():
        named = page.get_by_text(name.replace("_", " "), exact=True)
        group = page.locator("dl.figures").locator("div").filter(has=named)
        expect(group.locator("dd")).to_have_text(figure, timeout=PATIENCE)


def row_of(page: Page, file: str) -> Locator:
    return page.get_by_role("row").filter(has_text=file).first


def test_a_preview_then_the_import_with_its_rejected_rows_to_download(
    console: Console, market: Market, tmp_path: Path
) -> None:
    pool = market.pool(2)
    moved, stays = pool.phones
    formula, markup = '=HYPERLINK("http://x")', HOSTILE.replace('"', '""')
    rows = [
        f"{moved},germany,O2",
        f'{stays},{pool.country},"{pool.operator}"',
        '4915200000001,germany,"O2, Germany"',
        "4915200000001,germany,O2",
        f'"{markup}",germany,O2',
        "",
        f'"{formula.replace(chr(34), chr(34) * 2)}",@germany,+O2',
        "4915200000002,germany",
    ]
    file = written(tmp_path, HOSTILE[:20].replace("/", ""), HEADER + "\r\n".join(rows))
    page = console.enter("/imports")
    choose(page, file)
    said(page, "7 rows, to be sent in 1 part")
    press(page, "Preview")
    expect_figures(page, Would_be_new="1", Would_move="1", Unchanged="1", Rejected="4")
    refused = page.get_by_role("table", name="Rejected rows").get_by_role("row")
    expect(refused).to_have_count(5)
    shows(refused.nth(1), "expected once; an earlier row has it")
    assert market.admin("GET", "/admin/numbers/4915200000001").status_code == 404

    press(page, "Import")
    said(page, "Done: 7 rows imported or rejected.")
    expect_figures(page, New="1", Moved_to_another_pool="1", Unchanged="1", Rejected="4")
    assert market.made("GET", "/admin/numbers/4915200000001")["operator"] == "O2, Germany"
    assert market.made("GET", f"/admin/numbers/{moved}")["country"] == "germany"
    with page.expect_download() as waiting:
        press(page, "Download as CSV")
    assert waiting.value.suggested_filename.endswith(" rejected.csv")
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    # A spreadsheet takes what begins with an apostrophe for text.
    assert [[row[0], *row[2:]] for row in csv.reader(io.StringIO(text), strict=True)] == [
        ["row", "phone", "country", "operator"],
        ["4", "4915200000001", "germany", "O2"],
        ["5", HOSTILE, "germany", "O2"],
        ["6", f"'{formula}", "'@germany", "'+O2"],
        ["7", "4915200000002", "germany"],
    ]
    assert page.locator("main img, main script").count() == 0
    assert console.axe() == []


def test_the_pools_of_a_file_are_named_and_those_that_there_are_not_yet_are_marked(
    console: Console, market: Market, tmp_path: Path
) -> None:
    pool = market.pool(1)
    misspelled = f"{pool.operator} Ldt"
    rows = [f"49152000010{n:02};{pool.country};\u00a0{pool.operator}" for n in range(3)]
    lines = ["Phone;Country;Operator", *rows, f"4915200001099;{pool.country};{misspelled}"]
    file = written(tmp_path, "pools", "\n".join(lines))
    page = console.enter("/imports")
    choose(page, file)
    said(page, "1 of 2 pools is new.")
    # The heading comes first, then what is new.
    named = page.get_by_role("table", name="Pools of the file").get_by_role("row")
    expect(named).to_contain_text(["", re.compile(f"{misspelled}.*New pool"), "Exists"])
    press(page, "Preview")
    expect_figures(page, Would_be_new="4")
    said(page, "1 of 2 pools is new.")
    press(page, "Import")
    expect_figures(page, New="4")
    page.get_by_role("link", name="All imports").click()
    choose(page, file)
    said(page, "All pools of the file exist.")
    assert console.axe() == []


def test_an_import_that_a_reload_broke_off_is_found_and_goes_on_with_the_same_file(
    console: Console, market: Market, long_file: Path, tmp_path: Path
) -> None:
    page = console.enter("/imports")
    # The second part never leaves.
    page.route(SECOND_PART, lambda _: None)
    begin(page, long_file)
    said(page, "2,500 of 2,503 rows sent")
    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [2_500, 2_503]
    console.reload()
    page.unroute(SECOND_PART)
    said(page, "2,500 rows in 1 part received so far")

    page.get_by_role("link", name="All imports").click()
    shows(row_of(page, "long.csv"), "Open")
    row_of(page, "long.csv").get_by_role("link").click()
    # The list has a choice of files, too.
    said(page, "2,500 rows in 1 part received so far")

    choose(page, written(tmp_path, "other", LONG.replace("no phone", "another")), "Resume")
    said(page, "this is not the file that the import started with")
    choose(page, long_file, "Resume")
    said(page, "Done: 2,503 rows imported or rejected.")
    expect_figures(page, New="3", Unchanged="0", Rejected="2,500")
    for good in GOOD:
        assert market.admin("GET", f"/admin/numbers/{good.partition(',')[0]}").is_success
    # They page: nothing loads all of them.
    refused = page.get_by_role("table", name="Rejected rows").get_by_role("row")
    expect(refused).to_have_count(1_001)
    press(page, "More")
    expect(refused).to_have_count(2_001)


def test_a_part_that_could_not_be_taken_is_sent_again_by_itself(console: Console, tmp_path: Path) -> None:
    page = console.enter("/imports")
    busy = {"message": "Temporarily busy"}
    page.route(PARTS, lambda route: route.fulfill(status=503, json=busy), times=2)
    begin(page, written(tmp_path, "busy", f"{HEADER}4915300000002,germany,O2\n"))
    said(page, "Done: 1 row imported or rejected.")


def test_it_goes_on_while_other_pages_are_looked_at_until_it_is_stopped_and_ended(
    console: Console, long_file: Path
) -> None:
    page = console.enter("/imports")
    page.route(SECOND_PART, lambda _: None)
    begin(page, long_file, "Preview")
    console.go("/services")
    console.go("/imports")
    shows(row_of(page, "long.csv"), "Sending")
    row_of(page, "long.csv").get_by_role("link").click()
    said(page, "2,500 of 2,503 rows sent")
    press(page, "Stop")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    confirm(page, "End import", "End import")
    said(page, "2,500 rows read, nothing imported.")


def test_a_file_that_cannot_be_read_to_its_end_is_not_begun(console: Console, market: Market, tmp_path: Path) -> None:
    before = market.made("GET", "/admin/imports")
    page = console.enter("/imports")
    for name, content, wrong in [
        ("header", f"<img src=x onerror=alert(1)>;{HEADER}", "Header: expected the columns phone, country, operator"),
        ("quote", f'{HEADER}48123456,"a,b\n', "Row 1: a quote is opened and never closed."),
    ]:
        choose(page, written(tmp_path, name, content))
        shows(page.get_by_role("alert"), wrong)
        expect(page.get_by_role("button", name="Preview", exact=True)).to_have_count(0)
    assert page.locator("main img").count() == 0
    assert market.made("GET", "/admin/imports") == before


def test_a_file_may_be_dropped(console: Console) -> None:
    page = console.enter("/imports")
    dropped = page.evaluate_handle(
        """content => {
          const data = new DataTransfer();
          data.items.add(new File([content], "dropped.csv"));
          return data;
        }""",
        f"{HEADER}4915300000009,germany,O2\n",
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    said(page, "dropped.csv — 1 row, to be sent in 1 part.")

"""Importing numbers from the browser: previewed, broken off, resumed, rejected rows read."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.driving import Console
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
    path = tmp_path / "long.csv"
    path.write_text(LONG, encoding="utf-8")
    return path


def choose(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)


def begin(page: Page, file: Path, button: str = "Import without preview") -> None:
    choose(page, file)
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("link", name="All imports")).to_be_visible()


def figures(page: Page) -> Locator:
    return page.locator("dl.figures")


def expect_figures(page: Page, *expected: Sequence[str]) -> None:
    for name, figure in expected:
        group = figures(page).locator("div").filter(has=page.get_by_text(name, exact=True))
        expect(group.locator("dd")).to_have_text(figure, timeout=PATIENCE)


def rejected_rows(page: Page) -> tuple[str, list[list[str]]]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as CSV").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    return waiting.value.suggested_filename, list(csv.reader(io.StringIO(text), strict=True))


def test_a_preview_then_the_import_with_its_rejected_rows_to_download(
    console: Console, market: Market, tmp_path: Path
) -> None:
    pool = market.pool(2)
    file = tmp_path / f"{HOSTILE[:20].replace('/', '')}.csv"
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
    file.write_text(HEADER + "\r\n".join(rows), encoding="utf-8")
    page = console.enter("/imports")
    choose(page, file)
    expect(page.get_by_text("7 rows, to be sent in 1 part")).to_be_visible()
    page.get_by_role("button", name="Preview", exact=True).click()
    expect_figures(page, ("Would be new", "1"), ("Would move", "1"), ("Unchanged", "1"), ("Rejected", "4"))
    refused = page.get_by_role("table", name="Rejected rows")
    expect(refused.get_by_role("row")).to_have_count(5)
    expect(refused.get_by_role("row").nth(1)).to_contain_text("expected once; an earlier row has it")
    assert market.admin("GET", "/admin/numbers/4915200000001").status_code == 404

    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Done: 7 rows imported or rejected.")).to_be_visible(timeout=PATIENCE)
    expect_figures(page, ("New", "1"), ("Moved to another pool", "1"), ("Unchanged", "1"), ("Rejected", "4"))
    assert market.made("GET", "/admin/numbers/4915200000001")["operator"] == "O2, Germany"
    assert market.made("GET", f"/admin/numbers/{moved}")["country"] == "germany"
    name, told = rejected_rows(page)
    assert name.endswith(" rejected.csv")
    assert told[0] == ["row", "reason", "phone", "country", "operator"]
    assert [row[0] for row in told[1:]] == ["4", "5", "6", "7"]
    # A spreadsheet takes what begins with an apostrophe for text.
    assert [row[2:] for row in told[1:]] == [
        ["4915200000001", "germany", "O2"],
        [HOSTILE, "germany", "O2"],
        [f"'{formula}", "'@germany", "'+O2"],
        ["4915200000002", "germany"],
    ]
    assert page.locator("main img, main script").count() == 0
    assert console.axe() == []


def test_the_pools_of_a_file_are_named_and_those_that_there_are_not_yet_are_marked(
    console: Console, market: Market, tmp_path: Path
) -> None:
    pool = market.pool(1)
    file = tmp_path / "pools.csv"
    misspelled = f"{pool.operator} Ldt"
    rows = [f"49152000010{n:02};{pool.country};\u00a0{pool.operator}" for n in range(3)]
    lines = ["Phone;Country;Operator", *rows, f"4915200001099;{pool.country};{misspelled}"]
    file.write_text("\n".join(lines), encoding="utf-8")
    page = console.enter("/imports")
    choose(page, file)
    expect(page.get_by_text("1 of 2 pools is new.")).to_be_visible()
    named = page.get_by_role("table", name="Pools of the file").get_by_role("row")
    # The heading comes first, then what is new.
    expect(named).to_have_count(3)
    expect(named.nth(1)).to_contain_text(misspelled)
    expect(named.nth(1)).to_contain_text("New pool")
    expect(named.nth(2)).to_contain_text("Exists")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect_figures(page, ("Would be new", "4"))
    expect(page.get_by_text("1 of 2 pools is new.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect_figures(page, ("New", "4"))
    page.get_by_role("link", name="All imports").click()
    choose(page, file)
    expect(page.get_by_text("All pools of the file exist.")).to_be_visible()
    assert console.axe() == []


def test_an_import_that_a_reload_broke_off_is_found_and_goes_on_with_the_same_file(
    console: Console, market: Market, long_file: Path, tmp_path: Path
) -> None:
    page = console.enter("/imports")
    # The second part never leaves.
    page.route(SECOND_PART, lambda _: None)
    begin(page, long_file)
    expect(page.get_by_label(re.compile("rows sent"))).to_be_visible()
    expect(page.get_by_text("2,500 of 2,503 rows sent")).to_be_visible(timeout=PATIENCE)
    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [2_500, 2_503]
    page.reload()
    console.settle()
    page.unroute(SECOND_PART)
    expect(page.get_by_text("2,500 rows in 1 part received so far")).to_be_visible()

    page.get_by_role("link", name="All imports").click()
    row = page.get_by_role("row").filter(has_text="long.csv").first
    expect(row).to_contain_text("Open")
    row.get_by_role("link", name="long.csv").click()
    # The list has a choice of files, too.
    expect(page.get_by_text("2,500 rows in 1 part received so far")).to_be_visible()

    other = tmp_path / "other.csv"
    other.write_text(LONG.replace("no phone", "another"), encoding="utf-8")
    choose(page, other)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("this is not the file that the import started with")).to_be_visible(timeout=PATIENCE)
    choose(page, long_file)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Done: 2,503 rows imported or rejected.")).to_be_visible(timeout=PATIENCE)
    expect_figures(page, ("New", "3"), ("Unchanged", "0"), ("Rejected", "2,500"))
    for good in GOOD:
        assert market.admin("GET", f"/admin/numbers/{good.partition(',')[0]}").is_success
    # They page: nothing loads all of them.
    refused = page.get_by_role("table", name="Rejected rows")
    expect(refused.get_by_role("row")).to_have_count(1_001)
    page.get_by_role("button", name="More").click()
    expect(refused.get_by_role("row")).to_have_count(2_001)


def test_a_part_that_could_not_be_taken_is_sent_again_by_itself(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "busy.csv"
    file.write_text(f"{HEADER}4915300000002,germany,O2\n", encoding="utf-8")
    page = console.enter("/imports")
    busy = {"message": "Temporarily busy"}
    page.route(PARTS, lambda route: route.fulfill(status=503, json=busy), times=2)
    begin(page, file)
    expect(page.get_by_text("Done: 1 row imported or rejected.")).to_be_visible(timeout=PATIENCE)


def test_it_goes_on_while_other_pages_are_looked_at(console: Console, long_file: Path) -> None:
    page = console.enter("/imports")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(SECOND_PART, hold)
    begin(page, long_file, "Preview")
    console.go("/services")
    console.go("/imports")
    expect(page.get_by_role("row").filter(has_text="long.csv").first).to_contain_text("Sending")
    page.get_by_role("row").filter(has_text="long.csv").first.get_by_role("link").click()
    expect(page.get_by_text("2,500 of 2,503 rows sent")).to_be_visible(timeout=PATIENCE)
    for route in held:
        route.continue_()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_visible(timeout=PATIENCE)


def test_one_that_was_stopped_can_be_ended(console: Console, long_file: Path) -> None:
    page = console.enter("/imports")
    page.route(SECOND_PART, lambda _: None)
    begin(page, long_file, "Preview")
    expect(page.get_by_text("2,500 of 2,503 rows sent")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="End import").click()
    page.get_by_role("dialog").get_by_role("button", name="End import").click()
    expect(page.get_by_text("2,500 rows read, nothing imported.")).to_be_visible()


def test_a_file_that_cannot_be_read_to_its_end_is_not_begun(console: Console, market: Market, tmp_path: Path) -> None:
    before = market.made("GET", "/admin/imports")
    page = console.enter("/imports")
    for name, content, wrong in [
        ("header", f"<img src=x onerror=alert(1)>;{HEADER}", "Header: expected the columns phone, country, operator"),
        ("quote", f'{HEADER}48123456,"a,b\n', "Row 1: a quote is opened and never closed."),
    ]:
        file = tmp_path / f"{name}.csv"
        file.write_text(content, encoding="utf-8")
        choose(page, file)
        expect(page.get_by_role("alert")).to_contain_text(wrong)
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
    expect(page.get_by_text("dropped.csv — 1 row, to be sent in 1 part.")).to_be_visible()

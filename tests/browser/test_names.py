"""What a partner calls what we have: a table, files, a hub's known names, and what it is answered by them."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.driving import NARROW, Console, fill, press, shows
from tests.contract.market import Hub, Market, until

MANY = 5_000


def opened(console: Console, hub: Hub) -> Page:
    return console.enter(f"/partners/{hub.partner_id}/names")


def stored(market: Market, hub: Hub) -> dict[str, Any]:
    names: dict[str, Any] = market.made("GET", f"/admin/partners/{hub.partner_id}/names")
    return names


def counted(market: Market, hub: Hub, country: str) -> None:
    """Wait until what is on sale in a country is known to be."""
    path = f"/admin/partners/{hub.partner_id}/preview"
    until(lambda: market.made("GET", path)["unmapped"]["countries"], lambda countries: country in countries)


def theirs(page: Page, name: str) -> Locator:
    return page.get_by_label(f"Theirs for {name}", exact=True)


def chosen(page: Page, name: str, content: str) -> Locator:
    """Choose a file to import; return the dialog."""
    press(page, "Import")
    dialog = page.get_by_role("dialog", name="Import names")
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=content.encode())
    dialog.get_by_label("CSV or JSON file").set_input_files(file)
    return dialog


def imported(page: Page, name: str, content: str) -> None:
    dialog = chosen(page, name, content)
    expect(dialog.get_by_role("status").filter(has_text="name")).to_be_visible()
    press(dialog, "Replace names")
    expect(dialog).to_have_count(0)


def downloaded(page: Page, button: str) -> str:
    with page.expect_download() as download:
        press(page, button)
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_names_are_imported_refused_at_their_row_saved_and_seen_in_the_preview(
    console: Console, market: Market
) -> None:
    pool, (one, other) = market.pool(), (market.service(name="One"), market.service(name="Other"))
    hub = market.hub(name="Hub with names", services=[one, other])
    counted(market, hub, pool.country)
    page = opened(console, hub)
    preview, table = page.get_by_role("region", name="Answer to GET_SERVICES"), page.get_by_role("table", name="Names")
    # What is on sale and has no name comes first, to be filled in.
    for name in (f"country {pool.country}", f"operator {pool.operator} in {pool.country}", f"service {one}"):
        page.get_by_label("Find a name").fill(name.split()[1])
        expect(theirs(page, name)).to_have_value("")
    page.get_by_label("Find a name").fill("")
    shows(chosen(page, "names.csv", "kind,country,ours\n"), "Header: expected the columns kind, country, ours, theirs")
    page.keyboard.press("Escape")
    shows(chosen(page, "names.csv", "kind,country,ours,theirs\ntown,,a,b\n"), "Row 1: expected a country, operator")
    page.keyboard.press("Escape")
    country = f"country,,{pool.country},uk\n"
    # Theirs that no other test has as a service of ours: passed by its own name, that would be a second with this name.
    both = f"their {one}"
    rows = f"{country}operator,{pool.country},*,any\nservice,,{one},{both}\nservice,,{other},{both}\nunmapped,,,hide\n"
    imported(page, "names.csv", f"kind;country;ours;theirs\n{rows}".replace(",", ";"))
    shows(page.locator("main"), "4 names read. Nothing is saved yet.")
    assert stored(market, hub)["countries"] == {}
    press(page, "Save")
    # The row is shown first, whatever was looked for.
    wrong = theirs(page, f"service {other}")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_accessible_description(f"{one} and {other} would both be called {both}.")
    expect(table.get_by_role("row").nth(1).get_by_role("combobox")).to_have_value(both)
    assert console.axe() == []
    wrong.fill("Telegram ✈")
    expect(wrong).to_be_focused()
    press(page, "Save")
    shows(page.locator("main"), "4 names saved.")
    services = {one: both, other: "Telegram ✈"}
    saved = {"countries": {pool.country: "uk"}, "operators": {pool.country: {"*": "any"}}, "services": services}
    assert stored(market, hub) == saved | {"unmapped": "hide"}
    # Its operators have a name by the entry for all.
    expect(theirs(page, f"operator {pool.operator} in {pool.country}")).to_have_count(0)
    shows(preview, '"country": "uk"', '"any"', '"Telegram ✈"')
    expect(preview).not_to_contain_text(pool.country)
    assert json.loads(downloaded(page, "Download JSON")) == saved | {"unmapped": "hide"}
    lines = downloaded(page, "Download CSV").removeprefix("\ufeff").splitlines()
    named = rows.replace(f"{other},{both}", f"{other},Telegram ✈")
    assert lines == ["kind,country,ours,theirs", *named.splitlines()]
    page.get_by_label("What has no name here is").select_option("Pass: offered by our own name")
    press(page, f"Remove country {pool.country}")
    press(page, "Save")
    shows(page.locator("main"), "3 names saved.")
    shows(preview, pool.country)
    expect(theirs(page, f"country {pool.country}")).to_have_value("")


def test_an_entry_is_added_whole_and_only_once(console: Console, market: Market) -> None:
    pool = market.pool()
    page = opened(console, market.hub(name="Hub with a name"))
    imported(page, "names.json", json.dumps({"countries": {pool.country: "uk"}}))
    press(page, "Add entry")
    page.get_by_label("Kind of the new entry").select_option("Country")
    fill(page, {"Ours of the new entry": pool.country}, "Save")
    expect(theirs(page, "the new entry")).to_have_accessible_description("Enter their name.")
    fill(page, {"Theirs for the new entry": "gb"}, "Save")
    expect(theirs(page, "the new entry")).to_have_accessible_description(
        "There is another entry for this name of ours."
    )
    assert console.fits(NARROW)
    press(page, "Remove the new entry", "Save")
    shows(page.locator("main"), "1 name saved.")


def test_a_hubs_known_names_fill_in_what_is_equal_and_are_suggested_for_the_rest(
    console: Console, market: Market
) -> None:
    row = {"phone": "79990001122", "country": "russia", "operator": "MegaFon"}
    assert market.made("POST", "/admin/numbers", [row])["rejected"] == []
    market.made("PUT", "/admin/services/tg", {"name": "Telegram"})
    hub = market.hub(name="Hub of a family", dialect="smshub", services=["tg"])
    counted(market, hub, "russia")
    page = opened(console, hub)
    russia = theirs(page, "country russia")
    expect(russia).to_have_value("")
    press(page, "Start from smshub's set")
    shows(page.locator("main"), re.compile(r"[1-9]\d* of \d+ known names filled in"))
    expect(russia).to_have_value("russia")
    expect(theirs(page, "service tg")).to_have_value("tg")
    suggested = page.locator(f"#{theirs(page, 'service tg').get_attribute('list')} option")
    assert suggested.count() > 100
    assert stored(market, hub)["services"] == {}
    press(page, "Save")
    expect(page.get_by_text("names saved.")).to_be_visible()
    assert stored(market, hub)["services"] == {"tg": "tg"}
    other = market.hub(name="Hub of our own")
    console.go(f"/partners/{other.partner_id}/names")
    press(page, "Start from globalconnect's set")
    shows(page.locator("main"), "No names of this hub are known.")


def test_as_many_names_as_there_may_be_are_found_edited_and_saved(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub with many names", services=[])
    page = opened(console, hub)
    rows = "".join(f"service,,s{number},name {number}\n" for number in range(MANY))
    imported(page, "names.csv", f"kind,country,ours,theirs\n{rows}")
    shows(page.locator("main"), "5,000 names read.")
    page.get_by_label("Find a name").fill("name 4999")
    theirs(page, "service s4999").fill("the last one")
    press(page, "Save")
    shows(page.locator("main"), "5,000 names saved.")
    assert stored(market, hub)["services"] == {f"s{n}": f"name {n}" for n in range(MANY - 1)} | {
        "s4999": "the last one"
    }
    imported(page, "names.csv", f"kind,country,ours,theirs\n{rows}service,,more,more\n")
    press(page, "Save")
    shows(page.get_by_role("alert"), "At most 5,000 names; these are 5,001.")

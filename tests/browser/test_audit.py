"""The audit log: who changed what, when, and how it ended."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import NARROW, WIDE, Console, press, shows, shows_page
from tests.contract.market import Market


def entry(page: Page, changed_id: str, what: str) -> Locator:
    return page.get_by_role("row").filter(has_text=changed_id).filter(has_text=what)


def test_a_change_is_listed_with_who_made_it_and_what_became_of_it(console: Console, market: Market) -> None:
    hub = market.hub(name="Watched")
    for name in ("Watched and renamed", "Refused"):
        market.admin("PATCH", f"/admin/partners/{hub.partner_id}", {"name": name, "version": 0})
    page = console.enter("/audit")
    changes = entry(page, hub.partner_id, "Partner changed")
    expect(changes).to_have_count(2)
    shows(changes.first, "Refused")
    shows(changes.last, "Done", console.stack.admin_user, "fields: name")
    expect(changes.last.locator("time")).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(entry(page, hub.partner_id, "Key issued")).to_have_count(1)
    # Names of fields, never what they were set to.
    expect(page.locator("main")).not_to_contain_text("Watched")
    changes.last.get_by_role("link", name=hub.partner_id).click()
    shows_page(page, "Watched and renamed")


def test_news_come_when_looked_for_again_and_many_numbers_are_folded(console: Console, market: Market) -> None:
    page = console.enter("/audit")
    pool = market.pool(30)
    market.made("PATCH", "/admin/numbers", {"phones": list(pool.phones), "enabled": False})
    row = page.get_by_role("row").filter(has_text="Numbers withdrawn").filter(has_text=pool.phones[29])
    expect(row).to_have_count(0)
    press(page, "Refresh")
    last = row.get_by_text(pool.phones[29])
    expect(last).to_be_hidden()
    row.get_by_text("phones: 30").click()
    expect(last).to_be_visible()
    assert console.fits(WIDE)
    assert console.fits(NARROW)
    assert console.axe() == []


def test_there_are_more_pages(console: Console, market: Market) -> None:
    code = market.service()
    for _ in range(110):
        market.made("PUT", f"/admin/services/{code}", {"name": code})
    page = console.enter("/audit")
    rows = page.get_by_role("table").get_by_role("row")
    at_first = rows.count()
    press(page, "More")
    expect(rows.nth(at_first)).to_be_visible()

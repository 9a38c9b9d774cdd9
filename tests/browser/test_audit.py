"""The audit log: who changed what, when, and how it ended."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import NARROW, Console
from tests.contract.market import Market


def entry(page: Page, changed_id: str, what: str) -> Locator:
    return page.get_by_role("row").filter(has_text=changed_id).filter(has_text=what)


def test_a_change_is_listed_with_who_made_it_and_what_became_of_it(console: Console, market: Market) -> None:
    hub = market.hub(name="Watched")
    page = console.enter(f"/partners/{hub.partner_id}")
    page.get_by_label("Name").fill("Watched and renamed")
    page.get_by_role("form", name="Settings").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    market.admin("PATCH", f"/admin/partners/{hub.partner_id}", {"name": "Refused", "version": 0})
    console.go("/audit")
    changes = entry(page, hub.partner_id, "Partner changed")
    expect(changes).to_have_count(2)
    expect(changes.first).to_contain_text("Refused")
    expect(changes.last).to_contain_text("Done")
    expect(changes.last).to_contain_text(console.stack.admin_user)
    expect(changes.last).to_contain_text("fields: name")
    expect(changes.last.locator("time")).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(entry(page, hub.partner_id, "Key issued")).to_have_count(1)
    # Names of fields, never what they were set to.
    expect(page.locator("main")).not_to_contain_text("Watched")
    changes.last.get_by_role("link", name=hub.partner_id).click()
    expect(page.get_by_role("heading", name="Watched and renamed", level=1)).to_be_visible()


def test_news_come_when_looked_for_again(console: Console, market: Market) -> None:
    page = console.enter("/audit")
    market.made("PUT", "/admin/services/of-the-audit-log", {"name": "Of the audit log"})
    expect(entry(page, "of-the-audit-log", "Service saved")).to_have_count(0)
    page.get_by_role("button", name="Refresh").click()
    expect(entry(page, "of-the-audit-log", "Service saved").first).to_be_visible()


def test_many_numbers_are_folded_and_nothing_is_wider_than_the_window(console: Console, market: Market) -> None:
    pool = market.pool(30)
    market.made("PATCH", "/admin/numbers", {"phones": list(pool.phones), "enabled": False})
    page = console.enter("/audit")
    row = page.get_by_role("row").filter(has_text="Numbers withdrawn").first
    expect(row.get_by_text("phones: 30")).to_be_visible()
    expect(row.get_by_text(pool.phones[29])).to_be_hidden()
    row.get_by_text("phones: 30").click()
    expect(row.get_by_text(pool.phones[29])).to_be_visible()
    assert console.overflow() == 0
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert console.overflow() == 0
    assert console.axe() == []


def test_there_are_more_pages(console: Console, market: Market) -> None:
    code = market.service()
    for _ in range(110):
        market.made("PUT", f"/admin/services/{code}", {"name": code})
    page = console.enter("/audit")
    rows = page.get_by_role("table").get_by_role("row")
    at_first = rows.count()
    page.get_by_role("button", name="More").click()
    expect(rows.nth(at_first)).to_be_visible()

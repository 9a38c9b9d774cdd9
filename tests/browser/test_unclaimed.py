"""Unclaimed SMS and unreadable payloads: hidden until asked for, who looked is recorded, and nothing becomes markup."""

from playwright.sync_api import expect

from tests.browser.driving import NARROW, WIDE, Console, press, shows, shows_page
from tests.contract.market import Market

TEXT = f'"><script>alert(1)</script><img src=x onerror=alert(1)>{"W" * 500}\N{RIGHT-TO-LEFT OVERRIDE}1174 edoc ruoY'


def test_texts_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    for _ in range(2):
        market.gateway().deliver({"phone": phone, "from": TEXT[:100], "text": TEXT})
    before = market.looks("unclaimed.texts_read")
    page = console.enter("/unclaimed")
    row = page.get_by_role("row").filter(has_text=phone)
    shows(row, "Hidden", "Gateway", "no activation held the number; received 1 more time")
    assert market.looks("unclaimed.texts_read") == before
    show = page.get_by_role("button", name="Show texts")
    expect(show).to_have_accessible_description(
        "They hold other people's codes: viewing them is recorded in the audit log."
    )
    show.click()
    # What outsiders write stays the text it is, and what turns text around turns none but its own.
    expect(row.locator(".foreign")).to_have_text([TEXT[:100], TEXT])
    assert row.locator(".foreign").first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert page.locator("main img, main script").count() == 0
    assert console.fits(NARROW)
    assert console.axe() == []
    assert console.fits(WIDE)
    press(page, "Hide texts")
    shows(row, "Hidden")
    assert "1174 edoc" not in page.content()
    assert market.looks("unclaimed.texts_read") == before + 1


def test_payloads_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    gateway = market.gateway()
    for body in (b"not JSON <img src=x onerror=alert(1)>", b"\xff\xfe and no text at all", {"wrong": TEXT}):
        gateway.deliver(body)
    before = market.looks("unreadable.payloads_read")
    page = console.enter("/unclaimed")
    page.get_by_role("link", name="Unreadable payloads").click()
    shows_page(page, "Unreadable payloads")
    table = page.get_by_role("table", name="Unreadable payloads")
    shows(table, "Hidden")
    expect(table).not_to_contain_text("not JSON")
    press(page, "Show payloads")
    shows(table, "not JSON <img src=x onerror=alert(1)>", r"\xff\xfe and no text at all")
    assert console.overflow() == 0
    assert page.locator("main img, main script").count() == 0
    console.reload()
    shows(table, "Hidden")
    assert market.looks("unreadable.payloads_read") == before + 1


def test_there_are_more_pages_and_new_ones_come_when_looked_for_again(console: Console, market: Market) -> None:
    [phone], [other], gateway = market.pool().phones, market.pool().phones, market.gateway()
    for part in range(2):
        gateway.deliver([{"phone": phone, "from": "Many", "text": f"SMS {part}.{number}"} for number in range(55)])
    page = console.enter("/unclaimed")
    rows = page.get_by_role("table").get_by_role("row")
    at_first = rows.count()
    assert at_first < 110
    press(page, "More")
    expect(rows.nth(at_first)).to_be_visible()
    gateway.deliver({"phone": other, "from": "Late", "text": "Late"})
    press(page, "Refresh")
    expect(rows.filter(has_text=other)).to_be_visible()

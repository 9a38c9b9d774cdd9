"""Unclaimed SMS and unreadable payloads: hidden until asked for, who looked is recorded, and nothing becomes markup."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.driving import NARROW, Console
from tests.contract.market import Market

TEXT = f'"><script>alert(1)</script><img src=x onerror=alert(1)>{"W" * 500}\N{RIGHT-TO-LEFT OVERRIDE}1174 edoc ruoY'


def looks(market: Market, action: str) -> list[dict[str, Any]]:
    """Return the entries of the audit log about looks at texts."""
    return [entry for entry in market.made("GET", "/admin/audit")["entries"] if entry["action"] == action]


def test_texts_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    for _ in range(2):
        market.gateway().deliver({"phone": phone, "from": "Service", "text": "Your code: 4711"})
    before = len(looks(market, "unclaimed.texts_read"))
    page = console.enter("/unclaimed")
    row = page.get_by_role("row").filter(has_text=phone)
    expect(row).to_contain_text("Hidden")
    expect(row).to_contain_text("Gateway")
    expect(row).to_contain_text("no activation held the number; received 1 more time")
    assert len(looks(market, "unclaimed.texts_read")) == before
    show = page.get_by_role("button", name="Show texts")
    expect(show).to_have_accessible_description(
        "They hold other people's codes: viewing them is recorded in the audit log."
    )
    show.click()
    expect(row).to_contain_text("Your code: 4711")
    assert len(looks(market, "unclaimed.texts_read")) == before + 1
    page.get_by_role("button", name="Hide texts").click()
    expect(row).to_contain_text("Hidden")
    assert "4711" not in page.content()
    assert len(looks(market, "unclaimed.texts_read")) == before + 1


def test_payloads_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    gateway = market.gateway()
    for body in (b"not JSON <img src=x onerror=alert(1)>", b"\xff\xfe and no text at all"):
        gateway.deliver(body)
    before = len(looks(market, "unreadable.payloads_read"))
    page = console.enter("/unclaimed")
    page.get_by_role("link", name="Unreadable payloads").click()
    expect(page.get_by_role("heading", name="Unreadable payloads", level=1)).to_be_visible()
    table = page.get_by_role("table", name="Unreadable payloads")
    expect(table).to_contain_text("Hidden")
    expect(table).not_to_contain_text("not JSON")
    page.get_by_role("button", name="Show payloads").click()
    expect(table).to_contain_text("not JSON <img src=x onerror=alert(1)>")
    expect(table).to_contain_text(r"\xff\xfe and no text at all")
    assert page.locator("main img").count() == 0
    assert len(looks(market, "unreadable.payloads_read")) == before + 1
    page.reload()
    console.settle()
    expect(table).to_contain_text("Hidden")
    assert len(looks(market, "unreadable.payloads_read")) == before + 1


def test_what_outsiders_write_stays_the_text_it_is(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    gateway = market.gateway()
    assert gateway.deliver({"phone": phone, "from": TEXT[:100], "text": TEXT}).is_success
    gateway.deliver({"wrong": TEXT})
    page = console.enter("/unclaimed")
    page.get_by_role("button", name="Show texts").click()
    row = page.get_by_role("row").filter(has_text=phone)
    expect(row.locator(".foreign")).to_have_text([TEXT[:100], TEXT])
    # What turns text around turns none but its own.
    assert row.locator(".foreign").first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert console.overflow() == 0
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert console.overflow() == 0
    assert console.axe() == []
    page.get_by_role("link", name="Unreadable payloads").click()
    page.get_by_role("button", name="Show payloads").click()
    expect(page.get_by_role("table")).to_contain_text("<img src=x onerror=alert(1)>")
    assert console.overflow() == 0
    assert page.locator("main img, main script").count() == 0


def test_there_are_more_pages_and_new_ones_come_when_looked_for_again(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    gateway = market.gateway()
    for part in range(2):
        gateway.deliver([{"phone": phone, "from": "Many", "text": f"SMS {part}.{number}"} for number in range(55)])
    page = console.enter("/unclaimed")
    rows = page.get_by_role("table").get_by_role("row")
    at_first = rows.count()
    assert at_first < 110
    page.get_by_role("button", name="More").click()
    expect(rows.nth(at_first)).to_be_visible()
    other = market.pool().phones[0]
    gateway.deliver({"phone": other, "from": "Late", "text": "Late"})
    page.get_by_role("button", name="Refresh").click()
    expect(rows.filter(has_text=other)).to_be_visible()

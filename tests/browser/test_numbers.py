"""Numbers: pools, search, withdrawing and restoring one or many, the history of one."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.driving import Console
from tests.contract.market import Market, Pool, until


def find(page: Page, phone: str) -> None:
    form = page.get_by_role("form", name="Find a number")
    form.get_by_label("Number").fill(phone)
    form.get_by_role("button", name="Find").click()


def test_a_pool_is_listed_with_its_counts_and_leads_to_its_numbers(console: Console, market: Market) -> None:
    # The first country in the list, however many pools other tests have made.
    pool = Pool("aland", "Aland Mobile", ("48900000101", "48900000102", "48900000103"))
    rows = [{"phone": phone, "country": pool.country, "operator": pool.operator} for phone in pool.phones]
    market.made("POST", "/admin/numbers", rows)
    market.hub().buy(pool, market.service())

    def free() -> list[int]:
        pools = market.made("GET", "/admin/pools")["pools"]
        return [entry["free"] for entry in pools if entry["operator"] == pool.operator]

    # Counts are late by as much as GET_SERVICES.
    until(free, lambda counted: counted == [2])
    page = console.enter("/numbers")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=pool.operator, exact=True))
    assert [cell.strip() for cell in row.get_by_role("cell").all_inner_texts()[2:5]] == ["3", "2", "1"]
    row.get_by_role("link", name=pool.operator, exact=True).click()
    for phone in pool.phones:
        expect(page.get_by_role("link", name=phone)).to_be_visible()
    expect(page.get_by_text(re.compile("Held until"))).to_have_count(1)


def test_many_are_withdrawn_and_restored_after_a_question(console: Console, market: Market) -> None:
    pool = market.pool(5)
    market.made("PATCH", f"/admin/numbers/{pool.phones[0]}", {"enabled": False})
    page = console.enter(f"/numbers?{urlencode({'country': pool.country, 'operator': pool.operator})}")
    page.get_by_label(f"Select {pool.phones[4]}").check()
    page.get_by_role("button", name="Select all shown").click()
    page.get_by_label(f"Select {pool.phones[4]}").uncheck()
    expect(page.get_by_text("4 numbers selected")).to_be_visible()

    def enabled() -> list[bool]:
        return [market.made("GET", f"/admin/numbers/{phone}")["enabled"] for phone in pool.phones]

    page.get_by_role("button", name="Withdraw").click()
    dialog = page.get_by_role("dialog", name="Withdraw 4 numbers?")
    dialog.get_by_role("button", name="Cancel").click()
    assert enabled() == [False, True, True, True, True]
    page.get_by_role("button", name="Withdraw").click()
    dialog.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("3 numbers withdrawn. 1 number already was.")).to_be_visible()
    expect(page.get_by_text("Withdrawn", exact=True)).to_have_count(4)
    assert enabled() == [False, False, False, False, True]

    page.get_by_role("button", name="Select all shown").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("4 numbers restored. 1 number already was.")).to_be_visible()
    expect(page.get_by_text("Free", exact=True)).to_have_count(5)
    assert enabled() == [True] * 5


def test_a_number_is_found_as_people_write_it_with_its_history(console: Console, market: Market) -> None:
    pool, service = market.pool(1), market.service()
    hub = market.hub()
    [phone] = pool.phones
    bought = hub.buy(pool, service)
    hub.finish(bought["activationId"], 4)
    live = hub.buy(pool, service)
    page = console.enter("/numbers")
    find(page, f"+{phone[:2]} {phone[2:5]}-{phone[5:]} ")
    expect(page.get_by_role("heading", name=phone)).to_be_visible()
    expect(page.get_by_role("link", name=f"activation {live['activationId']}")).to_be_visible()
    history = page.get_by_role("table", name="Recent activations").get_by_role("row")
    expect(history).to_have_count(3)
    expect(history.nth(1)).to_contain_text("Live")
    expect(history.nth(2)).to_contain_text("Canceled")
    marks = page.get_by_role("table", name="Marks", exact=True).get_by_role("row")
    expect(marks.nth(1)).to_contain_text(re.compile(rf"{service}.*No.*1"))

    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Withdrawn", exact=True)).to_be_visible()
    # The live activation goes on.
    expect(page.get_by_text(re.compile("Held until"))).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Withdrawn", exact=True)).to_have_count(0)
    assert market.made("GET", f"/admin/numbers/{phone}")["enabled"] is True


def test_a_mark_is_shown_with_its_cause_and_lifted_with_a_reason(console: Console, market: Market) -> None:
    pool, service, used_up = market.pool(1), market.service(), market.service()
    hub = market.hub()
    [phone] = pool.phones
    prohibited = hub.buy(pool, service)["activationId"]
    hub.finish(prohibited, 1)
    hub.finish(hub.buy(pool, used_up)["activationId"], 3)
    page = console.enter(f"/numbers/{phone}")
    marks = page.get_by_role("table", name="Marks", exact=True).get_by_role("row")
    row = marks.filter(has_text="Prohibited")
    expect(row).to_contain_text(f"Prohibited by {hub.partner_id} with {prohibited}")
    expect(marks.filter(has_text="Success")).to_contain_text("Used up")
    row.get_by_role("button", name=f"Lift {service}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Lift", exact=True).click()
    expect(dialog.get_by_text("Enter a reason.")).to_be_visible()
    dialog.get_by_label("Reason").fill("By mistake")
    dialog.get_by_role("button", name="Lift", exact=True).click()
    expect(page.get_by_text(f"1 mark of {service} lifted.")).to_be_visible()
    expect(marks).to_have_count(2)
    assert hub.buy(pool, service)["number"] == phone


def test_an_unknown_number_and_no_number_are_told_apart_and_what_is_told_moves_nothing(console: Console) -> None:
    page = console.enter("/numbers")
    form = page.get_by_role("form", name="Find a number")
    parts = (form.get_by_label("Number"), form.get_by_role("button", name="Find"))
    before = [part.bounding_box() for part in parts]
    find(page, "no number")
    expect(form.get_by_text("Expected 5 to 15 digits, country code first")).to_be_visible()
    assert None not in before
    assert [part.bounding_box() for part in parts] == before
    find(page, "499999999999")
    expect(page.get_by_role("heading", name="Number not found")).to_be_visible()
    expect(page.get_by_text("499999999999 is not one of ours.")).to_be_visible()
    assert console.axe() == []

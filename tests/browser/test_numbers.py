"""Numbers: pools, search, withdrawing and restoring one or many, the history of one."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.driving import NARROW, WIDE, Console, confirm, fill, press, shows, shows_page
from tests.browser.modems import OFFLINE, ONLINE, Modems, taken_off_sale
from tests.contract.market import Market, Pool, until


def find(page: Page, phone: str) -> None:
    fill(page.get_by_role("form", name="Find a number"), {"Number": phone}, "Find")


def test_a_pool_is_listed_with_its_counts_and_leads_to_its_numbers(console: Console, market: Market) -> None:
    # The first country in the list, however many pools other tests have made.
    pool = Pool("aland", "Aland Mobile", ("48900000101", "48900000102", "48900000103"))
    rows = [{"phone": phone, "country": pool.country, "operator": pool.operator} for phone in pool.phones]
    market.made("POST", "/admin/numbers", rows)
    hub, service = market.hub(), market.service()
    hub.buy(pool, service)
    # Counts are late by as much as GET_SERVICES.
    until(lambda: hub.counts(pool), lambda counts: counts.get(service) == 2)
    page = console.enter("/numbers")
    link = page.get_by_role("link", name=pool.operator, exact=True)
    cells = page.get_by_role("row").filter(has=link).get_by_role("cell").all_inner_texts()
    assert [cell.strip() for cell in cells[2:5]] == ["3", "2", "1"]
    link.click()
    for phone in pool.phones:
        expect(page.get_by_role("link", name=phone)).to_be_visible()
    expect(page.get_by_text(re.compile("Held until"))).to_have_count(1)


def test_many_are_withdrawn_and_restored_after_a_question(console: Console, market: Market) -> None:
    pool = market.pool(5)
    market.made("PATCH", f"/admin/numbers/{pool.phones[0]}", {"enabled": False})
    page = console.enter(f"/numbers?{urlencode({'country': pool.country, 'operator': pool.operator})}")
    press(page, "Select all shown")
    page.get_by_label(f"Select {pool.phones[4]}").uncheck()
    expect(page.get_by_text("4 numbers selected")).to_be_visible()

    def enabled() -> list[bool]:
        return [market.made("GET", f"/admin/numbers/{phone}")["enabled"] for phone in pool.phones]

    press(page, "Withdraw")
    dialog = page.get_by_role("dialog", name="Withdraw 4 numbers?")
    press(dialog, "Cancel")
    assert enabled() == [False, True, True, True, True]
    confirm(page, "Withdraw", "Withdraw")
    expect(page.get_by_text("3 numbers withdrawn. 1 number already was.")).to_be_visible()
    expect(page.get_by_text("Withdrawn", exact=True)).to_have_count(4)
    assert enabled() == [False, False, False, False, True]

    press(page, "Select all shown")
    confirm(page, "Restore", "Restore")
    expect(page.get_by_text("4 numbers restored. 1 number already was.")).to_be_visible()
    expect(page.get_by_text("Free", exact=True)).to_have_count(5)
    assert enabled() == [True] * 5


def test_a_number_is_found_as_people_write_it_with_its_history(console: Console, market: Market) -> None:
    first = market.sell(market.hub())
    first.finish(4)
    live, phone = first.hub.buy(first.pool, first.service)["activationId"], first.phone
    page = console.enter("/numbers")
    find(page, f"+{phone[:2]} {phone[2:5]}-{phone[5:]} ")
    shows_page(page, phone)
    expect(page.get_by_role("link", name=f"activation {live}")).to_be_visible()
    history = page.get_by_role("table", name="Recent activations").get_by_role("row")
    expect(history).to_contain_text(["", "Live", "Canceled"])
    marks = page.get_by_role("table", name="Marks", exact=True).get_by_role("row")
    shows(marks.nth(1), re.compile(rf"{first.service}.*No.*1"))

    withdrawn = page.get_by_text("Withdrawn", exact=True)
    confirm(page, "Withdraw", "Withdraw")
    expect(withdrawn).to_be_visible()
    # The live activation goes on.
    expect(page.get_by_text(re.compile("Held until"))).to_be_visible()
    confirm(page, "Restore", "Restore")
    expect(withdrawn).to_have_count(0)
    assert market.made("GET", f"/admin/numbers/{phone}")["enabled"] is True


def test_a_mark_is_shown_with_its_cause_and_lifted_with_a_reason(console: Console, market: Market) -> None:
    sale, used_up = market.sell(market.hub()), market.service()
    sale.finish(1)
    sale.hub.finish(sale.hub.buy(sale.pool, used_up)["activationId"], 3)
    page = console.enter(f"/numbers/{sale.phone}")
    marks = page.get_by_role("table", name="Marks", exact=True).get_by_role("row")
    shows(marks.filter(has_text="Prohibited"), f"Prohibited by {sale.hub.partner_id} with {sale.activation_id}")
    shows(marks.filter(has_text="Success"), "Used up")
    confirm(page, f"Lift {sale.service}", "Lift")
    shows(page.get_by_role("dialog"), "Enter a reason.")
    fill(page.get_by_role("dialog"), {"Reason": "By mistake"}, "Lift")
    expect(page.get_by_text(f"1 mark of {sale.service} lifted.")).to_be_visible()
    expect(marks).to_have_count(2)
    assert sale.hub.buy(sale.pool, sale.service)["number"] == sale.phone


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
    shows_page(page, "Number not found")
    expect(page.get_by_text("499999999999 is not one of ours.")).to_be_visible()
    assert console.axe() == []


def test_a_number_that_is_offline_is_found_and_put_online(console: Console, market: Market) -> None:
    pool = market.pool(3)
    first, second, _ = pool.phones
    modems = Modems.added(market, {"1.01": first, "1.02": second}, name="Pool that has it")
    modems.report({"1.01": OFFLINE, "1.02": ONLINE})
    taken_off_sale(market, first)

    def counted() -> int:
        page = market.made("GET", "/admin/pools")
        return sum(one["offline"] for one in page["pools"] if one["operator"] == pool.operator)

    until(counted, lambda offline: offline == 1)
    page = console.enter("/numbers")
    cells = page.get_by_role("row").filter(has=page.get_by_role("link", name=pool.operator, exact=True))
    # On sale, free, held, offline.
    expect(cells.get_by_role("cell")).to_contain_text([pool.country, pool.operator, "2", "2", "0", "1"])
    cells.get_by_role("link", name="1", exact=True).click()
    only = page.get_by_label("Offline only")
    expect(only).to_be_checked()
    listed = page.get_by_role("table", name=f"Numbers of {pool.country}").locator("tbody tr")
    expect(listed).to_have_count(1)
    shows(listed, first, "Offline since", "its device says so")
    expect(listed).not_to_contain_text("Free")
    assert console.axe() == []
    assert console.fits(NARROW)
    assert console.fits(WIDE)
    only.uncheck()
    expect(listed).to_have_count(3)
    only.check()
    expect(listed).to_have_count(1)
    page.get_by_role("link", name="Offline numbers").click()
    everywhere = page.get_by_role("table", name="Offline numbers").get_by_role("row").filter(has_text=first)
    shows(everywhere, pool.country, pool.operator)

    everywhere.get_by_role("link", name=first).click()
    state = page.get_by_role("region", name="Current state")
    shows(state, "Offline since", "its device says so", "1.01")
    link = state.get_by_role("link", name="Pool that has it")
    expect(link).to_have_attribute("href", f"#/sources/{modems.source_id}")
    press(page, "It is online")
    dialog = page.get_by_role("dialog", name=f"Is {first} online?")
    shows(dialog, "goes back on sale")
    assert console.axe() == []
    press(dialog, "It is online")
    shows(state, "Free", "Unknown")
    expect(page.get_by_role("button", name="It is online")).to_have_count(0)
    assert market.made("GET", f"/admin/numbers/{first}")["offline"] is None

"""The catalogue of services."""

from playwright.sync_api import expect

from tests.browser.driving import Console, fill, press, shows
from tests.contract.market import Market


def test_a_service_is_entered_changed_and_switched_off(console: Console, market: Market) -> None:
    page = console.enter("/services")
    press(page, "New service")
    form = page.get_by_role("dialog", name="New service")
    fill(form, {"Code": "browser", "Name": "From the browser", "Cancel limit": "7"}, "Save")
    expect(form).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="From the browser")
    shows(row, "On sale")
    press(row, "Change From the browser")
    form = page.get_by_role("dialog", name="Change From the browser")
    expect(form.get_by_label("Code")).not_to_be_editable()
    form.get_by_label("On sale").uncheck()
    form.get_by_label("Sell a number again after a success").check()
    fill(form, {"Cancel limit": ""}, "Save")
    shows(row, "Off")
    changed = {"code": "browser", "name": "From the browser", "reusable": True, "enabled": False, "cancelLimit": None}
    assert changed in market.made("GET", "/admin/services")["services"]


def test_what_the_api_refuses_is_said_at_the_field_and_what_was_typed_stays(console: Console) -> None:
    page = console.enter("/services")
    opener, form = page.get_by_role("button", name="New service"), page.get_by_role("dialog", name="New service")
    opener.click()
    code, limit = form.get_by_label("Code"), form.get_by_label("Cancel limit")
    fill(form, {"Code": "two words", "Name": "A name"}, "Save")
    shows(form, "Expected 1 to 40 letters, digits and _ . -")
    expect(code).to_be_focused()
    expect(code).to_have_value("two words")
    fill(form, {"Code": "words", "Cancel limit": "1000"}, "Save")
    expect(limit).to_have_attribute("aria-invalid", "true")
    assert console.axe() == []
    # It is closed by Escape and gives the focus back.
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(opener).to_be_focused()

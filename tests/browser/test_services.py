"""The catalogue of services."""

from playwright.sync_api import expect

from tests.browser.driving import Console
from tests.contract.market import Market


def test_a_service_is_entered_changed_and_switched_off(console: Console, market: Market) -> None:
    page = console.enter("/services")
    page.get_by_role("button", name="New service").click()
    form = page.get_by_role("dialog", name="New service")
    form.get_by_label("Code").fill("browser")
    form.get_by_label("Name").fill("From the browser")
    form.get_by_label("Cancel limit").fill("7")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="From the browser")
    expect(row).to_contain_text("On sale")
    row.get_by_role("button", name="Change From the browser").click()
    form = page.get_by_role("dialog", name="Change From the browser")
    expect(form.get_by_label("Code")).not_to_be_editable()
    form.get_by_label("On sale").uncheck()
    form.get_by_label("Sell a number again after a success").check()
    form.get_by_label("Cancel limit").fill("")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Off")
    [stored] = [entry for entry in market.made("GET", "/admin/services")["services"] if entry["code"] == "browser"]
    assert stored == {
        "code": "browser",
        "name": "From the browser",
        "reusable": True,
        "enabled": False,
        "cancelLimit": None,
    }


def test_what_the_api_refuses_is_said_at_the_field_and_what_was_typed_stays(console: Console) -> None:
    page = console.enter("/services")
    page.get_by_role("button", name="New service").click()
    form = page.get_by_role("dialog", name="New service")
    form.get_by_label("Code").fill("two words")
    form.get_by_label("Name").fill("A name")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Expected 1 to 40 letters, digits and _ . -")).to_be_visible()
    expect(form.get_by_label("Code")).to_be_focused()
    expect(form.get_by_label("Code")).to_have_value("two words")
    form.get_by_label("Code").fill("words")
    form.get_by_label("Cancel limit").fill("1000")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Cancel limit")).to_have_attribute("aria-invalid", "true")
    assert console.axe() == []


def test_a_dialog_is_closed_by_escape_and_gives_the_focus_back(console: Console) -> None:
    page = console.enter("/services")
    opener = page.get_by_role("button", name="New service")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="New service")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()

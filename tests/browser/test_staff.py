"""The staff: owners invite people, change what they may do, and let them out."""

import re

from playwright.sync_api import expect

from tests.browser.driving import Console, confirm, copied, fill, press, shows
from tests.contract.market import Market


def test_a_person_is_invited_changed_let_out_and_removed(console: Console, market: Market) -> None:
    page = console.enter("/staff")
    press(page, "Invite")
    form = page.get_by_role("dialog", name="Invite")
    form.get_by_label("Role").select_option("support")
    form.get_by_label("Password for the first sign-in").select_option("screen")
    fill(form, {"Email": "lovelace"}, "Invite")
    shows(form, "Expected one e-mail address")
    fill(form, {"Email": "lovelace@example.com"}, "Invite")
    given = page.get_by_role("dialog", name="Password for lovelace@example.com")
    first = copied(given, "One-time password")
    press(given, "I have copied it")
    row = page.get_by_role("row").filter(has_text="lovelace@example.com")
    shows(row, "support", "Active", "Optional")

    press(row, "Change: lovelace@example.com")
    form = page.get_by_role("dialog", name="Change lovelace@example.com")
    form.get_by_label("Role").select_option("stock")
    form.get_by_label("Second factor required").check()
    form.get_by_label("Disabled").check()
    press(form, "Save")
    shows(row, "stock", "Disabled", "Required")

    press(row, "Reset password: lovelace@example.com")
    press(page.get_by_role("dialog"), "Reset password")
    again = copied(page.get_by_role("dialog", name="Password for lovelace@example.com"), "One-time password")
    assert again != first
    press(page.get_by_role("dialog"), "I have copied it")
    expect(row.get_by_text("Never")).to_have_count(0)
    for question, answer in (("End sessions", "End sessions"), ("Remove TOTP", "Remove second factor")):
        press(row, f"{question}: lovelace@example.com")
        press(page.get_by_role("dialog"), answer)
        expect(page.get_by_role("dialog")).to_have_count(0)

    confirm(page, "Remove: lovelace@example.com", "Remove")
    expect(row).to_have_count(0)
    assert "lovelace@example.com" not in str(market.made("GET", "/admin/staff"))


def test_the_last_owner_is_told_why_they_stay(console: Console) -> None:
    page = console.enter("/staff")
    row = page.get_by_role("row").filter(has_text="staff@localhost")
    press(row, "Change: staff@localhost")
    form = page.get_by_role("dialog", name="Change staff@localhost")
    form.get_by_label("Role").select_option("view")
    press(form, "Save")
    shows(form, re.compile("There must be an owner left"))

"""The staff: owners invite people, change what they may do, and let them out."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from globalconnect.domain.staff import Role
from tests.browser.driving import Console, confirm, copied, fill, press, shows
from tests.contract.market import Market

ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}


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


class Rank:
    """Has the API call who is signed in by another role, and refuse what that may not do."""

    def __init__(self, console: Console, role: Role) -> None:
        self.role = role
        self.changes: list[str] = []
        console.page.route(re.compile(r"/admin/"), self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        if request.url.endswith("/admin/me"):
            me = {"name": "staff@localhost", "role": self.role, "totpRequired": False}
            route.fulfill(json=me, headers=ANY_ORIGIN)
        elif request.method == "GET":
            route.continue_()
        else:
            self.changes.append(request.url)
            body = {"status": "ERROR", "message": "This needs the role owner"}
            route.fulfill(status=403, json=body, headers=ANY_ORIGIN)


def barred(page: Page) -> dict[str, str]:
    """Return the buttons that do nothing, by name, with the role that each says it needs."""
    buttons = page.locator("main button[aria-disabled=true]")
    return {
        one.inner_text(): (one.get_attribute("title") or "").removeprefix("This needs the role ")
        for one in buttons.all()
    }


SHOWN = [
    ("/partners", {"New partner": "owner"}),
    ("/services", {"New service": "stock"}),
    ("/sources", {"New source": "stock"}),
    ("/unclaimed", {"Show texts": "support"}),
    ("/unclaimed/waiting", {"Show texts": "support"}),
    ("/try", {"Continue": "owner"}),
]


@pytest.mark.parametrize("role", [Role.VIEW, Role.STOCK, Role.OWNER])
def test_a_button_that_needs_another_role_names_it_and_does_nothing(
    console: Console, market: Market, role: Role
) -> None:
    hub = market.hub(name="Hub that few may change")
    rank = Rank(console, role)
    page = console.enter("/services")
    settings = {
        "Save": "owner",
        "Pause": "support",
        "Rotate key": "owner",
        "New signing secret": "owner",
        "Revoke": "owner",
        "Lift marks since…": "support",
    }
    source = dict.fromkeys(("Change", "New secret", "New line", "Import CSV", "Watch"), "stock")
    pages = [(f"/partners/{hub.partner_id}", settings), (f"/sources/{market.gateway().source_id}", source)]
    for route, buttons in [*SHOWN, *pages]:
        console.go(route)
        kept = {name: least for name, least in buttons.items() if not role.may_do_as(Role(least))}
        for name, least in kept.items():
            expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute(
                "title", f"This needs the role {least}"
            )
        assert {name: least for name, least in barred(page).items() if name in buttons} == kept
        for name in kept:
            page.get_by_role("button", name=name, exact=True).click(force=True)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert console.axe() == []
    assert rank.changes == []


def test_who_was_demoted_meanwhile_learns_it_by_what_is_refused(console: Console) -> None:
    rank = Rank(console, Role.OWNER)
    page = console.enter("/services")
    rank.role = Role.VIEW
    press(page, "New service")
    form = page.get_by_role("dialog", name="New service")
    fill(form, {"Code": "x", "Name": "X"}, "Save")
    shows(form.get_by_role("alert"), "This needs the role owner")
    press(form, "Cancel")
    expect(page.get_by_role("button", name="New service")).to_have_attribute("aria-disabled", "true")

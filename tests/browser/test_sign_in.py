"""Signing in, staying signed in, and going on when the session or the stack went away meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local import stack as stacks
from local.aws import CONFIG, session
from local.stack import Stack
from tests.browser.driving import Console, fill, press, shows, shows_page

NEWCOMER = "newcomer@example.com"
TEMPORARY = "Temporary-password-1"
OWN = "A-password-of-my-own-2"
# The emulator ends and starts in this time on a slow machine (ms).
BACK = 120_000


@pytest.fixture
def console(signed_out: Console) -> Console:
    return signed_out


@pytest.fixture
def cognito(deployed: Stack) -> Any:
    return session().client("cognito-idp", endpoint_url=deployed.endpoint_url, config=CONFIG)


@pytest.fixture
def pool_id(cognito: Any) -> Iterator[str]:
    """Return the user pool, in which a newcomer has been invited and never signed in."""
    pool_id: str = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    invited = {"TemporaryPassword": TEMPORARY, "MessageAction": "SUPPRESS"}
    cognito.admin_create_user(UserPoolId=pool_id, Username=NEWCOMER, **invited)
    yield pool_id
    cognito.admin_delete_user(UserPoolId=pool_id, Username=NEWCOMER)


def signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def asks_to_sign_in(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()


def test_an_unknown_name_reads_the_same_as_a_wrong_password_and_the_right_ones_then_work_in_any_case(
    console: Console,
) -> None:
    page = console.page
    console.open("/services")
    # Fields that are empty are named, and nothing is sent.
    press(page, "Sign in")
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_accessible_description("Enter your email.")
    for name, password in (("nobody@example.com", None), (None, "Not-the-password-1")):
        console.sign_in(name, password)
        expect(page.get_by_role("alert")).to_have_text("Wrong email or password.")
        page.reload()
    console.sign_in(console.stack.admin_user.title())
    shows_page(page, "Services")
    # Loading the page again keeps one signed in.
    page.reload()
    shows_page(page, "Services")


@pytest.mark.usefixtures("pool_id")
def test_the_first_sign_in_sets_a_password_of_ones_own(console: Console) -> None:
    page = console.page
    console.open("/services")
    console.sign_in(NEWCOMER, TEMPORARY)
    expect(page.get_by_label("New password")).to_have_accessible_description(
        "At least 12 characters, with a lower-case letter, an upper-case letter and a digit."
    )
    for new, repeated, wrong in (
        ("tooshort", "", "Missing: at least 12 characters, an upper-case letter, a digit."),
        (OWN, "Another-password-3", "The passwords don't match."),
    ):
        fill(page, {"New password": new, "Repeat password": repeated}, "Set password and sign in")
        expect(page.get_by_text(wrong)).to_be_visible()
    fill(page, {"Repeat password": OWN}, "Set password and sign in")
    signed_in(page)
    press(page, "Sign out")
    console.sign_in(NEWCOMER, OWN)
    signed_in(page)


def test_who_was_disabled_is_told_so(console: Console, cognito: Any, pool_id: str) -> None:
    cognito.admin_disable_user(UserPoolId=pool_id, Username=NEWCOMER)
    console.open()
    console.sign_in(NEWCOMER, TEMPORARY)
    shows(console.page.get_by_role("alert"), "This account is disabled.")


def test_signing_out_ends_the_session_here_and_at_cognito(console: Console, cognito: Any) -> None:
    page = console.enter("/services")
    kept = console.kept()
    assert kept
    with page.expect_request_finished(lambda request: "RevokeToken" in (request.headers.get("x-amz-target") or "")):
        press(page, "Sign out")
    asks_to_sign_in(page)
    assert page.evaluate("sessionStorage.length") == 0
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.initiate_auth(
            ClientId=console.stack.user_pool_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": kept["refresh"]},
        )
    page.reload()
    asks_to_sign_in(page)


def test_a_token_that_is_over_is_renewed_without_a_word(console: Console) -> None:
    page = console.enter("/services")
    console.end_session(refreshable=True)
    console.go("/sources")
    shows_page(page, "Sources")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_session_that_ends_in_the_middle_of_a_form_asks_for_the_password_and_the_form_goes_on(
    console: Console,
) -> None:
    page = console.enter("/services")
    press(page, "New service")
    form = page.get_by_role("dialog", name="New service")
    fill(form, {"Code": "middle", "Name": "In the middle of a form"})
    console.end_session()
    press(form, "Save")
    again = page.get_by_role("dialog", name="Your session has ended")
    expect(again.get_by_label("Password")).to_be_focused()
    fill(again, {"Password": "Not-the-password-1"}, "Sign in")
    expect(again.get_by_role("alert")).to_have_text("Wrong email or password.")
    assert console.axe() == []
    fill(again, {"Password": console.stack.admin_password}, "Sign in")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="In the middle of a form")).to_be_visible()
    # Who does not sign in again can sign out.
    console.end_session()
    page.evaluate("location.hash = '/sources'")
    press(again, "Sign out instead")
    asks_to_sign_in(page)


def test_a_stack_that_goes_away_is_said_and_found_again_by_itself(console: Console, stack_root: Path) -> None:
    page = console.enter("/services")
    press(page, "New service")
    form, alert = page.get_by_role("dialog", name="New service"), page.locator("main").get_by_role("alert")
    out_of_date = page.get_by_text("What you see may be out of date")
    fill(form, {"Code": "away", "Name": "While it was away"})
    stacks.down(stack_root)
    try:
        press(form, "Save")
        expect(form.get_by_role("alert")).to_have_text("The stack is not responding.")
        expect(out_of_date).to_be_visible()
        press(form, "Cancel")
        page.get_by_role("link", name="Sources").click()
        shows(alert, "The stack is not responding.")
    finally:
        stacks.up(stack_root)
    expect(out_of_date).to_have_count(0, timeout=BACK)
    expect(alert).to_have_count(0)
    shows_page(page, "Sources")
    console.settle()

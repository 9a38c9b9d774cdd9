"""Signing in, staying signed in, and going on when the session or the stack went away meanwhile."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local import stack as stacks
from local.aws import CONFIG, session
from local.stack import Stack
from tests.browser.driving import Console

TEMPORARY = "Temporary-password-1"
OWN = "A-password-of-my-own-2"
# The emulator ends and starts in this time on a slow machine (ms).
BACK = 120_000

_serial = itertools.count(1)


@pytest.fixture
def console(signed_out: Console) -> Console:
    return signed_out


@pytest.fixture
def newcomer(deployed: Stack) -> Iterator[str]:
    """Return the name of an operator who was invited and never signed in."""
    users = session().client("cognito-idp", endpoint_url=deployed.endpoint_url, config=CONFIG)
    pool = users.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    name = f"newcomer{next(_serial)}@example.com"
    users.admin_create_user(UserPoolId=pool, Username=name, TemporaryPassword=TEMPORARY, MessageAction="SUPPRESS")
    yield name
    users.admin_delete_user(UserPoolId=pool, Username=name)


def signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def test_an_unknown_name_reads_the_same_as_a_wrong_password_and_the_right_ones_then_work(console: Console) -> None:
    console.open("/services")
    for name, password in (("nobody@example.com", None), (None, "Not-the-password-1")):
        console.sign_in(name, password)
        expect(console.page.get_by_role("alert")).to_have_text("Wrong email or password.")
        console.page.reload()
    console.sign_in()
    signed_in(console.page)
    expect(console.page.get_by_role("heading", name="Services", level=1)).to_be_visible()


def test_fields_that_are_empty_are_named_and_nothing_is_sent(console: Console) -> None:
    console.open()
    console.page.get_by_role("button", name="Sign in").click()
    expect(console.page.get_by_label("Email")).to_be_focused()
    expect(console.page.get_by_label("Email")).to_have_accessible_description("Enter your email.")


def test_the_first_sign_in_sets_a_password_of_ones_own(console: Console, newcomer: str) -> None:
    page = console.page
    console.open("/services")
    console.sign_in(newcomer, TEMPORARY)
    new = page.get_by_label("New password")
    expect(new).to_have_accessible_description(
        "At least 12 characters, with a lower-case letter, an upper-case letter and a digit."
    )
    new.fill("tooshort")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_text("Missing: at least 12 characters, an upper-case letter, a digit.")).to_be_visible()
    new.fill(OWN)
    page.get_by_label("Repeat password").fill("Another-password-3")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_text("The passwords don't match.")).to_be_visible()
    page.get_by_label("Repeat password").fill(OWN)
    page.get_by_role("button", name="Set password and sign in").click()
    signed_in(page)
    page.get_by_role("button", name="Sign out", exact=True).click()
    console.sign_in(newcomer, OWN)
    signed_in(page)


def test_who_was_disabled_is_told_so(console: Console, deployed: Stack, newcomer: str) -> None:
    users = session().client("cognito-idp", endpoint_url=deployed.endpoint_url, config=CONFIG)
    pool = users.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    users.admin_disable_user(UserPoolId=pool, Username=newcomer)
    console.open()
    console.sign_in(newcomer, TEMPORARY)
    expect(console.page.get_by_role("alert")).to_contain_text("This account is disabled.")


def test_loading_the_page_again_keeps_one_signed_in_and_another_tab_signs_in_by_itself(console: Console) -> None:
    page = console.enter("/services")
    page.reload()
    signed_in(page)
    expect(page.get_by_role("heading", name="Services", level=1)).to_be_visible()
    other = console.another_tab()
    console.open("/services", other)
    expect(other.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()


def test_signing_out_ends_the_session_here_and_at_cognito(console: Console) -> None:
    page = console.enter("/services")
    kept = page.evaluate("JSON.parse(sessionStorage.getItem('globalconnect.session'))")
    with page.expect_request_finished(lambda request: "RevokeToken" in (request.headers.get("x-amz-target") or "")):
        page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    users = session().client("cognito-idp", endpoint_url=console.stack.endpoint_url, config=CONFIG)
    with pytest.raises(users.exceptions.NotAuthorizedException):
        users.initiate_auth(
            ClientId=console.stack.user_pool_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": kept["refresh"]},
        )
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()


def test_a_token_that_is_over_is_renewed_without_a_word(console: Console) -> None:
    page = console.enter("/services")
    console.end_session(refreshable=True)
    console.go("/sources")
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_session_that_ends_in_the_middle_of_a_form_asks_for_the_password_and_the_form_goes_on(
    console: Console,
) -> None:
    page = console.enter("/services")
    page.get_by_role("button", name="New service").click()
    form = page.get_by_role("dialog", name="New service")
    form.get_by_label("Code").fill("middle")
    form.get_by_label("Name").fill("In the middle of a form")
    console.end_session()
    form.get_by_role("button", name="Save").click()
    again = page.get_by_role("dialog", name="Your session has ended")
    expect(again.get_by_label("Password")).to_be_focused()
    again.get_by_label("Password").fill("Not-the-password-1")
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_have_text("Wrong email or password.")
    assert console.axe() == []
    again.get_by_label("Password").fill(console.stack.admin_password)
    again.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="In the middle of a form")).to_be_visible()


def test_who_does_not_sign_in_again_can_sign_out(console: Console) -> None:
    page = console.enter("/services")
    console.end_session()
    console.page.evaluate("location.hash = '/sources'")
    page.get_by_role("dialog", name="Your session has ended").get_by_role("button", name="Sign out instead").click()
    expect(page.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()


def test_a_stack_that_goes_away_is_said_and_found_again_by_itself(console: Console, stack_root: Path) -> None:
    page = console.enter("/services")
    page.get_by_role("button", name="New service").click()
    form = page.get_by_role("dialog", name="New service")
    form.get_by_label("Code").fill("away")
    form.get_by_label("Name").fill("While it was away")
    stacks.down(stack_root)
    try:
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_have_text("The stack is not responding.")
        expect(page.get_by_text("What you see may be out of date")).to_be_visible()
        form.get_by_role("button", name="Cancel").click()
        page.get_by_role("link", name="Sources").click()
        expect(page.locator("main").get_by_role("alert")).to_contain_text("The stack is not responding.")
    finally:
        stacks.up(stack_root)
    expect(page.get_by_text("What you see may be out of date")).to_have_count(0, timeout=BACK)
    expect(page.locator("main").get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    console.settle()

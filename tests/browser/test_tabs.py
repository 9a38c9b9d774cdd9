"""One sign-in for all tabs of a console, and for no other console."""

import html
import json

import pytest
from playwright.sync_api import Page, Route, expect

from local.aws import CONFIG, session
from tests.browser.driving import Console, fill, press, shows_page
from tests.contract.market import until

# Whatever else a browser would keep of somebody who has signed in.
_KEPT_ELSEWHERE = "[localStorage.length, document.cookie]"

# Whether the form was shown, be it for a moment.
_NOTE_THE_FORM = """
window.wasAsked = false;
new MutationObserver(() => { window.wasAsked ||= document.querySelector(".sign-in") !== null; })
  .observe(document, { childList: true, subtree: true });
"""
_NOTE_THE_MENU = _NOTE_THE_FORM.replace("wasAsked", "wasIn").replace(".sign-in", "#menu")


@pytest.fixture
def console(signed_out: Console) -> Console:
    return signed_out


def asks_to_sign_in(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in to GlobalConnect")).to_be_visible()


def opened(console: Console, route: str) -> Page:
    """Return another tab, on a page of the console."""
    page = console.another_tab()
    console.open(route, page)
    return page


def test_who_signs_in_in_one_tab_is_signed_in_in_all_and_so_with_signing_out(console: Console) -> None:
    waits = opened(console, "/services")
    asks_to_sign_in(waits)
    first = console.enter("/services")
    shows_page(waits, "Services")
    late = console.another_tab()
    late.add_init_script(_NOTE_THE_FORM)
    console.open("/sources", late)
    shows_page(late, "Sources")
    assert late.evaluate("window.wasAsked") is False
    assert first.evaluate(_KEPT_ELSEWHERE) == late.evaluate(_KEPT_ELSEWHERE) == [0, ""]
    press(late, "Sign out")
    for page in (first, waits, late):
        asks_to_sign_in(page)
        assert page.evaluate("sessionStorage.length") == 0
    first.reload()
    asks_to_sign_in(first)


def test_a_token_that_one_tab_renews_is_that_of_all(console: Console) -> None:
    console.enter("/services")
    other = opened(console, "/services")
    shows_page(other, "Services")
    before = console.kept()
    console.end_session(refreshable=True)
    console.go("/sources")
    shows_page(console.page, "Sources")
    after = console.kept()
    assert after
    assert after != before
    other.wait_for_function(
        "([place, id]) => JSON.parse(sessionStorage.getItem(place)).id === id", arg=[console.kept_in, after["id"]]
    )


def test_a_session_that_is_over_in_all_tabs_goes_on_in_all_when_one_signs_in_again(console: Console) -> None:
    tabs = [console.enter("/services"), opened(console, "/services")]
    shows_page(tabs[1], "Services")
    for page in tabs:
        console.end_session(page)
        page.evaluate("location.hash = '/sources'")
        expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    # Whose session is over has none to give.
    late = opened(console, "/services")
    asks_to_sign_in(late)
    fill(tabs[0].get_by_role("dialog"), {"Password": console.stack.admin_password}, "Sign in")
    for page in tabs:
        shows_page(page, "Sources")
        expect(page.get_by_role("dialog")).to_have_count(0)
    shows_page(late, "Services")


def test_who_signs_out_while_another_tab_renews_stays_signed_out_there(console: Console) -> None:
    page = console.enter("/services")
    other = opened(console, "/services")
    shows_page(other, "Services")
    console.end_session(refreshable=True)
    renewals = f"{console.stack.endpoint_url}/"
    held: list[Route] = []
    page.route(renewals, lambda route: held.append(route))  # noqa: PLW0108
    page.evaluate("location.hash = '/sources'")
    # Playwright looks up from nothing but its own calls.
    until(lambda: page.evaluate("true") and held, bool, 10)
    renewed = held[0].fetch()
    assert renewed.ok
    press(other, "Sign out")
    asks_to_sign_in(page)
    held[0].fulfill(response=renewed)
    page.wait_for_load_state("networkidle")
    assert console.kept() is None
    asks_to_sign_in(page)
    asks_to_sign_in(other)


def revoked(console: Console, refresh: str) -> bool:
    """Return whether Cognito has ended the session of a refresh token."""
    cognito = session().client("cognito-idp", endpoint_url=console.stack.endpoint_url, config=CONFIG)
    try:
        cognito.initiate_auth(
            ClientId=console.stack.user_pool_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh},
        )
    except cognito.exceptions.NotAuthorizedException:
        return True
    return False


def test_a_tab_that_showed_another_page_while_somebody_signed_out_is_signed_out_too(console: Console) -> None:
    elsewhere = console.enter("/services")
    other = opened(console, "/services")
    shows_page(other, "Services")
    elsewhere.goto(f"{console.stack.api}/partner/")
    with other.expect_request_finished(lambda request: "RevokeToken" in (request.headers.get("x-amz-target") or "")):
        press(other, "Sign out")
    elsewhere.add_init_script(_NOTE_THE_MENU)
    elsewhere.go_back()
    asks_to_sign_in(elsewhere)
    assert console.kept() is None
    # It was never shown what it kept, and hands it to nobody.
    assert elsewhere.evaluate("window.wasIn") is False
    asks_to_sign_in(opened(console, "/services"))
    asks_to_sign_in(other)


def test_a_tab_that_is_loaded_when_its_session_is_over_asks_to_sign_in(console: Console) -> None:
    page = console.enter("/services")
    console.end_session(refreshable=True)
    page.add_init_script(_NOTE_THE_FORM)
    page.reload()
    shows_page(page, "Services")
    assert page.evaluate("window.wasAsked") is False
    console.end_session()
    page.reload()
    asks_to_sign_in(page)


def test_while_cognito_does_not_answer_a_tab_goes_on_and_hands_nothing_on(console: Console) -> None:
    page = console.enter("/services")
    page.route(f"{console.stack.endpoint_url}/", lambda route: route.abort())
    page.reload()
    shows_page(page, "Services")
    asks_to_sign_in(opened(console, "/services"))


@pytest.mark.parametrize("told", [None, {"kind": "x"}, {"kind": "signed-in"}, {"kind": "signed-in", "tokens": {}}])
def test_what_is_no_message_of_a_tab_is_not_heard(console: Console, told: object) -> None:
    page = console.page
    console.open("/services")
    asks_to_sign_in(page)
    other = console.another_tab()
    other.goto(f"{console.stack.api}/partner/")
    other.evaluate("([channel, told]) => new BroadcastChannel(channel).postMessage(told)", [console.kept_in, told])
    page.evaluate("() => new Promise((heard) => setTimeout(heard, 100))")
    assert page.evaluate("sessionStorage.length") == 0
    page.evaluate("([place, kept]) => sessionStorage.setItem(place, kept)", [console.kept_in, json.dumps(told)[:-1]])
    page.reload()
    asks_to_sign_in(page)


def test_signing_out_ends_at_cognito_the_session_of_each_tab(console: Console) -> None:
    first = console.enter("/services")
    first.goto(f"{console.stack.api}/partner/")
    other = opened(console, "/services")
    console.sign_in(page=other)
    shows_page(other, "Services")
    first.go_back()
    shows_page(first, "Services")
    kept = [(console.kept(page) or {})["refresh"] for page in (first, other)]
    assert [kept[0] == kept[1], *(revoked(console, token) for token in kept)] == [False] * 3
    press(other, "Sign out")
    asks_to_sign_in(first)
    until(lambda: [revoked(console, token) for token in kept], all, 10)


def test_another_stack_of_the_same_origin_has_a_sign_in_of_its_own(console: Console) -> None:
    first = console.enter("/services")
    api = console.stack.api.replace("/_aws/execute-api/", "/_aws/execute-api/another")

    def serve(route: Route) -> None:
        page = route.fetch(url=console.url)
        before, after = (html.escape(json.dumps({"api": at})[1:-1]) for at in (console.stack.api, api))
        assert before in page.text()
        route.fulfill(response=page, body=page.text().replace(before, after))

    # As another stack's console would be served; its files and Cognito are this one's.
    console.context.route(f"{api}/console/*", serve)
    other = console.another_tab()
    other.goto(f"{api}/console/#/services")
    asks_to_sign_in(other)
    # It asked the tabs of its own stack, and none answered; nor does it end the session of this one.
    console.sign_in(page=other)
    expect(other.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    press(other, "Sign out")
    asks_to_sign_in(other)
    console.reload()
    shows_page(first, "Services")
    # The same tab that goes from one to the other takes nothing along.
    first.goto(f"{api}/console/#/services")
    asks_to_sign_in(first)

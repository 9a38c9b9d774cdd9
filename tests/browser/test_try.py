"""The page that plays partner and phone: the whole of a sale, what it leaves behind, and that it can be off."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.browser.driving import PATIENCE, Console, confirm, fill, press, shows
from tests.contract.market import Market, Pool


@pytest.fixture
def pool(market: Market) -> Pool:
    market.service()
    return market.pool(3)


@pytest.fixture
def secrets(console: Console) -> Iterator[None]:
    """Note the key and the secret that the API shows the page; neither is ever to be seen on it."""
    shown: list[str] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST" and re.search(r"/admin/(partners|sources)$", answer.url):
            made = answer.json()
            shown.append(made.get("key") or made["secret"])

    console.page.on("response", note)
    yield
    content = console.page.content()
    assert len(shown) == 2
    assert not [secret for secret in shown if secret in content]


def step(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def made_here(market: Market) -> dict[str, list[dict[str, Any]]]:
    """Return the partners and sources that the page has made and that are still of use."""
    listed = {things: market.made("GET", f"/admin/{things}")[things] for things in ("partners", "sources")}
    return {
        things: [one for one in found if one["name"] == "Try it" and not one.get("revoked")]
        for things, found in listed.items()
    }


def sold_to(market: Market, partner_id: str) -> dict[str, Any]:
    """Return the one activation of a partner."""
    (sold,) = market.made("GET", f"/admin/activations?partnerId={partner_id}")["activations"]
    activation: dict[str, Any] = sold
    return activation


def take(page: Page, pool: Pool) -> None:
    page.get_by_label("Country").select_option(pool.country)
    press(page, "Take a number")
    shows(step(page, "2. Take a number"), re.compile("|".join(pool.phones)))


def with_a_key(page: Page, key: str) -> None:
    page.get_by_label("With").select_option("a key that I have")
    page.get_by_label("Key", exact=True).fill(key)
    press(page, "Continue")


def remove(page: Page) -> None:
    confirm(page, "Remove test data", "Remove")
    expect(page.get_by_text("The test data is removed.")).to_be_visible()


def reach(page: Page, wanted: Locator, then: str = "Enter", key: str = "Tab") -> None:
    """Come to something by the keyboard, and press a key there."""
    for _ in range(80):
        if wanted.evaluate("node => node === document.activeElement"):
            page.keyboard.press(then)
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not come to {wanted}")


@pytest.mark.usefixtures("secrets")
def test_a_whole_sale_is_played_with_the_mouse_and_removed(console: Console, market: Market, pool: Pool) -> None:
    page = console.enter("/try")
    press(page, "Continue")
    take(page, pool)
    expect(page.get_by_text("None yet.")).to_be_visible()
    fill(page, {"Text": "Your code: 90210"}, "Send SMS")
    arrived = page.get_by_role("log", name="SMS that arrived")
    shows(arrived, "Your code: 90210", "From Telegram", timeout=PATIENCE)
    # Each step shows what went over the wire, keys masked.
    wires: dict[str, str | re.Pattern[str]] = {
        "Issuing the key": "",
        "GET_SERVICES": "",
        "GET_NUMBER": '"key": "•••"',
        "Creating the source": "",
        "Delivering the SMS": re.compile(r"X-Signature: [0-9a-f]{64}"),
        "Last getsms": "apiKey=•••",
    }
    for wire, said in wires.items():
        page.locator("summary").filter(has_text=wire.removeprefix("Last ")).click()
        shows(page.get_by_role("region", name=f"{wire}: request"), said)
    assert console.axe() == []

    # Looking elsewhere meanwhile loses nothing.
    page.get_by_role("link", name=re.compile("^activation ")).click()
    shows(page.get_by_role("list", name="Timeline"), "from Telegram")
    page.go_back()
    shows(arrived, "90210", timeout=PATIENCE)

    page.get_by_label("Outcome").select_option("Success")
    expect(page.get_by_text("The number is used up for this service.")).to_be_visible()
    press(page, "Finish")
    shows(step(page, "5. Finish the activation"), "Finished: Success")
    made = made_here(market)
    assert (len(made["partners"]), len(made["sources"])) == (1, 1)
    assert sold_to(market, made["partners"][0]["partnerId"])["outcome"] == 3

    remove(page)
    assert made_here(market) == {"partners": [], "sources": []}
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


@pytest.mark.usefixtures("secrets")
def test_a_whole_sale_is_played_with_the_keyboard_alone(console: Console, market: Market, pool: Pool) -> None:
    page = console.enter("/try")
    reach(page, page.get_by_role("button", name="Continue"))
    # The form is gone: the focus is at the next step, not lost.
    expect(page.get_by_role("heading", name="2. Take a number")).to_be_focused(timeout=PATIENCE)
    country = page.get_by_label("Country")
    reach(page, country, pool.country[0])
    page.keyboard.type(pool.country[1:])
    expect(country).to_have_value(pool.country)
    reach(page, page.get_by_role("button", name="Take a number"))
    expect(page.get_by_role("heading", name="3. Send an SMS to it")).to_be_focused(timeout=PATIENCE)
    reach(page, page.get_by_label("Text"), "ControlOrMeta+A")
    page.keyboard.type("By keyboard 31337")
    page.keyboard.press("Enter")
    shows(page.get_by_role("log", name="SMS that arrived"), "31337", timeout=PATIENCE)
    reach(page, page.get_by_role("button", name="Finish"))
    shows(step(page, "5. Finish the activation"), "Finished: Returned", timeout=PATIENCE)
    reach(page, page.get_by_role("button", name="Take another number"))
    expect(page.get_by_role("heading", name="2. Take a number")).to_be_focused()
    reach(page, page.get_by_role("button", name="Remove test data"), key="Shift+Tab")
    reach(page, page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True))
    expect(page.get_by_text("The test data is removed.")).to_be_visible()
    assert made_here(market) == {"partners": [], "sources": []}


def test_removing_in_the_middle_returns_the_number(console: Console, market: Market, pool: Pool) -> None:
    page = console.enter("/try")
    press(page, "Continue")
    take(page, pool)
    (partner,) = made_here(market)["partners"]
    remove(page)
    assert sold_to(market, partner["partnerId"])["outcome"] == 5


def test_a_key_of_ones_own_is_taken_and_a_wrong_one_is_told(console: Console, market: Market, pool: Pool) -> None:
    hub = market.hub(name="Hub with a test key")
    page = console.enter("/try")
    with_a_key(page, "not-a-key")
    expect(page.get_by_text("This key is not valid.")).to_be_visible()
    with_a_key(page, hub.key)
    take(page, pool)
    assert hub.key not in page.content()
    assert sold_to(market, hub.partner_id)["state"] == "live"
    # Nothing was made, so there is nothing to remove.
    expect(page.get_by_role("button", name="Remove test data")).to_have_count(0)
    console.reload()
    expect(page.get_by_label("With")).to_be_visible()
    assert page.evaluate("key => JSON.stringify([localStorage, sessionStorage]).includes(key)", hub.key) is False


def test_signing_out_forgets_the_key(signed_out: Console, market: Market, pool: Pool) -> None:
    page = signed_out.enter("/try")
    with_a_key(page, market.hub(name="Hub before signing out").key)
    expect(page.get_by_role("button", name="Take a number")).to_be_visible()
    press(page, "Sign out")
    signed_out.sign_in()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_it_is_off_where_the_deployment_says_so(console: Console) -> None:
    def switched_off(route: Route) -> None:
        answer = route.fetch()
        text = answer.text().replace("&quot;tryIt&quot;: true", "&quot;tryIt&quot;: false")
        assert "&quot;tryIt&quot;: false" in text
        route.fulfill(response=answer, body=text)

    console.page.route(re.compile(r"/console/$"), switched_off)
    page = console.enter("/try")
    expect(page.get_by_text("This page is off on this stack.")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    expect(page.get_by_role("link", name="Try it")).to_have_count(0)
    assert console.axe() == []

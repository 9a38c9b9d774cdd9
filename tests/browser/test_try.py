"""The page that plays partner and phone: the whole of a sale, what it leaves behind, and that it can be off."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.browser.driving import PATIENCE, Console
from tests.contract.market import Market, Pool


@pytest.fixture
def pool(market: Market) -> Pool:
    market.service()
    return market.pool(3)


@pytest.fixture
def secrets(console: Console) -> Iterator[list[str]]:
    """Return the keys and secrets that the API has shown the page so far; none is ever to be seen on it."""
    shown: list[str] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST" and re.search(r"/admin/(partners|sources)$", answer.url):
            made = answer.json()
            shown.append(made.get("key") or made["secret"])

    console.page.on("response", note)
    yield shown
    content = console.page.content()
    assert not [secret for secret in shown if secret in content]


def step(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def made_here(market: Market) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the partners and sources that the page has made and that are still of use."""
    partners = market.made("GET", "/admin/partners")["partners"]
    sources = market.made("GET", "/admin/sources")["sources"]
    return (
        [one for one in partners if one["name"] == "Try it" and not one["revoked"]],
        [one for one in sources if one["name"] == "Try it"],
    )


def take(page: Page, pool: Pool) -> None:
    page.get_by_label("Country").select_option(pool.country)
    page.get_by_role("button", name="Take a number").click()
    expect(step(page, "2. Take a number")).to_contain_text(re.compile("|".join(pool.phones)))


def press_until(page: Page, wanted: Locator, key: str = "Tab") -> None:
    for _ in range(80):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not come to {wanted}")


def test_a_whole_sale_is_played_with_the_mouse_and_removed(
    console: Console, market: Market, pool: Pool, secrets: list[str]
) -> None:
    page = console.enter("/try")
    page.get_by_role("button", name="Continue").click()
    take(page, pool)
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_label("Text").fill("Your code: 90210")
    page.get_by_role("button", name="Send SMS").click()
    arrived = page.get_by_role("log", name="SMS that arrived")
    expect(arrived).to_contain_text("Your code: 90210", timeout=PATIENCE)
    expect(arrived).to_contain_text("From Telegram")
    # Each step shows what went over the wire, keys masked.
    for wire in (
        "Issuing the key",
        "GET_SERVICES",
        "GET_NUMBER",
        "Creating the source",
        "Delivering the SMS",
        "getsms",
    ):
        page.locator("summary").filter(has_text=wire).click()
    expect(page.get_by_role("region", name="GET_NUMBER: request")).to_contain_text('"key": "•••"')
    expect(page.get_by_role("region", name="Last getsms: request")).to_contain_text("apiKey=•••")
    expect(page.get_by_role("region", name="Delivering the SMS: request")).to_contain_text(
        re.compile(r"X-Signature: [0-9a-f]{64}")
    )
    assert len(secrets) == 2
    assert console.axe() == []

    # Looking elsewhere meanwhile loses nothing.
    page.get_by_role("link", name=re.compile("^activation ")).click()
    expect(page.get_by_role("list", name="Timeline")).to_contain_text("from Telegram")
    page.go_back()
    expect(page.get_by_role("log", name="SMS that arrived")).to_contain_text("90210", timeout=PATIENCE)

    page.get_by_label("Outcome").select_option("Success")
    expect(page.get_by_text("The number is used up for this service.")).to_be_visible()
    page.get_by_role("button", name="Finish").click()
    expect(step(page, "5. Finish the activation")).to_contain_text("Finished: Success")
    partners, sources = made_here(market)
    assert (len(partners), len(sources)) == (1, 1)
    activation = market.made("GET", f"/admin/activations?partnerId={partners[0]['partnerId']}")["activations"]
    assert [one["outcome"] for one in activation] == [3]

    page.get_by_role("button", name="Remove test data").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The test data is removed.")).to_be_visible()
    assert made_here(market) == ([], [])
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_whole_sale_is_played_with_the_keyboard_alone(
    console: Console, market: Market, pool: Pool, secrets: list[str]
) -> None:
    page = console.enter("/try")
    press_until(page, page.get_by_role("button", name="Continue"))
    page.keyboard.press("Enter")
    # The form is gone: the focus is at the next step, not lost.
    expect(page.get_by_role("heading", name="2. Take a number")).to_be_focused(timeout=PATIENCE)
    press_until(page, page.get_by_label("Country"))
    page.keyboard.type(pool.country)
    expect(page.get_by_label("Country")).to_have_value(pool.country)
    press_until(page, page.get_by_role("button", name="Take a number"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3. Send an SMS to it")).to_be_focused(timeout=PATIENCE)
    press_until(page, page.get_by_label("Text"))
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("By keyboard 31337")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="SMS that arrived")).to_contain_text("31337", timeout=PATIENCE)
    press_until(page, page.get_by_label("Outcome"))
    press_until(page, page.get_by_role("button", name="Finish"))
    page.keyboard.press("Enter")
    expect(step(page, "5. Finish the activation")).to_contain_text("Finished: Returned", timeout=PATIENCE)
    press_until(page, page.get_by_role("button", name="Take another number"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2. Take a number")).to_be_focused()
    press_until(page, page.get_by_role("button", name="Remove test data"), "Shift+Tab")
    page.keyboard.press("Enter")
    press_until(page, page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The test data is removed.")).to_be_visible()
    assert made_here(market) == ([], [])
    assert len(secrets) == 2


def test_removing_in_the_middle_returns_the_number(console: Console, market: Market, pool: Pool) -> None:
    page = console.enter("/try")
    page.get_by_role("button", name="Continue").click()
    take(page, pool)
    (partner,), _ = made_here(market)
    page.get_by_role("button", name="Remove test data").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The test data is removed.")).to_be_visible()
    (activation,) = market.made("GET", f"/admin/activations?partnerId={partner['partnerId']}")["activations"]
    assert activation["outcome"] == 5


def test_a_key_of_ones_own_is_taken_and_a_wrong_one_is_told(console: Console, market: Market, pool: Pool) -> None:
    hub = market.hub(name="Hub with a test key")
    page = console.enter("/try")
    page.get_by_label("With").select_option("a key that I have")
    page.get_by_label("Key", exact=True).fill("not-a-key")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This key is not valid.")).to_be_visible()
    page.get_by_label("Key", exact=True).fill(hub.key)
    page.get_by_role("button", name="Continue").click()
    take(page, pool)
    assert hub.key not in page.content()
    assert market.made("GET", f"/admin/activations?partnerId={hub.partner_id}")["activations"][0]["state"] == "live"
    # Nothing was made, so there is nothing to remove.
    expect(page.get_by_role("button", name="Remove test data")).to_have_count(0)
    page.reload()
    console.settle()
    expect(page.get_by_label("With")).to_be_visible()
    assert page.evaluate("key => JSON.stringify([localStorage, sessionStorage]).includes(key)", hub.key) is False


def test_signing_out_forgets_the_key(signed_out: Console, market: Market, pool: Pool) -> None:
    console, hub = signed_out, market.hub(name="Hub before signing out")
    page = console.enter("/try")
    page.get_by_label("With").select_option("a key that I have")
    page.get_by_label("Key", exact=True).fill(hub.key)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Take a number")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    console.sign_in()
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

"""What holds of every page: axe finds nothing, narrow windows do, texts stay texts, and its policy is strict."""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Browser, expect

from local.stack import Stack
from tests.browser.driving import HEIGHT, NARROW, WIDE, Console, Scheme, shows_page
from tests.browser.life import HOSTILE, Life
from tests.browser.modems import OFFLINE, ONLINE, Modems
from tests.browser.pages import PAGES, At
from tests.contract.market import Market

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {cognito}; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

# What is wider than its place, and so lies over what is beside it.
_SPILLED = """() => [...document.querySelectorAll("main dd, main dt")]
  .filter((place) => getComputedStyle(place).overflowX === "visible" && place.scrollWidth > place.clientWidth + 1)
  .map((place) => place.textContent)"""

# What is on more than one line and should be on one: buttons, badges, times, e-mail addresses, and words, numbers and ids
# of up to 20 characters. What outsiders wrote, URLs and payloads break where they must.
_BROKEN = r"""() => {
  const wholes = /[^\s@]+@[^\s@]+|(?<![\p{L}\p{N}])[\p{L}\p{N}]{1,20}(?![\p{L}\p{N}])/gu;
  const broken = new Set();
  const lines = (range) => {
    const found = [];
    for (const { top, bottom, width } of range.getClientRects()) {
      if (width && !found.some((line) => top < line.bottom && bottom > line.top)) found.push({ top, bottom });
    }
    return found.length;
  };
  const look = (range) => {
    if (lines(range) > 1) broken.add(range.toString());
  };
  for (const element of document.querySelectorAll("button, .badge, time")) {
    const range = document.createRange();
    range.selectNodeContents(element);
    look(range);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest(".foreign, .url, pre, .unseen")) continue;
    for (const { index, 0: word } of node.data.matchAll(wholes)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      look(range);
    }
  }
  return [...broken];
}"""
# A telephone, the narrowest in which tables are tables, and a large screen.
WIDTHS = (NARROW, 1100, 1920)
LOOKS: tuple[tuple[int, Scheme], ...] = ((NARROW, "light"), (WIDE, "dark"), (WIDE, "light"))
# A name as long as it may be, in one word.
WORD = "W" * 90


@pytest.fixture(scope="module")
def window(signed_in: str, browser: Browser, deployed: Stack) -> Iterator[Console]:
    """Return a window in which somebody is signed in."""
    with Console.opened(browser, deployed, session=signed_in) as console:
        console.enter()
        yield console


@pytest.fixture(scope="module")
def crowded(life: Life, market: Market) -> Life:
    """Return a stack on which some things are as long as they may be, or would be markup."""
    hub = market.hub(name="W" * 100, pushUrl=f"https://hub.example/{'push/' * 200}")
    market.hub(name="Hub with a URL", pushUrl=f"https://hub.example/{'A' * 500}")
    gateway = market.gateway()
    for text in ("Your code is 50151. " * 40, "W" * 500):
        gateway.deliver({"phone": f"1555{len(text):07}", "from": "Bank of Somewhere", "text": text})
    gateway.deliver({"what": "M" * 500})
    gateway.deliver({"line": "W" * 200, "from": "W" * 100, "text": "W" * 500})
    market.made("PATCH", "/admin/numbers", {"phones": market.pool(6).phones, "enabled": False})
    hostile = HOSTILE[:100].strip()
    market.made("PUT", "/admin/services/hostile", {"name": hostile})
    names = {"489000000001": hostile, "489000000002": WORD}
    rows = [{"phone": phone, "country": name, "operator": name} for phone, name in names.items()]
    assert market.made("POST", "/admin/numbers", rows)["rejected"] == []
    modems = Modems.added(market, {"W" * 100: market.pool().phones[0]})
    modems.report({"W" * 100: ONLINE, WORD: OFFLINE}, {WORD: "9" * 100}, device="W" * 100)
    return replace(life, partner_id=hub.partner_id, source_id=gateway.source_id, modems_id=modems.source_id)


@pytest.mark.parametrize("at", PAGES, ids=lambda at: at.name)
def test_nothing_breaks_inside_a_word_no_window_is_too_narrow_and_no_text_becomes_markup(
    at: At, crowded: Life, window: Console
) -> None:
    page = window.page
    window.go(at.route(crowded))
    for show in page.get_by_role("button", name=re.compile("^Show (SMS text|texts|payloads)$")).all():
        show.click()
        expect(show).to_have_count(0)
    for width in WIDTHS:
        assert window.fits(width), width
        assert page.evaluate(_BROKEN) == [], width
        assert page.evaluate(_SPILLED) == [], width
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("at", PAGES, ids=lambda at: at.name)
def test_axe_finds_nothing_in_light_in_dark_and_at_360_pixels(at: At, life: Life, window: Console) -> None:
    window.go(at.route(life))
    for width, scheme in LOOKS:
        window.page.set_viewport_size({"width": width, "height": HEIGHT})
        window.page.emulate_media(color_scheme=scheme)
        assert window.axe() == [], (width, scheme)


def test_axe_finds_nothing_where_one_signs_in(signed_out: Console) -> None:
    signed_out.open()
    expect(signed_out.page.get_by_label("Email")).to_be_visible()
    assert signed_out.axe() == []


def test_axe_does_find_what_is_wrong(console: Console) -> None:
    console.enter()
    console.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [line.partition(":")[0] for line in console.axe()] == ["button-name"]


def test_the_menu_is_reached_and_closed_where_it_is_narrow(narrow: Console) -> None:
    page = narrow.enter("/services")
    menu, sources = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="Sources")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(sources).to_be_hidden()
    menu.click()
    sources.click()
    shows_page(page, "Sources")
    expect(sources).to_be_hidden()


def test_the_keyboard_comes_past_the_menu(console: Console) -> None:
    page = console.enter("/services")
    console.reload()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="New service")).to_be_focused()


def test_a_page_that_does_not_exist_says_so(console: Console) -> None:
    shows_page(console.enter("/nothing/%E0%A4%A/here"), "Page not found")


def test_the_console_opens_without_its_last_slash(console: Console) -> None:
    page = console.page
    page.goto(f"{console.stack.api}/console#/services")
    console.settle()
    page.get_by_role("link", name="Sources").click()
    shows_page(page, "Sources")
    assert page.url == f"{console.url}#/sources"


def test_the_policy_is_strict_and_no_page_may_frame_it(deployed: Stack) -> None:
    answer = httpx.get(f"{deployed.api}/console/", trust_env=False, timeout=60)
    expected = {name: value.format(cognito=deployed.endpoint_url) for name, value in HEADERS.items()}
    assert {name: answer.headers[name] for name in expected} == expected

"""The overview: what is known shows, for the span that was chosen, anew every 30 s, and at once."""

import re
import statistics
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Response, expect

from local.aws import CONFIG, session
from local.stack import Stack
from tests.browser.driving import Console, shows
from tests.contract.market import Market, until

LARGEST_FIRST_LOAD = 200_000
USABLE_WITHIN_MS = 1_000
LOADS = 5

# Notes in each page when its figures can first be seen (ms after the address was entered).
_WATCH = """
const look = () => {
  if (document.querySelector(".tiles dd")) globalThis.usableAfter = performance.now();
  else requestAnimationFrame(look);
};
look();
"""

# Keeps what is written on canvases: the labels of the plots' axes, by the plot's title.
_READ_LABELS = """
globalThis.labels = {};
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  const title = this.canvas.closest(".plot")?.querySelector("h2")?.textContent;
  if (title) (globalThis.labels[title] ??= new Set()).add(text);
  return write.call(this, text, ...place);
};
"""
MINUTES_AND_SECONDS = {"s": 1.0, "min": 60.0}


def measure(stack: Stack) -> None:
    functions = session().client("lambda", endpoint_url=stack.endpoint_url, config=CONFIG)
    pages = functions.get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    [name] = [name for name in names if "HourlyStatisticsFunction" in name]
    assert "FunctionError" not in functions.invoke(FunctionName=name, Payload=b"{}")


def figure(page: Page, tile: str, name: str) -> Locator:
    group = page.get_by_role("region", name=tile).locator("dl > div").filter(has=page.get_by_text(name, exact=True))
    return group.locator("dd")


def plotted(page: Page) -> None:
    expect(page.locator(".plot canvas")).to_have_count(3)


def answered(console: Console, market: Market, **changed: object) -> Page:
    """Return the overview as it is when the API answers these things instead of what it has."""
    told = market.made("GET", "/admin/statistics") | changed
    console.page.route("**/admin/statistics*", lambda route: route.fulfill(json=told))
    return console.enter("/overview")


def test_a_known_history_shows(console: Console, market: Market, deployed: Stack) -> None:
    measure(deployed)
    before = market.made("GET", "/admin/statistics")["totals"]
    pool, service, hub = market.pool(7), market.service(), market.hub()
    for outcome in (3, 3, 3, 4, 5, 1):
        hub.finish(hub.buy(pool, service)["activationId"], outcome)
    hub.buy(pool, service)
    measure(deployed)
    after: dict[str, Any] = market.made("GET", "/admin/statistics")
    totals, stock = after["totals"], after["stock"]
    grown = {name: totals[name] - before[name] for name in ("started", "success", "returned")}
    assert grown == {"started": 7, "success": 3, "returned": 1}
    page = console.enter("/overview")
    for tile, name, known in (
        ("Activations, 24 hours", "Started", totals["started"]),
        ("Activations, 24 hours", "Live", totals["live"]),
        ("Numbers now", "On sale", stock["numbers"]),
        ("Numbers now", "Free", stock["free"]),
    ):
        expect(figure(page, tile, name)).to_have_text(f"{known:,}")
    share = 100 * totals["success"] / (totals["started"] - totals["live"])
    shown = figure(page, "Activations, 24 hours", "Success rate of those ended").inner_text()
    assert float(shown.removesuffix("%")) == pytest.approx(share, abs=0.06)
    expect(page.locator(".legend li").filter(has_text="Success")).to_have_text(f"Success {totals['success']:,}")
    # As a plot, and for those who can't see it as a table.
    plotted(page)
    page.get_by_text("As a table").click()
    table = page.get_by_role("table", name="Hours with activity, newest first")
    newest = [hour for hour in after["hours"] if hour["started"]][-1]
    assert table.get_by_role("row").nth(1).get_by_role("cell").nth(1).inner_text() == f"{newest['started']:,}"
    assert console.axe() == []


def test_the_span_is_in_the_address_and_stays(console: Console) -> None:
    page = console.enter("/overview")
    month = page.get_by_role("region", name="Activations, 30 days")
    page.get_by_role("link", name="30 days").click()
    expect(month).to_be_visible()
    assert page.url.endswith("#/overview?hours=720")
    console.reload()
    expect(month).to_be_visible()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    plotted(page)
    # What somebody typed there is no span.
    console.go("/overview?hours=1e9")
    expect(page.get_by_role("region", name="Activations, 24 hours")).to_be_visible()


def is_reading(message: Request | Response) -> bool:
    return "/admin/statistics" in message.url


def test_it_reads_anew_every_30_s_but_not_while_nobody_looks(console: Console) -> None:
    page = console.page
    page.clock.install()
    console.enter("/overview")
    with page.expect_response(is_reading):
        page.clock.fast_forward(31_000)
    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    page.get_by_text("Updated").wait_for()
    seen = sum(map(is_reading, console.requests))
    for _ in range(2):
        page.clock.fast_forward(600_000)
    assert sum(map(is_reading, console.requests)) <= seen + 1
    page.evaluate("delete document.hidden")
    with page.expect_response(is_reading):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_partners_in_trouble_or_over_a_limit_of_outcomes_are_named_and_linked(console: Console, market: Market) -> None:
    at = "2026-01-01T00:00:00+00:00"
    named = {"partnerId": "abc", "name": "<img src=x>"}
    trouble = named | {"waiting": 7, "oldestPendingAt": at, "lastSuccessAt": None}
    counted = {"prohibited": 60, "success": 20, "canceled": 15, "returned": 5, "delivered": 40, "takenBack": 10}
    over = named | {"outcomes": counted | {"shareRefused": 0.75, "shareTakenBack": 0.25, "overLimit": True}}
    # Trouble takes five minutes to be one: what the API says of it is shown in its own tests.
    page = answered(
        console,
        market,
        partnersInTrouble=[trouble],
        pushes={"waiting": 7, "oldestPendingAt": at},
        partnersOverOutcomeLimit=[over],
    )
    expect(figure(page, "Pushes now", "Waiting over 45 s")).to_have_text("7")
    for table, said in (("Partners in trouble", "7"), ("Outcomes over the limit", re.compile("75%.*25%"))):
        row = page.get_by_role("table", name=table).get_by_role("row").nth(1)
        expect(row.get_by_role("link", name="<img src=x>")).to_have_attribute("href", "#/partners/abc")
        shows(row, said)
    assert page.locator("main img").count() == 0
    for name in ("Waiting over 45 s", "Partners in trouble"):
        expect(figure(page, "Pushes now", name).locator(".bad")).to_have_count(1)
    assert console.axe() == []


def test_what_waits_is_red_only_when_partners_in_trouble_are_named(console: Console, market: Market) -> None:
    # As in the minute before the sweep that finds a partner in trouble.
    waiting = {"waiting": 59, "oldestPendingAt": "2026-01-01T00:00:00+00:00"}
    page = answered(console, market, partnersInTrouble=[], pushes=waiting)
    expect(figure(page, "Pushes now", "Waiting over 45 s")).to_have_text("59")
    expect(figure(page, "Pushes now", "Partners in trouble")).to_have_text("0")
    expect(page.locator(".tiles .bad")).to_have_count(0)


def test_the_lines_of_the_time_to_deliver_are_where_their_labels_say(console: Console, market: Market) -> None:
    console.page.add_init_script(_READ_LABELS)
    hours = market.made("GET", "/admin/statistics")["hours"]
    times = {"timeToDeliverP50Ms": 40, "timeToDeliverP99Ms": 500_000}
    page = answered(console, market, hours=[hour | times for hour in hours])
    plotted(page)

    def seconds() -> list[float]:
        written: list[str] = page.evaluate("[...(globalThis.labels['Time to deliver'] ?? [])]")
        marks = [text.split(" ") for text in written if text.endswith((" s", " min"))]
        return sorted(float(number) * MINUTES_AND_SECONDS[unit] for number, unit in marks)

    # Beside the one at nothing, which is in milliseconds.
    assert until(seconds, lambda found: len(found) > 3) == [120, 240, 360, 480]


def test_plots_follow_the_colours_of_the_scheme(console: Console) -> None:
    page = console.enter("/overview")
    plotted(page)

    def drawn() -> str:
        content: str = page.locator(".plot").first.evaluate("plot => plot.querySelector('canvas')?.toDataURL() ?? ''")
        return content

    light = drawn()
    page.emulate_media(color_scheme="dark")
    until(drawn, lambda now: now not in {"", light})
    page.emulate_media(color_scheme="light")
    until(drawn, lambda now: now == light)


def test_it_is_light_and_usable_at_once(browser: Browser, deployed: Stack, signed_in: str) -> None:
    usable: list[float] = []
    weights: list[int] = []
    for _ in range(LOADS):
        # A window of its own each time: nothing is kept from the load before.
        with Console.opened(browser, deployed, session=signed_in) as fresh:
            fresh.page.add_init_script(_WATCH)
            fresh.open("/overview")
            expect(fresh.page.locator(".tiles dd").first).to_be_visible()
            # Noted in the frame that shows it, and so maybe after it was found.
            usable.append(until(lambda: fresh.page.evaluate("globalThis.usableAfter ?? 0"), bool))
            plotted(fresh.page)
            weights.append(fresh.transferred())
    assert max(weights) < LARGEST_FIRST_LOAD
    assert statistics.median(usable) < USABLE_WITHIN_MS, usable

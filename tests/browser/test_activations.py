"""The list of activations and the timeline of one: filters, SMS texts that stay hidden until asked for, pushing again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from local.aws import CONFIG, session
from local.pretend_partner import BROKEN, Answer, PretendPartner
from local.stack import Stack
from tests.browser.driving import NARROW, PATIENCE, Console
from tests.contract.market import Hub, Market, Pool, until

# What admin_api gives of a listing at once.
PAGE = 100
# An attempt that failed is repeated after 10 s; the emulator may be slow.
NEXT_PUSH = 40.0
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = f'<img src=x onerror="document.title=1">"><script>document.title=2</script> {OVERRIDE}gnp.exe '
LONG_WORD = "W" * 1_000


@dataclass(frozen=True)
class LiveSale:
    """A pool, a service and a partner of a test's own, with a live activation of it."""

    market: Market
    hub: Hub
    pool: Pool
    service: str
    activation_id: int
    phone: str


@pytest.fixture
def shop(market: Market) -> LiveSale:
    return sell(market, market.hub(name="Hub of the activations"))


def sell(market: Market, hub: Hub, size: int = 4) -> LiveSale:
    pool, service = market.pool(size), market.service()
    bought = hub.buy(pool, service)
    assert bought["status"] == "SUCCESS", bought
    return LiveSale(market, hub, pool, service, bought["activationId"], bought["number"])


@pytest.fixture
def narrow(signed_in: str, browser: Browser, deployed: Stack) -> Iterator[Console]:
    """Return a window as narrow as a small telephone."""
    with Console.opened(browser, deployed, width=NARROW, session=signed_in) as console:
        yield console


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Activations").locator("tbody tr")


def ids(page: Page) -> list[int]:
    return [int(text) for text in rows(page).locator("td:first-child a").all_inner_texts()]


def lists(page: Page, *wanted: int) -> None:
    """Wait until the list holds these activations and no others, in this order."""
    expect(rows(page).locator("td:first-child a")).to_have_text([str(one) for one in wanted], timeout=PATIENCE)


def looks(market: Market, activation_id: int) -> int:
    """Return how often the audit log says that somebody looked at the SMS texts of an activation."""
    entries = market.made("GET", "/admin/audit")["entries"]
    return sum(entry["action"] == "sms.texts_read" and entry["id"] == str(activation_id) for entry in entries)


def is_reading(answer: Response) -> bool:
    return "/admin/activations/" in answer.url and answer.request.method == "GET"


def attempts(market: Market, activation_id: int) -> list[str]:
    sale = market.made("GET", f"/admin/activations/{activation_id}?texts=hidden")
    return [attempt["outcome"] for message in sale["messages"] for attempt in message["attemptLog"]]


def expire(stack: Stack, activation_id: int) -> None:
    tables = session().client("dynamodb", endpoint_url=stack.endpoint_url, config=CONFIG)
    (name,) = (name for name in tables.list_tables()["TableNames"] if "Activations" in name)
    tables.update_item(
        TableName=name,
        Key={"activation_id": {"N": str(activation_id)}, "entry": {"S": "activation"}},
        UpdateExpression="SET expires_at = started_at",
        ConditionExpression="attribute_exists(activation_id)",
    )


def test_each_filter_narrows_the_list_and_stands_in_the_address(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub of the filters")
    live, finished, expired = (sell(market, hub) for _ in range(3))
    elsewhere = sell(market, market.hub(name="Hub beside the filters"))
    hub.finish(finished.activation_id, 3)
    expire(market.stack, expired.activation_id)
    page = console.enter("/activations")
    assert {live.activation_id, elsewhere.activation_id} < set(ids(page))

    page.get_by_label("Partner").select_option("Hub of the filters")
    lists(page, expired.activation_id, finished.activation_id, live.activation_id)
    states = {"Live": live, "Expired": expired, "Finished": finished}
    for state, shop in states.items():
        page.get_by_label("State").select_option(state)
        lists(page, shop.activation_id)
    assert "state=finished" in page.url

    # The address is enough to come back to it.
    page.reload()
    console.settle()
    lists(page, finished.activation_id)
    expect(page.get_by_label("Partner").locator("option:checked")).to_have_text("Hub of the filters")

    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page).filter(has_text=str(elsewhere.activation_id))).to_have_count(1)
    page.get_by_label("Service").select_option(elsewhere.service)
    lists(page, elsewhere.activation_id)
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Number").fill(f"+{live.phone[:3]} {live.phone[3:]}")
    lists(page, live.activation_id)
    page.get_by_label("Service").select_option(elsewhere.service)
    expect(page.get_by_text("No activations match.")).to_be_visible()


def test_a_sale_appears_and_changes_in_the_list_by_itself(console: Console, shop: LiveSale) -> None:
    console.enter("/activations")
    page = console.page
    expect(rows(page).filter(has_text=str(shop.activation_id))).to_contain_text("Live")
    later = shop.hub.buy(shop.pool, shop.service)["activationId"]
    expect(rows(page).filter(has_text=str(later))).to_contain_text("Live", timeout=PATIENCE)
    shop.hub.finish(shop.activation_id, 3)
    expect(rows(page).filter(has_text=str(shop.activation_id))).to_contain_text("Success", timeout=PATIENCE)
    expect(page.get_by_text("Updated")).to_be_visible()


def test_older_activations_come_by_more_and_stay_while_the_first_page_is_read_again(
    console: Console, market: Market
) -> None:
    hub = market.hub(name="Hub of many")
    pool, service = market.pool(PAGE + 4), market.service()
    with ThreadPoolExecutor(4) as buyers:
        sold = list(buyers.map(lambda _: hub.buy(pool, service)["activationId"], range(PAGE + 3)))
    asked: list[str] = []
    console.page.on(
        "request", lambda request: asked.append(request.url) if "/admin/activations" in request.url else None
    )
    page = console.enter(f"/activations?partnerId={hub.partner_id}")
    expect(rows(page)).to_have_count(PAGE)
    assert not any("cursor" in url for url in asked)
    page.get_by_role("button", name="More", exact=True).click()
    expect(rows(page)).to_have_count(PAGE + 3)
    assert set(ids(page)) == set(sold)
    expect(page.get_by_role("button", name="More", exact=True)).to_have_count(0)
    newest = hub.buy(pool, service)["activationId"]
    expect(rows(page)).to_have_count(PAGE + 4, timeout=PATIENCE)
    assert ids(page)[0] == newest
    # Only the first page is read again by itself.
    assert sum("cursor" in url for url in asked) == 1


def test_a_timeline_shows_every_push_and_a_delivered_sms_is_pushed_again(console: Console, market: Market) -> None:
    with PretendPartner([BROKEN]) as partner:
        shop = sell(market, market.hub(name="Hub of the timeline", pushUrl=partner.url))
        market.gateway().deliver({"phone": shop.phone, "from": "Telegram", "text": "Your code: 50151"})
        page = console.enter("/activations")
        page.get_by_role("link", name=str(shop.activation_id)).click()
        line = page.get_by_role("list", name="Timeline").get_by_role("listitem")
        failed = line.filter(has_text="Push 1")
        expect(failed).to_contain_text("HTTP 500", timeout=PATIENCE)
        expect(failed).to_contain_text(" ms")
        # An answer may repeat the text, and is shown with it.
        expect(failed).to_contain_text("Its answer is hidden")
        page.get_by_role("button", name="Show SMS text").click()
        expect(failed).to_contain_text("Internal Server Error")
        partner.wait_for(2, NEXT_PUSH)
        delivered = line.filter(has_text="Push 2")
        expect(delivered).to_contain_text("Delivered", timeout=PATIENCE)
        expect(delivered).to_contain_text("HTTP 200")
        expect(delivered).to_contain_text("Its answer is hidden")
        newer = page.get_by_role("button", name="Show newer answers")
        newer.click()
        expect(delivered).to_contain_text('{"status":"SUCCESS"}')
        expect(newer).to_have_count(0)
        # Wait for the message itself to be told delivered, too.
        expect(line.filter(has_text="from Telegram")).to_contain_text("Delivered", timeout=PATIENCE)

        page.get_by_role("button", name="Push again: SMS").click()
        expect(page.get_by_text("Queued; the attempt will appear here.")).to_be_visible()
        partner.wait_for(3, NEXT_PUSH)
        expect(line.filter(has_text="Push 3")).to_contain_text("Delivered", timeout=PATIENCE)
    shop.hub.finish(shop.activation_id, 3)
    expect(line.last).to_contain_text("Finished by the partner: Success", timeout=PATIENCE)
    expect(line.first).to_contain_text("Issued")
    expect(page.get_by_role("button", name="Push again")).to_have_count(0)
    assert console.axe() == []


def test_each_sms_text_is_hidden_until_asked_for_and_who_looked_is_recorded(console: Console, market: Market) -> None:
    shop = sell(market, market.hub(name="Hub of the texts"))
    gateway = market.gateway()
    for text in ("First code 1111", "Second code 2222"):
        assert gateway.deliver({"phone": shop.phone, "from": "Telegram", "text": text}).is_success
    page = console.page
    with page.expect_response(is_reading) as read:
        console.enter(f"/activations/{shop.activation_id}")
    show = page.get_by_role("button", name="Show text of SMS 1")
    expect(page.get_by_text("Viewing is recorded in the audit log.").first).to_be_visible()
    with page.expect_response(is_reading) as read_again:
        expect(show).to_be_visible()
    assert "1111" not in page.content() + read.value.text() + read_again.value.text()
    assert looks(market, shop.activation_id) == 0
    show.click()
    expect(page.get_by_text("First code 1111")).to_be_visible()
    expect(page.get_by_role("button", name="Show text of SMS 2")).to_be_visible()
    assert "2222" not in page.content()
    assert looks(market, shop.activation_id) == 1
    # It goes on being read by itself, without the texts; those that were shown stay.
    with page.expect_response(is_reading) as read_again:
        expect(page.get_by_text("First code 1111")).to_be_visible()
    assert "texts=hidden" in read_again.value.url
    assert "1111" not in read_again.value.text()
    expect(page.get_by_text("First code 1111")).to_be_visible()
    assert looks(market, shop.activation_id) == 1
    page.get_by_role("button", name="Show text of SMS 2").click()
    expect(page.get_by_text("Second code 2222")).to_be_visible()
    expect(page.get_by_text("First code 1111")).to_be_visible()
    assert looks(market, shop.activation_id) == 2
    # What comes later is hidden again, and so is everything for who comes back.
    assert gateway.deliver({"phone": shop.phone, "from": "Telegram", "text": "Third code 3333"}).is_success
    expect(page.get_by_role("button", name="Show text of SMS 3")).to_be_visible(timeout=PATIENCE)
    assert "3333" not in page.content()
    console.go("/activations")
    console.go(f"/activations/{shop.activation_id}")
    assert "1111" not in page.content()


def test_pushing_again_says_why_it_can_not_be_done(console: Console, shop: LiveSale) -> None:
    shop.market.gateway().deliver({"phone": shop.phone, "from": "Telegram", "text": "Your code: 50151"})
    page = console.enter(f"/activations/{shop.activation_id}")
    expect(page.get_by_text("No Push URL")).to_be_visible()
    page.get_by_role("button", name="Push again").click()
    expect(page.get_by_role("alert")).to_have_text("partner: has no Push URL")


def test_what_outsiders_wrote_is_text_and_fits_a_narrow_window(narrow: Console, market: Market) -> None:
    console = narrow
    # Not the words of the SMS: those are masked in what is kept of an answer.
    said = f'<img src=y onerror="document.title=3">"><script>document.title=4</script> {OVERRIDE}{"M" * 1_000}'
    answer = Answer(body=said.encode(), headers={"Content-Type": "text/html"})
    with PretendPartner(otherwise=answer) as partner:
        hub = market.hub(name='<b>Hub</b> & "hostile"', pushUrl=partner.url)
        shop = sell(market, hub)
        sms = {"phone": shop.phone, "from": f"{HOSTILE}{LONG_WORD}"[:200], "text": f"{HOSTILE}{LONG_WORD}"}
        assert market.gateway().deliver(sms).is_success
        partner.wait_for(1, NEXT_PUSH)
        until(lambda: attempts(market, shop.activation_id), lambda seen: seen[:1] == ["refused_answer"])
    page = console.enter(f"/activations?partnerId={hub.partner_id}")
    expect(rows(page)).to_contain_text('<b>Hub</b> & "hostile"', timeout=PATIENCE)
    assert console.overflow() == 0
    assert console.axe() == []
    page.get_by_role("link", name=str(shop.activation_id)).click()
    expect(page.get_by_role("listitem").filter(has_text="Push 1")).to_contain_text("Its answer is hidden")
    page.get_by_role("button", name="Show SMS text").click()
    expect(page.get_by_text(LONG_WORD)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Push 1")).to_contain_text(said[:70])
    assert page.locator("main").locator("img, script, b").count() == 0
    assert page.title() == "Activation · GlobalConnect"
    assert console.overflow() == 0
    assert console.axe() == []
    # An override of the direction ends where the foreign text ends.
    foreign = page.locator(".foreign").all()
    assert len(foreign) >= 3
    assert {text.evaluate("node => getComputedStyle(node).unicodeBidi") for text in foreign} == {"isolate"}


def test_an_activation_that_does_not_exist_is_said_to_be_gone(console: Console) -> None:
    page = console.enter("/activations/123456")
    expect(page.get_by_text("Activation not found.")).to_be_visible()
    page.get_by_role("link", name="All activations").click()
    expect(page.get_by_role("heading", name="Activations", level=1)).to_be_visible()

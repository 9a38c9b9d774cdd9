"""The list of activations and the timeline of one: filters, SMS texts that stay hidden until asked for, pushing again."""

from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Locator, Page, Response, expect

from local.aws import CONFIG, session
from local.pretend_partner import BROKEN, Answer, PretendPartner
from local.stack import Stack
from tests.browser.driving import PATIENCE, Console, confirm, press, shows, shows_page
from tests.browser.modems import OFFLINE, Modems, taken_off_sale
from tests.contract.market import Market, until

# What admin_api gives of a listing at once.
PAGE = 100
# An attempt that failed is repeated after 10 s; the emulator may be slow.
NEXT_PUSH = 40.0
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = f'<img src=x onerror="document.title=1">"><script>document.title=2</script> {OVERRIDE}gnp.exe '
LONG_WORD = "W" * 1_000


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Activations").locator("tbody tr")


def row(page: Page, activation_id: int) -> Locator:
    return rows(page).filter(has_text=str(activation_id))


def lists(page: Page, *wanted: int) -> None:
    """Wait until the list holds these activations and no others, in this order."""
    expect(rows(page).locator("td:first-child a")).to_have_text([str(one) for one in wanted], timeout=PATIENCE)


def step(page: Page, text: str) -> Locator:
    """Return an entry of the timeline."""
    return page.get_by_role("list", name="Timeline").get_by_role("listitem").filter(has_text=text)


def is_reading(answer: Response) -> bool:
    return "/admin/activations/" in answer.url and answer.request.method == "GET"


def expire(stack: Stack, activation_id: int) -> None:
    _change(stack, activation_id, "SET expires_at = started_at")


def _change(stack: Stack, activation_id: int, change: str) -> None:
    tables = session().client("dynamodb", endpoint_url=stack.endpoint_url, config=CONFIG)
    (name,) = (name for name in tables.list_tables()["TableNames"] if "Activations" in name)
    tables.update_item(
        TableName=name,
        Key={"activation_id": {"N": str(activation_id)}, "entry": {"S": "activation"}},
        UpdateExpression=change,
        ConditionExpression="attribute_exists(activation_id)",
    )


def test_each_filter_narrows_the_list_and_stands_in_the_address(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub of the filters")
    live, finished, expired = (market.sell(hub) for _ in range(3))
    elsewhere = market.sell(market.hub(name="Hub beside the filters"))
    finished.finish(3)
    expire(market.stack, expired.activation_id)
    page = console.enter("/activations")
    for sale in (live, elsewhere):
        expect(row(page, sale.activation_id)).to_have_count(1)

    page.get_by_label("Partner").select_option("Hub of the filters")
    lists(page, expired.activation_id, finished.activation_id, live.activation_id)
    for state, sale in {"Live": live, "Expired": expired, "Finished": finished}.items():
        page.get_by_label("State").select_option(state)
        lists(page, sale.activation_id)
    assert "state=finished" in page.url

    # The address is enough to come back to it.
    console.reload()
    lists(page, finished.activation_id)
    expect(page.get_by_label("Partner").locator("option:checked")).to_have_text("Hub of the filters")

    press(page, "Clear filters")
    page.get_by_label("Service").select_option(elsewhere.service)
    lists(page, elsewhere.activation_id)
    press(page, "Clear filters")
    page.get_by_label("Number").fill(f"+{live.phone[:3]} {live.phone[3:]}")
    lists(page, live.activation_id)
    page.get_by_label("Service").select_option(elsewhere.service)
    expect(page.get_by_text("No activations match.")).to_be_visible()


def test_an_overdue_activation_is_found_and_ended(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub that never finishes")
    overdue, live = (market.sell(hub) for _ in range(2))
    # As one whose lease would have ended at once.
    _change(market.stack, overdue.activation_id, "SET overdue_at = started_at")
    page = console.enter(f"/activations?partnerId={hub.partner_id}")
    page.get_by_label("State").select_option("Overdue")
    lists(page, overdue.activation_id)
    shows(row(page, overdue.activation_id), "Overdue")
    page.get_by_role("link", name=str(overdue.activation_id)).click()
    shows(step(page, "Overdue"), "should have finished it")
    assert console.axe() == []
    confirm(page, "End", "End it")
    shows(page.locator(".activation-facts"), "Expired", timeout=PATIENCE)
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    assert overdue.polled() == {"status": "EXPIRED"}
    console.enter(f"/activations/{live.activation_id}")
    shows(page.locator(".activation-facts"), "Live")
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)


def test_older_activations_come_by_more_and_stay_while_the_first_page_is_read_again(
    console: Console, market: Market
) -> None:
    hub = market.hub(name="Hub of many")
    pool, service = market.pool(PAGE + 4), market.service()
    with ThreadPoolExecutor(4) as buyers:
        sold = list(buyers.map(lambda _: hub.buy(pool, service)["activationId"], range(PAGE + 3)))
    page = console.enter(f"/activations?partnerId={hub.partner_id}")
    expect(rows(page)).to_have_count(PAGE)
    more = page.get_by_role("button", name="More", exact=True)
    more.click()
    expect(rows(page)).to_have_count(PAGE + 3)
    assert {int(text) for text in rows(page).locator("td:first-child a").all_inner_texts()} == set(sold)
    expect(more).to_have_count(0)
    # It goes on by itself when there is news.
    hub.finish(sold[0], 3)
    newest = hub.buy(pool, service)["activationId"]
    expect(rows(page)).to_have_count(PAGE + 4, timeout=PATIENCE)
    shows(rows(page).first, str(newest), "Live")
    # Only the first page is read again by itself.
    asked = [request.url for request in console.requests if "/admin/activations" in request.url]
    assert sum("cursor" in url for url in asked) == 1
    expect(page.get_by_text("Updated")).to_be_visible()


def test_a_timeline_shows_every_push_and_a_delivered_sms_is_pushed_again(console: Console, market: Market) -> None:
    with PretendPartner([BROKEN]) as partner:
        sale = market.sell(market.hub(name="Hub of the timeline", pushUrl=partner.url))
        page = console.enter("/activations")
        shows(row(page, sale.activation_id), "Live")
        sale.deliver("Your code: 50151", "Telegram")
        page.get_by_role("link", name=str(sale.activation_id)).click()
        failed, delivered = step(page, "Push 1"), step(page, "Push 2")
        # An answer may repeat the text, and is shown with it.
        shows(failed, "HTTP 500", " ms", "Its answer is hidden", timeout=PATIENCE)
        press(page, "Show SMS text")
        shows(failed, "Internal Server Error")
        partner.wait_for(2, NEXT_PUSH)
        shows(delivered, "Delivered", "HTTP 200", "Its answer is hidden", timeout=PATIENCE)
        press(page, "Show newer answers")
        shows(delivered, '{"status":"SUCCESS"}')
        expect(page.get_by_role("button", name="Show newer answers")).to_have_count(0)
        # Wait for the message itself to be told delivered, too.
        shows(step(page, "from Telegram"), "Delivered", timeout=PATIENCE)

        press(page, "Push again: SMS")
        expect(page.get_by_text("Queued; the attempt will appear here.")).to_be_visible()
        partner.wait_for(3, NEXT_PUSH)
        shows(step(page, "Push 3"), "Delivered", timeout=PATIENCE)
    sale.finish(3)
    shows(step(page, "").last, "Finished by the partner: Success", timeout=PATIENCE)
    shows(step(page, "").first, "Issued")
    expect(page.get_by_role("button", name="Push again")).to_have_count(0)
    assert console.axe() == []


def test_each_sms_text_is_hidden_until_asked_for_and_who_looked_is_recorded(console: Console, market: Market) -> None:
    sale = market.sell(market.hub(name="Hub of the texts"))

    def looks() -> int:
        return market.looks("sms.texts_read", sale.activation_id)

    for text in ("First code 1111", "Second code 2222"):
        sale.deliver(text)
    page = console.page
    first, second = page.get_by_text("First code 1111"), page.get_by_text("Second code 2222")
    with page.expect_response(is_reading) as read:
        console.enter(f"/activations/{sale.activation_id}")
    expect(page.get_by_text("Viewing is recorded in the audit log.").first).to_be_visible()
    assert "1111" not in page.content() + read.value.text()
    assert looks() == 0
    press(page, "Show text of SMS 1")
    expect(first).to_be_visible()
    assert "2222" not in page.content()
    assert looks() == 1
    # It goes on being read by itself, without the texts; those that were shown stay.
    with page.expect_response(is_reading) as read:
        expect(first).to_be_visible()
    assert "texts=hidden" in read.value.url
    assert "1111" not in read.value.text()
    press(page, "Show text of SMS 2")
    expect(second).to_be_visible()
    expect(first).to_be_visible()
    assert looks() == 2
    # What comes later is hidden again, and so is everything for who comes back.
    sale.deliver("Third code 3333")
    expect(page.get_by_role("button", name="Show text of SMS 3")).to_be_visible(timeout=PATIENCE)
    assert "3333" not in page.content()
    console.go("/activations")
    console.go(f"/activations/{sale.activation_id}")
    assert "1111" not in page.content()


def test_pushing_again_says_why_it_can_not_be_done(console: Console, market: Market) -> None:
    sale = market.sell(market.hub())
    sale.deliver("Your code: 50151")
    page = console.enter(f"/activations/{sale.activation_id}")
    expect(page.get_by_text("No Push URL")).to_be_visible()
    press(page, "Push again: SMS")
    expect(page.get_by_role("alert")).to_have_text("partner: has no Push URL")


def test_what_outsiders_wrote_is_text_and_fits_a_narrow_window(narrow: Console, market: Market) -> None:
    # Not the words of the SMS: those are masked in what is kept of an answer.
    said = f'<img src=y onerror="document.title=3">"><script>document.title=4</script> {OVERRIDE}{"M" * 1_000}'
    name = '<b>Hub</b> & "hostile"'
    with PretendPartner(otherwise=Answer(body=said.encode(), headers={"Content-Type": "text/html"})) as partner:
        sale = market.sell(market.hub(name=name, pushUrl=partner.url))
        sale.deliver(f"{HOSTILE}{LONG_WORD}", f"{HOSTILE}{LONG_WORD}"[:200])
        until(sale.shown, lambda shown: bool(shown["messages"][0]["attemptLog"]))
    page = narrow.enter(f"/activations?partnerId={sale.hub.partner_id}")
    shows(rows(page), name, timeout=PATIENCE)
    assert narrow.overflow() == 0
    assert narrow.axe() == []
    page.get_by_role("link", name=str(sale.activation_id)).click()
    pushed = page.get_by_role("listitem").filter(has_text="Push 1")
    shows(pushed, "Its answer is hidden")
    press(page, "Show SMS text")
    expect(page.get_by_text(LONG_WORD)).to_be_visible()
    shows(pushed, said[:70])
    assert page.locator("main").locator("img, script, b").count() == 0
    assert page.title() == "Activation · GlobalConnect"
    assert narrow.overflow() == 0
    assert narrow.axe() == []
    # An override of the direction ends where the foreign text ends.
    foreign = page.locator(".foreign").all()
    assert len(foreign) >= 3
    assert {text.evaluate("node => getComputedStyle(node).unicodeBidi") for text in foreign} == {"isolate"}


def test_an_activation_that_does_not_exist_is_said_to_be_gone(console: Console) -> None:
    page = console.enter("/activations/123456")
    expect(page.get_by_text("Activation not found.")).to_be_visible()
    page.get_by_role("link", name="All activations").click()
    shows_page(page, "Activations")


def test_a_sale_whose_line_went_offline_is_marked_in_lists_and_says_when(console: Console, market: Market) -> None:
    sale = market.sell(market.hub())
    Modems.added(market, {"1.01": sale.phone}).report({"1.01": OFFLINE})
    taken_off_sale(market, sale.phone)
    for route in (f"/activations?phone={sale.phone}", f"/partners/{sale.hub.partner_id}", f"/numbers/{sale.phone}"):
        page = console.enter(route)
        shows(page.get_by_role("row").filter(has_text=str(sale.activation_id)), "Live", "Line went offline")
    page = console.enter(f"/activations/{sale.activation_id}")
    shows(page.locator(".activation-facts"), "Line went offline")
    offline = step(page, "Line went offline")
    shows(offline, "no SMS arrives until it is back")
    expect(offline.locator("time")).to_have_count(1)
    assert console.axe() == []

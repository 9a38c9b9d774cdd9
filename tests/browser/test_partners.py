"""Partners: keys, what is set about one, test pushes, two people at once, and names that outsiders may choose."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from local.aws import CONFIG, session
from local.pretend_partner import Answer, PretendPartner
from local.stack import Stack
from tests.browser.driving import NARROW, Console
from tests.contract.market import Hub, Market, until

PASSWORD = "Another-password-1"
HTML = Answer(status=200, body=b"<!doctype html><h1>It works!</h1><img src=x onerror=alert(1)>")
# Markup, then right to left, and no sign that turns the rest around: names that hold one are refused.
NAME = '"><img src=x onerror="alert(1)"><script>alert(1)</script> \N{HEBREW LETTER ALEF} שם \N{ARABIC LETTER ALEF}'
LONG_WORD = "A" * 1_000


@pytest.fixture
def second(built: None, browser: Browser, deployed: Stack) -> Iterator[Console]:
    users = session().client("cognito-idp", endpoint_url=deployed.endpoint_url, config=CONFIG)
    pool = users.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    name = "second@example.com"
    users.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    users.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    with Console.opened(browser, deployed) as console:
        console.open("/services")
        console.sign_in(name, PASSWORD)
        console.settle()
        yield console
    users.admin_delete_user(UserPoolId=pool, Username=name)


def stored(market: Market, partner_id: str) -> dict[str, Any]:
    return market.made("GET", f"/admin/partners/{partner_id}")


def opened(console: Console, hub: Hub) -> Page:
    return console.enter(f"/partners/{hub.partner_id}")


def save(page: Page, button: str = "Save") -> None:
    page.get_by_role("form", name="Settings").get_by_role("button", name=button, exact=True).click()


def card(page: Page, title: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


def value_of(found: Locator, name: str) -> Locator:
    return (
        found.locator("dl > div").filter(has=found.page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd")
    )


def listed(page: Page, hub: Hub) -> Locator:
    """Return a partner's row in the list, which is in no order: it may stand on a later page."""
    link = page.locator(f'a[href="#/partners/{hub.partner_id}"]')
    more = page.get_by_role("button", name="More", exact=True)
    expect(link.or_(more)).not_to_have_count(0)
    while not link.count():
        rows = page.get_by_role("row").count()
        more.click()
        expect(page.get_by_role("row").nth(rows)).to_be_visible()
    return page.get_by_role("row").filter(has=link)


def test_what_a_partner_left_is_lifted_since_a_time_with_a_reason(console: Console, market: Market) -> None:
    hub, pool, service = market.hub(), market.pool(2), market.service()
    for _ in pool.phones:
        hub.finish(hub.buy(pool, service)["activationId"], 1)
    page = opened(console, hub)
    marks = card(page, "Marks on numbers")
    marks.get_by_role("button", name="Lift marks since…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Lift marks", exact=True).click()
    expect(dialog.get_by_text("Enter a reason.")).to_be_visible()
    dialog.get_by_label("Since").fill("2020-01-01T00:00")
    dialog.get_by_label("Reason").fill("The key was stolen")
    dialog.get_by_role("button", name="Lift marks", exact=True).click()
    expect(marks.get_by_text("2 marks lifted.")).to_be_visible()
    assert hub.buy(pool, service)["status"] == "SUCCESS"


# ---------------------------------------------------------------- its state


def test_a_partner_in_trouble_is_so_in_the_list_and_on_its_page(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub in trouble", pushUrl="http://127.0.0.1:9/push")
    at = "2026-01-01T00:00:00+00:00"
    troubled = stored(market, hub.partner_id) | {"inTrouble": True}
    activity = {"waiting": 7, "oldestPendingAt": at, "measuredAt": at, "failures": []}
    # Trouble takes five minutes to be one: what the API says of it is shown in its own tests.
    of_one = f"**/admin/partners/{hub.partner_id}"
    console.page.route("**/admin/partners", lambda route: route.fulfill(json={"partners": [troubled], "cursor": None}))
    console.page.route(of_one, lambda route: route.fulfill(json=troubled))
    console.page.route(f"{of_one}/activity?*", lambda route: route.fulfill(json=activity))
    page = console.enter("/partners")
    row = listed(page, hub)
    expect(row.locator(".badge-bad")).to_have_text("In trouble")
    expect(row.get_by_text("Active")).to_have_count(0)
    console.go(f"/partners/{hub.partner_id}")
    expect(value_of(page.locator("main"), "State").locator(".badge-bad")).to_have_text("In trouble")
    expect(page.locator(".badge-bad").filter(has_text="7 waiting")).to_be_visible()
    expect(card(page, "Pushes")).to_contain_text("7 waiting, the oldest since 1 Jan 2026")
    expect(card(page, "Pushes")).to_contain_text("No push failed in its last 25 activations.")
    assert console.axe() == []


# ---------------------------------------------------------------- limits


def test_a_partner_is_paused_with_a_reason_and_resumed(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub to pause")
    page = opened(console, hub)
    selling = card(page, "Selling")
    selling.get_by_role("button", name="Pause", exact=True).click()
    asked = page.get_by_role("dialog", name="Pause this partner?")
    asked.get_by_role("button", name="Pause", exact=True).click()
    expect(asked.get_by_label("Reason")).to_have_accessible_description(re.compile("Enter a reason."))
    assert stored(market, hub.partner_id)["paused"] is None
    asked.get_by_label("Reason").fill("<b>Unpaid</b> since May")
    assert console.axe() == []
    asked.get_by_role("button", name="Pause", exact=True).click()
    expect(value_of(selling, "Reason")).to_have_text("<b>Unpaid</b> since May")
    expect(value_of(page.locator("main"), "State").locator(".badge-warn")).to_have_text("Paused")
    expect(value_of(page.locator("main"), "State").get_by_text("Active")).to_have_count(0)
    assert stored(market, hub.partner_id)["paused"]["reason"] == "<b>Unpaid</b> since May"
    assert console.axe() == []
    selling.get_by_role("button", name="Change the reason").click()
    again = page.get_by_role("dialog", name="Why is this partner paused?")
    expect(again.get_by_label("Reason")).to_have_value("<b>Unpaid</b> since May")
    again.get_by_label("Reason").fill("Burns numbers")
    again.get_by_role("button", name="Save").click()
    expect(value_of(selling, "Reason")).to_have_text("Burns numbers")
    console.go("/partners")
    expect(listed(page, hub).locator(".badge-warn")).to_have_text("Paused")
    console.go(f"/partners/{hub.partner_id}")
    selling.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog", name="Resume this partner?").get_by_role("button", name="Resume").click()
    expect(selling.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(value_of(page.locator("main"), "State").locator(".badge-good")).to_have_text("Active")
    assert stored(market, hub.partner_id)["paused"] is None


def test_a_limit_of_live_activations_is_set_refused_at_its_field_and_taken_off(
    console: Console, market: Market
) -> None:
    hub = market.hub(name="Hub with a limit")
    page = opened(console, hub)
    limit = page.get_by_label("Most live activations")
    for wrong in ("many", "-1", "1.5", "0", "1000001"):
        limit.fill(wrong)
        save(page)
        expect(limit).to_have_accessible_description(re.compile("Expected a whole number"))
    assert stored(market, hub.partner_id)["maxLive"] is None
    limit.fill("40")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert stored(market, hub.partner_id)["maxLive"] == 40
    limit.fill("")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    until(lambda: stored(market, hub.partner_id)["maxLive"], lambda most: most is None)


# ---------------------------------------------------------------- a new one


def test_a_key_is_issued_shown_once_copied_and_works(console: Console, market: Market) -> None:
    service = market.service()
    page = console.enter("/partners")
    page.get_by_role("button", name="New partner").click()
    form = page.get_by_role("dialog", name="New partner")
    form.get_by_label("Name").fill("Hub of the browser")
    form.get_by_label("Push URL").fill("http://127.0.0.1:9/push")
    form.get_by_label("Only these").check()
    if form.get_by_label("Find a service").count():
        form.get_by_label("Find a service").fill(service)
    form.get_by_role("checkbox", name=re.compile(rf"^{service}\b")).check()
    form.get_by_role("button", name="Issue key").click()
    shown = page.get_by_role("dialog", name="Key issued")
    expect(shown).to_contain_text("shown only once")
    assert console.axe() == []
    key = shown.locator("code").inner_text()
    shown.get_by_role("button", name="Copy: Key").click()
    expect(shown.get_by_role("button", name="Copied: Key")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    shown.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("heading", name="Hub of the browser", level=1)).to_be_visible()
    assert key not in page.content()
    partner_id = page.url.rpartition("/")[2]
    assert Hub(market, partner_id, key).call("GET_SERVICES").status_code == 200
    made = stored(market, partner_id)
    assert (made["pushUrl"], made["services"]) == ("http://127.0.0.1:9/push", [service])


def test_a_service_of_a_long_catalogue_is_found_by_its_name(console: Console, market: Market) -> None:
    codes = [market.service(name=f"Service {number:02} of many") for number in range(15)]
    page = console.enter("/partners")
    page.get_by_role("button", name="New partner").click()
    form = page.get_by_role("dialog", name="New partner")
    form.get_by_label("Name").fill("Choosy")
    form.get_by_label("Only these").check()
    expect(form.get_by_text("None selected: this partner can't buy.")).to_be_visible()
    form.get_by_label("Find a service").fill("07 OF many")
    # It narrows the list, and sends nothing.
    page.keyboard.press("Enter")
    expect(form.get_by_role("checkbox")).to_have_count(1)
    form.get_by_role("checkbox").check()
    form.get_by_label("Find a service").fill("")
    expect(form.get_by_text("1 selected.")).to_be_visible()
    form.get_by_label("All services, including future ones").check()
    form.get_by_label("Only these").check()
    form.get_by_role("button", name="Issue key").click()
    page.get_by_role("dialog", name="Key issued").get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("heading", name="Choosy", level=1)).to_be_visible()
    assert stored(market, page.url.rpartition("/")[2])["services"] == [codes[7]]


# ---------------------------------------------------------------- changes


def test_what_is_set_about_a_partner_is_changed(console: Console, market: Market) -> None:
    service = market.service()
    hub = market.hub(name="Before", services=[service, "gone"])
    page = opened(console, hub)
    form = page.get_by_role("form", name="Settings")
    expect(form.get_by_text("(not in the catalogue)")).to_be_visible()
    form.get_by_label("Name").fill("After")
    form.get_by_label("Push URL").fill("http://127.0.0.1:9/after")
    form.get_by_role("checkbox", name=re.compile("^gone")).uncheck()
    save(page)
    expect(form.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="After", level=1)).to_be_visible()
    expect(card(page, "Test push")).to_contain_text("http://127.0.0.1:9/after")
    plain_http = page.get_by_text("The key can be read in transit.")
    expect(plain_http).to_be_visible()
    now = stored(market, hub.partner_id)
    assert (now["name"], now["pushUrl"], now["services"]) == ("After", "http://127.0.0.1:9/after", [service])
    form.get_by_label("All services, including future ones").check()
    form.get_by_label("Push URL").fill("")
    save(page)
    expect(card(page, "Test push")).to_contain_text("No Push URL is set.")
    expect(plain_http).to_have_count(0)
    now = stored(market, hub.partner_id)
    assert (now["pushUrl"], now["services"]) == (None, None)
    save(page)
    expect(form.get_by_text("Nothing to save.")).to_be_visible()
    assert stored(market, hub.partner_id)["version"] == now["version"]


def test_of_two_people_the_second_sees_what_the_first_changed_and_saves_again(
    console: Console, second: Console, market: Market
) -> None:
    hub = market.hub(name="Shared", pushUrl="http://127.0.0.1:9/old")
    mine, theirs = opened(console, hub), second.page
    second.go(f"/partners/{hub.partner_id}")
    mine.get_by_label("Name").fill("My name")
    theirs.get_by_label("Name").fill("Their name")
    theirs.get_by_label("Push URL").fill("http://127.0.0.1:9/theirs")
    save(theirs)
    expect(theirs.get_by_text("Saved.")).to_be_visible()
    save(mine)
    told = mine.get_by_role("alert").filter(has_text="Someone else has changed this partner in the meantime.")
    expect(told).to_be_focused()
    expect(value_of(told, "Name")).to_have_text(["was Shared", "is now Their name", "you typed My name"])
    expect(value_of(told, "Push URL")).to_have_text(["was http://127.0.0.1:9/old", "is now http://127.0.0.1:9/theirs"])
    expect(value_of(told, "Allowed services")).to_have_count(0)
    # What was typed is kept, the rest is what they made of it; nothing is saved yet.
    expect(mine.get_by_label("Name")).to_have_value("My name")
    expect(mine.get_by_label("Push URL")).to_have_value("http://127.0.0.1:9/theirs")
    assert stored(market, hub.partner_id)["name"] == "Their name"
    assert console.axe() == []
    save(mine, "Save mine")
    expect(mine.get_by_text("Saved.")).to_be_visible()
    expect(told).to_have_count(0)
    now = stored(market, hub.partner_id)
    assert (now["name"], now["pushUrl"]) == ("My name", "http://127.0.0.1:9/theirs")


def test_what_somebody_else_changes_appears_by_itself_where_nothing_is_typed(console: Console, market: Market) -> None:
    hub = market.hub(name="Watched")
    page = opened(console, hub)
    market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"name": "Renamed elsewhere"})
    expect(page.get_by_label("Name")).to_have_value("Renamed elsewhere")
    expect(page.get_by_role("heading", name="Renamed elsewhere", level=1)).to_be_visible()


def test_of_two_people_the_second_takes_what_the_first_saved(console: Console, second: Console, market: Market) -> None:
    hub = market.hub(name="Shared")
    mine, theirs = opened(console, hub), second.page
    second.go(f"/partners/{hub.partner_id}")
    mine.get_by_label("Name").fill("My name")
    theirs.get_by_label("Name").fill("Their name")
    save(theirs)
    expect(theirs.get_by_text("Saved.")).to_be_visible()
    save(mine)
    mine.get_by_role("button", name="Take theirs").click()
    expect(mine.get_by_label("Name")).to_have_value("Their name")
    expect(mine.get_by_text("Someone else has changed")).to_have_count(0)
    expect(mine.get_by_role("heading", name="Their name", level=1)).to_be_visible()
    save(mine)
    expect(mine.get_by_text("Nothing to save.")).to_be_visible()
    assert stored(market, hub.partner_id)["name"] == "Their name"


def test_a_partner_that_was_revoked_meanwhile_is_shown_as_that(console: Console, market: Market) -> None:
    hub = market.hub(name="Soon revoked")
    page = opened(console, hub)
    page.get_by_label("Name").fill("Too late")
    market.made("DELETE", f"/admin/partners/{hub.partner_id}")
    save(page)
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    expect(page.get_by_role("form", name="Settings")).to_have_count(0)


# ---------------------------------------------------------------- test push


def test_a_test_push_shows_how_it_went(console: Console, market: Market) -> None:
    refused = Answer(body=b'{"status":"ERROR","error":"no such number"}')
    with PretendPartner([Answer(), refused, HTML, Answer(status=503, body=b"")]) as server:
        hub = market.hub(name="Tried", pushUrl=server.url)
        page = opened(console, hub)
        tried = card(page, "Test push")

        def push(outcome: str) -> None:
            tried.get_by_role("button", name="Send test push").click()
            expect(value_of(tried, "Result")).to_have_text(outcome)

        push("Delivered")
        expect(value_of(tried, "Delivered")).to_have_text("Yes")
        expect(value_of(tried, "HTTP status")).to_have_text("200")
        expect(value_of(tried, "Duration")).to_have_text(re.compile(r"^\d+ ms$"))
        expect(value_of(tried, "Answer")).to_have_text('{"status":"SUCCESS"}')
        push("Answer is not SUCCESS")
        expect(value_of(tried, "Delivered")).to_have_text("No")
        expect(value_of(tried, "Answer")).to_contain_text("no such number")
        tried.get_by_role("button", name="Send test push").click()
        expect(value_of(tried, "Answer")).to_contain_text("<h1>It works!</h1><img src=x onerror=alert(1)>")
        assert page.locator("main img").count() == 0
        push("Other HTTP status")
        expect(value_of(tried, "HTTP status")).to_have_text("503")
        expect(value_of(tried, "Answer")).to_have_text("Empty")
        assert console.axe() == []
    push("No connection")
    expect(value_of(tried, "HTTP status")).to_have_text("None")


# ---------------------------------------------------------------- keys and secrets


def test_a_key_is_rotated_after_a_question_and_shown_once(console: Console, market: Market) -> None:
    hub = market.hub(name="Rotated")
    page = opened(console, hub)
    page.get_by_role("button", name="Rotate key").click()
    asked = page.get_by_role("dialog", name="Rotate the key?")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    assert hub.call("GET_SERVICES").status_code == 200
    page.get_by_role("button", name="Rotate key").click()
    asked.get_by_role("button", name="Rotate key").click()
    shown = page.get_by_role("dialog", name="New key")
    key = shown.locator("code").inner_text()
    assert key != hub.key
    assert Hub(market, hub.partner_id, key).call("GET_SERVICES").status_code == 200
    shown.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Rotate key")).to_be_focused()
    assert key not in page.content()


def test_a_signing_secret_is_made_shown_once_and_removed(console: Console, market: Market) -> None:
    hub = market.hub(name="Signed")
    page = opened(console, hub)
    facts = page.locator("main")
    expect(value_of(facts, "Pushes")).to_have_text("Not signed")
    page.get_by_role("button", name="New signing secret").click()
    page.get_by_role("dialog").get_by_role("button", name="Create secret").click()
    shown = page.get_by_role("dialog", name="New signing secret")
    secret = shown.locator("code").inner_text()
    assert secret.startswith("whsec_")
    shown.get_by_role("button", name="I have copied it").click()
    expect(value_of(facts, "Pushes")).to_have_text("Signed")
    assert secret not in page.content()
    page.get_by_role("button", name="Stop signing").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop signing").click()
    expect(value_of(facts, "Pushes")).to_have_text("Not signed")
    assert not stored(market, hub.partner_id)["signed"]


def test_a_partner_is_revoked_by_typing_its_name(console: Console, market: Market) -> None:
    hub = market.hub(name="Not for long")
    page = opened(console, hub)
    page.get_by_role("button", name="Revoke", exact=True).click()
    asked = page.get_by_role("dialog", name="Revoke this partner?")
    asked.get_by_label("Type the partner's name").fill("Another name")
    asked.get_by_role("button", name="Revoke permanently").click()
    expect(asked.get_by_label("Type the partner's name")).to_have_accessible_description(
        "This is not the partner's name."
    )
    assert console.axe() == []
    assert not stored(market, hub.partner_id)["revoked"]
    asked.get_by_label("Type the partner's name").fill("Not for long")
    asked.get_by_role("button", name="Revoke permanently").click()
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Rotate key")).to_have_count(0)
    assert stored(market, hub.partner_id)["revoked"]
    console.go("/partners")
    expect(listed(page, hub)).to_contain_text("Revoked")


# ---------------------------------------------------------------- its activations and failures


def looks_at_answers(market: Market, hub: Hub) -> int:
    """Return how often the audit log says that somebody looked at what a partner answered."""
    entries = market.made("GET", "/admin/audit")["entries"]
    return sum((entry["action"], entry["id"]) == ("partner.answers_read", hub.partner_id) for entry in entries)


def test_its_page_shows_its_activations_and_recent_failures(console: Console, market: Market) -> None:
    service, pool, other = market.service(), market.pool(2), market.hub(name="Other")
    answer = Answer(status=500, body=f"<b>broken</b> {LONG_WORD}".encode())
    with PretendPartner(otherwise=answer) as server:
        hub = market.hub(name="In trouble", pushUrl=server.url)
        sold, kept = hub.buy(pool, service), other.buy(pool, service)
        market.gateway().deliver({"phone": sold["number"], "from": "Service", "text": "Code 4711"})
        failed = until(
            lambda: market.made("GET", f"/admin/partners/{hub.partner_id}/activity?texts=hidden")["failures"],
            bool,
        )
        assert failed[0]["outcome"] == "http_status"
        page = opened(console, hub)
        error = page.get_by_role("table", name="Recent failures").get_by_role("row").nth(1)
        for shown in (str(sold["activationId"]), "Other HTTP status", "500", "Hidden"):
            expect(error).to_contain_text(shown)
        assert looks_at_answers(market, hub) == 0
        page.get_by_role("button", name="Show answers").click()
        expect(error).to_contain_text("<b>broken</b>")
        assert looks_at_answers(market, hub) == 1
        bought = page.get_by_role("table", name="Activations")
        expect(bought.get_by_role("row")).to_have_count(2)
        expect(bought).to_contain_text(str(sold["activationId"]))
        expect(bought).to_contain_text("Live")
        expect(page.locator("main")).not_to_contain_text(str(kept["activationId"]))
        assert page.locator("main b").count() == 0
        page.set_viewport_size({"width": NARROW, "height": 800})
        assert console.overflow() == 0
        # It goes on by itself when there is news.
        hub.finish(sold["activationId"], 4)
        expect(bought).to_contain_text("Canceled", timeout=30_000)


def test_a_partner_that_does_not_exist_is_said_not_to(console: Console) -> None:
    page = console.enter("/partners/nobody")
    expect(page.get_by_role("heading", name="Partner not found")).to_be_visible()
    assert console.axe() == []


def test_a_hostile_name_stays_the_text_it_is(console: Console, market: Market) -> None:
    hub = market.hub(name=NAME, services=["x" * 40] + [f"{n}{'y' * 38}" for n in range(9)])
    page = console.enter("/partners")
    expect(listed(page, hub).get_by_role("link")).to_have_text(NAME)
    console.go(f"/partners/{hub.partner_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page).to_have_title(f"{NAME} · GlobalConnect")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(NAME)
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert console.overflow() == 0
    page.evaluate("location.hash = '/partners'")
    expect(listed(page, hub)).to_contain_text(NAME)
    assert console.overflow() == 0
    assert page.locator("main img, main script").count() == 0

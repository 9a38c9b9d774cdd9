"""Partners: keys, what is set about one, test pushes, two people at once, and names that outsiders may choose."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from local.pretend_partner import Answer, PretendPartner
from local.stack import Stack
from tests.browser.driving import NARROW, PATIENCE, Console, confirm, copied, fill, press, shows, shows_page
from tests.contract.market import Hub, Market, until

HTML = Answer(status=200, body=b"<!doctype html><h1>It works!</h1><img src=x onerror=alert(1)>")
# Markup, then right to left, and no sign that turns the rest around: names that hold one are refused.
NAME = '"><img src=x onerror="alert(1)"><script>alert(1)</script> \N{HEBREW LETTER ALEF} שם \N{ARABIC LETTER ALEF}'
LONG_WORD = "A" * 1_000


@pytest.fixture
def second(signed_in: str, browser: Browser, deployed: Stack) -> Iterator[Console]:
    """Return another window, with somebody else before it."""
    with Console.opened(browser, deployed, session=signed_in) as console:
        yield console


def stored(market: Market, partner_id: str, *names: str) -> list[Any]:
    """Return fields of a partner as the API shows them."""
    partner = market.made("GET", f"/admin/partners/{partner_id}")
    return [partner[name] for name in names]


def opened(console: Console, hub: Hub) -> Page:
    return console.enter(f"/partners/{hub.partner_id}")


def save(page: Page, button: str = "Save", said: str = "Saved.") -> None:
    press(page.get_by_role("form", name="Settings"), button)
    if said:
        expect(page.get_by_text(said)).to_be_visible()


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
    sale = market.sell(market.hub())
    sale.finish(1)
    page = opened(console, sale.hub)
    marks, dialog = card(page, "Marks on numbers"), page.get_by_role("dialog")
    confirm(page, "Lift marks since…", "Lift marks")
    shows(dialog, "Enter a reason.")
    fill(dialog, {"Since": "2020-01-01T00:00", "Reason": "The key was stolen"}, "Lift marks")
    shows(marks, "1 mark lifted.")
    assert sale.hub.buy(sale.pool, sale.service)["number"] == sale.phone


# ---------------------------------------------------------------- its state and its limits


def test_a_partner_in_trouble_is_so_in_the_list_and_on_its_page(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub in trouble", pushUrl="http://127.0.0.1:9/push")
    at, of_one = "2026-01-01T00:00:00+00:00", f"**/admin/partners/{hub.partner_id}"
    troubled = market.made("GET", f"/admin/partners/{hub.partner_id}") | {"inTrouble": True}
    activity = {"waiting": 7, "oldestPendingAt": at, "measuredAt": at, "failures": []}
    # Trouble takes five minutes to be one: what the API says of it is shown in its own tests.
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
    pushes = card(page, "Pushes")
    shows(pushes, "7 waiting, the oldest since 1 Jan 2026", "No push failed in its last 25 activations.")
    assert console.axe() == []


def test_a_partner_is_paused_with_a_reason_and_resumed(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub to pause")
    page = opened(console, hub)
    selling, state = card(page, "Selling"), value_of(page.locator("main"), "State")
    confirm(page, "Pause", "Pause")
    asked = page.get_by_role("dialog", name="Pause this partner?")
    expect(asked.get_by_label("Reason")).to_have_accessible_description(re.compile("Enter a reason."))
    assert stored(market, hub.partner_id, "paused") == [None]
    assert console.axe() == []
    fill(asked, {"Reason": "<b>Unpaid</b> since May"}, "Pause")
    expect(value_of(selling, "Reason")).to_have_text("<b>Unpaid</b> since May")
    expect(state.locator(".badge-warn")).to_have_text("Paused")
    expect(state.get_by_text("Active")).to_have_count(0)
    assert console.axe() == []
    press(selling, "Change the reason")
    again = page.get_by_role("dialog", name="Why is this partner paused?")
    expect(again.get_by_label("Reason")).to_have_value("<b>Unpaid</b> since May")
    fill(again, {"Reason": "Burns numbers"}, "Save")
    expect(value_of(selling, "Reason")).to_have_text("Burns numbers")
    console.go("/partners")
    expect(listed(page, hub).locator(".badge-warn")).to_have_text("Paused")
    console.go(f"/partners/{hub.partner_id}")
    confirm(page, "Resume", "Resume")
    expect(state.locator(".badge-good")).to_have_text("Active")
    assert stored(market, hub.partner_id, "paused") == [None]


def test_a_limit_of_live_activations_is_set_refused_at_its_field_and_taken_off(
    console: Console, market: Market
) -> None:
    hub = market.hub(name="Hub with a limit")
    page = opened(console, hub)
    limit = page.get_by_label("Most live activations")
    for wrong in ("many", "-1", "1.5", "0", "1000001"):
        limit.fill(wrong)
        save(page, said="")
        expect(limit).to_have_accessible_description(re.compile("Expected a whole number"))
    assert stored(market, hub.partner_id, "maxLive") == [None]
    for given, kept in (("40", 40), ("", None)):
        limit.fill(given)
        save(page)
        until(lambda: stored(market, hub.partner_id, "maxLive"), lambda most, kept=kept: most == [kept])  # type: ignore[misc]


def test_a_dialect_is_chosen_overridden_where_its_hub_differs_and_returned_to(console: Console, market: Market) -> None:
    hub = market.hub(name="Hub of a family")
    page = opened(console, hub)
    form, switches = page.get_by_role("form", name="Settings"), page.get_by_role("table", name="Switches")

    def row(name: str) -> Locator:
        return switches.get_by_role("row").filter(has=page.get_by_role("cell", name=name, exact=True))

    form.get_by_label("Dialect").select_option("SMSHub")
    shows(
        form,
        "Known from the hub's own document, read whole.",
        "Uncertain: HTTP status of an error, Answers are gzipped from.",
    )
    press(form, "Use this URL")
    expect(form.get_by_label("Push URL")).to_have_value("https://agent.unerio.com/agent/api/sms")
    expect(form.get_by_role("button", name="Use this URL")).to_have_count(0)
    form.get_by_text("Overrides: none").click()
    number, status = form.get_by_label("number of GET_NUMBER"), form.get_by_label("HTTP status of an error (uncertain)")
    expect(number.locator("option:checked")).to_have_text("As SMSHub: JSON number")
    number.select_option("JSON string")
    status.select_option("Each has its own")
    form.get_by_label("Answers are gzipped from (uncertain)").fill("some")
    save(page, said="")
    expect(form.get_by_label("Answers are gzipped from (uncertain)")).to_have_accessible_description(
        re.compile("Empty: as SMSHub: The first byte.*Expected a whole number")
    )
    form.get_by_label("Answers are gzipped from (uncertain)").fill("1000001")
    save(page, said="")
    shows(form, "Expected a whole number from 0 to 1000000")
    form.get_by_label("Answers are gzipped from (uncertain)").fill("512")
    save(page)
    kept = {"types": {"number": "string"}, "errorHttp": "mapped", "gzipFrom": 512}
    assert stored(market, hub.partner_id, "dialect", "overrides") == ["smshub", kept]
    expect(row("number of GET_NUMBER").get_by_role("cell")).to_have_text(
        ["number of GET_NUMBER", "JSON string Overridden", "JSON number"]
    )
    expect(row("HTTP status of an error").get_by_role("cell")).to_have_text(
        ["HTTP status of an error", "Each has its own Overridden", "200 Uncertain"]
    )
    expect(row("Answers are gzipped from").get_by_role("cell").nth(1)).to_have_text("512 bytes Overridden")
    expect(row("Cancels that end a service for a number").get_by_role("cell").nth(1)).to_have_text("4")
    assert hub.call("GET_NUMBER").status_code == 400
    console.reload()
    form.get_by_text("Overrides: 3").click()
    status.select_option("As SMSHub: 200")
    form.get_by_label("Answers are gzipped from (uncertain)").fill("")
    save(page)
    assert stored(market, hub.partner_id, "overrides") == [{"types": {"number": "string"}}]
    expect(row("HTTP status of an error").get_by_role("cell").nth(1)).to_have_text("200")
    number.select_option("As SMSHub: JSON number")
    save(page)
    assert stored(market, hub.partner_id, "overrides") == [{}]
    shows(form, "Overrides: none")


def test_an_offer_is_set_with_what_is_warned_of_and_taken_away(console: Console, market: Market) -> None:
    one, other = market.hub(name="Hub with a part"), market.hub(name="Hub with the rest", offer={"percent": 90})
    page = opened(console, one)
    form = page.get_by_role("form", name="Settings")
    fill(form, {"Share (%)": "0"}, "Save")
    expect(form.get_by_label("Share (%)")).to_have_accessible_description("Expected a whole number from 1 to 100")
    fill(form, {"Share (%)": "20", "At most": "5"})
    save(page)
    shows(form, "The offers of all partners are 110 % together, above 100")
    assert stored(market, one.partner_id, "offer") == [{"percent": 20, "most": 5}]
    fill(form, {"Share (%)": ""})
    save(page)
    assert stored(market, one.partner_id, "offer") == [{"most": 5}]
    fill(form, {"At most": ""})
    save(page)
    expect(form.get_by_text("above 100")).to_have_count(0)
    assert stored(market, one.partner_id, "offer") == [None]
    market.made("DELETE", f"/admin/partners/{other.partner_id}")


# ---------------------------------------------------------------- a new one


def test_a_key_is_issued_shown_once_copied_and_works(console: Console, market: Market) -> None:
    codes = [market.service(name=f"Service {number:02} of many") for number in range(15)]
    page = console.enter("/partners")
    press(page, "New partner")
    form = page.get_by_role("dialog", name="New partner")
    fill(form, {"Name": "Hub of the browser", "Push URL": "http://127.0.0.1:9/push"})
    form.get_by_label("Only these").check()
    shows(form, "None selected: this partner can't buy.")
    # A service of a long catalogue is found by its name.
    form.get_by_label("Find a service").fill("07 OF many")
    # It narrows the list, and sends nothing.
    page.keyboard.press("Enter")
    expect(form.get_by_role("checkbox")).to_have_count(1)
    form.get_by_role("checkbox").check()
    form.get_by_label("Find a service").fill("")
    shows(form, "1 selected.")
    form.get_by_label("All services, including future ones").check()
    form.get_by_label("Only these").check()
    press(form, "Issue key")
    shown = page.get_by_role("dialog", name="Key issued")
    shows(shown, "shown only once")
    assert console.axe() == []
    key = copied(shown, "Key")
    assert shown.locator("code").inner_text() == key
    expect(shown.get_by_role("button", name="Make a link for the partner's developer")).to_be_visible()
    press(shown, "I have copied it")
    shows_page(page, "Hub of the browser")
    assert key not in page.content()
    partner_id = page.url.rpartition("/")[2]
    assert Hub(market, partner_id, key).call("GET_SERVICES").status_code == 200
    assert stored(market, partner_id, "pushUrl", "services") == ["http://127.0.0.1:9/push", [codes[7]]]


# ---------------------------------------------------------------- changes


def test_what_is_set_about_a_partner_is_changed(console: Console, market: Market) -> None:
    service = market.service()
    hub = market.hub(name="Before", services=[service, "gone"])
    page = opened(console, hub)
    form, test_push = page.get_by_role("form", name="Settings"), card(page, "Test push")
    shows(form, "(not in the catalogue)")
    fill(form, {"Name": "After", "Push URL": "http://127.0.0.1:9/after"})
    form.get_by_role("checkbox", name=re.compile("^gone")).uncheck()
    save(page)
    shows_page(page, "After")
    shows(test_push, "http://127.0.0.1:9/after")
    plain_http = page.get_by_text("The key can be read in transit.")
    expect(plain_http).to_be_visible()
    kept = stored(market, hub.partner_id, "name", "pushUrl", "services")
    assert kept == ["After", "http://127.0.0.1:9/after", [service]]
    form.get_by_label("All services, including future ones").check()
    form.get_by_label("Push URL").fill("")
    save(page, said="")
    shows(test_push, "No Push URL is set.")
    expect(plain_http).to_have_count(0)
    kept = stored(market, hub.partner_id, "pushUrl", "services", "version")
    assert kept[:2] == [None, None]
    save(page, said="Nothing to save.")
    assert stored(market, hub.partner_id, "pushUrl", "services", "version") == kept


@pytest.fixture
def overtaken(console: Console, second: Console, market: Market) -> tuple[Hub, Page]:
    """Return a partner and its page after a save that came too late: somebody else had changed the name as well."""
    hub = market.hub(name="Shared", pushUrl="http://127.0.0.1:9/old")
    mine, theirs = opened(console, hub), opened(second, hub)
    fill(mine, {"Name": "My name"})
    fill(theirs, {"Name": "Their name", "Push URL": "http://127.0.0.1:9/theirs"})
    save(theirs)
    save(mine, said="")
    return hub, mine


def test_of_two_people_the_second_sees_what_the_first_changed_and_saves_again(
    overtaken: tuple[Hub, Page], console: Console, market: Market
) -> None:
    hub, mine = overtaken
    told = mine.get_by_role("alert").filter(has_text="Someone else has changed this partner in the meantime.")
    expect(told).to_be_focused()
    expect(value_of(told, "Name")).to_have_text(["was Shared", "is now Their name", "you typed My name"])
    expect(value_of(told, "Push URL")).to_have_text(["was http://127.0.0.1:9/old", "is now http://127.0.0.1:9/theirs"])
    expect(value_of(told, "Allowed services")).to_have_count(0)
    # What was typed is kept, the rest is what they made of it; nothing is saved yet.
    expect(mine.get_by_label("Name")).to_have_value("My name")
    expect(mine.get_by_label("Push URL")).to_have_value("http://127.0.0.1:9/theirs")
    assert stored(market, hub.partner_id, "name") == ["Their name"]
    assert console.axe() == []
    save(mine, "Save mine")
    expect(told).to_have_count(0)
    assert stored(market, hub.partner_id, "name", "pushUrl") == ["My name", "http://127.0.0.1:9/theirs"]


def test_of_two_people_the_second_takes_what_the_first_saved(overtaken: tuple[Hub, Page], market: Market) -> None:
    hub, mine = overtaken
    press(mine, "Take theirs")
    expect(mine.get_by_label("Name")).to_have_value("Their name")
    expect(mine.get_by_text("Someone else has changed")).to_have_count(0)
    shows_page(mine, "Their name")
    save(mine, said="Nothing to save.")
    # What somebody else changes appears by itself where nothing is typed.
    market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"name": "Renamed elsewhere"})
    expect(mine.get_by_label("Name")).to_have_value("Renamed elsewhere")
    shows_page(mine, "Renamed elsewhere")


def test_a_partner_that_was_revoked_meanwhile_is_shown_as_that(console: Console, market: Market) -> None:
    hub = market.hub(name="Soon revoked")
    page = opened(console, hub)
    page.get_by_label("Name").fill("Too late")
    market.made("DELETE", f"/admin/partners/{hub.partner_id}")
    save(page, said="")
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    expect(page.get_by_role("form", name="Settings")).to_have_count(0)


# ---------------------------------------------------------------- test push


def test_a_test_push_shows_how_it_went(console: Console, market: Market) -> None:
    refused = Answer(body=b'{"status":"ERROR","error":"no such number"}')
    server = PretendPartner([Answer(), refused, HTML, Answer(status=503, body=b"")])
    page = opened(console, market.hub(name="Tried", pushUrl=server.url))
    tried = card(page, "Test push")

    def push(**shown: str | re.Pattern[str]) -> None:
        press(tried, "Send test push")
        for name, text in shown.items():
            expect(value_of(tried, name.replace("_", " "))).to_have_text(text)

    with server:
        push(Result="Delivered", Delivered="Yes", HTTP_status="200", Answer='{"status":"SUCCESS"}')
        push(Result="Answer is not SUCCESS", Delivered="No", Answer=re.compile("no such number"))
        push(Answer=re.compile(r"<h1>It works!</h1><img src=x onerror=alert\(1\)>"), Duration=re.compile(r"^\d+ ms$"))
        assert page.locator("main img").count() == 0
        push(Result="Other HTTP status", HTTP_status="503", Answer="Empty")
        assert console.axe() == []
    push(Result="No connection", HTTP_status="None")


# ---------------------------------------------------------------- keys and secrets


def test_a_key_is_rotated_after_a_question_and_shown_once(console: Console, market: Market) -> None:
    hub = market.hub(name="Rotated")
    page = opened(console, hub)
    press(page, "Rotate key")
    asked = page.get_by_role("dialog", name="Rotate the key?")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    assert hub.call("GET_SERVICES").status_code == 200
    confirm(page, "Rotate key", "Rotate key")
    shown = page.get_by_role("dialog", name="New key")
    key = shown.locator("code").inner_text()
    assert key != hub.key
    assert Hub(market, hub.partner_id, key).call("GET_SERVICES").status_code == 200
    press(shown, "I have copied it")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Rotate key")).to_be_focused()
    assert key not in page.content()


def test_a_link_for_the_developer_is_made_from_a_new_key_and_shown_once(console: Console, market: Market) -> None:
    hub = market.hub(name="With a developer")
    page = opened(console, hub)
    made: list[str] = []

    def make(route: Route) -> None:
        made.append(route.request.method)
        at = "2026-01-02T03:04:05+00:00"
        route.fulfill(status=201, json={"url": f"{market.stack.api}/partner/#token{len(made)}", "expiresAt": at})

    # By script, as a link that fails can't be had otherwise.
    link = f"**/admin/partners/{hub.partner_id}/link"
    page.route(link, lambda route: route.fulfill(status=409, json={"status": "ERROR", "message": "partner is revoked"}))
    confirm(page, "Rotate key", "Rotate key")
    shown = page.get_by_role("dialog", name="New key")
    press(shown, "Make a link for the partner's developer")
    shows(shown.get_by_role("alert"), "partner is revoked")
    page.route(link, make)
    press(shown, "Make a link for the partner's developer")
    shows(shown, "It gives the key to whoever opens it first", "2 Jan 2026")
    assert copied(shown, "Link") == f"{market.stack.api}/partner/#token1"
    assert console.axe() == []
    assert console.fits(NARROW)
    press(shown, "I have copied it")
    assert "token1" not in page.content()
    assert made == ["POST"]
    confirm(page, "New signing secret", "Create secret")
    expect(
        page.get_by_role("dialog", name="New signing secret").get_by_role("button", name="Make a link")
    ).to_have_count(0)


def test_a_signing_secret_is_made_shown_once_and_removed(console: Console, market: Market) -> None:
    page = opened(console, market.hub(name="Signed"))
    pushes = value_of(page.locator("main"), "Pushes")
    expect(pushes).to_have_text("Not signed")
    confirm(page, "New signing secret", "Create secret")
    shown = page.get_by_role("dialog", name="New signing secret")
    secret = shown.locator("code").inner_text()
    assert secret.startswith("whsec_")
    press(shown, "I have copied it")
    expect(pushes).to_have_text("Signed")
    assert secret not in page.content()
    confirm(page, "Stop signing", "Stop signing")
    expect(pushes).to_have_text("Not signed")


def test_a_partner_is_revoked_by_typing_its_name(console: Console, market: Market) -> None:
    hub = market.hub(name="Not for long")
    page = opened(console, hub)
    press(page, "Revoke")
    asked = page.get_by_role("dialog", name="Revoke this partner?")
    typed = asked.get_by_label("Type the partner's name")
    typed.fill("Another name")
    press(asked, "Revoke permanently")
    expect(typed).to_have_accessible_description("This is not the partner's name.")
    assert console.axe() == []
    assert stored(market, hub.partner_id, "revoked") == [False]
    typed.fill("Not for long")
    press(asked, "Revoke permanently")
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Rotate key")).to_have_count(0)
    assert stored(market, hub.partner_id, "revoked") == [True]
    console.go("/partners")
    shows(listed(page, hub), "Revoked")


# ---------------------------------------------------------------- its activations and failures


def test_its_page_shows_its_activations_and_recent_failures(console: Console, market: Market) -> None:
    answer = Answer(status=500, body=f"<b>broken</b> {LONG_WORD}".encode())
    with PretendPartner(otherwise=answer) as server:
        sale = market.sell(market.hub(name="In trouble", pushUrl=server.url), 2)
        kept = market.hub(name="Other").buy(sale.pool, sale.service)
        sale.deliver("Code 4711")
        until(sale.shown, lambda shown: bool(shown["messages"][0]["attemptLog"]))
        page = opened(console, sale.hub)
        error = page.get_by_role("table", name="Recent failures").get_by_role("row").nth(1)
        shows(error, str(sale.activation_id), "Other HTTP status", "500", "Hidden")
        assert market.looks("partner.answers_read", sale.hub.partner_id) == 0
        press(page, "Show answers")
        shows(error, "<b>broken</b>")
        assert market.looks("partner.answers_read", sale.hub.partner_id) == 1
        bought = page.get_by_role("table", name="Activations")
        expect(bought.get_by_role("row")).to_have_count(2)
        shows(bought, str(sale.activation_id), "Live")
        expect(page.locator("main")).not_to_contain_text(str(kept["activationId"]))
        assert page.locator("main b").count() == 0
        assert console.fits(NARROW)
        # It goes on by itself when there is news.
        sale.finish(4)
        shows(bought, "Canceled", timeout=PATIENCE)


def test_a_partner_that_does_not_exist_is_said_not_to(console: Console) -> None:
    shows_page(console.enter("/partners/nobody"), "Partner not found")
    assert console.axe() == []


def test_a_hostile_name_stays_the_text_it_is(console: Console, market: Market) -> None:
    hub = market.hub(name=NAME, services=["x" * 40] + [f"{n}{'y' * 38}" for n in range(9)])
    page = console.enter("/partners")
    expect(listed(page, hub).get_by_role("link")).to_have_text(NAME)
    assert console.fits(NARROW)
    console.go(f"/partners/{hub.partner_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page).to_have_title(f"{NAME} · GlobalConnect")
    assert console.overflow() == 0
    press(page, "Revoke")
    shows(page.get_by_role("dialog"), NAME)
    assert page.locator("main img, main script").count() == 0

"""The page that a partner's developer starts from: the link, the key, what is tried and what is copied."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from globalconnect.hub_protocol.catalogue import DIALECTS, overridden
from local.stack import Stack
from tests.browser.driving import HEIGHT, NARROW, WIDE, Console, copied, fill, press, shows
from tests.browser.partner_door import STATIC, Supplier
from tests.browser.test_every_page import LOOKS

# All that the page loads, compressed, headers and all (bytes).
MOST_BYTES = 60_000
HOSTILE = '"><img src=x onerror="alert(1)"><script>alert(1)</script>'


@pytest.fixture
def supplier() -> Iterator[Supplier]:
    if not (STATIC / "index.html").exists():
        pytest.fail("The partners' page has not been built: make console", pytrace=False)
    with Supplier() as supplier:
        yield supplier


@pytest.fixture
def window(browser: Browser, supplier: Supplier) -> Iterator[Console]:
    """Return a window; at the end neither key nor token has ever been in an address, or the tab left it to another."""
    with Console.opened(browser, Stack(supplier.api, "", "", "", "", "", "", "", 0)) as window:
        yield window
        assert not [call for call in supplier.calls if call.referrer]
        secrets = {supplier.key, *(body["token"] for body in supplier.asked("link"))}
        for address in [*(request.url for request in window.requests), *(call.path for call in supplier.calls)]:
            assert not [secret for secret in secrets if secret in unquote(address)], address
        assert window.page.evaluate("JSON.stringify({...localStorage}) + document.cookie") == "{}"


@pytest.fixture
def page(window: Console, supplier: Supplier) -> Page:
    """Return the page in which the key was typed."""
    window.page.goto(supplier.url)
    use_key(window.page, supplier.key)
    shows(trial(window.page, "GET_SERVICES"), supplier.operator)
    return window.page


def use_key(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    press(page, "Use this key")


def trial(page: Page, action: str) -> Locator:
    return page.get_by_role("form", name=f"Try {action}")


def test_a_link_gives_the_key_once_and_leaves_the_address_at_once(window: Console, supplier: Supplier) -> None:
    page, link = window.page, supplier.link()
    page.goto(link)
    shows(page.locator("#key"), "The link is used up", supplier.name)
    assert page.url == supplier.url
    assert copied(page.locator("#key"), "Key") == supplier.key
    assert page.evaluate("history.length") <= 2
    # It is in this tab until that is closed, and in no other.
    page.reload()
    shows(page.locator("#key"), supplier.name)
    expect(page.get_by_text("The link is used up")).to_have_count(0)
    assert supplier.key not in page.content()
    press(page, "Show the key")
    assert copied(page.locator("#key"), "Key") == supplier.key
    other = window.another_tab()
    other.goto(supplier.url)
    expect(other.get_by_label("Key", exact=True)).to_be_visible()
    other.goto(link)
    shows(other.locator("#key").get_by_role("alert"), "was used")
    assert other.url == supplier.url
    press(page, "Forget the key")
    assert page.evaluate("JSON.stringify({...sessionStorage})") == "{}"
    expect(page.get_by_label("Key", exact=True)).to_be_visible()


def test_a_link_works_without_the_last_slash_and_in_a_page_that_is_open(window: Console, supplier: Supplier) -> None:
    page = window.page
    page.goto(supplier.link().replace("/partner/#", "/partner#"))
    shows(page.locator("#key"), supplier.name)
    assert page.url == supplier.url
    supplier.name = "Renamed"
    page.goto(supplier.link())
    shows(page.locator("#key"), "Renamed")
    assert page.url == supplier.url


@pytest.mark.parametrize("added", [".", ")", "_", "%3E", "?utm_source=mail"])
def test_what_a_mail_has_added_to_a_link_does_no_harm(window: Console, supplier: Supplier, added: str) -> None:
    window.page.goto(supplier.link() + added)
    shows(window.page.locator("#key"), supplier.name)
    assert window.page.url == supplier.url


@pytest.mark.parametrize("place", ["push", "schema-FinishActivation"])
def test_a_place_on_the_page_is_no_link(page: Page, supplier: Supplier, place: str) -> None:
    page.locator(f"a[href='#{place}']").first.click()
    expect(page).to_have_url(f"{supplier.url}#{place}")
    expect(page.locator(f"#{place}")).to_be_in_viewport()
    page.reload()
    shows(trial(page, "GET_SERVICES"), supplier.operator)
    expect(page).to_have_url(f"{supplier.url}#{place}")
    assert supplier.asked("link") == []


def test_a_link_that_could_not_be_opened_is_tried_again(window: Console, supplier: Supplier) -> None:
    page = window.page
    page.route("**/partner/link", lambda route: route.abort())
    page.goto(supplier.link())
    shows(page.locator("#key").get_by_role("alert"), "not responding")
    assert window.axe() == []
    assert page.url == supplier.url
    page.unroute("**/partner/link")
    press(page, "Try again")
    shows(page.locator("#key"), supplier.name)


def test_live_names_are_shown_and_a_number_is_taken_polled_and_returned(page: Page, supplier: Supplier) -> None:
    row = trial(page, "GET_SERVICES").get_by_role("row").filter(has_text=supplier.service)
    expect(row.get_by_role("cell")).to_have_text([supplier.operator, supplier.service, str(supplier.free)])
    number = trial(page, "GET_NUMBER")
    fill(number, {"Country": supplier.country, "Service": supplier.service, "exceptionPhoneSet": "4479, 4478"})
    press(number, "Take a number")
    shows(number, "447472190082")
    number.get_by_text("GET_NUMBER: request and answer").click()
    shows(page.get_by_role("region", name="GET_NUMBER: request"), '"key": "•••"', "POST")
    assert supplier.key not in page.content()
    (asked,) = supplier.asked("GET_NUMBER")
    wanted = {"country": supplier.country, "operator": "any", "service": supplier.service}
    assert asked == {"key": supplier.key, "action": "GET_NUMBER", **wanted, "exceptionPhoneSet": "4479, 4478"}
    assert supplier.asked("explain") == []
    getsms = trial(page, "getsms")
    press(getsms, "Poll once")
    shows(getsms, "None yet.")
    supplier.texts = ["Your code: 50151", HOSTILE]
    press(getsms, "Poll once")
    shows(getsms, "From Bank: Your code: 50151", HOSTILE)
    getsms.get_by_text("getsms: request and answer").click()
    shows(page.get_by_role("region", name="getsms: request"), '"apiKey": "•••"', "POST")
    fill(getsms, {"activationId": "1"}, "Poll once")
    shows(getsms.get_by_role("alert"), "id not found")
    finish = trial(page, "FINISH_ACTIVATION")
    expect(finish.get_by_label("activationId")).to_have_value(re.compile("^[0-9]{14}$"))
    press(finish, "Finish it")
    shows(finish, "Finished.")
    assert [body["status"] for body in supplier.asked("FINISH_ACTIVATION")] == [5]
    fill(finish, {"activationId": "1"}, "Finish it")
    shows(finish.get_by_role("alert"), "activation not found")
    expect(finish.get_by_text("Finished.")).to_have_count(0)


def test_no_number_is_explained_and_what_was_meant_is_put_in(page: Page, supplier: Supplier) -> None:
    number = trial(page, "GET_NUMBER")
    fill(number, {"Country": supplier.country, "Service": "telegram"}, "Take a number")
    shows(number, "There is no service telegram.", "Did you mean")
    (asked,) = supplier.asked("explain")
    wanted = {"country": supplier.country, "operator": "any", "service": "telegram"}
    assert asked == {"key": supplier.key, **wanted}
    press(number, supplier.service)
    expect(number.get_by_label("Service")).to_have_value(supplier.service)
    press(number, "Take a number")
    shows(number, "447472190082")
    expect(number.get_by_text("Did you mean")).to_have_count(0)
    supplier.free = 0
    press(number, "Take a number")
    shows(number, "All numbers of this pool are taken.")
    fill(number, {"Service": "vip"}, "Take a number")
    shows(number.get_by_role("alert"), "not for this key")
    expect(number.get_by_text("No number.")).to_have_count(0)


def test_a_link_and_a_key_explain_the_forms_that_the_partner_gets(window: Console, supplier: Supplier) -> None:
    page, dialect = window.page, window.page.locator("#dialect")
    page.goto(supplier.url)
    shows(dialect, "What this page shows are the usual forms.")
    number, push = page.get_by_role("region", name="Answers of GET_NUMBER"), page.get_by_role("region", name="A push")
    shows(number, '"number":"447472190082"', '"call":0')
    usual = page.locator("#errors").inner_text(), page.locator("#push").inner_text()
    supplier.dialect = overridden(DIALECTS["onlinesim"], {"types": {"smsId": "string"}})
    page.goto(supplier.link())
    shows(dialect, "OnlineSim", "number of GET_NUMBER is a number, phone of an SMS a string, smsId a string.")
    shows(dialect, "any, the sum of all.", "Each has HTTP 200", "Its Authorization is Bearer and your key.")
    shows(number, '"number":447472190082', '{"status":"NO_NUMBERS"}')
    expect(number).not_to_contain_text("call")
    shows(page.get_by_role("region", name="Answer of GET_SERVICES"), '"operatorMap":{"any":{"tg":5}')
    shows(page.get_by_role("region", name="Answers of getsms"), '"smsId":"36532","phone":"447472190082"', "WAIT_CODE")
    shows(push, "Authorization: Bearer …", '"phone":"447472190082","phoneFrom":"Telegram","text":"Your code: 50151"}')
    shows(page.locator("#push"), "HTTP 200 says that you have stored the SMS, whatever the body.", "NO_OPERATION")
    shows(
        page.get_by_role("region", name="A refusal"), '"message":"activation not found","error":"activation not found"'
    )
    shows(page.locator("#errors"), "The text is in message and error. Each has HTTP 200: go by status.")
    expect(page.locator("#errors").get_by_text("Go by the HTTP status:")).to_be_hidden()
    assert supplier.asked("forms") == []
    # What has changed since is read again.
    supplier.dialect = DIALECTS["smsbower"]
    page.reload()
    shows(dialect, "SMSBower")
    press(page, "Forget the key")
    supplier.dialect = DIALECTS["herosms"]
    supplier.names = {"countries": ["uk"], "operators": {}, "services": [], "unmapped": "pass"}
    use_key(page, supplier.key)
    shows(page.locator("#key"), supplier.name)
    shows(page.locator("#names"), "uk")
    assert supplier.asked("forms") == [{"key": supplier.key}] * 2
    shows(page.get_by_role("region", name="Answer of GET_SERVICES"), 'GET_COUNT: {"status":"SUCCESS","countMap"')
    shows(page.locator("#finish"), "14 is the same as 3 Success.")
    expect(page.get_by_label("status").locator("option").last).to_have_text("16: as 5 Returned")
    press(page, "Forget the key")
    shows(number, '"number":"447472190082"')
    assert (page.locator("#errors").inner_text(), page.locator("#push").inner_text()) == usual


def test_a_link_shows_the_names_that_the_partner_uses_to_be_searched(window: Console, supplier: Supplier) -> None:
    page, names = window.page, window.page.locator("#names")
    page.goto(supplier.url)
    shows(names, "are called as GET_SERVICES lists them.")
    operators = {"Côte d'Ivoire": [HOSTILE, "any"], "uk": ["any"]}
    countries, services = list(operators), [f"s{number}" for number in range(1_000)]
    supplier.names = {"countries": countries, "operators": operators, "services": services, "unmapped": "hide"}
    page.goto(supplier.link())
    shows(names, "Others are not for sale to you.", "1005 of 1005, the first 200 shown")
    rows = names.get_by_role("row")
    expect(rows).to_have_count(201)
    fill(names, {"Find a name": "IVOIRE"})
    expect(rows).to_have_count(4)
    shows(names, HOSTILE, "3 of 1005")
    fill(names, {"Find a name": "s999"})
    expect(rows.nth(1).get_by_role("cell")).to_have_text(["Service", "s999", ""])
    assert window.axe() == []
    assert window.fits(NARROW)
    supplier.names = {"countries": [], "operators": {}, "services": [], "unmapped": "pass"}
    page.goto(supplier.link())
    shows(names, "No names of your own were agreed. Others are called as we call them.")


def test_a_wrong_key_is_told(window: Console, supplier: Supplier) -> None:
    window.page.goto(supplier.url)
    use_key(window.page, "not-a-key")
    shows(trial(window.page, "GET_SERVICES").get_by_role("alert"), "Invalid key")
    shows(window.page.locator("#dialect"), "What this page shows are the usual forms.")
    assert supplier.asked("forms") == [{"key": "not-a-key"}]


def test_what_is_copied_has_the_url_filled_in_and_no_key(page: Page, supplier: Supplier) -> None:
    assert "api.example" not in page.locator("main").inner_text()
    for action in ("GET_SERVICES", "GET_NUMBER", "getsms", "FINISH_ACTIVATION"):
        press(page, f"Copy: {action} with curl")
        # The clipboard is written after a while.
        page.wait_for_function("name => navigator.clipboard.readText().then(text => text.includes(name))", arg=action)
        text = page.evaluate("navigator.clipboard.readText()")
        assert f"{supplier.api}/SMSBOWER" in text
        assert supplier.key not in text
        page.evaluate("navigator.clipboard.writeText('')")


def test_axe_finds_nothing_in_light_in_dark_and_at_360_pixels(page: Page, window: Console, supplier: Supplier) -> None:
    press(page, "Send GET_SERVICES")
    fill(trial(page, "GET_NUMBER"), {"Country": supplier.country, "Service": "telegram"}, "Take a number")
    shows(trial(page, "GET_NUMBER"), "Did you mean")
    for summary in page.locator("summary").all():
        summary.click()
    supplier.dialect = DIALECTS["herosms"]
    page.goto(supplier.link())
    shows(page.locator("#dialect"), "HeroSMS")
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme)
        assert window.axe() == [], (width, scheme)
    for width in (NARROW, 1100, WIDE):
        assert window.fits(width), width


def test_all_of_it_is_small(page: Page, window: Console) -> None:
    assert {request.resource_type for request in window.requests} >= {"document", "script", "stylesheet"}
    assert window.transferred() < MOST_BYTES


def test_names_stay_the_texts_that_they_are(window: Console, supplier: Supplier) -> None:
    supplier.name = supplier.country = supplier.operator = supplier.service = HOSTILE
    page = window.page
    page.goto(supplier.link())
    shows(page.locator("#key"), HOSTILE)
    shows(trial(page, "GET_SERVICES"), HOSTILE)
    fill(trial(page, "GET_NUMBER"), {"Country": "x", "Service": HOSTILE + "2"}, "Take a number")
    shows(trial(page, "GET_NUMBER"), f"There is no service {HOSTILE}2.")
    assert page.locator("main img, main script").count() == 0


def test_the_reference_is_the_description_of_what_partners_call(page: Page) -> None:
    reference = page.locator("#reference")
    shows(reference, "POST /SMSBOWER", "GET /SMSBOWER/getsms", "POST to your Push URL", "webhook-signature")
    # Every name that it refers to is on the page, and nothing of staff's is.
    names = reference.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href').slice(1))")
    assert {"schema-GetNumber", "schema-PushedSms", "schema-Error"} <= set(names)
    assert [name for name in sorted(set(names)) if page.locator(f"#{name}").count() != 1] == []
    assert "admin" not in reference.inner_text()
    ids = page.locator("[id]").evaluate_all("found => found.map(one => one.id)")
    assert len(ids) == len(set(ids))

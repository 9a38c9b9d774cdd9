"""Inbound gateways: a secret that is shown once, and what was heard of them."""

from playwright.sync_api import Route, expect

from tests.browser.driving import Console
from tests.contract.market import Gateway, Market


def test_a_source_is_entered_with_a_secret_that_works_and_is_shown_once(console: Console, market: Market) -> None:
    page = console.enter("/sources")
    page.get_by_role("button", name="New source").click()
    form = page.get_by_role("dialog", name="New source")
    form.get_by_label("Name").fill("Gateway of the browser")
    form.get_by_role("button", name="Add source").click()
    shown = page.get_by_role("dialog", name="Gateway of the browser added")
    shown.get_by_role("button", name="Copy: Secret").click()
    expect(shown.get_by_role("status")).to_have_text("Copied")
    secret = page.evaluate("navigator.clipboard.readText()")
    shown.get_by_role("button", name="Copy: URL").click()
    url = page.evaluate("navigator.clipboard.readText()")
    sms = {"phone": "447700199999", "from": "Nobody", "text": "Hello"}
    assert Gateway(market, url, secret).deliver(sms).status_code == 200
    assert console.axe() == []
    shown.get_by_role("button", name="I have copied it").click()
    row = page.get_by_role("row").filter(has_text="Gateway of the browser")
    expect(row).to_contain_text(url)
    assert secret not in page.content()
    page.reload()
    console.settle()
    assert secret not in page.content()


def test_a_source_shows_when_it_was_last_heard_from_and_what_could_not_be_read(
    console: Console, market: Market
) -> None:
    made = market.made("POST", "/admin/sources", {"name": "Heard gateway", "provider": "generic"})
    page = console.enter("/sources")
    row = page.get_by_role("row").filter(has_text="Heard gateway")
    expect(row).to_contain_text("Never")
    gateway = Gateway(market, made["url"], made["secret"])
    assert gateway.deliver({"phone": "447700199998", "from": "Nobody", "text": "Hello"}).status_code == 200
    assert gateway.deliver({"nothing": "of use"}).status_code == 400
    page.reload()
    console.settle()
    expect(row).not_to_contain_text("Never")
    titles = [moment.get_attribute("title") or "" for moment in row.locator("time").all()]
    assert len(titles) == 3
    expect(row).to_contain_text("receivedAt: not given")
    assert all(title.endswith(" UTC") for title in titles)


def test_a_source_gets_a_new_secret_that_is_shown_once(console: Console, market: Market) -> None:
    made = market.made("POST", "/admin/sources", {"name": "Gateway to be renewed", "provider": "generic"})
    page = console.enter("/sources")
    opener = page.get_by_role("button", name="New secret for Gateway to be renewed")
    opener.click()
    form = page.get_by_role("dialog", name="New secret for Gateway to be renewed")
    form.get_by_label("Secret").fill("short")
    form.get_by_role("button", name="Replace secret").click()
    expect(form).to_contain_text("Expected a text of 8 to 4096")
    form.get_by_label("Secret").fill("only twelve.")
    form.get_by_role("button", name="Replace secret").click()
    shown = page.get_by_role("dialog", name="Gateway to be renewed has a new secret")
    expect(shown).to_contain_text("only twelve.")
    expect(shown).to_contain_text("may be guessed")
    assert console.axe() == []
    shown.get_by_role("button", name="I have copied it").click()
    expect(opener).to_be_focused()
    assert "only twelve." not in page.content()
    opener.click()
    form.get_by_role("button", name="Replace secret").click()
    shown.get_by_role("button", name="Copy: Secret").click()
    expect(shown.get_by_role("status")).to_have_text("Copied")
    secret = page.evaluate("navigator.clipboard.readText()")
    expect(shown).not_to_contain_text("may be guessed")
    for good in (secret, "only twelve.", made["secret"]):
        assert Gateway(market, made["url"], good).deliver([]).status_code == 200


def test_a_source_is_removed_only_after_a_question(console: Console, market: Market) -> None:
    made = market.made("POST", "/admin/sources", {"name": "Gateway to be removed", "provider": "generic"})
    page = console.enter("/sources")
    opener = page.get_by_role("button", name="Remove Gateway to be removed")
    opener.click()
    question = page.get_by_role("dialog", name="Remove Gateway to be removed?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    question.get_by_role("button", name="Cancel").click()
    expect(opener).to_be_focused()
    opener.click()
    question.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Gateway to be removed")).to_have_count(0)
    assert Gateway(market, made["url"], made["secret"]).deliver({}).status_code == 401


def test_a_source_is_asked_for_what_its_provider_needs(console: Console) -> None:
    page = console.enter("/sources")
    needs = {"name": "utcOffset", "type": "text", "required": True, "description": 'its clock\'s offset, like "+03:00"'}
    kept_quiet = {"name": "silentIsOffline", "type": "flag", "required": False, "description": "true or false"}
    rest = {"title": "Modem", "methods": ["GET"], "authentication": "a secret", "secret": "given"}
    modem = {"name": "modem", "settings": [needs, kept_quiet], **rest}
    page.route("**/admin/providers", lambda route: route.fulfill(json={"providers": [modem]}))
    refusal = {"status": "ERROR", "message": "settings.utcOffset: expected its clock's offset"}
    sent: list[object] = []

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.fallback()
        sent.append(route.request.post_data_json)
        return route.fulfill(status=400, json=refusal)

    page.route("**/admin/sources", refuse)
    page.get_by_role("button", name="New source").click()
    form = page.get_by_role("dialog", name="New source")
    form.get_by_label("Name").fill("Attic")
    form.get_by_label("Secret").fill("the modem's own")
    form.get_by_label("utcOffset").fill("+3")
    form.get_by_label("silentIsOffline").check()
    form.get_by_role("button", name="Add source").click()
    expect(form.locator(".field").filter(has_text="utcOffset")).to_contain_text("Expected its clock's offset")
    assert console.axe() == []
    body = {"name": "Attic", "provider": "modem", "secret": "the modem's own"}
    assert sent == [{**body, "settings": {"utcOffset": "+3", "silentIsOffline": True}}]

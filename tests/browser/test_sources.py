"""Inbound gateways: a secret that is shown once, and what was heard of them."""

from playwright.sync_api import expect

from tests.browser.driving import Console, confirm, copied, fill, press, shows
from tests.contract.market import Gateway, Market

SMS = {"phone": "447700199999", "from": "Nobody", "text": "Hello"}


def test_a_source_is_entered_with_a_secret_that_works_and_is_shown_once(console: Console, market: Market) -> None:
    page = console.enter("/sources")
    press(page, "New source")
    fill(page.get_by_role("dialog", name="New source"), {"Name": "Gateway of the browser"}, "Add source")
    shown = page.get_by_role("dialog", name="Gateway of the browser added")
    secret, url = copied(shown, "Secret"), copied(shown, "URL")
    assert Gateway(market, url, secret).deliver(SMS).status_code == 200
    assert console.axe() == []
    press(shown, "I have copied it")
    shows(page.get_by_role("row").filter(has_text="Gateway of the browser"), url)
    assert secret not in page.content()
    console.reload()
    assert secret not in page.content()


def test_a_source_shows_when_it_was_last_heard_from_and_what_could_not_be_read(
    console: Console, market: Market
) -> None:
    gateway = market.gateway(name="Heard gateway")
    page = console.enter("/sources")
    row = page.get_by_role("row").filter(has_text="Heard gateway")
    shows(row, "Never")
    assert gateway.deliver(SMS).status_code == 200
    assert gateway.deliver({"nothing": "of use"}).status_code == 400
    console.reload()
    expect(row).not_to_contain_text("Never")
    titles = [moment.get_attribute("title") or "" for moment in row.locator("time").all()]
    assert [title.endswith(" UTC") for title in titles] == [True] * 3
    shows(row, "receivedAt: not given")


def test_a_source_gets_a_new_secret_that_is_shown_once(console: Console, market: Market) -> None:
    gateway = market.gateway(name="Gateway to be renewed")
    page = console.enter("/sources")
    opener = page.get_by_role("button", name="New secret for Gateway to be renewed")
    opener.click()
    form = page.get_by_role("dialog", name="New secret for Gateway to be renewed")
    fill(form, {"Secret": "short"}, "Replace secret")
    shows(form, "Expected a text of 8 to 4096")
    fill(form, {"Secret": "only twelve."}, "Replace secret")
    shown = page.get_by_role("dialog", name="Gateway to be renewed has a new secret")
    shows(shown, "only twelve.", "may be guessed")
    assert console.axe() == []
    press(shown, "I have copied it")
    expect(opener).to_be_focused()
    assert "only twelve." not in page.content()
    opener.click()
    press(form, "Replace secret")
    secret = copied(shown, "Secret")
    expect(shown).not_to_contain_text("may be guessed")
    for good in (secret, "only twelve.", gateway.secret):
        assert Gateway(market, gateway.url, good).deliver([]).status_code == 200


def test_a_source_is_removed_only_after_a_question(console: Console, market: Market) -> None:
    gateway = market.gateway(name="Gateway to be removed")
    page = console.enter("/sources")
    opener = page.get_by_role("button", name="Remove Gateway to be removed")
    opener.click()
    question = page.get_by_role("dialog", name="Remove Gateway to be removed?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    press(question, "Cancel")
    expect(opener).to_be_focused()
    confirm(page, "Remove Gateway to be removed", "Remove")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Gateway to be removed")).to_have_count(0)
    assert gateway.deliver({}).status_code == 401

"""A partner's developer who has a link and nothing else: from the page to a push that their receiver takes."""

import json
from pathlib import Path

from playwright.sync_api import Page

from tests import samples
from tests.browser.driving import Console, copied, fill, press, shows
from tests.contract.market import COLD_START_SECONDS, Market, until


def copied_block(page: Page, summary: str, name: str) -> str:
    """Open a block of the page that is folded, and return what its button copies."""
    page.get_by_text(summary, exact=True).click()
    press(page, f"Copy: {name}")
    # The clipboard is written after a while.
    page.wait_for_function("name => navigator.clipboard.readText().then(text => text.includes(name))", arg=name)
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_with_the_link_alone_a_developer_comes_to_a_push_that_their_receiver_takes(
    console: Console, market: Market, tmp_path: Path
) -> None:
    pool, service, gateway = market.pool(), market.service(), market.gateway()

    # Staff issue a key, and make the link.
    page = console.enter("/partners")
    press(page, "New partner")
    fill(page.get_by_role("dialog", name="New partner"), {"Name": "Newcomer"}, "Issue key")
    press(page.get_by_role("dialog"), "Make a link for the partner's developer")
    link = page.get_by_role("dialog").locator("code", has_text="/partner/#").inner_text()
    listed = market.made("GET", "/admin/partners")["partners"]
    path = next(f"/admin/partners/{each['partnerId']}" for each in listed if each["name"] == "Newcomer")

    # The developer opens it, and runs the receiver that the page shows; staff set its URL.
    developer = console.another_tab()
    developer.goto(link)
    shows(developer.locator("#key"), "Newcomer")
    assert "#" not in developer.url
    key = copied(developer.locator("#key"), "Key")
    secret = market.made("POST", f"{path}/signing-secret")["signingSecret"]
    sample = tmp_path / "receiver.py"
    sample.write_text(copied_block(developer, "Python: receiver.py", "receiver.py"), encoding="utf-8")
    with samples.receiver("Python", secret, tmp_path, sample) as receiver:
        market.made("PATCH", path, {"pushUrl": receiver.url})
        shows(developer.get_by_role("form", name="Try GET_SERVICES"), pool.operator)
        number = developer.get_by_role("form", name="Try GET_NUMBER")
        fill(number, {"Country": pool.country, "Service": service.upper()}, "Take a number")
        shows(number, "Did you mean")
        press(number, service)
        press(number, "Take a number")
        shows(number, pool.phones[0])
        assert gateway.deliver({"phone": pool.phones[0], "from": "Telegram", "text": "Your code: 50151"}).is_success
        ((_, body),) = until(receiver.taken, lambda taken: len(taken) == 1, COLD_START_SECONDS).items()
        assert (json.loads(body)["key"], json.loads(body)["text"]) == (key, "Your code: 50151")
        getsms = developer.get_by_role("form", name="Try getsms")
        press(getsms, "Poll once")
        shows(getsms, "Your code: 50151")
        finish = developer.get_by_role("form", name="Try FINISH_ACTIVATION")
        press(finish, "Finish it")
        shows(finish, "Finished.")

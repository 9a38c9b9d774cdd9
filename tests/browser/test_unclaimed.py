"""Unclaimed SMS and unreadable payloads: hidden until asked for, who looked is recorded, and nothing becomes markup."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import expect

from globalconnect.domain.times import MINUTE
from local.aws import CONFIG, session
from tests.browser.driving import NARROW, WIDE, Console, fill, press, shows, shows_page
from tests.contract.market import Market

TEXT = f'"><script>alert(1)</script><img src=x onerror=alert(1)>{"W" * 500}\N{RIGHT-TO-LEFT OVERRIDE}1174 edoc ruoY'


def test_texts_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    for _ in range(2):
        market.gateway().deliver({"phone": phone, "from": TEXT[:100], "text": TEXT})
    before = market.looks("unclaimed.texts_read")
    page = console.enter("/unclaimed")
    row = page.get_by_role("row").filter(has_text=phone)
    shows(row, "Hidden", "Gateway", "no activation held the number; received 1 more time")
    assert market.looks("unclaimed.texts_read") == before
    show = page.get_by_role("button", name="Show texts")
    expect(show).to_have_accessible_description(
        "They hold other people's codes: viewing them is recorded in the audit log."
    )
    show.click()
    # What outsiders write stays the text it is, and what turns text around turns none but its own.
    expect(row.locator(".foreign")).to_have_text([TEXT[:100], TEXT])
    assert row.locator(".foreign").first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert page.locator("main img, main script").count() == 0
    assert console.fits(NARROW)
    assert console.axe() == []
    assert console.fits(WIDE)
    press(page, "Hide texts")
    shows(row, "Hidden")
    assert "1174 edoc" not in page.content()
    assert market.looks("unclaimed.texts_read") == before + 1


def test_payloads_are_hidden_until_asked_for_and_the_look_is_recorded(console: Console, market: Market) -> None:
    gateway = market.gateway()
    for body in (b"not JSON <img src=x onerror=alert(1)>", b"\xff\xfe and no text at all", {"wrong": TEXT}):
        gateway.deliver(body)
    before = market.looks("unreadable.payloads_read")
    page = console.enter("/unclaimed")
    page.get_by_role("link", name="Unreadable payloads").click()
    shows_page(page, "Unreadable payloads")
    table = page.get_by_role("table", name="Unreadable payloads")
    shows(table, "Hidden")
    expect(table).not_to_contain_text("not JSON")
    press(page, "Show payloads")
    shows(table, "not JSON <img src=x onerror=alert(1)>", r"\xff\xfe and no text at all")
    assert console.overflow() == 0
    assert page.locator("main img, main script").count() == 0
    console.reload()
    shows(table, "Hidden")
    assert market.looks("unreadable.payloads_read") == before + 1


def test_there_are_more_pages_and_new_ones_come_when_looked_for_again(console: Console, market: Market) -> None:
    [phone], [other], gateway = market.pool().phones, market.pool().phones, market.gateway()
    for part in range(2):
        gateway.deliver([{"phone": phone, "from": "Many", "text": f"SMS {part}.{number}"} for number in range(55)])
    page = console.enter("/unclaimed")
    rows = page.get_by_role("table").get_by_role("row")
    at_first = rows.count()
    assert at_first < 110
    press(page, "More")
    expect(rows.nth(at_first)).to_be_visible()
    gateway.deliver({"phone": other, "from": "Late", "text": "Late"})
    press(page, "Refresh")
    expect(rows.filter(has_text=other)).to_be_visible()


def test_an_sms_that_waits_for_its_line_is_mapped_from_the_list_and_goes_to_its_holder(
    console: Console, market: Market
) -> None:
    sale = market.sell(market.hub())
    sale.gateway.deliver({"from": "Bank", "text": TEXT, "line": "dv-19:2 & more"})
    before = market.looks("waiting.texts_read")
    page = console.enter("/unclaimed")
    page.get_by_role("navigation", name="Unclaimed").get_by_role("link", name="Waiting SMS").click()
    shows_page(page, "Waiting SMS")
    row = page.get_by_role("row").filter(has_text="dv-19:2 & more")
    shows(row, "Hidden", "Gateway", "Bank", "Not said")
    assert market.looks("waiting.texts_read") == before
    press(page, "Show texts")
    shows(row, TEXT)
    assert page.locator("main img, main script").count() == 0
    assert console.fits(NARROW)
    assert console.axe() == []
    assert console.fits(WIDE)
    assert market.looks("waiting.texts_read") == before + 1

    row.get_by_role("link", name="Map line").click()
    form = page.get_by_role("dialog", name="Line dv-19:2 & more")
    fill(form, {"Number": sale.phone}, "Save")
    shows(page.get_by_role("main"), "1 waiting SMS went to whoever held the number.")
    # Loaded again, the page asks for nothing.
    assert "?line=" not in page.url
    assert len(sale.shown()["messages"]) == 1
    console.go("/unclaimed/waiting")
    expect(row).to_have_count(0)


def test_an_incomplete_sms_shows_what_is_there_and_what_is_missing(console: Console, market: Market) -> None:
    [phone] = market.pool().phones
    source = market.made("POST", "/admin/sources", {"name": "Kannel of parts", "provider": "kannel"})
    for part in (1, 2, 4):
        query = {
            "key": source["secret"],
            "from": "Bank",
            "to": phone,
            "text": f"part {part}. ",
            "coding": "0",
            "charset": "UTF-8",
            "time": "",
            "id": str(part),
            "smsc": "m1",
            "udh": f"\x05\0\x03\x07\x05{chr(part)}",
        }
        assert market.http.get(source["url"], params=query).status_code == 200
    (kept,) = (item for item in inbox(market, source["sourceId"]) if "parts" in item)
    began_at = int(kept["began_at"]["N"]) - 11 * MINUTE
    change_inbox(market, kept["inbox_id"]["S"], began_at={"N": str(began_at)}, stored_at={"N": str(began_at)})
    page = console.enter("/unclaimed/incomplete")
    row = page.get_by_role("row").filter(has_text="Kannel of parts")
    shows(row, phone, "1\N{EN DASH}2 and 4 of 5", "3 and 5", "Hidden")
    press(page, "Show texts")
    shows(row, "part 1. part 2. […]part 4. […]")
    assert console.fits(NARROW)
    assert console.axe() == []


def test_a_payload_is_read_again_and_says_what_came_of_it(console: Console, market: Market) -> None:
    [phone], gateway = market.pool().phones, market.gateway(name="Gateway to be mended")
    gateway.deliver({"phone": phone, "from": "Bank", "text": ["5"]})
    page = console.enter("/unclaimed/payloads")
    row = page.get_by_role("row").filter(has_text="Gateway to be mended")
    press(row, "Read again")
    shows(row.get_by_role("alert"), "Still can't be read:", "text: expected")
    assert console.axe() == []
    (kept,) = inbox(market, gateway.source_id)
    # As if its adapter were mended.
    mended = b'{"phone": "%s", "from": "Bank", "text": "5"}' % phone.encode()
    change_inbox(market, kept["inbox_id"]["S"], payload={"B": mended})
    press(row, "Read again")
    shows(page.get_by_role("main"), "The payload was read.")
    expect(row).to_have_count(0)
    console.go("/unclaimed")
    shows(page.get_by_role("row").filter(has_text=phone), "Gateway to be mended", "no activation held the number")


def inbox(market: Market, source_id: str) -> list[dict[str, Any]]:
    """Return all that the table of the inbox holds of a source."""
    client, name = _table(market)
    pages = client.get_paginator("scan").paginate(TableName=name)
    return [item for page in pages for item in page["Items"] if item.get("source_id") == {"S": source_id}]


def change_inbox(market: Market, inbox_id: str, **attributes: Mapping[str, object]) -> None:
    """Let an entry of the inbox be as no delivery of a test can make it: old, or readable after all."""
    client, name = _table(market)
    client.update_item(
        TableName=name,
        Key={"inbox_id": {"S": inbox_id}},
        UpdateExpression="SET " + ", ".join(f"#{one} = :{one}" for one in attributes),
        ConditionExpression="attribute_exists(inbox_id)",
        ExpressionAttributeNames={f"#{one}": one for one in attributes},
        ExpressionAttributeValues={f":{one}": value for one, value in attributes.items()},
    )


def _table(market: Market) -> tuple[Any, str]:
    client = session().client("dynamodb", endpoint_url=market.stack.endpoint_url, config=CONFIG)
    (name,) = (name for name in client.list_tables()["TableNames"] if "Inbox" in name)
    return client, name

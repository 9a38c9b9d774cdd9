"""Inbound gateways: a secret that is shown once, and what was heard of them."""

import re
import time
import zlib
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from globalconnect.domain.times import to_iso
from tests.browser.driving import NARROW, WIDE, Console, confirm, copied, fill, press, shows, shows_page
from tests.browser.modems import DEVICE, OFFLINE, ONLINE, Modems
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


def test_a_source_shows_when_it_was_last_heard_from_when_its_last_sms_came_and_what_could_not_be_read(
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
    assert [title.endswith(" UTC") for title in titles] == [True] * 4
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


# ---------------------------------------------------------------- what a type needs


def test_the_form_of_a_type_is_the_catalogues_and_its_address_holds_the_secret(
    console: Console, market: Market
) -> None:
    [phone] = market.pool().phones
    page = console.enter("/sources")
    press(page, "New source")
    form = page.get_by_role("dialog", name="New source")
    form.get_by_label("Type").select_option("AWS End User Messaging SMS, by SNS")
    assert form.get_by_label("Certificate").evaluate("element => element.tagName") == "TEXTAREA"
    shows(form, "Subscribe the URL to the topic", "from its documentation; not tried out")
    form.get_by_label("Type").select_option("Jasmin, and by it SMPP")
    expect(form.get_by_label("Certificate")).to_have_count(0)
    shows(form, "httpccm -a", "read in its own source code")
    limits = form.get_by_text("It states no times")
    expect(limits).to_be_hidden()
    form.get_by_text("How it proves itself").click()
    expect(limits).to_be_visible()
    alphabet = form.get_by_label("Default alphabet")
    expect(alphabet.get_by_role("option")).to_have_text(["Not said", "gsm7", "latin1", "ascii"])
    alphabet.select_option("latin1")
    assert console.axe() == []
    assert console.fits(NARROW)
    assert console.fits(WIDE)
    fill(form, {"Name": "Jasmin of the browser"}, "Add source")

    shown = page.get_by_role("dialog", name="Jasmin of the browser added")
    address = copied(shown, "Address")
    shows(shown, "shown only once", "httpccm -a")
    assert console.axe() == []
    sent = {"id": "1", "from": "Bank", "to": phone, "coding": "0", "binary": "e9"}
    assert market.http.post(address, data=sent).text == "ACK/Jasmin"
    press(shown, "I have copied it")
    row = page.get_by_role("row").filter(has_text="Jasmin of the browser")
    secret = address.rpartition("/")[2]
    assert secret not in page.content()
    (unclaimed,) = [one for one in market.made("GET", "/admin/unclaimed")["messages"] if one["phone"] == phone]
    assert unclaimed["text"] == "é"

    row.get_by_role("link", name="Jasmin of the browser").click()
    shows_page(page, "Jasmin of the browser")
    shows(page.get_by_role("region", name="Source", exact=True), "Default alphabet", "latin1")
    press(page, "New secret")
    press(page.get_by_role("dialog"), "Replace secret")
    shown = page.get_by_role("dialog", name="Jasmin of the browser has a new secret")
    renewed = copied(shown, "Address")
    assert renewed != address
    for good in (address, renewed):
        assert market.http.post(good, data=sent).status_code == 200
    press(shown, "I have copied it")
    assert renewed.rpartition("/")[2] not in page.content()


def test_a_source_is_renamed_and_its_settings_change(console: Console, market: Market) -> None:
    gateway = market.gateway(name="Gateway to be changed")
    page = console.enter(f"/sources/{gateway.source_id}")
    shows(page.get_by_role("region", name="Source", exact=True), "Generic (JSON, signed)", "Never", gateway.url)
    press(page, "Change")
    form = page.get_by_role("dialog", name="Change Gateway to be changed")
    fill(form, {"Name": "Changed gateway", "Country code": "044"}, "Save")
    expect(form.get_by_label("Country code")).to_be_focused()
    expect(form.get_by_label("Country code")).to_have_attribute("aria-invalid", "true")
    fill(form, {"Country code": "44"}, "Save")
    shows_page(page, "Changed gateway")
    shows(page.get_by_role("region", name="Source", exact=True), "Country code", "44")
    press(page, "Change")
    form = page.get_by_role("dialog", name="Change Changed gateway")
    fill(form, {"Country code": ""}, "Save")
    expect(page.get_by_text("Country code")).to_have_count(0)
    (seen,) = [one for one in market.made("GET", "/admin/sources")["sources"] if one["sourceId"] == gateway.source_id]
    assert (seen["name"], seen["settings"]) == ("Changed gateway", {})


def test_a_source_that_does_not_exist_says_so(console: Console) -> None:
    shows_page(console.enter("/sources/nothing"), "Source not found")


# ---------------------------------------------------------------- lines


def lines_of(market: Market, gateway: Gateway) -> dict[str, str | None]:
    listed = market.made("GET", f"/admin/sources/{gateway.source_id}/lines")["lines"]
    return {one["line"]: one["phone"] for one in listed}


def line(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Lines", exact=True).get_by_role("row").filter(has_text=name)


def choose(form: Locator, text: str) -> None:
    """Choose a file with this text, of a name of its own: the same name again would be no change."""
    name = f"{zlib.crc32(text.encode())}.csv"
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    form.get_by_label("CSV file").set_input_files(file)


def test_a_line_is_mapped_changed_and_refused_where_its_number_is_another_lines(
    console: Console, market: Market
) -> None:
    first, second, others = market.pool(3).phones
    gateway, other = market.gateway(), market.gateway(name="Gateway that has it")
    market.made("PUT", f"/admin/sources/{other.source_id}/lines", [{"line": "9", "phone": others}])
    gateway.deliver({"from": "Nobody", "text": "Hello", "line": "dv-19:2"})
    page = console.enter(f"/sources/{gateway.source_id}")
    shows(line(page, "dv-19:2"), "Not mapped")
    assert line(page, "dv-19:2").locator("time").count() == 1
    opener = page.get_by_role("button", name="Map dv-19:2")
    opener.click()
    form = page.get_by_role("dialog", name="Line dv-19:2")
    expect(form.get_by_label("Line")).not_to_be_editable()
    fill(form, {"Number": "12"}, "Save")
    expect(form.get_by_label("Number")).to_be_focused()
    shows(form, "Expected 5 to 15 digits")
    fill(form, {"Number": others}, "Save")
    shows(form, f"{others} is line 9 of Gateway that has it. Nothing was changed.")
    assert console.axe() == []
    fill(form, {"Number": f"+{first[:4]} {first[4:]}"}, "Save")
    shows(line(page, "dv-19:2"), first)
    shows(page.get_by_role("main"), "1 line mapped. 1 waiting SMS went to whoever held the number.")

    press(page, "New line")
    form = page.get_by_role("dialog", name="New line")
    fill(form, {"Line": "dv-19:1", "Number": first}, "Save")
    shows(form, f"{first} is line dv-19:2 of this source.")
    fill(form, {"Number": second}, "Save")
    shows(line(page, "dv-19:1"), second)
    shows(page.get_by_role("main"), "1 line mapped. No SMS was waiting for them.")
    assert lines_of(market, gateway) == {"dv-19:1": second, "dv-19:2": first}

    page.get_by_role("button", name="Change dv-19:2").click()
    fill(page.get_by_role("dialog", name="Line dv-19:2"), {"Number": ""}, "Save")
    shows(line(page, "dv-19:2"), "Not mapped")
    assert lines_of(market, gateway) == {"dv-19:1": second, "dv-19:2": None}


def test_lines_are_downloaded_filled_in_and_imported(console: Console, market: Market, tmp_path: Path) -> None:
    first, second, third = market.pool(3).phones
    gateway = market.gateway()
    rows = [{"line": "=1+1", "phone": first}, {"line": "gone", "phone": second}]
    market.made("PUT", f"/admin/sources/{gateway.source_id}/lines", rows)
    gateway.deliver({"from": "Nobody", "text": "Hello", "line": 'a "quoted", name'})
    page = console.enter(f"/sources/{gateway.source_id}")
    with page.expect_download() as saved:
        press(page, "Download CSV")
    file = tmp_path / "lines.csv"
    saved.value.save_as(file)
    written = file.read_bytes().decode("utf-8-sig").splitlines()
    # No spreadsheet takes a line's name for a formula.
    assert written == ["line,phone", f'"\'=1+1",{first}', '"a ""quoted"", name",', f"gone,{second}"]

    press(page, "Import CSV")
    form = page.get_by_role("dialog", name="Import lines")
    press(form, "Replace lines")
    shows(form, "Choose a file.")
    # Whoever closes the browser's own window without a choice stays in the dialog.
    form.get_by_label("CSV file").dispatch_event("cancel", {"bubbles": True})
    for text, wrong in (
        ("line,number\n1,2\n", "Header: expected the columns line and phone"),
        (f"line,phone\n1,{first},3\n", "Row 1: expected a line and a phone."),
        ('line,phone\n"open', "a quote is opened and never closed"),
    ):
        choose(form, text)
        shows(form, wrong)
    choose(form, f"\ufeffline;phone\n'=1+1;{first}\nempty;\nwrong;44\n")
    shows(form, "2 lines with a number.", "1 row without one, left out.", "1 line mapped now and not in the file.")
    assert console.axe() == []
    press(form, "Replace lines")
    # Counted as in the file, with the row that is left out.
    shows(form, "Row 3: expected 5 to 15 digits")
    assert lines_of(market, gateway)["gone"] == second
    choose(form, f'phone,line\n{first},\'=1+1\n"+{third[:3]} {third[3:]}","a ""quoted"", name"\n')
    expect(form).not_to_contain_text("without one")
    press(form, "Replace lines")
    expect(form).to_have_count(0)
    shows(page.get_by_role("main"), "2 lines mapped. 1 waiting SMS went to whoever held the number.")
    assert lines_of(market, gateway) == {"=1+1": first, 'a "quoted", name': third}


# ---------------------------------------------------------------- devices


def test_a_source_shows_its_devices_and_a_line_that_one_names_is_mapped_there(console: Console, market: Market) -> None:
    pool, service = market.pool(4), market.service()
    first, second, third, fourth = pool.phones
    modems = Modems.added(market, {"1.01": first, "1.02": second, "1.04": fourth})
    market.hub().buy(pool, service, exceptionPhoneSet=[second, third, fourth])
    modems.report({"1.01": ONLINE, "1.02": OFFLINE, "1.03": ONLINE}, {"1.03": "8944100000000000013"})
    page = console.enter(f"/sources/{modems.source_id}")
    devices = page.get_by_role("region", name="Devices")
    shows(devices, DEVICE, "3 lines: 1 offline, 2 online", "Good until")
    rows = devices.get_by_role("table", name=f"Lines of {DEVICE}").locator("tbody tr")
    # First those to look after.
    expect(rows.locator("td:first-child")).to_have_text(["1.02", "1.01", "1.03"])
    expect(rows).to_contain_text([re.compile(f"{second}.*Offline"), re.compile(f"{first}.*Online"), "Not mapped"])
    # One is sold, and shows until when; both tables show since when it is as it is.
    expect(rows.locator("time")).to_have_count(4)
    expect(line(page, "1.01").locator("time")).to_have_count(2)
    shows(line(page, "1.04"), "Unknown")
    assert console.axe() == []
    assert console.fits(NARROW)
    assert console.fits(WIDE)

    devices.get_by_role("button", name=f"Map place 1.03 of {DEVICE}").click()
    press(page.get_by_role("dialog", name="Line 1.03"), "Cancel")
    devices.get_by_role("button", name=f"Map SIM 8944100000000000013 of {DEVICE}").click()
    fill(page.get_by_role("dialog", name="Line 8944100000000000013"), {"Number": third}, "Save")
    shows(rows.filter(has_text="8944100000000000013"), third)
    shows(line(page, "8944100000000000013"), third, "Online")

    devices.get_by_role("button", name=f"Forget {DEVICE}").click()
    press(page.get_by_role("dialog", name=f"Forget {DEVICE}?"), "Forget")
    shows(devices, "No device has reported yet.")

    line(page, "1.02").get_by_role("link", name=second).click()
    shows_page(page, second)


def test_a_source_that_is_quiet_says_so_in_the_list_and_on_its_page(console: Console, market: Market) -> None:
    gateway = market.gateway(name="Gateway that is quiet")
    last = to_iso(int(time.time()) * 1000 - 3_600_000)

    def quieten(route: Route) -> None:
        """Answer what the sweep would have found of the source after a week."""
        answer = route.fetch()
        body = answer.json()
        for source in body.get("sources", [body]):
            if source.get("sourceId") == gateway.source_id:
                source |= {"lastSmsAt": last, "quietSince": last}
        route.fulfill(response=answer, json=body)

    console.page.route(re.compile(r"/admin/sources(/\w+)?(\?.*)?$"), quieten)
    page = console.enter("/sources")
    row = page.get_by_role("row").filter(has_text="Gateway that is quiet")
    expect(row.get_by_text("Quiet", exact=True)).to_be_visible()
    row.get_by_role("link", name="Gateway that is quiet").click()
    shows(page.get_by_role("region", name="Source", exact=True), "Quiet since", "no SMS for longer than usual")
    assert console.axe() == []


# ---------------------------------------------------------------- a test with a real SMS


def watch(page: Page, phone: str) -> Locator:
    """Start a test of a number; return where it is shown."""
    section = page.get_by_role("region", name="Watch for a test")
    fill(section, {"Number": phone}, "Watch")
    return section


def rests(market: Market, phone: str) -> Any:
    return market.made("GET", f"/admin/numbers/{phone}")["restingUntil"]


def test_a_number_is_watched_for_a_test_and_what_is_read_of_it_is_shown(console: Console, market: Market) -> None:
    gateway, phone = market.gateway(), market.pool().phones[0]
    market.made("PUT", f"/admin/sources/{gateway.source_id}/lines", [{"line": "SIM1", "phone": phone}])
    before = market.looks("tests.texts_read")
    page = console.enter(f"/sources/{gateway.source_id}")
    assert page.locator("datalist option").evaluate_all("all => all.map(one => one.value)") == [phone]
    section = watch(page, phone)
    shows(section, "Waiting for an SMS", phone, "4:5")
    assert rests(market, phone) is not None
    assert market.looks("tests.texts_read") == before

    at = to_iso(int(time.time()) * 1000 - 60_000)
    text = 'Code 5015 <img src=x onerror="alert(1)">'
    gateway.deliver({"line": "SIM1", "from": "My telephone", "text": text, "id": "real-1", "receivedAt": at})
    arrived = section.get_by_label("SMS that has arrived")
    shows(arrived, "My telephone", text, phone, "SIM1", "1 min", "real-1")
    expect(section).not_to_contain_text("Waiting for an SMS")
    assert page.locator("main img").count() == 0
    assert console.axe() == []
    assert console.fits(NARROW)
    assert console.fits(WIDE)
    gateway.deliver({"phone": phone, "from": "Another", "text": "No id, no time"})
    shows(arrived.first, "No id, no time", "Unknown: the gateway stated no time", "None")
    expect(arrived).to_have_count(2)
    # One look for each that came, however often it was looked for.
    assert market.looks("tests.texts_read") == before + 2
    unclaimed = market.made("GET", "/admin/unclaimed?texts=hidden")["messages"]
    assert phone not in {one["phone"] for one in unclaimed}
    press(section, "Stop watching")
    expect(section.get_by_label("Number")).to_be_visible()
    assert "real-1" not in page.content()


def test_only_a_free_number_of_ours_is_watched(console: Console, market: Market) -> None:
    sale = market.sell(market.hub())
    page = console.enter(f"/sources/{sale.gateway.source_id}")
    shows(watch(page, sale.phone), "It is not free now")
    shows(watch(page, "4477001"), "It is not one of our numbers.")
    shows(watch(page, "x"), "Expected 5 to 15 digits")


def test_a_watch_says_when_nothing_came(console: Console, market: Market) -> None:
    gateway, phone = market.gateway(), market.pool().phones[0]
    console.page.clock.install()
    # What is asked for while the clock jumps would be given up, and all be read again when it is answered.
    with console.page.expect_response(re.compile("/admin/me$")):
        page = console.enter(f"/sources/{gateway.source_id}")
    section = watch(page, phone)
    shows(section, "Waiting for an SMS")
    # What came in on a line that nobody mapped: it waits, and the page knows of it at the end.
    gateway.deliver({"line": "SIM9", "from": "My telephone", "text": "Code 5015"})
    page.clock.fast_forward(4 * 60_000)
    expect(section).to_contain_text("0:5")
    expect(section).not_to_contain_text("Nothing came")
    page.clock.fast_forward(61_000)
    shows(section, "Nothing came in 5 minutes.", "The time is over.")
    shows(line(page, "SIM9"), "Not mapped")
    assert console.axe() == []
    section.get_by_role("link", name="waiting for its line").click()
    shows_page(page, "Waiting SMS")

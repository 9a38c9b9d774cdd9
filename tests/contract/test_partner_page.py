"""The page for partners through the URL: a link that hands out a key, and why there is no number (contract 1.8)."""

from local.place import FUNCTIONS
from tests.contract.market import INVALID_KEY, NO_NUMBERS, SUCCESSFUL, Market, logged, refused, until

BUILT = FUNCTIONS / "partner_page" / "static" / "index.html"


def test_a_link_hands_out_the_key_once_and_neither_is_in_a_log(market: Market) -> None:
    hub = market.hub(name="Hub with a link")
    made = market.made("POST", f"/admin/partners/{hub.partner_id}/link")
    page, _, token = made["url"].partition("#")
    assert page == f"{market.stack.api}/partner/"
    followed = market.http.post("/partner/link", json={"token": token})
    assert followed.status_code == 200
    handed_out = followed.json()
    asked = market.http.post("/partner/forms", json={"key": hub.key})
    assert (asked.status_code, asked.json() | {"key": hub.key}) == (200, handed_out)
    assert market.http.post("/partner/forms", json={"key": "nobody's"}).json() == INVALID_KEY
    assert handed_out.pop("forms")["title"] == "GlobalConnect"
    assert handed_out.pop("names") == {"countries": [], "operators": {}, "services": [], "unmapped": "pass"}
    assert handed_out == {"name": "Hub with a link", "key": hub.key, "dialect": "globalconnect"}
    refused(market.http.post("/partner/link/", json={"token": token}), 404, "link not found")
    refused(market.http.post("/partner/link", json={}), 400, "token: expected")
    lines = until(lambda: logged(market), lambda text: '"action":"link"' in text)
    assert token not in lines
    assert hub.key not in lines


def test_the_page_explains_a_no_numbers_and_the_plain_api_does_not(market: Market) -> None:
    hub, pool, service = market.hub(), market.pool(), market.service()
    wanted = {"key": hub.key, "country": pool.country, "operator": pool.operator, "service": service}

    def explained(**asked: object) -> dict[str, object]:
        answer = market.http.post("/partner/explain", json=wanted | asked)
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body

    assert explained() == SUCCESSFUL
    # Which pools there are is known from the counts.
    unknown = until(lambda: explained(operator=pool.operator.upper()), lambda told: told["reason"] == "unknownOperator")
    assert unknown["status"] == "NO_NUMBERS"
    assert unknown["suggestions"] == [pool.operator]
    assert explained(exceptionPhoneSet=[pool.phones[0]])["reason"] == "excluded"
    assert explained() == SUCCESSFUL
    assert hub.buy(pool, service)["number"] == pool.phones[0]
    assert explained()["reason"] == "soldOut"
    assert hub.buy(pool, service) == NO_NUMBERS
    assert market.http.post("/partner/explain", json=wanted | {"key": "nobody's"}).json() == INVALID_KEY


def test_the_page_polls_as_getsms_does_with_the_key_in_the_body(market: Market) -> None:
    hub, pool, service, gateway = market.hub(), market.pool(), market.service(), market.gateway()
    one = hub.buy(pool, service)["activationId"]

    def polled(**fields: object) -> dict[str, object]:
        body: dict[str, object] = market.http.post(
            "/partner/getsms", json={"apiKey": hub.key, "id": one} | fields
        ).json()
        return body

    assert polled() == {"status": "WAIT_CODE"}
    assert polled(apiKey="nobody's") == INVALID_KEY
    gateway.deliver({"phone": pool.phones[0], "from": "Bank", "text": "Your code: 50151"})
    told = until(polled, lambda body: body["status"] == "SUCCESS")
    assert told == market.http.get("/SMSBOWER/getsms", params={"apiKey": hub.key, "id": one}).json()
    lines = until(lambda: logged(market), lambda text: '"action":"getsms"' in text)
    assert hub.key not in lines
    assert "50151" not in lines


def test_the_page_is_there_or_says_how_to_build_it_and_nobody_is_led_to_it_from_the_plain_api(market: Market) -> None:
    page = market.http.get("/partner/", headers={"Accept": "text/html"})
    if BUILT.exists():
        assert page.status_code == 200
        assert f"{market.stack.api}/partner/" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    else:
        refused(page, 404, "The built page for partners (`make console` builds it) not found")
    browser = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
    plain = market.http.get("/SMSBOWER", headers=browser)
    assert (plain.status_code, plain.json()) == (401, INVALID_KEY)

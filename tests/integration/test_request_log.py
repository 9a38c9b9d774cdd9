"""What is logged of requests: ids and classes, of those that are worth a line (docs/architecture.md)."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from globalconnect.domain.partner import in_clear
from globalconnect.runtime.request_log import NAMESPACE, RefusalCount
from simulation.failing import Fault, Scripted, failing_cloud
from simulation.shop import SECRET, Shop

PHONE = "447472190082"
SMS = {"phone": PHONE, "from": "Microsoft", "text": "Your code: 5015"}

type Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(logged: io.StringIO) -> Lines:
    """Return what gives the lines of requests that were logged."""

    def found() -> list[dict[str, Any]]:
        printed = [json.loads(line) for line in logged.getvalue().splitlines()]
        return [line for line in printed if line["message"] == "request" and line.pop("ms") >= 0]

    return found


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def test_each_get_number_and_finish_is_a_line_and_nothing_else_that_succeeds(shop: Shop, lines: Lines) -> None:
    partner = shop.partner()
    shop.sell("tg")
    assert shop.call(partner, "GET_SERVICES").status == 200
    activation_id = shop.buy(partner).body["activationId"]
    assert shop.buy(partner).body == {"status": "NO_NUMBERS"}
    assert shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    shop.deliver(shop.source(), SMS)
    shop.messages(partner, activation_id)
    shop.finish(partner, activation_id, 4)
    always = {
        "level": "INFO",
        "message": "request",
        "request_id": "request-1",
        "method": "POST",
        "route": "/SMSBOWER",
        "status": 200,
        "partner_id": partner.partner_id,
    }
    assert lines() == [
        always | {"action": "GET_NUMBER", "activation_id": activation_id},
        always | {"action": "GET_NUMBER", "answer": "NO_NUMBERS"},
        always | {"action": "FINISH_ACTIVATION", "activation_id": activation_id, "outcome": "canceled"},
    ]


def test_every_refusal_is_a_line_that_says_whose_and_of_which_class(shop: Shop, lines: Lines) -> None:
    partner, source_id = shop.partner(services=["tg"]), shop.source()
    key = in_clear(partner.key)
    shop.sell("tg", "wa")
    shop.buy(partner, "wa")
    shop.finish(partner, 12345, 3)
    shop.call(partner, "GET_SERVICES ")
    shop.poll(("apiKey", key), ("id", "secret-words"))
    shop.post({}, raw="{" + key)
    shop.deliver(source_id, None, raw=b"{")
    found = lines()
    assert [(line["status"], line["error"]) for line in found] == [
        (403, "ServiceNotAllowed"),
        (404, "NotFound"),
        (400, "InvalidInput"),
        (400, "InvalidInput"),
        (400, "InvalidInput"),
        (400, "InvalidInput"),
    ]
    assert [line.get("partner_id") for line in found] == [partner.partner_id] * 4 + [None] * 2
    assert found[-1]["source_id"] == source_id
    assert all(line["level"] == "WARNING" for line in found)
    assert not any(each in str(found) for each in (key, "secret-words", "wa'", SECRET))


def test_what_is_our_fault_is_a_line_too(shop: Shop, lines: Lines) -> None:
    partner = shop.partner()
    broken = Shop(failing_cloud(shop.cloud, Scripted(*[Fault.BROKEN] * 9, operation="GetItem")))
    assert broken.buy(partner).status == 500
    assert [(line["level"], line["status"], line["error"]) for line in lines()] == [("ERROR", 500, "Unavailable")]


@pytest.mark.parametrize("refused", RefusalCount)
def test_a_refused_key_and_a_refused_signature_are_counted_by_stack(
    shop: Shop, lines: Lines, refused: RefusalCount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack-2")
    if refused is RefusalCount.KEYS:
        asked = [shop.get(("key", "a-key-of-nobody")), shop.poll(("apiKey", "a-key-of-nobody"))]
    else:
        asked = [shop.deliver(shop.source(), SMS, signature="00"), shop.deliver("nobody", SMS)]
    assert [reply.status for reply in asked] == [401, 401]
    found = lines()
    for line in found:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive == {
            "Namespace": NAMESPACE,
            "Dimensions": [["service"]],
            "Metrics": [{"Name": str(refused), "Unit": "Count"}],
        }
        assert (line[refused], line["service"]) == (1, "stack-2")
    assert len(found) == 2
    assert "a-key-of-nobody" not in str(found)

"""Simulated hubs mind the types and forms of each hub, and read what is wrong in them all the same."""

import json
from random import Random
from typing import Any

import pytest

from conformance.exchange import Exchange
from conformance.hubs import HUBS, Hub
from conformance.hubsim.behaviour import Behaviour, misbehaviours, plan
from conformance.hubsim.events import Reply
from conformance.hubsim.forms import read_counts, read_number, unusable, wrong_error, wrong_push

LIST = {"status": "SUCCESS", "countryList": [{"country": "england", "operatorMap": {"o2": {"tg": 5, "wa": 0}}}]}
MAP = {"status": "SUCCESS", "countMap": {"england": {"any": {"tg": {"SMS": 5}, "wa": {"SMS": 0}}}}}
HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "x", "authorization": "Bearer k"}


def answered(content: Any, status: int | None = 200) -> Exchange:
    return Exchange("POST", "http://127.0.0.1/", {}, b"", status, {}, json.dumps(content).encode(), 0.1, "TimeoutError")


def push_of(hub: Hub, **changes: object) -> dict[str, object]:
    right = {"action": "PUSH_SMS", "key": "k", "phoneFrom": "Shop", "text": "code", **hub.push_extras}
    return right | {"smsId": hub.sms_id[0](7), "phone": hub.phone[0]("4474")} | changes


@pytest.mark.parametrize("hub", HUBS.values(), ids=HUBS)
def test_what_a_hub_documents_has_nothing_wrong(hub: Hub) -> None:
    counts = MAP if hub.counts_form == "countMap" else LIST
    operator = "any" if hub.counts_form == "countMap" else "o2"
    assert read_counts(hub, counts) == ({("england", operator, "tg"): 5, ("england", operator, "wa"): 0}, ())
    number = {"status": "SUCCESS", "number": hub.number[0]("4474"), "activationId": 7, **hub.number_extras}
    assert read_number(hub, number) == ("4474", "7", ())
    assert wrong_push(hub, push_of(hub), HEADERS, "k") == ()
    assert wrong_error(hub, answered({"status": "ERROR", hub.error_field: "no"})) == ()


@pytest.mark.parametrize("counts", [MAP, {}, None, [], {"countryList": [{"country": "x"}]}, {"countryList": 5}])
def test_counts_of_another_form_are_told_and_are_none(counts: Any) -> None:
    assert read_counts(HUBS["smshub"], counts) == ({}, ("no countryList as it is documented",))


@pytest.mark.parametrize("count", ["5", -1, 2.5, None, True])
def test_a_count_that_is_no_whole_number_is_told_and_the_others_are_read(count: object) -> None:
    counts = {"countryList": [{"country": "england", "operatorMap": {"o2": {"tg": count, "wa": 3}}}]}
    read, wrong = read_counts(HUBS["smshub"], counts)
    assert read == {("england", "o2", "wa"): 3}
    assert wrong == (f"the count of england/o2/tg is {count!r}, not a whole number",)


@pytest.mark.parametrize(
    ("hub", "changes", "wrong"),
    [
        ("smshub", {"number": "4474"}, "number is '4474', not a number"),
        ("seed", {"number": 4474}, "number is 4474, not a string"),
        ("seed", {"number": "+4474"}, "number '+4474' is not all digits, with the country code"),
        ("smshub", {"activationId": "7"}, "activationId is '7', not a number"),
        ("smshub", {"activationId": None}, "activationId is missing"),
        ("grizzly", {"voice": 0}, "voice is 0, not False"),
        ("herosms", {"supported": []}, "supported is [], not ['SMS']"),
    ],
)
def test_a_number_of_another_form_is_told(hub: str, changes: dict[str, object], wrong: str) -> None:
    right = {"number": HUBS[hub].number[0]("4474"), "activationId": 7, **HUBS[hub].number_extras}
    assert read_number(HUBS[hub], right | changes)[2] == (wrong,)


@pytest.mark.parametrize(
    ("hub", "changes", "wrong"),
    [
        ("smshub", {"smsId": "7"}, "smsId is '7', not a number"),
        ("seed", {"smsId": 7}, "smsId is 7, not a string"),
        ("smshub", {"phone": "4474"}, "phone is '4474', not a number"),
        ("seed", {"phone": "+4474"}, "phone '+4474' is not all digits"),
        ("smshub", {"text": None}, "text is missing"),
        ("smshub", {"phoneFrom": 5}, "phoneFrom is 5, not a string"),
        ("smshub", {"action": "PUSH"}, "action is 'PUSH', not PUSH_SMS"),
    ],
)
def test_a_push_of_another_form_is_told(hub: str, changes: dict[str, object], wrong: str) -> None:
    assert wrong_push(HUBS[hub], push_of(HUBS[hub], **changes), HEADERS, "k") == (wrong,)


def test_headers_of_pushes_are_minded_where_the_hub_does() -> None:
    without: dict[str, str] = {}
    assert wrong_push(HUBS["onlinesim"], push_of(HUBS["onlinesim"]), without, "k") == (
        "no User-Agent",
        "Content-Type is not application/json",
        "no Authorization: Bearer with the key",
    )
    assert wrong_push(HUBS["seed"], push_of(HUBS["seed"]), without, "k") == ("Content-Type is not application/json",)


def test_an_error_is_told_in_the_hubs_field_and_says_why() -> None:
    error = answered({"status": "ERROR", "message": "no such number"}, 404)
    assert wrong_error(HUBS["smshub"], error) == ("an error without a text in error",)
    assert wrong_error(HUBS["seed"], error) == ()
    assert unusable(error) == 'HTTP 404: {"status": "ERROR", "message": "no such number"}'
    assert unusable(answered(None, None)) == "no answer (TimeoutError)"


def test_sales_end_in_the_shares_that_are_said() -> None:
    behaviour, rolls = Behaviour(), Random(5)
    plans = [plan(rolls, behaviour) for _ in range(4000)]
    for outcome, share in behaviour.outcomes.items():
        assert sum(one.outcome == outcome for one in plans) / len(plans) == pytest.approx(share, abs=0.02)
    assert all(one.sms for one in plans if one.outcome == 3)
    assert not any(one.sms for one in plans if one.outcome == 4)
    assert {(one.outcome, status) for one in plans for _, status in one.then} >= {(3, 3), (3, 5), (4, 3), (4, 4)}
    assert any(one.lost for one in plans)
    assert any(one.at_once for one in plans)
    assert any(one.late_sms is not None for one in plans)


@pytest.mark.parametrize("hub", HUBS.values(), ids=HUBS)
def test_what_refuses_a_push_is_no_acceptance_for_this_hub(hub: Hub) -> None:
    refusing = [one for one in misbehaviours(hub) if one.reply is not Reply.TAKEN and one.body]
    assert refusing
    for one in refusing:
        status, _, body = (one.body or b"").partition(b"\r\n\r\n")
        assert not (hub.takes_200 and b" 200 " in status)
        assert b'"SUCCESS"}' not in body

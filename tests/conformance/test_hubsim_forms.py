"""Simulated hubs mind the types and forms of each hub, and read what is wrong in them all the same."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from conformance.answers import is_success
from conformance.exchange import Exchange
from conformance.hubs import HUBS, Hub
from conformance.hubsim.behaviour import Behaviour, misbehaviours, plan
from conformance.hubsim.events import Reply
from conformance.hubsim.forms import read_counts, read_number, unusable, wrong_answer, wrong_push

LIST = {"status": "SUCCESS", "countryList": [{"country": "england", "operatorMap": {"o2": {"tg": 5, "wa": 0}}}]}
MAP = {"status": "SUCCESS", "countMap": {"england": {"any": {"tg": {"SMS": 5}, "wa": {"SMS": 0}}}}}
JSON = {"content-type": "application/json; charset=utf-8"}
HEADERS = {**JSON, "user-agent": "x", "authorization": "Bearer k", "accept-encoding": "deflate, gzip"}
NUMBER = "447472190082"


def answered(content: Any, status: int | None = 200, headers: Mapping[str, str] = JSON) -> Exchange:
    return Exchange(
        "POST", "http://127.0.0.1/", {}, b"", status, headers, json.dumps(content).encode(), 0.1, "TimeoutError"
    )


def push_of(hub: Hub, **changes: object) -> dict[str, object]:
    right = {"action": "PUSH_SMS", "key": "k", "phoneFrom": "Shop", "text": "code", **hub.push_extras}
    return right | {"smsId": hub.sms_id[0](7), "phone": hub.phone[0](NUMBER)} | changes


@pytest.mark.parametrize("hub", HUBS.values(), ids=HUBS)
def test_what_a_hub_documents_has_nothing_wrong(hub: Hub) -> None:
    counts = MAP if hub.counts_form == "countMap" else LIST
    operator = "any" if hub.counts_form == "countMap" else "o2"
    assert read_counts(hub, counts) == ({("england", operator, "tg"): 5, ("england", operator, "wa"): 0}, ())
    number = {"status": "SUCCESS", "number": hub.number[0](NUMBER), "activationId": 7, **hub.number_extras}
    assert read_number(hub, "england", number) == (NUMBER, "7", ())
    assert wrong_push(hub, push_of(hub), HEADERS, "k") == ()
    for content in ({"status": "ERROR", hub.error_field: "no"}, {"status": "NO_NUMBERS"}, counts, number):
        assert wrong_answer(hub, answered(content)) == ()


@pytest.mark.parametrize(
    "counts",
    [
        *(MAP, {}, None, [], {"countryList": [{"country": "x"}]}, {"countryList": 5}),
        {"countryList": [{"country": 7, "operatorMap": {"o2": {"tg": 5}}}]},
    ],
)
def test_counts_of_another_form_are_told_and_are_none(counts: Any) -> None:
    assert read_counts(HUBS["smshub"], counts) == ({}, (("counts-form", "no countryList as it is documented"),))


@pytest.mark.parametrize("count", ["5", -1, 2.5, None, True, 2**64])
def test_a_count_that_is_no_whole_number_is_told_and_the_others_are_read(count: object) -> None:
    counts = {"countryList": [{"country": "england", "operatorMap": {"o2": {"tg": count, "wa": 3}}}]}
    read, wrong = read_counts(HUBS["smshub"], counts)
    assert read == {("england", "o2", "wa"): 3}
    assert wrong == (("counts-whole", f"the count of england/o2/tg is {count!r}, not a whole number"),)


def test_of_thousands_of_wrong_counts_one_is_told() -> None:
    counts = {"countryList": [{"country": "spain", "operatorMap": {"any": {f"s{n}": "5" for n in range(3000)}}}]}
    assert read_counts(HUBS["smshub"], counts) == (
        {},
        (("counts-whole", "the count of spain/any/s0 is '5', not a whole number; 2999 others aren't either"),),
    )


@pytest.mark.parametrize(
    ("hub", "changes", "rule", "wrong"),
    [
        ("smshub", {"number": NUMBER}, "number-type", f"number is '{NUMBER}', not a number"),
        ("seed", {"number": int(NUMBER)}, "number-type", f"number is {NUMBER}, not a string"),
        (
            "seed",
            {"number": "+" + NUMBER},
            "number-type",
            f"number '+{NUMBER}' is not 7 to 15 digits that begin with 44",
        ),
        ("smshub", {"number": 7472190082}, "number-type", "number 7472190082 is not 7 to 15 digits that begin with 44"),
        ("smshub", {"number": 447472}, "number-type", "number 447472 is not 7 to 15 digits that begin with 44"),
        ("smshub", {"activationId": "7"}, "activation-id", "activationId is '7', not a number"),
        ("smshub", {"activationId": None}, "activation-id", "activationId is missing"),
        ("smshub", {"activationId": 2**64}, "activation-id", f"activationId is {2**64}, not within 64 bits"),
        ("grizzly", {"voice": 0}, "number-extras", "voice is 0, not False"),
        ("herosms", {"supported": []}, "number-extras", "supported is [], not ['SMS']"),
    ],
)
def test_a_number_of_another_form_is_told(hub: str, changes: dict[str, object], rule: str, wrong: str) -> None:
    right = {"number": HUBS[hub].number[0](NUMBER), "activationId": 7, **HUBS[hub].number_extras}
    assert read_number(HUBS[hub], "england", right | changes)[2] == ((rule, wrong),)


@pytest.mark.parametrize("hub", HUBS.values(), ids=HUBS)
def test_further_fields_that_are_missing_are_told(hub: Hub) -> None:
    number = {"number": hub.number[0](NUMBER), "activationId": 7}
    missing = tuple(("number-extras", f"{name} is missing") for name in hub.number_extras)
    assert read_number(hub, "england", number)[2] == missing
    push = {name: value for name, value in push_of(hub).items() if name not in hub.push_extras}
    assert wrong_push(hub, push, HEADERS, "k") == tuple(
        ("push-types", f"{name} is missing") for name in hub.push_extras
    )


@pytest.mark.parametrize("an_id", [0, 2**64 - 1])
def test_an_id_is_any_within_64_bits(an_id: int) -> None:
    hub = HUBS["smshub"]
    assert read_number(hub, "england", {"number": int(NUMBER), "activationId": an_id})[2] == ()
    assert wrong_push(hub, push_of(hub) | {"smsId": an_id}, HEADERS, "k") == ()


def test_a_number_of_a_country_whose_code_nobody_knows_is_seven_digits_and_more() -> None:
    number = {"number": 27821234567, "activationId": 7}
    assert read_number(HUBS["smshub"], "southafrica", number)[2] == ()
    assert read_number(HUBS["smshub"], "southafrica", number | {"number": 278212})[2] == (
        ("number-type", "number 278212 is not 7 to 15 digits that begin with a country code"),
    )


@pytest.mark.parametrize(
    ("hub", "changes", "rule", "wrong"),
    [
        ("smshub", {"smsId": "7"}, "push-types", "smsId is '7', not a number"),
        ("smshub", {"smsId": 2**64}, "push-types", f"smsId is {2**64}, not within 64 bits"),
        ("seed", {"smsId": 7}, "push-types", "smsId is 7, not a string"),
        ("smshub", {"phone": "4474"}, "push-types", "phone is '4474', not a number"),
        ("seed", {"phone": "+4474"}, "push-content", "phone '+4474' is not all digits"),
        ("smshub", {"text": None}, "push-types", "text is missing"),
        ("smshub", {"text": 493817}, "push-types", "text is int, not a string"),
        ("smshub", {"phoneFrom": 5}, "push-types", "phoneFrom is 5, not a string"),
        ("smshub", {"phoneFrom": ""}, "push-content", "phoneFrom is empty"),
        ("smshub", {"action": "PUSH"}, "push-content", "action is 'PUSH', not PUSH_SMS"),
        ("seed", {"voice": "0"}, "push-types", "voice is '0', not 0"),
    ],
)
def test_a_push_of_another_form_is_told(hub: str, changes: dict[str, object], rule: str, wrong: str) -> None:
    assert wrong_push(HUBS[hub], push_of(HUBS[hub], **changes), HEADERS, "k") == ((rule, wrong),)


def test_headers_of_pushes_are_minded_where_the_hub_does() -> None:
    wrong = {hub.name: dict(wrong_push(hub, push_of(hub), {}, "k")) for hub in HUBS.values()}
    form = {"push-content-type": "Content-Type is missing"}
    agent = {"push-user-agent": "no User-Agent"}
    packed = {"push-accepts-gzip": "no Accept-Encoding: gzip"}
    assert wrong == {
        "seed": form,
        "smshub": form | agent | packed,
        "smsbower": form | agent | packed,
        "grizzly": form | agent,
        "onlinesim": form | agent | {"push-bearer": "no Authorization: Bearer with the key"},
        "herosms": form | agent | packed,
    }


@pytest.mark.parametrize("hub", HUBS.values(), ids=HUBS)
def test_json_is_called_so_with_its_charset_where_the_hub_wants_it(hub: Hub) -> None:
    for said in ("application/json", "application/json; charset=latin-1", "text/html", ""):
        headers = {"content-type": said}
        what = f"Content-Type is {said or 'missing'}"
        wrong = wrong_answer(hub, answered({"status": "SUCCESS"}, headers=headers))
        is_right = said == "application/json" and not hub.answers_say_charset
        assert wrong == (() if is_right else (("answer-content-type", what),))
        wrong = wrong_push(hub, push_of(hub), HEADERS | headers, "k")
        is_right = said == "application/json" and not hub.pushes_say_charset
        assert wrong == (() if is_right else (("push-content-type", what),))


def test_an_error_is_told_in_the_hubs_field_and_says_why() -> None:
    error = answered({"status": "ERROR", "message": "no such number"}, 404)
    assert wrong_answer(HUBS["smshub"], error) == (("error-field", "an error without a text in error"),)
    assert wrong_answer(HUBS["seed"], error) == ()
    assert unusable(error) == 'HTTP 404: {"status": "ERROR", "message": "no such number"}'
    assert unusable(answered(None, None)) == "no answer (TimeoutError)"


def test_what_http_calls_an_error_is_no_success() -> None:
    assert is_success(answered({"status": "SUCCESS"}))
    assert not is_success(answered({"status": "SUCCESS"}, 500))
    nothing = answered({"status": "NO_NUMBERS"}, 404)
    assert wrong_answer(HUBS["smshub"], nothing) == (("no-numbers", "NO_NUMBERS with HTTP 404"),)


def test_a_number_comes_with_http_200() -> None:
    number = answered({"status": "SUCCESS", "number": "4474000001"}, 500)
    assert wrong_answer(HUBS["smshub"], number) == (("number-type", "SUCCESS with HTTP 500"),)
    assert wrong_answer(HUBS["smshub"], answered({"status": "SUCCESS"}, 500)) == ()


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

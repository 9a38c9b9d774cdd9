"""What a hub may have of its own changes what is read and written for it, and nothing else does."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from globalconnect.domain.activation import Activation, Hold, Lifetimes, Outcome, State
from globalconnect.domain.errors import Busy, InvalidInput
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import MOST_HELD, Partner, live_limit
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices, PartnerRequest
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.answers import error_body, messages_body, number_body
from globalconnect.hub_protocol.catalogue import DEFAULT, DIALECTS, dialect_of
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.push import push_body
from globalconnect.hub_protocol.requests import read_request
from globalconnect.runtime import http
from globalconnect.runtime.manner import manner_of

ACTIVATION_ID = ActivationId(355)

PHONE = "447472190082"
ACTIVATION = Activation(ACTIVATION_ID, PartnerId("p"), PHONE, "england", "O2", "tg", started_at=0, expires_at=1)
SMS = Sms(SmsId(901), ACTIVATION_ID, PartnerId("p"), PHONE, "Telegram", "code 123", received_at=0, stored_at=0)
SAMPLES: dict[type[object], dict[str, object]] = {
    GetServices: {},
    GetNumber: {"country": "england", "operator": "O2", "service": "tg"},
    FinishActivation: {"activationId": 355, "status": 3},
}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
@pytest.mark.parametrize("asked", get_args(PartnerRequest.__value__))
def test_whatever_may_be_asked_for_is_asked_for_by_a_word_of_every_dialect(
    dialect: Dialect, asked: type[object]
) -> None:
    words = [word for word, request in dialect.actions.items() if request is asked]
    assert words
    assert all(isinstance(read_request({"action": word, **SAMPLES[asked]}, dialect), asked) for word in words)


def test_a_word_that_a_dialect_does_not_have_is_refused_by_naming_those_that_it_has() -> None:
    dialect = Dialect(actions={"GET_COUNT": GetServices, "GET_NUMBER": GetNumber})
    assert read_request({"action": "GET_COUNT"}, dialect) == GetServices()
    for action in ("GET_SERVICES", None, ["GET_COUNT"]):
        with pytest.raises(InvalidInput, match=r"^action: expected GET_COUNT or GET_NUMBER$"):
            read_request({"action": action}, dialect)


def test_the_codes_of_outcomes_are_the_dialects() -> None:
    dialect = Dialect(outcomes={3: Outcome.SUCCESS, 14: Outcome.SUCCESS})
    finish: dict[str, object] = {"action": "FINISH_ACTIVATION", "activationId": 355}
    assert read_request({**finish, "status": "14"}, dialect) == FinishActivation(ACTIVATION_ID, Outcome.SUCCESS)
    with pytest.raises(InvalidInput, match=r"^status: expected 3 \(Success\) or 14 \(Success\)$"):
        read_request({**finish, "status": 1}, dialect)


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize(("own", "deployments"), [(None, 0), (None, 7), (3, 0), (3, 7), (200, 7)])
def test_a_limit_is_the_partners_own_else_the_deployments_else_100_where_only_finish_ends(
    own: int | None, deployments: int, hold: Hold
) -> None:
    partner = Partner(PartnerId("p"), "Hub", "", None, None, "globalconnect", created_at=0, max_live=own)
    unlimited = {Hold.LEASE: None, Hold.FINISH: MOST_HELD}[hold]
    assert live_limit(partner, deployments, hold) == (own or deployments or unlimited)
    assert MOST_HELD == 100


def test_only_what_is_held_until_it_is_finished_becomes_overdue_when_its_lease_would_have_ended() -> None:
    times = Lifetimes(lease=60, longest_hold=1440)
    assert [times.of(hold, 5) for hold in (Hold.LEASE, Hold.FINISH)] == [(65, None), (1445, 65)]
    # Never shorter than a lease.
    assert Lifetimes(lease=60, longest_hold=30).of(Hold.FINISH, 5) == (65, 65)
    held = replace(ACTIVATION, expires_at=1445, overdue_at=65)
    assert [held.is_overdue(at) for at in (64, 65, 1444, 1445)] == [False, True, True, False]
    assert not replace(held, outcome=Outcome.SUCCESS).is_overdue(65)
    assert not ACTIVATION.is_overdue(0)
    assert [name for name, dialect in DIALECTS.items() if dialect.hold is Hold.FINISH] == ["smshub"]


def test_numbers_are_spelled_as_the_dialect_has_them() -> None:
    dialect = Dialect(number=int, phone=int, sms_id=int)
    pushed, issued = push_body(SMS, "key", dialect), number_body(ACTIVATION, dialect)
    polled: Any = messages_body([SMS], State.LIVE, dialect)["messages"]
    assert (issued["number"], issued["activationId"]) == (447472190082, 355)
    assert [(said["smsId"], said["phone"]) for said in (pushed, polled[0])] == [(901, 447472190082)] * 2


def test_constant_fields_are_the_dialects() -> None:
    dialect = Dialect(number_extras={"flashcall": False}, push_extras={})
    assert number_body(ACTIVATION, dialect) == {
        "number": PHONE,
        "activationId": 355,
        "status": "SUCCESS",
        "flashcall": False,
    }
    assert push_body(SMS, "key", dialect) == {
        "key": "key",
        "action": "PUSH_SMS",
        "smsId": "901",
        "phone": PHONE,
        "phoneFrom": "Telegram",
        "text": "code 123",
    }


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_every_word_that_asks_for_counts_has_a_form(dialect: Dialect) -> None:
    assert set(dialect.counts) == {word for word, request in dialect.actions.items() if request is GetServices}


def test_a_dialect_that_the_code_does_not_know_is_nobodys_default() -> None:
    partner = Partner(PartnerId("p"), "Hub", "key", None, None, "klingon", 0)
    with pytest.raises(KeyError):
        dialect_of(partner)
    assert dialect_of(replace(partner, dialect="default")) is DEFAULT


def test_the_text_of_an_error_is_in_every_field_that_the_dialect_names() -> None:
    text = "Temporarily busy; try again"
    assert error_body(Busy(), Dialect(error_fields=("error", "message"))) == {
        "status": "ERROR",
        "error": text,
        "message": text,
    }


def test_who_has_no_dialect_yet_is_answered_in_the_default_one() -> None:
    assert http.error_body(Busy()) == error_body(Busy(), DEFAULT)
    assert replace(manner_of(DEFAULT), error_body=http.error_body) == http.MANNER

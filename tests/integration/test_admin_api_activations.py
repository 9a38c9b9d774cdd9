"""Admin API, activations and their messages: contract 5."""

import json
from typing import Any

import pytest

from admin_api.activations import LONGEST_ATTEMPT
from globalconnect.domain.activation import LONGEST_LIFETIME, Activation, Outcome
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from globalconnect.domain.push_schedule import CLAIM_LASTS
from globalconnect.domain.sms import Attempt, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import DAY, MINUTE, SECOND
from simulation.aws import START
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.shop import present

PHONE = "447472190035"
PUSH_URL = "https://hub.example.com/push"


def activation(activation_id: int, started_at: int = START, **fields: Any) -> Activation:
    known = {"partner_id": "hub", "phone": PHONE, "country": "england", "operator": "O2", "service": "tg"}
    return Activation(
        ActivationId(activation_id), **known | fields, started_at=started_at, expires_at=started_at + 60 * MINUTE
    )


def push_path(sms_id: int, activation_id: int) -> str:
    return f"/admin/activations/{activation_id}/messages/{sms_id}/push"


# ---------------------------------------------------------------- listing


def test_an_activation_is_listed_with_the_fields_of_the_contract(desk: Desk) -> None:
    desk.recorded(activation(2**52 + 1, total="1.5", currency="USD"))
    shown = {
        "activationId": 2**52 + 1,
        "partnerId": "hub",
        "phone": PHONE,
        "country": "england",
        "operator": "O2",
        "service": "tg",
        "startedAt": "2026-09-21T14:13:20+00:00",
        "expiresAt": "2026-09-21T15:13:20+00:00",
        "state": "live",
        "outcome": None,
        "finishedAt": None,
        "sum": "1.5",
        "currency": "USD",
        "lineOfflineAt": None,
        "overdueSince": None,
    }
    assert desk.get("/admin/activations").body == {"activations": [shown], "cursor": None}
    desk.cloud.clock.advance(minutes=60)
    assert desk.get("/admin/activations").body["activations"] == [shown | {"state": "expired"}]


def test_a_finished_activation_shows_its_outcome(desk: Desk) -> None:
    desk.recorded(activation(7, outcome=Outcome.SUCCESS, finished_at=START))
    shown = desk.get("/admin/activations/7").body
    ended = {"state": "finished", "outcome": 3, "finishedAt": "2026-09-21T14:13:20+00:00"}
    assert shown == shown | ended | {"sum": None, "currency": None}


@pytest.mark.parametrize("before", ["+", " ", " +"])
def test_a_phone_to_filter_by_may_have_its_plus_or_what_a_query_makes_of_it(desk: Desk, before: str) -> None:
    desk.recorded(activation(1))
    found = desk.get("/admin/activations", ("phone", before + PHONE)).body["activations"]
    assert [shown["activationId"] for shown in found] == [1]


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({"service": "tg"}, {1, 3, 4}),
        ({"service": "nothing"}, set()),
        ({"state": "live"}, {1, 2}),
        ({"state": "expired"}, {4}),
        ({"state": "finished"}, {3, 5}),
        ({"state": "finished", "service": "go"}, {5}),
        ({"state": "live", "service": "go", "partnerId": "hub", "phone": PHONE}, {2}),
        ({"state": "live", "partnerId": "somebody"}, set()),
    ],
    ids=str,
)
def test_activations_are_listed_by_service_and_state_and_both_with_the_other_filters(
    desk: Desk, query: dict[str, str], listed: set[int]
) -> None:
    expired = START - 61 * MINUTE
    for sale in (
        activation(1),
        activation(2, service="go"),
        activation(3, outcome=Outcome.SUCCESS),
        activation(4, expired),
        activation(5, expired, service="go", outcome=Outcome.CANCELED),
    ):
        desk.recorded(sale)
    found = desk.all_pages("/admin/activations", "activations", *query.items())
    assert {shown["activationId"] for shown in found} == listed


def test_a_rare_service_is_found_among_many_within_a_page(desk: Desk) -> None:
    for n in range(900):
        desk.recorded(activation(n + 1, START - n, service="rare" if n in {150, 899} else "tg"))
    page = desk.get("/admin/activations", ("service", "rare")).body
    assert [shown["activationId"] for shown in page["activations"]] == [151, 900]


def test_a_page_of_what_is_looked_for_holds_100_at_most_and_the_next_goes_on_from_there(desk: Desk) -> None:
    for n in range(330):
        desk.recorded(activation(n + 1, START - n, service="go" if n % 3 else "tg"))
    listed = desk.all_pages("/admin/activations", "activations", ("service", "go"))
    assert listed[:100] == desk.get("/admin/activations", ("service", "go")).body["activations"]
    assert [shown["activationId"] for shown in listed] == [n + 1 for n in range(330) if n % 3]


def test_the_search_for_live_ones_ends_where_none_can_be_live_any_more(desk: Desk) -> None:
    live = desk.recorded(activation(1_000, START - MINUTE))
    for n in range(250):
        desk.recorded(activation(n + 1, START - LONGEST_LIFETIME - SECOND - n))
    pages: list[dict[str, Any]] = []
    with Calls(desk.cloud.client) as calls:
        query = (("state", "live"), ("partnerId", "hub"))
        assert calls.of(lambda: pages.append(desk.get("/admin/activations", *query).body)) == [
            "BatchGetItem",
            "GetItem",
            "Query",
        ]
    (page,) = pages
    assert ([shown["activationId"] for shown in page["activations"]], page["cursor"]) == ([live.activation_id], None)


def _claimed(desk: Desk, ref: SmsRef, now: int) -> Sms | None:
    (claim,) = desk.admin.pushes.claim([ref], now)
    assert not isinstance(claim, Exception)
    return claim


# ---------------------------------------------------------------- one activation


def test_an_activation_is_shown_with_its_messages_and_their_push_attempts(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    sms = desk.arrived(sold, sms_id=77)
    claimed = present(_claimed(desk, SmsRef(sold.activation_id, SmsId(77)), START))
    desk.admin.pushes.keep_attempts([(claimed, Attempt(1, START, 1_234, "http_status", 500, "<b>oops</b>"))])
    desk.cloud.clock.advance(seconds=5)
    desk.arrived(sold, sms_id=78, push_state=PushState.NO_URL)

    body = desk.get(f"/admin/activations/{sold.activation_id}").body
    assert body["activationId"] == sold.activation_id
    assert body["messages"][0] == {
        "smsId": "77",
        "phone": PHONE,
        "phoneFrom": "Telegram",
        "text": sms.text,
        "receivedAt": "2026-09-21T14:13:20+00:00",
        "storedAt": "2026-09-21T14:13:20+00:00",
        "pushState": "pending",
        "attempts": 1,
        "outcomes": {"http_status": 1},
        "deliveredAt": None,
        "attemptLog": [
            {
                "number": 1,
                "startedAt": "2026-09-21T14:13:20+00:00",
                "durationMs": 1234,
                "outcome": "http_status",
                "httpStatus": 500,
                "answer": "<b>oops</b>",
            }
        ],
    }
    assert [(shown["smsId"], shown["pushState"]) for shown in body["messages"]] == [("77", "pending"), ("78", "no-url")]
    assert body["messageCount"] == 2


def test_what_is_past_its_retention_is_not_shown_to_staff_either(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    old = desk.sold("hub", number)
    desk.cloud.clock.advance(minutes=60)
    later = desk.sold("hub", number)
    desk.cloud.clock.advance(ms=30 * DAY, minutes=-60)
    assert desk.get(f"/admin/activations/{old.activation_id}").refusal == (404, "activation not found")
    listings = [
        desk.get("/admin/activations", *query).body
        for query in ((), (("partnerId", "hub"),), (("phone", PHONE),), (("service", "tg"),))
    ]
    for listing in (*listings, desk.get(f"/admin/numbers/{PHONE}").body):
        assert [shown["activationId"] for shown in listing["activations"]] == [later.activation_id]


# ---------------------------------------------------------------- push again


@pytest.fixture
def pushed(desk: Desk) -> SmsRef:
    """Return an SMS of which an attempt began at START, of a partner with a Push URL."""
    sold = desk.sold(desk.partner(pushUrl=PUSH_URL)["partnerId"], desk.stocked(PHONE))
    desk.arrived(sold)
    return SmsRef(sold.activation_id, SmsId(77))


def test_pushing_again_makes_a_delivered_sms_due_now(desk: Desk, pushed: SmsRef) -> None:
    claimed = present(_claimed(desk, pushed, START))
    desk.admin.pushes.settle([PushEnd(claimed, PushState.DELIVERED, START + 5)])
    desk.cloud.clock.advance(minutes=1)
    reply = desk.post(push_path(77, pushed.activation_id))
    assert (reply.status, reply.body) == (202, {"status": "SUCCESS", "dueAt": "2026-09-21T14:14:20+00:00"})
    due = {"activationId": pushed.activation_id, "smsId": 77, "partnerId": claimed.partner_id, "due": START + MINUTE}
    assert [json.loads(body) for body in desk.cloud.queued()] == [due]
    assert _claimed(desk, pushed, START + MINUTE) is not None


def test_pushing_again_waits_for_the_attempt_that_may_be_under_way(desk: Desk, pushed: SmsRef) -> None:
    assert _claimed(desk, pushed, START) is not None
    desk.cloud.clock.advance(seconds=3)
    assert desk.post(push_path(77, pushed.activation_id)).body["dueAt"] == "2026-09-21T14:13:30+00:00"
    assert _claimed(desk, pushed, START + 9_999) is None


def test_an_attempt_that_may_be_under_way_is_given_more_time_than_it_can_take() -> None:
    assert LONGEST_ATTEMPT >= CLAIM_LASTS + ATTEMPT_TIMEOUT_SECONDS * SECOND


def test_nothing_is_pushed_after_the_activation_is_finished(desk: Desk) -> None:
    sold = desk.recorded(activation(5, outcome=Outcome.CANCELED, finished_at=START))
    desk.arrived(sold, push_state=PushState.STOPPED)
    assert desk.post(push_path(77, 5)).refusal == (409, "activation: is finished, so nothing is pushed any more")
    assert desk.cloud.queued() == []
    assert desk.get("/admin/activations/5").body["messages"][0]["pushState"] == "stopped"


def test_an_expired_activation_can_still_be_pushed(desk: Desk, pushed: SmsRef) -> None:
    desk.cloud.clock.advance(minutes=120)
    assert desk.post(push_path(77, pushed.activation_id)).status == 202


@pytest.mark.parametrize(
    ("fields", "message"),
    [({}, "partner: has no Push URL"), ({"push_url": PUSH_URL, "revoked_at": START}, "partner: is revoked")],
)
def test_a_partner_without_push_url_or_revoked_is_409(desk: Desk, fields: dict[str, Any], message: str) -> None:
    known = {"push_url": None, "services": None, "dialect": "globalconnect", "created_at": START}
    desk.admin.partners.add(Partner(PartnerId("hub"), "Hub", "key", **known | fields))
    desk.arrived(desk.recorded(activation(5)))
    assert desk.post(push_path(77, 5)).refusal == (409, message)
    assert desk.cloud.queued() == []


def test_an_unknown_activation_or_message_is_404_and_nothing_is_queued(desk: Desk, pushed: SmsRef) -> None:
    assert desk.get("/admin/activations/5").refusal == (404, "activation not found")
    assert desk.post(push_path(77, 5)).refusal == (404, "activation not found")
    assert desk.post(push_path(78, pushed.activation_id)).refusal == (404, "message not found")
    assert desk.cloud.queued() == []

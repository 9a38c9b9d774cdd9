"""Admin API, activations and their messages: contract 5."""

import json

import pytest

from admin_api.activations import LONGEST_ATTEMPT
from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from globalconnect.domain.push_schedule import CLAIM_LASTS
from globalconnect.domain.sms import Attempt, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import DAY, MINUTE, SECOND
from simulation.aws import START, Cloud
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.shop import present

PHONE = "447472190035"
PUSH_URL = "https://hub.example.com/push"


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


def activation(activation_id: int, started_at: int, partner_id: str = "hub", phone: str = PHONE) -> Activation:
    return Activation(
        activation_id, partner_id, phone, "england", "O2", "tg", started_at, started_at + 60 * MINUTE, "1.5", "USD"
    )


def push_path(sms_id: int, activation_id: int) -> str:
    return f"/admin/activations/{activation_id}/messages/{sms_id}/push"


# ---------------------------------------------------------------- listing


def test_an_activation_is_listed_with_the_fields_of_the_contract(desk: Desk) -> None:
    desk.recorded(activation(2**52 + 1, START))
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
    }
    assert desk.get("/admin/activations").body == {"activations": [shown], "cursor": None}
    desk.cloud.clock.advance(minutes=60)
    assert desk.get("/admin/activations").body["activations"] == [shown | {"state": "expired"}]


def test_a_finished_activation_shows_its_outcome(desk: Desk) -> None:
    number = desk.stocked(PHONE)
    sold = desk.sold("hub", number)
    finished = Activation(
        sold.activation_id,
        "hub",
        PHONE,
        "england",
        "O2",
        "tg",
        START,
        START + 1,
        outcome=Outcome.SUCCESS,
        finished_at=START,
    )
    desk.recorded(finished)
    shown = desk.get(f"/admin/activations/{sold.activation_id}").body
    assert (shown["state"], shown["outcome"], shown["finishedAt"]) == ("finished", 3, "2026-09-21T14:13:20+00:00")
    assert (shown["sum"], shown["currency"]) == (None, None)


def test_activations_are_listed_newest_first_over_days_and_pages_each_once(desk: Desk) -> None:
    # 120 activations over five days, some days without any.
    for n in range(120):
        day = (n % 3) * 2
        desk.recorded(activation(n + 1, START - day * 1_440 * MINUTE - n * SECOND, f"hub{n % 2}", f"4474721900{n % 4}"))

    def listed(*query: tuple[str, str]) -> list[int]:
        found = desk.all_pages("/admin/activations", "activations", *query)
        started = [shown["startedAt"] for shown in found]
        assert started == sorted(started, reverse=True)
        return [shown["activationId"] for shown in found]

    assert sorted(listed()) == list(range(1, 121))
    assert sorted(listed(("partnerId", "hub1"))) == list(range(2, 121, 2))
    assert sorted(listed(("phone", "44747219001"))) == list(range(2, 121, 4))
    assert sorted(listed(("phone", "44747219001"), ("partnerId", "hub1"))) == list(range(2, 121, 4))
    assert listed(("phone", "44747219001"), ("partnerId", "hub0")) == []
    assert listed(("partnerId", "nobody")) == []


@pytest.mark.parametrize("before", ["+", " ", " +"])
def test_a_phone_to_filter_by_may_have_its_plus_or_what_a_query_makes_of_it(desk: Desk, before: str) -> None:
    desk.recorded(activation(1, START))
    found = desk.get("/admin/activations", ("phone", before + PHONE)).body["activations"]
    assert [shown["activationId"] for shown in found] == [1]


def test_a_cursor_of_one_filter_is_400_for_another(desk: Desk) -> None:
    for n in range(101):
        desk.recorded(activation(n + 1, START - n))
    cursors = {
        (): desk.get("/admin/activations").body["cursor"],
        (("partnerId", "hub"),): desk.get("/admin/activations", ("partnerId", "hub")).body["cursor"],
        (("phone", PHONE),): desk.get("/admin/activations", ("phone", PHONE)).body["cursor"],
        (("service", "tg"),): desk.get("/admin/activations", ("service", "tg")).body["cursor"],
        (("state", "live"),): desk.get("/admin/activations", ("state", "live")).body["cursor"],
    }
    assert None not in cursors.values()
    for query in [
        *cursors,
        (("service", "live"),),
        (("partnerId", "other"),),
        (("partnerId", "hub"), ("phone", PHONE)),
    ]:
        for made_for, cursor in cursors.items():
            reply = desk.get("/admin/activations", *query, ("cursor", cursor))
            assert reply.status == (200 if query == made_for else 400)


def of(activation_id: int, started_at: int, service: str = "tg", outcome: Outcome | None = None) -> Activation:
    expires_at = started_at + 60 * MINUTE
    return Activation(
        activation_id, "hub", PHONE, "england", "O2", service, started_at, expires_at, outcome=outcome, finished_at=None
    )


def test_activations_are_listed_by_service_and_state_and_both_with_the_other_filters(desk: Desk) -> None:
    live, expired = START - MINUTE, START - 61 * MINUTE
    desk.recorded(of(1, live))
    desk.recorded(of(2, live, "go"))
    desk.recorded(of(3, live, outcome=Outcome.SUCCESS))
    desk.recorded(of(4, expired))
    desk.recorded(of(5, expired, "go", Outcome.CANCELED))

    def listed(**query: str) -> set[int]:
        pages = desk.all_pages("/admin/activations", "activations", *query.items())
        return {shown["activationId"] for shown in pages}

    assert listed(service="tg") == {1, 3, 4}
    assert listed(service="nothing") == set()
    assert listed(state="live") == {1, 2}
    assert listed(state="expired") == {4}
    assert listed(state="finished") == {3, 5}
    assert listed(state="finished", service="go") == {5}
    assert listed(state="live", service="go", partnerId="hub", phone=PHONE) == {2}
    assert listed(state="live", partnerId="somebody") == set()


def test_a_rare_service_is_found_among_many_within_a_page(desk: Desk) -> None:
    for n in range(900):
        desk.recorded(of(n + 1, START - n, "rare" if n in {150, 899} else "tg"))
    page = desk.get("/admin/activations", ("service", "rare")).body
    assert [shown["activationId"] for shown in page["activations"]] == [151, 900]


def test_a_page_of_what_is_looked_for_holds_100_at_most_and_the_next_goes_on_from_there(desk: Desk) -> None:
    for n in range(330):
        desk.recorded(of(n + 1, START - n, "go" if n % 3 else "tg"))
    page = desk.get("/admin/activations", ("service", "go")).body
    assert len(page["activations"]) == 100
    listed = desk.all_pages("/admin/activations", "activations", ("service", "go"))
    assert [shown["activationId"] for shown in listed] == [n + 1 for n in range(330) if n % 3]


def test_the_search_for_live_ones_ends_where_none_can_be_live_any_more(desk: Desk) -> None:
    desk.recorded(of(1_000, START - MINUTE))
    for n in range(250):
        desk.recorded(of(n + 1, START - 1_440 * MINUTE - SECOND - n))
    with Calls(desk.cloud.client) as calls:
        made = calls.of(lambda: desk.get("/admin/activations", ("state", "live"), ("partnerId", "hub")))
    assert made == ["BatchGetItem", "Query"]
    page = desk.get("/admin/activations", ("state", "live"), ("partnerId", "hub")).body
    assert ([shown["activationId"] for shown in page["activations"]], page["cursor"]) == ([1_000], None)


def _claimed(desk: Desk, ref: SmsRef, now: int) -> Sms | None:
    (claim,) = desk.admin.pushes.claim([ref], now)
    assert not isinstance(claim, Exception)
    return claim


# ---------------------------------------------------------------- one activation


def test_an_activation_is_shown_with_its_messages_and_their_push_attempts(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    sms = desk.arrived(sold, sms_id=77)
    claimed = present(_claimed(desk, SmsRef(sold.activation_id, 77), START))
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
    desk.arrived(old)
    desk.cloud.clock.advance(minutes=60)
    later = desk.sold("hub", number)
    desk.cloud.clock.advance(ms=30 * DAY, minutes=-60)
    assert desk.get(f"/admin/activations/{old.activation_id}").refusal == (404, "activation not found")
    for query in ((), (("partnerId", "hub"),), (("phone", PHONE),), (("service", "tg"),)):
        listed = desk.all_pages("/admin/activations", "activations", *query)
        assert [activation["activationId"] for activation in listed] == [later.activation_id]
    history = desk.get(f"/admin/numbers/{PHONE}").body["activations"]
    assert [activation["activationId"] for activation in history] == [later.activation_id]


def test_an_activation_without_messages_has_an_empty_list_of_them(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    assert desk.get(f"/admin/activations/{sold.activation_id}").body["messages"] == []


def test_an_activation_that_does_not_exist_is_404(desk: Desk) -> None:
    assert desk.get("/admin/activations/9007199254740991").refusal == (404, "activation not found")


# ---------------------------------------------------------------- push again


def test_pushing_again_makes_a_delivered_sms_due_now(desk: Desk) -> None:
    sold = desk.sold(desk.partner(pushUrl=PUSH_URL)["partnerId"], desk.stocked(PHONE))
    desk.arrived(sold)
    ref = SmsRef(sold.activation_id, 77)
    claimed = present(_claimed(desk, ref, START))
    desk.admin.pushes.settle([PushEnd(claimed, PushState.DELIVERED, START + 5)])
    desk.cloud.clock.advance(minutes=1)

    reply = desk.post(push_path(77, sold.activation_id))
    assert (reply.status, reply.body) == (202, {"status": "SUCCESS", "dueAt": "2026-09-21T14:14:20+00:00"})
    queued = [json.loads(body) for body in desk.cloud.queued()]
    due = {"activationId": sold.activation_id, "smsId": 77, "partnerId": sold.partner_id, "due": START + MINUTE}
    assert queued == [due]
    assert _claimed(desk, ref, START + MINUTE) is not None


def test_pushing_again_waits_for_the_attempt_that_may_be_under_way(desk: Desk) -> None:
    sold = desk.sold(desk.partner(pushUrl=PUSH_URL)["partnerId"], desk.stocked(PHONE))
    desk.arrived(sold)
    ref = SmsRef(sold.activation_id, 77)
    assert _claimed(desk, ref, START) is not None
    desk.cloud.clock.advance(seconds=3)
    reply = desk.post(push_path(77, sold.activation_id))
    assert reply.body["dueAt"] == "2026-09-21T14:13:30+00:00"
    assert _claimed(desk, ref, START + 9_999) is None


def test_an_attempt_that_may_be_under_way_is_given_more_time_than_it_can_take() -> None:
    assert LONGEST_ATTEMPT >= CLAIM_LASTS + ATTEMPT_TIMEOUT_SECONDS * SECOND


def test_nothing_is_pushed_after_the_activation_is_finished(desk: Desk) -> None:
    sold = desk.recorded(
        Activation(5, "hub", PHONE, "england", "O2", "tg", START, START, outcome=Outcome.CANCELED, finished_at=START)
    )
    desk.arrived(sold, push_state=PushState.STOPPED)
    assert desk.post(push_path(77, 5)).refusal == (409, "activation: is finished, so nothing is pushed any more")
    assert desk.cloud.queued() == []
    assert desk.get("/admin/activations/5").body["messages"][0]["pushState"] == "stopped"


def test_an_expired_activation_can_still_be_pushed(desk: Desk) -> None:
    sold = desk.sold(desk.partner(pushUrl=PUSH_URL)["partnerId"], desk.stocked(PHONE))
    desk.arrived(sold)
    desk.cloud.clock.advance(minutes=120)
    assert desk.post(push_path(77, sold.activation_id)).status == 202


def test_a_partner_without_push_url_or_revoked_is_409(desk: Desk) -> None:
    without_url, revoked = desk.partner(), desk.partner(pushUrl=PUSH_URL)
    desk.delete(f"/admin/partners/{revoked['partnerId']}")
    for activation_id, (partner, message) in enumerate(
        [(without_url, "partner: has no Push URL"), (revoked, "partner: is revoked")], start=1
    ):
        desk.arrived(desk.recorded(activation(activation_id, START, partner["partnerId"])))
        assert desk.post(push_path(77, activation_id)).refusal == (409, message)
    assert desk.cloud.queued() == []


def test_an_unknown_activation_or_message_is_404_and_nothing_is_queued(desk: Desk) -> None:
    sold = desk.sold(desk.partner(pushUrl=PUSH_URL)["partnerId"], desk.stocked(PHONE))
    assert desk.post(push_path(77, 5)).refusal == (404, "activation not found")
    assert desk.post(push_path(77, sold.activation_id)).refusal == (404, "message not found")
    assert desk.cloud.queued() == []
    assert desk.get(f"/admin/activations/{sold.activation_id}").body["messages"] == []

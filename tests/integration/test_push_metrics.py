"""What is measured of pushes, and the alarm about partners that take none while SMS wait."""

import io
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from unittest.mock import Mock

import pytest

import push_retry.app
import push_sms.app
from globalconnect.domain.backlog import PartnerPending, all_waiting, waiting_by_partner
from globalconnect.domain.errors import Unavailable
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.domain.sms import DuePush, PushState, Sms, SmsRef
from globalconnect.push import wiring
from globalconnect.push.health import Health
from globalconnect.runtime.metrics import Metric, PushMeter
from globalconnect.runtime.request_log import NAMESPACE
from globalconnect.runtime.startup import clock
from simulation.aws import START, TEMPLATE
from simulation.office import DELIVERED, FAILED, Office
from simulation.shop import Shop, present
from sweep import app as sweep_app
from sweep.sweep import Sweep

HUB = PartnerId("hub")

PHONES = [f"4474721900{n:02}" for n in range(9)]
URL = "https://hub.example/a-path-of-ours"
TEXT = "Your code: 5015"
MINUTE = 60_000
LATE = AttemptResult(delivered=True, outcome=AttemptOutcome.DELIVERED, http_status=200, duration_ms=4_900, answer="ok")

VARIABLES = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
ALARM = TEMPLATE["Resources"]["PartnerWithoutSuccessAlarm"]["Properties"]

# The others are of counts, outcomes, lines and leases.
_OTHERS = {Metric.COUNTS_OFF, Metric.PARTNERS_OVER_OUTCOME_LIMIT, Metric.LINES_IN_TROUBLE, Metric.HELD_TOO_LONG}
OF_PUSHES = set(Metric) - _OTHERS


class Printed:
    """What is printed in CloudWatch's embedded metric format."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in lines if "_aws" in line]

    def values(self) -> dict[str, list[float]]:
        """Return the values printed since the last time by metric, or by metric and partner."""
        found: dict[str, list[float]] = {}
        for line in self.lines():
            for name in metric_names(line):
                key = f"{name} {line['partner_id']}" if "partner_id" in line else name
                found.setdefault(key, []).extend(line[name])
        return found


def metric_names(line: dict[str, Any]) -> list[str]:
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return [metric["Name"] for metric in directive["Metrics"]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


# ---------------------------------------------------------------- a batch of pushes


def stored(shop: Shop, partner: Partner, *phones: str) -> list[SmsRef]:
    """Let a partner buy numbers that get an SMS each; return where the SMS are."""
    shop.stock(*phones)
    source, refs = shop.source(), []
    for _ in phones:
        bought = shop.buy(partner).body
        shop.deliver(source, {"phone": bought["number"], "from": "Microsoft", "text": TEXT})
        sale = present(shop.activations.sale(bought["activationId"]))
        refs.append(SmsRef(bought["activationId"], sale.sms[0].sms_id))
    return refs


def due(partner: Partner, refs: Sequence[SmsRef]) -> list[DuePush]:
    return [DuePush(ref, partner.partner_id, 0) for ref in refs]


@pytest.fixture
def partner(shop: Shop) -> Partner:
    return shop.partner(push_url=URL)


@pytest.fixture
def office(shop: Shop, partner: Partner) -> Iterator[Office]:
    """One SMS that waits, and a delivery routine that is measured."""
    with Office(shop) as office:
        office.pusher = office.with_parts(meter=PushMeter())
        yield office


def test_a_batch_tells_attempts_successes_and_the_time_from_stored_to_delivered(
    office: Office, printed: Printed
) -> None:
    refs = [office.ref, *stored(office.shop, office.partner, *PHONES[1:3])]
    office.shop.cloud.clock.advance(ms=1_500)
    office.hub.answers = [DELIVERED, FAILED, LATE]
    office.pusher.deliver(due(office.partner, refs))
    values = printed.values()
    assert sorted(values.pop(Metric.TIME_TO_DELIVER)) == [1_507, 6_400]
    assert values == {Metric.PUSH_ATTEMPTS: [3], Metric.PUSHES_DELIVERED: [2]}


def test_each_batch_tells_its_own_attempts_and_one_without_any_tells_nothing(office: Office, printed: Printed) -> None:
    office.hub.answers = [FAILED, LATE]
    office.push()
    assert printed.values() == {Metric.PUSH_ATTEMPTS: [1], Metric.PUSHES_DELIVERED: [0]}
    office.push()
    assert printed.lines() == []
    office.shop.cloud.clock.advance(seconds=10)
    office.push()
    assert printed.values() == {
        Metric.PUSH_ATTEMPTS: [1],
        Metric.PUSHES_DELIVERED: [1],
        Metric.TIME_TO_DELIVER: [14_900],
    }


def test_an_sms_that_staff_have_pushed_once_more_took_no_longer_to_deliver(office: Office, printed: Printed) -> None:
    office.push()
    office.shop.cloud.clock.advance(minutes=600)
    office.shop.pushes.push_again(office.ref, office.shop.cloud.clock(), 5_000)
    office.push()
    assert printed.values() == {
        Metric.PUSH_ATTEMPTS: [1, 1],
        Metric.PUSHES_DELIVERED: [1, 1],
        Metric.TIME_TO_DELIVER: [7],
    }


@pytest.mark.parametrize("size", [99, 100, 101, 200, 250])
def test_a_batch_of_any_size_is_told_whole_in_lines_that_cloudwatch_takes(size: int, printed: Printed) -> None:
    meter = PushMeter()
    sms = Sms(SmsId(1), ActivationId(1), HUB, "447", "", "", received_at=START, stored_at=START)
    for _ in range(size):
        meter.note(sms, START + 5, delivered=True)
    meter.publish()
    lines = printed.lines()
    assert all(len(line[name]) <= 100 for line in lines for name in metric_names(line))
    assert sum(len(line.get(Metric.TIME_TO_DELIVER, [])) for line in lines) == size
    assert [line[Metric.PUSH_ATTEMPTS] for line in lines if Metric.PUSH_ATTEMPTS in line] == [[size]]


def test_an_sms_stored_by_a_clock_ahead_of_ours_took_no_time(printed: Printed) -> None:
    meter = PushMeter()
    meter.note(
        Sms(SmsId(1), ActivationId(1), HUB, "447", "", "", received_at=START, stored_at=START),
        START - 3,
        delivered=True,
    )
    meter.publish()
    assert printed.values()[Metric.TIME_TO_DELIVER] == [0]


@pytest.mark.parametrize("function", ["push_sms", "push_retry"])
def test_both_functions_that_push_are_measured(
    shop: Shop, function: str, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The functions look at the real clock.
    shop.cloud.clock.at = clock()
    monkeypatch.setenv("PUSH_LOOPBACK", "true")
    monkeypatch.setattr(wiring, "dynamodb_client", lambda: shop.cloud.client)
    partner = shop.partner(push_url="http://127.0.0.1:9/")
    (ref,) = stored(shop, partner, PHONES[0])
    image = {
        "activation_id": {"N": str(ref.activation_id)},
        "sms_id": {"N": str(ref.sms_id)},
        "partner_id": {"S": partner.partner_id},
    }
    body = {"activationId": ref.activation_id, "smsId": ref.sms_id, "partnerId": partner.partner_id, "due": 0}
    app, record = {
        "push_sms": (push_sms.app, {"dynamodb": {"SequenceNumber": "1", "NewImage": image}}),
        "push_retry": (push_retry.app, {"messageId": "1", "body": json.dumps(body)}),
    }[function]
    with closing(wiring.pusher.__wrapped__()) as made:
        monkeypatch.setattr(app, "pusher", lambda: made)
        app.handler({"Records": [record]}, None)
    assert printed.values() == {Metric.PUSH_ATTEMPTS: [1], Metric.PUSHES_DELIVERED: [0]}


# ---------------------------------------------------------------- what waits


@pytest.fixture(autouse=True)
def _swept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(shop.numbers, shop.partners, shop.pushes, shop.cloud.queues(), shop.statistics, shop.cloud.clock)
    monkeypatch.setattr(sweep_app, "parts", lambda: sweep)


def run_sweep() -> None:
    sweep_app.handler({}, None)


def in_alarm(printed: Printed) -> float:
    """Sweep; return how many partners are counted."""
    printed.lines()
    run_sweep()
    (count,) = printed.values()[Metric.PARTNERS_WITHOUT_SUCCESS]
    return count


def test_when_nothing_waits_the_alarm_hears_that_and_no_age_is_told(
    shop: Shop, partner: Partner, printed: Printed
) -> None:
    run_sweep()
    stored(shop, partner, PHONES[0])
    shop.cloud.clock.advance(ms=44_999)
    run_sweep()
    assert printed.values() == {Metric.PARTNERS_WITHOUT_SUCCESS: [0, 0]}


def test_the_age_of_the_oldest_sms_that_waits_is_told_of_each_partner(
    shop: Shop, partner: Partner, printed: Printed
) -> None:
    other = shop.partner(push_url=URL)
    for minute, (whose, phones) in enumerate([(partner, PHONES[:4]), (other, PHONES[4:6]), (partner, PHONES[6:])]):
        assert shop.cloud.clock() == START + minute * MINUTE
        stored(shop, whose, *phones)
        shop.cloud.clock.advance(minutes=1)
    run_sweep()
    assert printed.values() == {
        Metric.PARTNERS_WITHOUT_SUCCESS: [0],
        f"{Metric.OLDEST_PENDING_AGE} {partner.partner_id}": [180],
        f"{Metric.OLDEST_PENDING_AGE} {other.partner_id}": [120],
    }


def test_what_was_delivered_or_finished_does_not_wait_even_if_it_is_pushed_once_more(
    office: Office, printed: Printed
) -> None:
    (finished,) = stored(office.shop, office.partner, PHONES[1])
    office.push()
    office.shop.finish(office.partner, finished.activation_id, 1)
    office.pusher.deliver(due(office.partner, [finished]))
    office.shop.cloud.clock.advance(minutes=20)
    assert in_alarm(printed) == 0
    office.shop.pushes.push_again(office.ref, office.shop.cloud.clock(), 5_000)
    run_sweep()
    assert printed.values() == {Metric.PARTNERS_WITHOUT_SUCCESS: [0]}


def test_the_oldest_is_the_oldest_in_whatever_order_messages_are_read() -> None:
    ages = [
        Sms(SmsId(n), ActivationId(n), HUB, "447", "", "", received_at=START, stored_at=START + n) for n in (2, 1, 3)
    ]
    for order in itertools.permutations(ages):
        assert waiting_by_partner(order) == {"hub": PartnerPending(3, START + 1)}
        assert all_waiting(waiting_by_partner([sms]) for sms in order) == {"hub": PartnerPending(3, START + 1)}


@pytest.mark.parametrize("state", [PushState.DELIVERED, PushState.STOPPED, PushState.NO_URL])
def test_an_sms_whose_pushing_ended_does_not_wait_when_the_index_still_lists_it(state: PushState) -> None:
    sms = Sms(SmsId(1), ActivationId(1), HUB, "447", "", "", received_at=START, stored_at=START, push_state=state)
    assert waiting_by_partner([sms]) == {}


def test_a_sweep_that_fails_measures_nothing(
    shop: Shop, partner: Partner, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    stored(shop, partner, PHONES[0])
    shop.cloud.clock.advance(minutes=6)
    monkeypatch.setattr(shop.pushes, "find", Mock(side_effect=Unavailable("EndpointConnectionError")))
    with pytest.raises(Unavailable):
        run_sweep()
    assert printed.lines() == []


# ---------------------------------------------------------------- the alarm


@pytest.mark.parametrize("took_one_before", [False, True])
@pytest.mark.parametrize(("waited", "count"), [(5 * MINUTE, 0), (5 * MINUTE + 1, 1)])
def test_a_partner_is_in_the_alarm_when_an_sms_has_waited_longer_than_5_minutes_since_it_took_none(  # noqa: PLR0917 - two tables
    shop: Shop, partner: Partner, printed: Printed, waited: int, count: int, took_one_before: bool
) -> None:
    if took_one_before:
        shop.partners.note_success(partner.partner_id, shop.cloud.clock())
    shop.cloud.clock.advance(minutes=24 * 60)
    stored(shop, partner, PHONES[0])
    shop.cloud.clock.advance(ms=waited)
    assert in_alarm(printed) == count


def test_nobody_is_in_the_alarm_who_took_a_push_within_5_minutes_and_all_are_a_minute_later(
    shop: Shop, partner: Partner, printed: Printed
) -> None:
    stored(shop, partner, PHONES[0])
    clock = shop.cloud.clock
    for successes in (1, 59, 60, 61, 119):
        clock.advance(minutes=20)
        health = Health(shop.partners, clock)
        for _ in range(successes):
            # As Delivery does: it reads the partner, and shares at the end of the batch.
            health.note(shop.partners.get(partner.partner_id), delivered=True, duration_ms=7)
            health.share()
            clock.advance(seconds=1)
        clock.advance(seconds=-1, minutes=5, ms=-1)
        assert in_alarm(printed) == 0
        clock.advance(minutes=1, ms=1)
        assert in_alarm(printed) == 1


def test_a_partner_in_the_alarm_leaves_it_with_its_first_success_however_late_it_answers(
    office: Office, printed: Printed
) -> None:
    stored(office.shop, office.partner, PHONES[1])
    office.hub.answers = [FAILED, LATE]
    office.push()
    office.shop.cloud.clock.advance(minutes=6)
    assert in_alarm(printed) == 1
    office.push()
    assert in_alarm(printed) == 0


def test_a_partner_that_is_not_meant_to_take_pushes_is_in_no_alarm(
    shop: Shop, partner: Partner, printed: Printed
) -> None:
    revoked, third = shop.partner(push_url=URL), shop.partner(push_url=URL)
    for whose, phone in ((partner, PHONES[0]), (revoked, PHONES[1]), (third, PHONES[2])):
        stored(shop, whose, phone)
    shop.cloud.clock.advance(minutes=6)
    assert in_alarm(printed) == 3
    shop.partners.revoke(revoked.partner_id, shop.cloud.clock())
    shop.partners.change(partner.partner_id, {"push_url": None})
    assert in_alarm(printed) == 1


def test_a_log_line_names_the_partner_every_minute_while_it_lasts(office: Office, logged: io.StringIO) -> None:
    for minute in range(8):
        run_sweep()
        if minute == 7:
            office.push()
        office.shop.cloud.clock.advance(minutes=1)
    run_sweep()
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    named = [line for line in lines if line["message"] == "partner_without_success"]
    assert [line["oldest_age_ms"] for line in named] == [6 * MINUTE, 7 * MINUTE]
    assert {line["partner_id"] for line in named} == {office.partner.partner_id}


def test_the_alarm_listens_to_what_the_sweep_tells(printed: Printed) -> None:
    run_sweep()
    (line,) = printed.lines()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == ALARM["Namespace"] == NAMESPACE
    assert metric_names(line) == [ALARM["MetricName"]]
    assert directive["Dimensions"] == [[dimension["Name"] for dimension in ALARM["Dimensions"]]]
    # Powertools takes its service from the variable.
    assert ALARM["Dimensions"] == [{"Name": "service", "Value": VARIABLES["POWERTOOLS_SERVICE_NAME"]}]


def test_a_partner_in_three_of_five_minutes_is_an_alarm_and_so_are_minutes_without_a_sweep() -> None:
    assert (ALARM["Threshold"], ALARM["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    # Schedules start within their minute: one without a sweep is in order.
    assert (ALARM["DatapointsToAlarm"], ALARM["EvaluationPeriods"], ALARM["Period"]) == (3, 5, 60)
    assert ALARM["Statistic"] == "Maximum"
    assert ALARM["TreatMissingData"] == "breaching"
    sweeping = TEMPLATE["Resources"]["ExpireActivationsFunction"]["Properties"]["Events"]["EveryMinute"]
    assert sweeping["Properties"]["ScheduleExpression"] == "rate(1 minute)"


# ---------------------------------------------------------------- what is told, and what never


def test_lines_hold_numbers_and_nothing_else_and_only_the_age_tells_partners_apart(
    office: Office, printed: Printed
) -> None:
    refs = stored(office.shop, office.partner, PHONES[1])
    office.hub.answers = [FAILED, DELIVERED]
    office.pusher.deliver(due(office.partner, [office.ref, *refs]))
    office.shop.cloud.clock.advance(minutes=7)
    run_sweep()
    lines = printed.lines()
    assert {name for line in lines for name in metric_names(line)} == OF_PUSHES
    for line in lines:
        of_partner = Metric.OLDEST_PENDING_AGE in metric_names(line)
        dimensions = {"service": "globalconnect"} | ({"partner_id": office.partner.partner_id} if of_partner else {})
        assert {*line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]} == {*dimensions}
        told = {name: line.pop(name) for name in metric_names(line)}
        assert all(isinstance(value, float) for values in told.values() for value in values)
        assert line == {"_aws": line["_aws"], **dimensions}

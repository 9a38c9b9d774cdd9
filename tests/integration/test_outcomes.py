"""Outcomes by partner: the figures, the limits, and the alarm (contract 5, docs/adr/0026)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import hourly_counts.wiring
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.outcomes import OUTCOME_HOURS, OutcomeLimits, Outcomes
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.statistics import hour_of
from globalconnect.domain.times import HOUR
from globalconnect.runtime.request_log import NAMESPACE
from globalconnect.store.statistics import MOST_PARTNERS
from simulation.aws import TEMPLATE
from simulation.desk import Desk
from simulation.shop import Shop, present

ALARM = TEMPLATE["Resources"]["OutcomesAlarm"]["Properties"]
PHONES = [f"4474721900{place:02}" for place in range(30)]
NONE = {
    "prohibited": 0,
    "success": 0,
    "canceled": 0,
    "returned": 0,
    "delivered": 0,
    "takenBack": 0,
    "shareRefused": None,
    "shareTakenBack": None,
    "overLimit": False,
}


@pytest.fixture
def strict(shop: Shop) -> Shop:
    """Return a shop with numbers, in which four outcomes are enough to be spoken of."""
    shop.cloud.env.update(OUTCOME_LEAST="4", REFUSED_PERCENT="50", TAKEN_BACK_PERCENT="25")
    shop.sell("tg", reusable=True)
    shop.stock(*PHONES)
    return Shop(shop.cloud)


def _buy(shop: Shop, partner: Partner, *, delivered: bool = False) -> int:
    """Buy a number, and let the partner take the push of an SMS on it."""
    bought = shop.buy(partner).body
    activation_id: int = bought["activationId"]
    if delivered:
        shop.deliver(shop.source(), {"phone": bought["number"], "from": "a", "text": "b", "id": activation_id})
        sale = present(shop.activations.sale(ActivationId(activation_id)))
        (claimed,) = shop.pushes.claim([SmsRef(ActivationId(activation_id), sale.sms[0].sms_id)], shop.cloud.clock())
        assert isinstance(claimed, Sms)
        shop.pushes.settle([PushEnd(claimed, PushState.DELIVERED, shop.cloud.clock())])
    return activation_id


def _end(shop: Shop, partner: Partner, *outcomes: int, delivered: bool = False) -> None:
    for outcome in outcomes:
        shop.finish(partner, _buy(shop, partner, delivered=delivered), outcome)


def _hub(shop: Shop, name: str = "Hub") -> Partner:
    return shop.partner(push_url="https://hub.example/", name=name)


def _shown(shop: Shop, partner: Partner) -> dict[str, Any]:
    found: dict[str, Any] = Desk(shop.cloud).get(f"/admin/partners/{partner.partner_id}/activity").body["outcomes"]
    return found


# ---------------------------------------------------------------- the figures


def test_outcomes_are_counted_by_partner(strict: Shop) -> None:
    one, other = _hub(strict), _hub(strict)
    _end(strict, one, 1, 3, 3, 4, 5)
    _end(strict, other, 3)
    # Counting again changes nothing.
    for _ in range(2):
        strict.measure()
        counted = {"prohibited": 1, "success": 2, "canceled": 1, "returned": 1, "shareRefused": 0.4}
        assert _shown(strict, one) == NONE | counted
        assert _shown(strict, other) == NONE | {"success": 1, "shareRefused": 0}


def test_who_takes_an_sms_and_cancels_or_returns_takes_back(strict: Shop) -> None:
    partner = _hub(strict)
    _end(strict, partner, 1, 3, 4, 5, delivered=True)
    # Without an SMS it is nothing that was taken.
    _end(strict, partner, 4, 5)
    strict.measure()
    shown = _shown(strict, partner)
    assert (shown["delivered"], shown["takenBack"], shown["shareTakenBack"]) == (4, 2, 0.5)


def test_an_sms_that_was_not_taken_counts_as_none(strict: Shop) -> None:
    partner = _hub(strict)
    bought = strict.buy(partner).body
    strict.deliver(strict.source(), {"phone": bought["number"], "from": "a", "text": "b"})
    strict.finish(partner, bought["activationId"], 4)
    strict.measure()
    assert (_shown(strict, partner)["canceled"], _shown(strict, partner)["delivered"]) == (1, 0)


def test_an_sms_of_the_hour_before_counts(strict: Shop) -> None:
    partner = _hub(strict)
    strict.cloud.clock.at = hour_of(strict.cloud.clock()) + HOUR - 1_000
    activation_id = _buy(strict, partner, delivered=True)
    strict.cloud.clock.advance(minutes=59)
    strict.finish(partner, activation_id, 5)
    strict.measure()
    assert _shown(strict, partner)["takenBack"] == 1


def test_a_refund_takes_the_place_of_the_success_up_to_a_day_later(strict: Shop) -> None:
    partner = _hub(strict)
    activation_id = _buy(strict, partner, delivered=True)
    strict.finish(partner, activation_id, 3)
    strict.measure()
    strict.cloud.clock.advance(minutes=22 * 60)
    strict.finish(partner, activation_id, 5)
    strict.measure()
    shown = _shown(strict, partner)
    assert (shown["success"], shown["returned"], shown["takenBack"]) == (0, 1, 1)


def test_outcomes_count_for_24_hours_from_when_they_were_given(strict: Shop) -> None:
    partner = _hub(strict)
    late = _buy(strict, partner)
    strict.cloud.clock.advance(minutes=48 * 60)
    strict.finish(partner, late, 4)
    given = hour_of(strict.cloud.clock())
    strict.measure()
    strict.cloud.clock.at = given + OUTCOME_HOURS * HOUR - 1
    assert _shown(strict, partner)["canceled"] == 1
    strict.cloud.clock.advance(ms=1)
    assert _shown(strict, partner) == NONE


def test_of_very_many_partners_those_with_the_most_outcomes_are_kept(shop: Shop) -> None:
    many = {PartnerId(f"partner{place}"): Outcomes(success=1 + place) for place in range(MOST_PARTNERS + 1)}
    shop.statistics.put_outcomes(0, 0, many)
    assert shop.statistics.outcomes(0, 0).keys() == many.keys() - {"partner0"}


# ---------------------------------------------------------------- the limits


NEVER = OutcomeLimits(least=1, refused_percent=100, taken_back_percent=100)


@pytest.mark.parametrize(
    ("outcomes", "over"),
    [
        (Outcomes(prohibited=1), False),
        (Outcomes(prohibited=9), False),
        (Outcomes(prohibited=5, canceled=5), True),
        (Outcomes(prohibited=5, success=5), False),
        (Outcomes(canceled=6, success=5), True),
        (Outcomes(returned=10), False),
        (Outcomes(success=40, returned=3, delivered=9, taken_back=3), False),
        (Outcomes(success=40, returned=3, delivered=10, taken_back=2), False),
        (Outcomes(success=40, returned=3, delivered=10, taken_back=3), True),
    ],
)
def test_a_partner_is_over_a_limit_above_its_share_and_with_enough_outcomes(outcomes: Outcomes, over: bool) -> None:
    assert OutcomeLimits(least=10, refused_percent=50, taken_back_percent=20).is_over(outcomes) is over
    assert not NEVER.is_over(outcomes)


def test_partners_over_a_limit_are_named_those_with_the_most_outcomes_first(strict: Shop) -> None:
    refusing, taking_back, good = _hub(strict, "Refusing"), _hub(strict, "Taking back"), _hub(strict, "Good")
    _end(strict, refusing, 1, 1, 4, 4, 3)
    _end(strict, taking_back, 5, 5, 3, 3, delivered=True)
    _end(strict, good, 3, 3, 3, 4)
    strict.measure()
    found = Desk(strict.cloud).get("/admin/statistics").body["partnersOverOutcomeLimit"]
    assert found == [
        {
            "partnerId": partner.partner_id,
            "name": partner.name,
            "outcomes": _shown(strict, partner) | {"overLimit": True},
        }
        for partner in (refusing, taking_back)
    ]
    assert _shown(strict, good)["overLimit"] is False


# ---------------------------------------------------------------- the alarm


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Return the lines of metrics printed since the last time."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "a-stack")

    def lines() -> list[Any]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in found if "_aws" in line]

    return lines


def test_the_alarm_is_raised_by_a_partner_over_a_limit_and_called_off_when_it_is_no_more(
    strict: Shop, printed: Callable[[], list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    partner, metric = _hub(strict), ALARM["MetricName"]

    def told() -> float:
        printed()
        strict.measure()
        (line,) = printed()
        (value,) = line[metric]
        return float(value)

    assert told() == 0
    _end(strict, partner, 4, 4, 4)
    assert told() == 0
    _end(strict, partner, 4)
    assert told() >= ALARM["Threshold"]
    (named,) = [vars(record) for record in caplog.records if record.message == "partner_over_outcome_limit"]
    assert (named["partner_id"], named["finished"], named["refused"]) == (partner.partner_id, 4, 4)
    strict.cloud.clock.at = hour_of(strict.cloud.clock()) + OUTCOME_HOURS * HOUR
    assert told() < ALARM["Threshold"]


def test_the_alarm_listens_to_what_is_told_every_minute(printed: Callable[[], list[Any]]) -> None:
    hourly_counts.wiring.tell({})
    (line,) = printed()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == ALARM["Namespace"] == NAMESPACE
    assert [metric["Name"] for metric in directive["Metrics"]] == [ALARM["MetricName"]]
    # Not by partner: CloudWatch charges for each value of a dimension.
    assert directive["Dimensions"] == [[dimension["Name"] for dimension in ALARM["Dimensions"]]] == [["service"]]
    assert (ALARM["DatapointsToAlarm"], ALARM["EvaluationPeriods"], ALARM["Period"]) == (3, 5, 60)
    assert ALARM["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    events = TEMPLATE["Resources"]["HourlyStatisticsFunction"]["Properties"]["Events"]
    assert events["EveryMinute"]["Properties"]["ScheduleExpression"] == "rate(1 minute)"


def test_a_deployment_says_what_is_too_much(shop: Shop) -> None:
    limits = Desk(shop.cloud).admin.outcome_limits
    names = ("OutcomeLeast", "RefusedPercent", "TakenBackPercent")
    assert limits == OutcomeLimits(*(TEMPLATE["Parameters"][name]["Default"] for name in names))
    assert not limits.is_over(Outcomes(canceled=1, delivered=1, taken_back=1))

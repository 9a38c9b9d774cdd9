"""The store of statistics, and the indexes from which it is counted."""

from dataclasses import replace

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.backlog import PartnerPending, PendingNote
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.outcomes import FinishedActivation, Outcomes
from globalconnect.domain.sms import PushState, Sms
from globalconnect.domain.statistics import BOUNDS, STATES, Hour, HourCounts, StartedActivation, Stock
from globalconnect.domain.times import DAY, HOUR
from globalconnect.store.activations import from_activation, from_sms
from globalconnect.store.statistics import MOST_PARTNERS, HourEvents, Statistics
from simulation.aws import START, Cloud
from tests.stores.test_transactions import RETENTION, SALE

HUB = PartnerId("hub")
COUNTS = HourCounts(**dict.fromkeys(STATES, 3), times={10: 2, 1_000: 4})


@pytest.fixture
def statistics(tables: Cloud) -> Statistics:
    return Statistics(tables.db, tables.env["STATISTICS_TABLE"])


def test_hours_are_kept_as_they_were_measured_last(statistics: Statistics) -> None:
    hours = [Hour(START + number * HOUR, START + DAY, COUNTS) for number in range(3)]
    for hour in hours:
        statistics.put_hour(replace(hour, measured_at=START, counts=replace(COUNTS, times={})))
        statistics.put_hour(hour)
        statistics.put_hour(replace(hour, measured_at=START, counts=replace(COUNTS, times={})))
    assert statistics.hours(START, START + HOUR) == hours[:2]
    assert statistics.hours(START + DAY, START + 2 * DAY) == []


def test_what_there_is_is_what_there_was_last(statistics: Statistics) -> None:
    assert (statistics.stock(), statistics.pending()) == (None, None)
    pending = PendingNote(START, 3, START - 9, {HUB: PartnerPending(3, START - 9)})
    for note in (pending, PendingNote(START - 1, 0, None, {})):
        statistics.put_pending(note)
    for stock in (Stock(START, 5, 2), Stock(START - 1, 0, 0)):
        statistics.put_stock(stock)
    assert (statistics.stock(), statistics.pending()) == (Stock(START, 5, 2), pending)
    statistics.put_pending(PendingNote(START + 1, 0, None, {}))
    assert statistics.pending() == PendingNote(START + 1, 0, None, {})


def test_outcomes_of_hours_are_added_up_by_partner(statistics: Statistics) -> None:
    for number in range(3):
        statistics.put_outcomes(
            START + number * HOUR, START, {HUB: Outcomes(success=1), PartnerId(f"h{number}"): Outcomes(canceled=2)}
        )
    found = statistics.outcomes(START, START + HOUR)
    assert found == {"hub": Outcomes(success=2), "h0": Outcomes(canceled=2), "h1": Outcomes(canceled=2)}


def test_the_largest_hours_fit_an_item(statistics: Statistics) -> None:
    times = dict.fromkeys(BOUNDS, 1_000_000)
    largest = Hour(START, START, replace(COUNTS, times=times))
    statistics.put_hour(largest)
    many = {PartnerId(f"partner{number:05}"): Outcomes(*[9_999_999] * 6) for number in range(MOST_PARTNERS + 1)}
    statistics.put_outcomes(START, START, many)
    assert statistics.hours(START, START) == [largest]
    assert len(statistics.outcomes(START, START)) == MOST_PARTNERS


def test_events_of_a_span_are_found_and_no_others(tables: Cloud) -> None:
    table = tables.env["ACTIVATIONS_TABLE"]
    events = HourEvents(tables.db, table)
    for number, at in enumerate((-1, 0, HOUR - 1, HOUR)):
        sale_id = ActivationId(number)
        sale = replace(SALE, activation_id=sale_id, started_at=START + at, expires_at=START + 2 * HOUR)
        finished = replace(sale, outcome=Outcome.SUCCESS, finished_at=START + at) if number % 2 else sale
        tables.db.put(table, from_activation(finished, RETENTION))
        sms = Sms(
            SmsId(number), sale_id, HUB, SALE.phone, "a", "b", START + at - 7, START + at - 7, PushState.DELIVERED
        )
        noted = {"delivered_day": from_activation(sale, RETENTION)["started_day"], "first_delivered_at": START + at}
        tables.db.put(table, from_sms(sms, RETENTION) | noted)
    begun = list(events.begun(START, START + HOUR))
    assert begun == [
        StartedActivation(ActivationId(number), outcome, START + 2 * HOUR)
        for number, outcome in ((1, Outcome.SUCCESS), (2, None))
    ]
    assert list(events.delivered(START, START + HOUR)) == [(1, 7), (2, 7)]
    assert list(events.finished(START, START + HOUR)) == [FinishedActivation(ActivationId(1), HUB, Outcome.SUCCESS)]

"""What a request costs: calls to AWS, warm (partner, source and catalogue remembered) and uncontended."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from globalconnect.domain.ids import SourceId
from globalconnect.domain.offer import Offer
from globalconnect.store.projection import count
from simulation.calls import Calls, heard
from simulation.desk import Desk
from simulation.pieces import Pieces
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(4)]
SMS = {"phone": PHONES[0], "from": "Microsoft", "text": "Your code: 5015", "id": "1"}


@pytest.fixture
def warm(shop: Shop) -> Shop:
    """Return a shop that remembers partners, sources and services for a minute, and has just done so."""
    shop.stock(*PHONES)
    return Shop(shop.cloud, {"CACHE_SECONDS": "60"})


@pytest.fixture
def calls(warm: Shop) -> Iterator[Calls]:
    with Calls(warm.cloud.client) as calls:
        yield calls


def test_get_services_is_one_read_and_none_within_the_second(warm: Shop, calls: Calls) -> None:
    partner = warm.partner()
    warm.call(partner, "GET_SERVICES")
    assert calls.of(lambda: warm.call(partner, "GET_SERVICES")) == []
    warm.cloud.clock.advance(seconds=1)
    assert calls.of(lambda: warm.call(partner, "GET_SERVICES")) == ["Scan"]


def test_a_poll_is_noted_by_one_write_a_minute(warm: Shop, calls: Calls) -> None:
    partner = warm.partner()
    assert "UpdateItem" in calls.of(lambda: warm.call(partner, "GET_SERVICES"))
    for _ in range(59):
        warm.cloud.clock.advance(seconds=1)
        assert calls.of(lambda: warm.call(partner, "GET_SERVICES")) == ["Scan"]
    warm.cloud.clock.advance(seconds=1)
    # Partner and catalogue are remembered for no longer here, so they are read again as well.
    assert sorted(calls.of(lambda: warm.call(partner, "GET_SERVICES"))) == ["GetItem", "Scan", "Scan", "UpdateItem"]


def test_no_numbers_is_one_read_more_for_who_has_polled_and_a_write_if_it_may_have_been_shown_some(
    warm: Shop, calls: Calls
) -> None:
    warm.project()
    blind, polls = warm.partner(), warm.partner()
    warm.call(polls, "GET_SERVICES")
    for _ in PHONES:
        warm.buy(blind)
    assert calls.of(lambda: warm.buy(blind)) == ["Query"]
    warm.project()
    warm.cloud.clock.advance(seconds=2)
    assert calls.of(lambda: warm.buy(polls)) == ["Query", "Query", "UpdateItem"]
    warm.call(polls, "GET_SERVICES")
    warm.cloud.clock.advance(seconds=2)
    warm.call(polls, "GET_SERVICES")
    assert calls.of(lambda: warm.buy(polls)) == ["Query", "Query"]


def test_get_number_is_one_query_and_one_transaction(warm: Shop, calls: Calls) -> None:
    partner = warm.partner()
    warm.buy(partner)
    assert calls.of(lambda: warm.buy(partner)) == ["Query", "TransactWriteItems"]


def test_a_partner_with_a_limit_pays_one_read_more_and_one_that_is_paused_none(warm: Shop, calls: Calls) -> None:
    limited, paused = warm.partner(max_live=9), warm.partner(max_live=9)
    warm.partners.pause(paused.partner_id, "Unpaid", warm.cloud.clock())
    for partner in (limited, paused):
        warm.call(partner, "GET_SERVICES")
    warm.buy(limited)
    assert calls.of(lambda: warm.buy(limited)) == ["GetItem", "Query", "TransactWriteItems"]
    assert calls.of(lambda: warm.call(limited, "GET_SERVICES")) == ["GetItem"]
    assert calls.of(lambda: warm.buy(paused)) == []
    assert calls.of(lambda: warm.call(paused, "GET_SERVICES")) == []


def test_a_partner_with_an_offer_pays_no_read_more(warm: Shop, calls: Calls) -> None:
    partner = warm.partner(offer=Offer(20, 5))
    warm.call(partner, "GET_SERVICES")
    warm.buy(partner)
    assert calls.of(lambda: warm.call(partner, "GET_SERVICES")) == []
    assert calls.of(lambda: warm.buy(partner)) == ["Query", "TransactWriteItems"]


def test_names_cost_a_read_once_and_a_query_more_where_one_may_mean_many_pools(warm: Shop, calls: Calls) -> None:
    partner, desk = warm.partner(), Desk(warm.cloud)
    path = f"/admin/partners/{partner.partner_id}/names"
    operators = {OPERATOR: "h"}
    names = {
        "countries": {COUNTRY: "uk"},
        "operators": {COUNTRY: operators},
        "services": {"tg": "tg"},
        "unmapped": "hide",
    }
    assert desk.put(path, names).status == 200
    assert calls.of(lambda: warm.call(partner, "GET_SERVICES")).count("GetItem") == 2
    assert calls.of(lambda: warm.call(partner, "GET_SERVICES")) == []
    assert calls.of(lambda: warm.buy(partner, country="uk", operator="h")) == ["Query", "TransactWriteItems"]
    operators |= {f"other {n}": "h" for n in range(4)}
    assert desk.put(path, names).status == 200
    warm.cloud.clock.advance(minutes=2)
    warm.call(partner, "GET_SERVICES")
    several = ["Query", "Query", "TransactWriteItems"]
    assert calls.of(lambda: warm.buy(partner, country="uk", operator="h")) == several


def test_at_its_limit_a_partner_costs_one_read(warm: Shop, calls: Calls) -> None:
    partner = warm.partner(max_live=1)
    warm.buy(partner)
    warm.project()
    assert calls.of(lambda: warm.buy(partner)) == ["GetItem"]


def test_counting_a_sale_is_one_read_and_one_transaction(warm: Shop, calls: Calls) -> None:
    warm.project()
    sold = warm.buy(warm.partner()).body["number"]
    numbers = warm.numbers.get_many([sold])
    expected = ["BatchGetItem", "TransactWriteItems"]
    assert calls.of(lambda: count(numbers, warm.counts)) == expected


def test_finish_activation_is_two_reads_and_one_transaction(warm: Shop, calls: Calls) -> None:
    partner, activation_id = warm.sold()
    assert calls.of(lambda: warm.finish(partner, activation_id, 3)) == ["GetItem", "GetItem", "TransactWriteItems"]
    assert calls.of(lambda: warm.finish(partner, activation_id, 3)) == ["GetItem"]


def test_getsms_is_one_query(warm: Shop, calls: Calls) -> None:
    partner, activation_id = warm.sold()
    warm.messages(partner, activation_id)
    assert calls.of(lambda: warm.messages(partner, activation_id)) == ["Query"]
    source = warm.source()
    for sms_id in "123":
        warm.deliver(source, {**SMS, "id": sms_id})
    assert calls.of(lambda: warm.messages(partner, activation_id)) == ["Query"]
    assert len(warm.messages(partner, activation_id).body["messages"]) == 3


def test_getsms_of_somebody_elses_activation_is_one_short_query_however_many_sms_it_has(
    warm: Shop, calls: Calls
) -> None:
    owner, stranger, source = warm.partner(), warm.partner(), warm.source()
    activation_id = warm.buy(owner).body["activationId"]
    for number in range(30):
        warm.deliver(source, {**SMS, "id": str(number)})
    warm.messages(stranger, activation_id)
    with heard(warm.cloud.client, "after-call.dynamodb.Query") as told:
        assert calls.of(lambda: warm.messages(stranger, activation_id)) == ["Query"]
    assert [call["parsed"]["ScannedCount"] for call in told] == [5]
    assert len(warm.messages(owner, activation_id).body["messages"]) == 30


def test_an_inbound_sms_is_one_read_and_one_transaction(warm: Shop, calls: Calls) -> None:
    source = warm.source()
    warm.sold()
    warm.deliver(source, {**SMS, "id": "0"})
    assert calls.of(lambda: warm.deliver(source, SMS)) == ["BatchGetItem", "TransactWriteItems"]


def test_an_sms_on_a_line_is_one_read_more_and_on_one_that_nobody_mapped_two_and_a_note(
    warm: Shop, calls: Calls
) -> None:
    source = warm.source()
    warm.sold()
    warm.inbound_parts.lines.replace(SourceId(source), {"1A": PHONES[0]})
    on_line = {**SMS, "line": "1A"}
    warm.deliver(source, {**on_line, "id": "0"})
    assert calls.of(lambda: warm.deliver(source, on_line)) == ["BatchGetItem"] * 2 + ["TransactWriteItems"]
    # Its number is looked for by the destination, which is none of ours here.
    unknown = {**SMS, "line": "2B", "phone": "447472190099"}
    expected = ["BatchGetItem"] * 3 + ["PutItem", "TransactWriteItems"]
    assert calls.of(lambda: warm.deliver(source, unknown)) == expected
    assert calls.of(lambda: warm.deliver(source, {**unknown, "id": "2"})) == expected


def test_a_part_of_a_long_sms_is_two_reads_and_one_write_and_the_last_costs_the_sms_as_well(
    warm: Shop, calls: Calls
) -> None:
    warm.inbound_parts = replace(warm.inbound_parts, provider=lambda _: Pieces())
    source = warm.source()
    warm.sold()
    first, second, third = ({**SMS, "id": str(number), "part": ["7", number, 3]} for number in (1, 2, 3))
    warm.deliver(source, {**SMS, "id": "0"})
    kept = ["BatchGetItem", "GetItem", "TransactWriteItems"]
    assert calls.of(lambda: warm.deliver(source, first)) == kept
    assert calls.of(lambda: warm.deliver(source, second)) == kept
    joined = ["BatchGetItem", "TransactWriteItems", "UpdateItem"]
    assert sorted(calls.of(lambda: warm.deliver(source, third))) == sorted(kept + joined)
    assert calls.of(lambda: warm.deliver(source, third)) == ["BatchGetItem", "UpdateItem"]


def test_once_a_minute_it_is_noted_that_a_source_was_heard(warm: Shop, calls: Calls) -> None:
    source = warm.source()
    warm.deliver(source, [])
    assert calls.of(lambda: warm.deliver(source, [])) == []
    warm.cloud.clock.advance(seconds=60)
    # The source is remembered for no longer here, so it is read again as well.
    assert calls.of(lambda: warm.deliver(source, [])) == ["GetItem", "UpdateItem"]
    assert calls.of(lambda: warm.deliver(source, [])) == []


def test_a_cold_start_adds_only_what_is_remembered_afterwards(warm: Shop, calls: Calls) -> None:
    partner = warm.partner()
    assert calls.of(lambda: warm.buy(partner)) == ["GetItem", "Query", "Scan", "TransactWriteItems"]

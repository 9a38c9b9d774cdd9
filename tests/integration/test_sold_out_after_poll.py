"""NO_NUMBERS though the last poll may have shown some, counted per partner for staff: contract 1.1 and 5."""

import pytest

from globalconnect.domain.partner import Partner
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.failing import Fault, failing_cloud
from simulation.shop import COUNTRY, Shop

PHONES = [f"4474721900{n:02}" for n in range(3)]
NO_NUMBERS, SUCCESS = "NO_NUMBERS", "SUCCESS"


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Return a shop with numbers, which remembers partners and counts as a warm environment does."""
    shop.stock(*PHONES)
    shop.project()
    return Shop(shop.cloud, {"CACHE_SECONDS": "30"})


def _poll(shop: Shop, *partners: Partner) -> None:
    for partner in partners:
        assert shop.call(partner, "GET_SERVICES").status == 200


def _sell_out(shop: Shop, service: str = "tg", operator: str = "any") -> None:
    """Let somebody who never polls buy all that is free, and the counts catch up, some seconds later."""
    shop.cloud.clock.advance(seconds=5)
    stranger = shop.partner()
    while shop.buy(stranger, service, operator=operator).body["status"] == SUCCESS:
        pass
    shop.project()
    shop.cloud.clock.advance(seconds=5)


def _buys_none(shop: Shop, partner: Partner, service: str = "tg", **fields: object) -> None:
    assert shop.buy(partner, service, **fields).body == {"status": NO_NUMBERS}


def _counted(shop: Shop, partner: Partner) -> int:
    told: int = Desk(shop.cloud).get(f"/admin/partners/{partner.partner_id}/activity").body["soldOutAfterPoll"]
    return told


@pytest.mark.parametrize("operator", ["any", None])
def test_what_another_bought_after_the_poll_is_counted_and_what_was_gone_before_is_not(
    stocked: Shop, operator: str | None
) -> None:
    fields = {} if operator is None else {"operator": operator}
    early, late, blind = (stocked.partner() for _ in range(3))
    _poll(stocked, early)
    _sell_out(stocked)
    _poll(stocked, late)
    for partner in (early, early, late, blind):
        _buys_none(stocked, partner, **fields)
    assert [_counted(stocked, partner) for partner in (early, late, blind)] == [2, 0, 0]


def test_another_environment_knows_of_the_poll_by_the_partners_item(stocked: Shop) -> None:
    partner = stocked.partner()
    _poll(stocked, partner)
    _sell_out(stocked)
    _buys_none(Shop(stocked.cloud, {"CACHE_SECONDS": "30"}), partner)
    assert _counted(stocked, partner) == 1


def test_a_sale_that_is_not_counted_yet_was_shown(stocked: Shop) -> None:
    partner, stranger = stocked.partner(), stocked.partner()
    _poll(stocked, partner)
    for _ in PHONES:
        stocked.buy(stranger)
    _buys_none(stocked, partner)
    assert _counted(stocked, partner) == 1


def test_a_service_counts_by_itself(stocked: Shop) -> None:
    partner, stranger = stocked.partner(), stocked.partner()
    for phone in PHONES:
        # Used up for `go`, and free again.
        activation_id = stocked.buy(stranger, "go").body["activationId"]
        assert stocked.finish(stranger, activation_id, 3).body == {"status": SUCCESS}, phone
    stocked.project()
    stocked.cloud.clock.advance(seconds=5)
    _poll(stocked, partner)
    _buys_none(stocked, partner, "go")
    assert _counted(stocked, partner) == 0
    _sell_out(stocked, "tg")
    for service in ("go", "tg"):
        _buys_none(stocked, partner, service)
    assert _counted(stocked, partner) == 1


def test_any_counts_what_the_last_of_its_pools_sold_after_the_poll(stocked: Shop) -> None:
    stocked.stock("447472190099", operator="Three")
    stocked.project()
    _sell_out(stocked, operator="Three")
    partner = stocked.partner()
    _poll(stocked, partner)
    _buys_none(stocked, partner, operator="Three")
    assert _counted(stocked, partner) == 0
    _sell_out(stocked)
    _buys_none(stocked, partner, operator="any")
    assert _counted(stocked, partner) == 1


def test_who_may_not_buy_is_not_counted_nor_what_is_not_sold_or_excluded(stocked: Shop) -> None:
    paused, limited, partner = stocked.partner(), stocked.partner(max_live=1), stocked.partner()
    stocked.buy(limited)
    stocked.project()
    _poll(stocked, paused, limited, partner)
    stocked.partners.pause(paused.partner_id, "Unpaid", stocked.cloud.clock())
    _buys_none(stocked, partner, exceptionPhoneSet=PHONES)
    _buys_none(stocked, partner, country="nowhere")
    _sell_out(stocked)
    stocked.sell("off", enabled=False)
    for one, service in ((paused, "tg"), (limited, "tg"), (partner, "off"), (partner, "unknown")):
        _buys_none(stocked, one, service)
    assert [_counted(stocked, one) for one in (paused, limited, partner)] == [0, 0, 0]


def test_it_is_of_24_hours(stocked: Shop) -> None:
    partner = stocked.partner()
    _poll(stocked, partner)
    _sell_out(stocked)
    _buys_none(stocked, partner)
    clock = stocked.cloud.clock
    for minutes, counted in ((23 * 60, 1), (60, 0)):
        clock.advance(minutes=minutes)
        assert _counted(stocked, partner) == counted


def test_that_a_partner_polls_is_written_once_a_minute_and_not_where_it_is_known_by_another(stocked: Shop) -> None:
    partner = stocked.partner()
    written: list[list[str]] = []

    def poll(shop: Shop) -> None:
        written.append([call for call in calls.of(lambda: _poll(shop, partner)) if call == "UpdateItem"])

    with Calls(stocked.cloud.client) as calls:
        for _ in range(13):
            poll(stocked)
            stocked.cloud.clock.advance(seconds=10)
        assert written == [*[["UpdateItem"], *[[]] * 5] * 2, ["UpdateItem"]]
        poll(Shop(stocked.cloud))
    assert written[-1] == []
    # A late note of an earlier poll does not undo it.
    polled_at = stocked.cloud.clock() - 10_000
    stocked.partners.note_poll(partner, polled_at - 60_000)
    assert stocked.partners.get(partner.partner_id).last_polled_at == polled_at


@pytest.mark.parametrize("fault", [Fault.UNHEARD, Fault.UNANSWERED, Fault.BROKEN, Fault.THROTTLED])
def test_a_note_that_fails_changes_no_answer(stocked: Shop, fault: Fault) -> None:
    failing = Shop(failing_cloud(stocked.cloud, lambda operation: fault if operation == "UpdateItem" else None))
    partner = stocked.partner()
    answer = failing.call(partner, "GET_SERVICES")
    assert answer.body["countryList"][0]["country"] == COUNTRY
    _poll(stocked, partner)
    _sell_out(stocked)
    _buys_none(failing, partner)


def test_a_count_that_can_not_be_read_changes_no_answer(stocked: Shop) -> None:
    partner = stocked.partner()
    _poll(stocked, partner)
    _sell_out(stocked)
    asked: list[str] = []

    def faults(operation: str) -> Fault | None:
        asked.append(operation)
        return Fault.BROKEN if asked.count("Query") > 1 else None

    _buys_none(Shop(failing_cloud(stocked.cloud, faults)), partner)
    assert asked.count("Query") > 1
    assert _counted(stocked, partner) == 0

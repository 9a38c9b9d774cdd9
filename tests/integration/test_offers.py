"""A partner with an offer is shown a part of what is free, and may buy all of it: contract 1.1."""

import pytest

from globalconnect.domain.offer import Offer
from globalconnect.domain.partner import Partner
from simulation.shop import OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(12)]


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.stock(*PHONES)
    shop.project()
    return shop


def _shown(shop: Shop, partner: Partner, operator: str = OPERATOR) -> int:
    (country,) = shop.call(partner, "GET_SERVICES").body["countryList"]
    shown: int = country["operatorMap"][operator]["tg"]
    return shown


def _bought(shop: Shop, partner: Partner, times: int) -> list[str]:
    """Buy, and let the counts catch up; return the answers' statuses."""
    statuses = [shop.buy(partner).body["status"] for _ in range(times)]
    shop.project()
    return statuses


@pytest.mark.parametrize(
    ("offer", "shown"), [(Offer(50), 6), (Offer(30), 3), (Offer(50, 4), 4), (Offer(most=5), 5), (Offer(100), 12)]
)
def test_as_many_as_are_shown_can_be_bought_in_a_row(stocked: Shop, offer: Offer, shown: int) -> None:
    partner = stocked.partner(offer=offer)
    assert _shown(stocked, partner) == shown
    assert _bought(stocked, partner, shown) == ["SUCCESS"] * shown


def test_more_than_is_shown_is_served_from_what_is_free_and_no_more(stocked: Shop) -> None:
    partner = stocked.partner(offer=Offer(20, 2))
    assert _shown(stocked, partner) == 2
    assert _bought(stocked, partner, 13) == ["SUCCESS"] * 12 + ["NO_NUMBERS"]
    assert _shown(stocked, partner) == 0


def test_the_last_numbers_are_shown_to_each_for_an_hour_in_turn(stocked: Shop) -> None:
    partners = [stocked.partner(offer=Offer(20)) for _ in range(3)]
    _bought(stocked, stocked.partner(), 8)
    hours = []
    for _ in range(4):
        hours.append([_shown(stocked, partner) for partner in partners])
        stocked.cloud.clock.advance(minutes=60)
    assert sorted(hours[:3]) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert hours[3] == hours[0]
    (taker,) = (partner for partner, shown in zip(partners, hours[0], strict=True) if shown)
    assert _bought(stocked, taker, 1) == ["SUCCESS"]


def test_of_the_limit_of_live_activations_and_an_offer_the_smaller_holds(stocked: Shop) -> None:
    limited, offered = stocked.partner(max_live=2, offer=Offer(50)), stocked.partner(max_live=9, offer=Offer(50))
    assert [_shown(stocked, partner) for partner in (limited, offered)] == [2, 6]
    assert _bought(stocked, limited, 3) == ["SUCCESS"] * 3
    assert _bought(stocked, limited, 1) == ["NO_NUMBERS"]
    assert [_shown(stocked, partner) for partner in (limited, offered)] == [0, 4]


def test_a_paused_partner_is_shown_0_whatever_its_offer(stocked: Shop) -> None:
    partner, other = stocked.partner(offer=Offer(50)), stocked.partner()
    stocked.partners.pause(partner.partner_id, "Unpaid", stocked.cloud.clock())
    assert [_shown(stocked, one) for one in (partner, other)] == [0, 12]


def test_any_is_the_sum_of_what_is_shown_of_each_operator(stocked: Shop) -> None:
    stocked.stock(*(f"4475{n:08}" for n in range(5)), operator="Three")
    stocked.project()
    partner = stocked.partner(dialect="onlinesim", offer=Offer(30))
    assert [_shown(stocked, partner, operator) for operator in (OPERATOR, "Three", "any")] == [3, 1, 4]

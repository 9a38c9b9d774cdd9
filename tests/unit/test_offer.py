"""What of the free numbers a partner with an offer is shown, and whose turn it is for the last of them (contract 1.1)."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.offer import Offer, Turn
from globalconnect.domain.partner import Partner, Pause, offered_percent, turns
from globalconnect.domain.pool_counts import PoolCounts, on_sale
from globalconnect.domain.service import Service
from globalconnect.domain.times import HOUR, MINUTE

NOW = 1_790_000_000_000
CATALOGUE = {code: Service(code, code) for code in ("go", "tg")}


def _partner(name: str, offer: Offer | None) -> Partner:
    return Partner(PartnerId(name), name, "", None, None, "globalconnect", NOW, offer=offer)


def _sharing(*offers: Offer) -> list[Partner]:
    partners = [_partner(f"p{place}", offer) for place, offer in enumerate(offers)]
    return [replace(partner, turn=turn) for partner, turn in turns(partners)]


def _shown(partner: Partner, free: int, now: int = NOW, *, blocked: int = 0, operator: str = "B") -> tuple[int, ...]:
    pool = PoolCounts("a", operator, 1_000, free, {"tg": blocked})
    shown = on_sale([pool], CATALOGUE, partner, now)
    counts = shown.counts([pool])
    assert shown.counts([pool, pool]) == tuple(2 * count for count in counts)
    return counts


@pytest.mark.parametrize(
    ("offer", "free", "shown"),
    [
        (Offer(20), 100, 20),
        (Offer(20), 99, 19),
        (Offer(29), 100, 29),
        (Offer(1), 199, 1),
        (Offer(1), 99, 0),
        (Offer(100), 7, 7),
        (Offer(20, 5), 100, 5),
        (Offer(20, 5), 24, 4),
        (Offer(most=5), 4, 4),
        (Offer(most=5), 400, 5),
        (Offer(20), 0, 0),
    ],
)
def test_so_many_percent_and_at_most_so_many_are_shown(offer: Offer, free: int, shown: int) -> None:
    assert _shown(_partner("hub", offer), free) == (shown, shown)


def test_of_each_service_it_is_a_part_of_what_is_free_for_it() -> None:
    assert _shown(_partner("hub", Offer(20)), 100, blocked=60) == (20, 8)


def test_whose_turn_it_is_is_shown_one_where_its_part_is_none_and_where_there_is_one() -> None:
    (alone,) = _sharing(Offer(20))
    assert [_shown(alone, 4, blocked=blocked) for blocked in (0, 3, 4)] == [(1, 1), (1, 1), (1, 0)]
    assert _shown(alone, 12) == (2, 2)
    assert _shown(replace(alone, turn=None), 4) == (0, 0)


@pytest.mark.parametrize("places", [1, 2, 3, 5, 7])
def test_in_every_hour_each_pool_is_the_turn_of_exactly_one_and_of_each_in_turn(places: int) -> None:
    sharing = [Turn(place, places) for place in range(places)]
    taken: Counter[int] = Counter()
    for number in range(300):
        takers = []
        for hour in range(places):
            times = [NOW + hour * HOUR, NOW - NOW % HOUR + hour * HOUR, NOW - NOW % HOUR + hour * HOUR + HOUR - 1]
            found = {tuple(turn.place for turn in sharing if turn.has("a", f"B{number}", now)) for now in times}
            ((taker,),) = found
            takers.append(taker)
        assert sorted(takers) == list(range(places))
        taken[takers[0]] += 1
    # Not all pools are the same one's at once: each has about its part.
    assert all(300 / places / 2 < taken[place] < 300 / places * 2 for place in range(places))


def test_a_turn_is_the_same_in_every_process() -> None:
    turn = Turn(1, 3)
    assert [turn.has("england", "Орёл", NOW + hour * HOUR) for hour in range(3)] == [False, False, True]
    assert turn.has("england", "Орёл", NOW + 2 * HOUR + 46 * MINUTE)
    assert not turn.has("england", "Орёл", NOW + 2 * HOUR + 47 * MINUTE)


@pytest.mark.parametrize(
    "offers", [[Offer(20)] * 5, [Offer(50), Offer(30), Offer(20)], [Offer(99), Offer(1)], [Offer(33, 2)] * 3]
)
def test_offers_of_100_percent_together_show_no_number_twice_and_the_last_to_one(offers: list[Offer]) -> None:
    sharing = _sharing(*offers)
    for free, hour in itertools.product(range(60), range(len(offers))):
        shown = [_shown(partner, free, NOW + hour * HOUR)[0] for partner in sharing]
        assert sum(shown) <= free
        parts = [offer.shown([free], last=False)[0] for offer in offers]
        assert sum(now != part for now, part in zip(shown, parts, strict=True)) <= 1
        if free and not any(parts):
            assert sum(shown) == 1


def test_turns_are_of_those_with_an_offer_that_are_sold_to_whatever_their_order() -> None:
    partners = [_partner(name, Offer(20)) for name in ("d", "b", "c", "a")]
    partners[0] = replace(partners[0], revoked_at=NOW)
    partners[1] = replace(partners[1], paused=Pause(NOW, "Unpaid"))
    expected = [("a", Turn(0, 2)), ("c", Turn(1, 2))]
    for order in itertools.permutations([*partners, _partner("all", None)]):
        assert [(partner.partner_id, turn) for partner, turn in turns(order)] == expected


def test_percentages_are_added_up_all_that_is_free_being_100() -> None:
    partners = [_partner("a", Offer(20)), _partner("b", Offer(most=5)), _partner("c", None)]
    assert offered_percent([*partners, replace(partners[0], revoked_at=NOW)]) == 120

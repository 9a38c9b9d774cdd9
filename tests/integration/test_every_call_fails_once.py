"""Every call to AWS that a handler makes fails once, in every way: what was asked is refused clearly or done later, and
nothing is half done, lost or done twice when it is asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import GlobalConnectError
from simulation.desk import Desk
from simulation.failing import Fault, failing_cloud
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop, present

PHONES = ["447472190081", "447472190082", "447472190083"]
SMS = {"phone": PHONES[0], "from": "Microsoft", "text": "Your code: 5015", "id": "1"}
OK = 200
# What is asked again may find itself done (409), or too many at it (503).
CLEAR = {409, 503}
# Only what AWS did not do, or did not answer, is a failure of ours.
OURS = {Fault.UNHEARD: {500}, Fault.UNANSWERED: {500}, Fault.BROKEN: {500}}


@dataclass(slots=True)
class Nth:
    """Fails one call, the one of that number from 0; `made` counts them all."""

    number: int
    fault: Fault
    made: int = 0

    def __call__(self, operation: str) -> Fault | None:
        self.made += 1
        return self.fault if self.made == self.number + 1 else None


@dataclass(frozen=True, slots=True)
class Scene:
    """What is asked of a shop that may fail, and what must be so once it was asked again of one that doesn't."""

    ask: Callable[[Shop], Reply | None]
    check: Callable[[], None]


def get_services(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.project()
    partner = shop.partner()
    counted = shop.call(partner, "GET_SERVICES").body
    return Scene(
        lambda failing: failing.call(partner, "GET_SERVICES"),
        lambda: _same(shop.call(partner, "GET_SERVICES").body, counted),
    )


def get_number(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner = shop.partner()
    replies: list[Reply] = []

    def ask(failing: Shop) -> Reply:
        replies.append(failing.buy(partner))
        return replies[-1]

    def check() -> None:
        told = {reply.body["activationId"]: reply.body["number"] for reply in replies if reply.status == OK}
        held = {number.activation_id: number.phone for number in shop.all_numbers() if number.activation_id}
        assert told.items() <= held.items()
        # One more may be held for each whose answer was an error.
        assert 0 < len(held) <= len(replies)
        assert all(present(shop.activations.get(one)).phone == phone for one, phone in held.items())

    return Scene(ask, check)


def finish(outcome: Outcome) -> Callable[[Shop], Scene]:
    def prepared(shop: Shop) -> Scene:
        shop.stock(*PHONES)
        partner, activation_id = shop.sold()
        phone = present(shop.activations.get(activation_id)).phone  # type: ignore[arg-type]

        def check() -> None:
            number = present(shop.numbers.get(phone))
            assert present(shop.activations.get(activation_id)).outcome is outcome  # type: ignore[arg-type]
            assert number.activation_id is None
            marks = {Outcome.SUCCESS: ({"tg"}, {}), Outcome.CANCELED: (set(), {"tg": 1})}[outcome]
            assert (set(number.blocked), number.cancels) == marks

        return Scene(lambda failing: failing.finish(partner, activation_id, outcome.value), check)

    return prepared


def getsms(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner, activation_id = shop.sold()
    return Scene(
        lambda failing: failing.messages(partner, activation_id),
        lambda: _same(shop.messages(partner, activation_id).body["status"], "WAIT_CODE"),
    )


def inbound(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    source_id = shop.source()

    def check() -> None:
        assert [one["text"] for one in shop.messages(partner, activation_id).body["messages"]] == [SMS["text"]]

    return Scene(lambda failing: failing.deliver(source_id, SMS), check)


def sweep(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.sold()
    shop.cloud.clock.advance(minutes=61)

    def ask(failing: Shop) -> None:
        failing.sweep()

    return Scene(ask, lambda: _same([number.activation_id for number in shop.all_numbers()], [None] * len(PHONES)))


def projection(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.sold()

    def ask(failing: Shop) -> None:
        failing.project()

    def check() -> None:
        (pool,) = shop.counts.every_pool()
        assert (pool.total, pool.free, [count.held for count in shop.counts.every_holder()]) == (3, 2, [1])

    return Scene(ask, check)


def hourly_counts(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.sold()

    def ask(failing: Shop) -> None:
        failing.measure()

    def check() -> None:
        now = shop.cloud.clock()
        assert sum(hour.counts.live for hour in shop.statistics.hours(0, now)) == 1

    return Scene(ask, check)


def import_of_numbers(shop: Shop) -> Scene:
    rows = "phone,country,operator\n" + "".join(f"{phone},{COUNTRY},{OPERATOR}\n" for phone in PHONES)

    def ask(failing: Shop) -> Reply:
        return Desk(failing.cloud).upload(rows)

    return Scene(ask, lambda: _same(sorted(number.phone for number in shop.all_numbers()), PHONES))


def change_of_a_partner(shop: Shop) -> Scene:
    partner = shop.partner()
    return Scene(
        lambda failing: Desk(failing.cloud).patch(f"/admin/partners/{partner.partner_id}", {"name": "New"}),
        lambda: _same(shop.partners.get(partner.partner_id).name, "New"),
    )


def revocation(shop: Shop) -> Scene:
    partner = shop.partner()
    return Scene(
        lambda failing: Desk(failing.cloud).delete(f"/admin/partners/{partner.partner_id}"),
        lambda: _same(shop.call(partner, "GET_SERVICES").status, 401),
    )


def lifting_of_marks(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, Outcome.PROHIBITED.value)
    path, body = f"/admin/numbers/{PHONES[0]}/lift-marks", {"service": "tg", "reason": "A mistake"}
    return Scene(
        lambda failing: Desk(failing.cloud).post(path, body),
        lambda: _same(present(shop.numbers.get(PHONES[0])).blocked, frozenset()),
    )


SCENES = {
    "GET_SERVICES": get_services,
    "GET_NUMBER": get_number,
    "FINISH success": finish(Outcome.SUCCESS),
    "FINISH cancel": finish(Outcome.CANCELED),
    "getsms": getsms,
    "inbound": inbound,
    "sweep": sweep,
    "projection": projection,
    "hourly_counts": hourly_counts,
    "POST numbers": import_of_numbers,
    "PATCH partner": change_of_a_partner,
    "DELETE partner": revocation,
    "POST lift-marks": lifting_of_marks,
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", SCENES)
def test_a_call_that_fails_once_leaves_nothing_half_done_lost_or_done_twice(moto: Any, name: str, fault: Fault) -> None:
    number, calls = 0, 1
    while number < calls:
        shop = Shop(moto.cloud())
        shop.sell("tg")
        scene = SCENES[name](shop)
        failing = Nth(number, fault)
        _ask(scene, Shop(failing_cloud(shop.cloud, failing)), CLEAR | OURS.get(fault, set()))
        calls = failing.made
        # Whoever is refused asks again: a partner, a gateway, the stream, the next minute.
        _ask(scene, shop, CLEAR)
        scene.check()
        number += 1
    assert calls > 0


def _ask(scene: Scene, shop: Shop, clear: set[int]) -> None:
    try:
        reply = scene.ask(shop)
    except GlobalConnectError:
        # What nobody waits for is started again.
        return
    if reply is not None and reply.status != OK:
        assert reply.status in clear
        assert reply.refusal[1]


def _same(found: object, expected: object) -> None:
    assert found == expected

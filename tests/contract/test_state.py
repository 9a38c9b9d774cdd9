"""State survives `down` and `up`, and a kill: key, numbers, counts, a running activation and a pending push all go on.

One stack of this file's own. It is brought down and up, then killed; what happened since the last clean stop is then
lost, which local/emulator.py says, and nothing else.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local import stack as stacks
from local.place import Place
from local.pretend_partner import ERROR, SUCCESS, PretendPartner
from tests.contract.market import Gateway, Hub, Market, Pool, until

pytestmark = pytest.mark.timeout(600)

SUCCESSFUL = {"status": "SUCCESS"}
NO_NUMBERS = {"status": "NO_NUMBERS"}


@dataclass(frozen=True)
class Deal:
    """A running activation with what belongs to it; the partner has answered `seen` pushes so far."""

    hub: Hub
    service: str
    pool: Pool
    gateway: Gateway
    activation_id: int
    partner: PretendPartner
    seen: int = 0

    def on(self, market: Market) -> "Deal":
        gateway = replace(self.gateway, market=market)
        return replace(self, hub=replace(self.hub, market=market), gateway=gateway)

    def deliver(self, text: str) -> None:
        answer = self.gateway.deliver({"phone": self.pool.phones[0], "from": "Microsoft", "text": text, "id": text})
        assert answer.status_code == 200, answer.text

    def texts(self) -> list[str]:
        """Return the texts of the messages, oldest first."""
        return [sms["text"] for sms in self.hub.messages(self.activation_id).json().get("messages", [])]


@dataclass(frozen=True)
class Later:
    """The stack after `down`, `up`, a kill and `up` again, what was begun on it before, and what was seen each time."""

    root: Path
    market: Market
    held: Deal
    finished: Deal
    delivered: Deal
    pending: Deal
    seen_before: dict[str, Any]
    seen_after_down: dict[str, Any]
    seen_after_kill: dict[str, Any]


def _deal(market: Market, partner: PretendPartner, size: int = 1) -> Deal:
    hub, service, pool = market.hub(pushUrl=partner.url), market.service(), market.pool(size)
    bought = hub.buy(pool, service)
    held = replace(pool, phones=(bought["number"], *(phone for phone in pool.phones if phone != bought["number"])))
    return Deal(hub, service, held, market.gateway(), bought["activationId"], partner)


def _seen(market: Market, held: Deal, finished: Deal) -> dict[str, Any]:
    """Return all that staff and partners see of the stack and that time alone does not change."""
    paths = ["/admin/partners", "/admin/services", "/admin/numbers", "/admin/sources", "/admin/unclaimed"]
    paths += [f"/admin/activations/{deal.activation_id}" for deal in (held, finished)]
    seen = {path: market.made("GET", path) for path in paths}
    for path, things in (("/admin/partners", "partners"), ("/admin/numbers", "numbers"), ("/admin/sources", "sources")):
        seen[path][things].sort(key=json.dumps)
    seen["counts"] = held.hub.call("GET_SERVICES").json()
    return seen


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("state")
    yield root
    stacks.down(root)


@pytest.fixture(scope="module")
def later(root: Path) -> Iterator[Later]:
    """Begin several things, stop the stack, start it, kill it, and return it as it comes up again."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    with ExitStack() as closing:
        succeeding, failing, quiet = (
            closing.enter_context(PretendPartner(otherwise=answer)) for answer in (SUCCESS, ERROR, SUCCESS)
        )
        with Market(stacks.up(root)) as market:
            held, finished = _deal(market, quiet, 3), _deal(market, quiet)
            delivered, pending = _deal(market, succeeding), _deal(market, failing)
            finished.hub.finish(finished.activation_id, 3)
            finished.gateway.deliver({"phone": finished.pool.phones[0], "from": "Nobody", "text": "for nobody"})
            for deal in (delivered, pending):
                deal.deliver("before")
            succeeding.wait_for(1, 60)
            failing.wait_for(2, 60)
            path = f"/admin/activations/{delivered.activation_id}"
            until(lambda: market.made("GET", path)["messages"][0]["pushState"], lambda state: state == "delivered")
            until(lambda: held.hub.counts(held.pool), lambda counts: counts.get(held.service) == 2)
            until(lambda: finished.hub.counts(finished.pool), lambda counts: counts.get(finished.service) == 0)
            until(lambda: _free(finished), lambda free: free == 1)
            seen = _seen(market, held, finished)
        assert stacks.down(root) is True
        with Market(stacks.up(root)) as market:
            seen_after_down = _seen(market, held.on(market), finished.on(market))
            # Not saved when the stack is killed: is lost, and must do no harm.
            _deal(market, quiet)
            os.kill(market.stack.pid, signal.SIGKILL)
        # What is left behind describes a stack that is gone, and nobody is taken in by it.
        assert Place(root).stack_file.exists()
        until(lambda: stacks.status(root), lambda status: status is None)
        with Market(stacks.up(root)) as market:
            assert market.stack == stacks.status(root)
            pending = replace(pending, seen=len(failing.pushes))
            # Only now: a function of the killed stack may have pushed until there was a new one.
            failing.answer(otherwise=SUCCESS)
            held, finished, delivered, pending = (deal.on(market) for deal in (held, finished, delivered, pending))
            seen_after_kill = _seen(market, held, finished)
            yield Later(root, market, held, finished, delivered, pending, seen, seen_after_down, seen_after_kill)


def _free(deal: Deal) -> int:
    """Return how many numbers of a deal's pool are counted as free for another service."""
    counts = deal.hub.counts(deal.pool)
    return max(counts.values(), default=0)


# ---------------------------------------------------------------- down and up, killed and up


def test_everything_staff_and_partners_see_is_as_it_was(later: Later) -> None:
    assert later.seen_after_down == later.seen_before


def test_a_killed_stack_comes_up_as_it_was_last_stopped(later: Later) -> None:
    assert later.seen_after_kill == later.seen_before


def test_a_running_activation_is_still_held_gets_its_sms_and_can_be_finished(later: Later) -> None:
    deal = later.held
    assert deal.hub.messages(deal.activation_id).json() == {"status": "WAIT_CODE"}
    others = [deal.hub.buy(deal.pool, deal.service) for _ in deal.pool.phones]
    assert sorted(answer.get("number", "-") for answer in others) == ["-", *sorted(deal.pool.phones[1:])]
    deal.deliver("after")
    assert deal.texts() == ["after"]
    for _ in range(2):
        assert deal.hub.finish(deal.activation_id, 5).json() == SUCCESSFUL
    assert deal.hub.buy(deal.pool, deal.service)["number"] == deal.pool.phones[0]


def test_a_pending_push_goes_on_until_success_and_then_stops(later: Later) -> None:
    deal = later.pending
    deal.partner.wait_for(deal.seen + 1, 120)
    path = f"/admin/activations/{deal.activation_id}"
    until(lambda: later.market.made("GET", path)["messages"][0]["pushState"], lambda state: state == "delivered")
    pushes = deal.partner.pushes
    assert {push.body["smsId"] for push in pushes} == {pushes[0].body["smsId"]}
    assert {push.body["key"] for push in pushes} == {deal.hub.key}
    with pytest.raises(TimeoutError):
        deal.partner.wait_for(len(pushes) + 1, 13)


def test_a_push_that_was_delivered_is_not_made_again(later: Later) -> None:
    deal = later.delivered
    deal.deliver("after")
    deal.partner.wait_for(2, 60)
    # A repeated delivery of the gateway is still known, too.
    deal.deliver("before")
    assert deal.texts() == ["before", "after"]
    deal.deliver("last")
    deal.partner.wait_for(3, 60)
    assert [push.body["text"] for push in deal.partner.pushes] == ["before", "after", "last"]


def test_outcomes_are_still_known_and_counts_go_on_from_where_they_were(later: Later) -> None:
    deal, other = later.finished, later.market.service()
    assert deal.hub.buy(deal.pool, deal.service) == NO_NUMBERS
    assert deal.hub.messages(deal.activation_id).json() == {"status": "EXPIRED"}
    assert deal.hub.finish(deal.activation_id, 4).json() == SUCCESSFUL
    assert later.market.made("GET", f"/admin/activations/{deal.activation_id}")["outcome"] == 3
    until(lambda: deal.hub.counts(deal.pool), lambda counts: counts.get(other) == 1)
    activation_id = deal.hub.buy(deal.pool, other)["activationId"]
    until(lambda: deal.hub.counts(deal.pool), lambda counts: counts.get(other) == 0)
    deal.hub.finish(activation_id, 5)
    until(lambda: deal.hub.counts(deal.pool), lambda counts: counts.get(other) == 1)


# ---------------------------------------------------------------- files that lie


@pytest.mark.parametrize("content", ["stale", "half", "nothing"])
def test_up_does_not_mind_a_stack_json_that_lies(later: Later, content: str) -> None:
    place = Place(later.root)
    true = json.loads(place.stack_file.read_text())
    if content == "nothing":
        place.stack_file.unlink()
    else:
        gone = {**true, "pid": 2**22 + 1, "api": "http://127.0.0.1:1/gone", "adminToken": "stale"}
        place.stack_file.write_text(json.dumps(gone)[: None if content == "stale" else 40])
    again = stacks.up(later.root)
    assert (again.pid, again.api) == (true["pid"], true["api"])
    assert stacks.status(later.root) == again
    with Market(again) as market:
        assert market.admin("GET", "/admin/partners").status_code == 200


def test_down_takes_a_stale_stack_json_away(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.stack_file.write_text('{"api": "http://127.0.0.1:1/gone", "pid": 1}')
    place.process_file.write_text('{"pid": 4194305, "port": 1}')
    assert stacks.status(tmp_path) is None
    assert stacks.down(tmp_path) is False
    assert not place.stack_file.exists()

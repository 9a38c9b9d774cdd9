"""State survives `down` and `up`, and a kill: key, numbers, counts, a running activation and a pending push all go on.

One stack of this file's own. It is brought down and up, then killed; what happened since the last clean stop is then
lost, which local/emulator.py says, and nothing else.
"""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import stack as stacks
from local.place import Place
from local.pretend_partner import ERROR, SUCCESS, PretendPartner
from tests.contract.market import NO_NUMBERS, SUCCESSFUL, Market, Sale, until

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Later:
    """The stack after `down`, `up`, a kill and `up` again, what was begun on it before, and what was seen each time."""

    market: Market
    held: Sale
    finished: Sale
    pending: Sale
    partner: PretendPartner
    # How many pushes of `pending` the partner had refused by then.
    refused: int
    seen: list[dict[str, Any]]


def _seen(market: Market, held: Sale, finished: Sale) -> dict[str, Any]:
    """Return all that staff and partners see of the stack and that time alone does not change."""
    lists = {path: market.made("GET", f"/admin/{path}") for path in ("partners", "services", "numbers", "sources")}
    for path, listed in lists.items():
        listed[path].sort(key=json.dumps)
    counts = held.hub.call("GET_SERVICES").json()
    sales = [held.shown(), finished.shown()]
    return {**lists, "unclaimed": market.made("GET", "/admin/unclaimed"), "counts": counts, "sales": sales}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("state")
    yield root
    stacks.down(root)


@pytest.fixture(scope="module")
def later(root: Path) -> Iterator[Later]:
    """Begin several things, stop the stack, start it, kill it, and return it as it comes up again."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    with Market(stacks.up(root)) as market, PretendPartner(otherwise=ERROR) as partner:
        held, finished = market.sell(market.hub(), 3), market.sell(market.hub())
        pending = market.sell(market.hub(pushUrl=partner.url))
        finished.finish(3)
        finished.deliver("for nobody")
        pending.deliver("before")
        partner.wait_for(2, 60)
        until(lambda: held.hub.counts(held.pool), lambda counts: counts.get(held.service) == 2)
        until(lambda: finished.hub.counts(finished.pool), lambda counts: counts.get(finished.service) == 0)
        until(lambda: finished.hub.counts(finished.pool), lambda counts: counts.get(held.service) == 1)
        seen = [_seen(market, held, finished)]
        assert stacks.down(root) is True
        market.stack = stacks.up(root)
        seen.append(_seen(market, held, finished))
        # Not saved when the stack is killed: is lost, and must do no harm.
        market.sell(market.hub())
        os.kill(market.stack.pid, signal.SIGKILL)
        # What is left behind describes a stack that is gone, and nobody is taken in by it.
        assert Place(root).stack_file.exists()
        until(lambda: stacks.status(root), lambda status: status is None)
        market.stack = stacks.up(root)
        assert market.stack == stacks.status(root)
        seen.append(_seen(market, held, finished))
        refused = len(partner.pushes)
        # Only now: a function of the killed stack may have pushed until there was a new one.
        partner.answer(otherwise=SUCCESS)
        yield Later(market, held, finished, pending, partner, refused, seen)


# ---------------------------------------------------------------- down and up, killed and up


def test_everything_staff_and_partners_see_is_as_it_was(later: Later) -> None:
    before, after_down, _ = later.seen
    assert after_down == before


def test_a_killed_stack_comes_up_as_it_was_last_stopped(later: Later) -> None:
    before, _, after_kill = later.seen
    assert after_kill == before


def test_a_running_activation_is_still_held_gets_its_sms_and_can_be_finished(later: Later) -> None:
    sale = later.held
    assert sale.polled() == {"status": "WAIT_CODE"}
    others = [sale.hub.buy(sale.pool, sale.service).get("number", "-") for _ in sale.pool.phones]
    assert sorted(others) == sorted({"-", *sale.pool.phones} - {sale.phone})
    sale.deliver("after")
    assert [sms["text"] for sms in sale.polled()["messages"]] == ["after"]
    for _ in range(2):
        assert sale.finish(5) == SUCCESSFUL
    assert sale.hub.buy(sale.pool, sale.service)["number"] == sale.phone


def test_a_pending_push_goes_on_until_success_and_then_stops(later: Later) -> None:
    sale = later.pending
    later.partner.wait_for(later.refused + 1, 120)
    until(sale.shown, lambda shown: shown["messages"][0]["pushState"] == "delivered")
    pushes = later.partner.pushes
    assert {(push.body["smsId"], push.body["key"]) for push in pushes} == {(pushes[0].body["smsId"], sale.hub.key)}
    # A repeated delivery of the gateway is still known, too.
    sale.deliver("before")
    with pytest.raises(TimeoutError):
        later.partner.wait_for(len(pushes) + 1, 13)


def test_outcomes_are_still_known_and_counts_go_on_from_where_they_were(later: Later) -> None:
    sale, other = later.finished, later.market.service()
    assert sale.hub.buy(sale.pool, sale.service) == NO_NUMBERS
    assert sale.finish(4) == SUCCESSFUL
    assert sale.shown()["outcome"] == 3
    until(lambda: sale.hub.counts(sale.pool), lambda counts: counts.get(other) == 1)
    sale.hub.buy(sale.pool, other)
    until(lambda: sale.hub.counts(sale.pool), lambda counts: counts.get(other) == 0)


# ---------------------------------------------------------------- files that lie


@pytest.mark.parametrize("content", ["stale", "half", "nothing"])
def test_up_does_not_mind_a_stack_json_that_lies(later: Later, root: Path, content: str) -> None:
    file = Place(root).stack_file
    true = json.loads(file.read_text())
    stale = json.dumps({**true, "pid": 2**22 + 1, "api": "http://127.0.0.1:1/gone", "adminToken": "stale"})
    file.write_text({"stale": stale, "half": stale[:40], "nothing": ""}[content])
    again = stacks.up(root)
    assert (again.pid, again.api) == (true["pid"], true["api"])
    assert stacks.status(root) == again
    later.market.stack = again
    later.market.made("GET", "/admin/partners")


def test_down_takes_a_stale_stack_json_away(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.stack_file.write_text('{"api": "http://127.0.0.1:1/gone", "pid": 1}')
    place.process_file.write_text('{"pid": 4194305, "port": 1}')
    assert stacks.status(tmp_path) is None
    assert stacks.down(tmp_path) is False
    assert not place.stack_file.exists()

"""When a push is tried again and when it is not: contract 3. A retry costs 10 s, so all that waits for one waits at once."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from local.pretend_partner import BROKEN, DROP, ERROR, Answer, PretendPartner, Push, slow
from tests.contract.market import Hub, Market, until

# Longer than the time to the next attempt.
SILENCE_SECONDS = 13.0
FAILURES = (BROKEN, DROP, slow(2, ERROR))
NO_SUCCESS = {
    "another body": Answer(body=b'{"status":"OK"}'),
    "no JSON": Answer(body=b"SUCCESS"),
    "500 with SUCCESS": Answer(status=500),
    "redirect": Answer(status=302, headers={"Location": "/elsewhere"}),
    "too large": Answer(body=b'{"status":"SUCCESS","x":"' + b"x" * 100_000 + b'"}'),
    "too slow": slow(8),
}
TAKEN = Answer(status=201, body=b' {"id": 7, "status": "SUCCESS"}\r\n')


@dataclass(frozen=True)
class Stories:
    """What partners saw, once it has been played to its end."""

    retried: Future[list[Push]]
    failed: Future[dict[str, list[Push]]]
    back: Future[tuple[Hub, Push]]
    finished: Future[list[tuple[Push, float]]]


@pytest.fixture(scope="module")
def stories(market: Market) -> Iterator[Stories]:
    """Return the stories, all begun at the same time."""
    with ThreadPoolExecutor() as threads:
        yield Stories(
            threads.submit(_retried, market),
            threads.submit(_failed, market),
            threads.submit(_back, market),
            threads.submit(_finished, market),
        )


def _sell(market: Market, url: str, size: int = 1) -> tuple[Hub, list[dict[str, Any]]]:
    """Sell numbers to a partner, and let an SMS come in on each."""
    hub, service, pool, gateway = market.hub(pushUrl=url), market.service(), market.pool(size), market.gateway()
    sold = [hub.buy(pool, service) for _ in pool.phones]
    for bought in sold:
        sms = {"phone": bought["number"], "from": "Microsoft", "text": "Code: 5015"}
        assert gateway.deliver(sms).status_code == 200
    return hub, sold


def _message(market: Market, bought: dict[str, Any]) -> dict[str, Any]:
    (message,) = market.made("GET", f"/admin/activations/{bought['activationId']}")["messages"]
    found: dict[str, Any] = message
    return found


def _pushed_until_silent(partner: PretendPartner) -> list[Push]:
    with suppress(TimeoutError):
        partner.wait_for(len(partner.pushes) + 1, SILENCE_SECONDS)
    return partner.pushes


def _retried(market: Market) -> list[Push]:
    with PretendPartner(FAILURES) as partner:
        _, [bought] = _sell(market, partner.url)
        until(lambda: _message(market, bought), lambda message: message["pushState"] == "delivered", 120)
        return _pushed_until_silent(partner)


def _failed(market: Market) -> dict[str, list[Push]]:
    with ExitStack() as closing:
        answers = {**NO_SUCCESS, "taken": TAKEN}
        partners = {name: closing.enter_context(PretendPartner([answer])) for name, answer in answers.items()}
        for partner in partners.values():
            _sell(market, partner.url)
        for name in NO_SUCCESS:
            partners[name].wait_for(2, 60)
        return {name: partner.pushes for name, partner in partners.items()}


def _back(market: Market) -> tuple[Hub, Push]:
    with PretendPartner() as gone:
        port, url = gone.port, gone.url
    hub, [bought] = _sell(market, url)
    until(lambda: _message(market, bought)["attemptLog"], bool, 60)
    with PretendPartner(port=port) as back:
        return hub, back.wait_for(1, 60)[0]


def _finished(market: Market) -> list[tuple[Push, float]]:
    """Return the pushes, each with the time at which FINISH_ACTIVATION was answered."""
    with PretendPartner(otherwise=Answer(status=503)) as partner:
        hub, sold = _sell(market, partner.url, 3)
        partner.wait_for(len(sold), 60)
        finished = {}
        for bought, status in zip(sold, (1, 3, 4), strict=True):
            assert hub.finish(bought["activationId"], status).json() == {"status": "SUCCESS"}
            finished[bought["number"]] = time.monotonic()
        for bought in sold:
            until(lambda bought=bought: _message(market, bought)["pushState"], lambda state: state == "stopped")  # type: ignore[misc]
        return [(push, finished[push.body["phone"]]) for push in _pushed_until_silent(partner)]


def test_failures_are_retried_every_ten_seconds_until_success_and_never_after(stories: Stories) -> None:
    pushes = stories.retried.result()
    assert len(pushes) == len(FAILURES) + 1
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(pushes)]
    assert all(9 <= gap <= 11 for gap in gaps), gaps
    assert len({push.body["smsId"] for push in pushes}) == 1


def test_whatever_is_not_2xx_with_success_is_a_failed_attempt_and_tried_again_after_ten_seconds(
    stories: Stories,
) -> None:
    pushed = stories.failed.result()
    assert len(pushed.pop("taken")) == 1
    assert {name: len(pushes) for name, pushes in pushed.items()} == dict.fromkeys(NO_SUCCESS, 2)
    for name, (first, second) in pushed.items():
        assert 9 <= second.at - first.at <= 11, name
        assert first.body == second.body
        assert first.path == second.path


def test_a_refused_connection_is_a_failed_attempt_and_tried_again(stories: Stories) -> None:
    hub, push = stories.back.result()
    assert push.body["key"] == hub.key


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(stories: Stories) -> None:
    pushed = stories.finished.result()
    assert len(pushed) >= 3
    assert [push for push, finished in pushed if push.at > finished + 0.5] == []

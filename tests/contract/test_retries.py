"""When a push is tried again and when it is not: contract 3."""

import itertools
import time
from contextlib import suppress

from local.pretend_partner import DROP, ERROR, Answer, PretendPartner, Push, slow
from tests.contract.market import SUCCESSFUL, Market, until

# Longer than the time to the next attempt.
SILENCE_SECONDS = 13.0


def _pushed_until_silent(partner: PretendPartner) -> list[Push]:
    with suppress(TimeoutError):
        partner.wait_for(len(partner.pushes) + 1, SILENCE_SECONDS)
    return partner.pushes


def test_failures_are_retried_every_ten_seconds_until_success_and_never_after(market: Market) -> None:
    with PretendPartner() as gone:
        port = gone.port
    sale = market.sell(market.hub(pushUrl=f"http://127.0.0.1:{port}/push"))
    sale.deliver("Code: 5015")
    # The first connection is refused.
    until(lambda: sale.shown()["messages"][0]["attemptLog"], bool, 60)
    with PretendPartner([DROP, slow(2, ERROR)], port=port) as back:
        until(lambda: sale.shown()["messages"][0]["pushState"], lambda state: state == "delivered", 120)
        pushes = _pushed_until_silent(back)
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(pushes)]
    assert all(9 <= gap <= 11 for gap in gaps), gaps
    (message,) = sale.shown()["messages"]
    outcomes = [attempt["outcome"] for attempt in message["attemptLog"]]
    assert outcomes == ["connection", "connection", "refused_answer", "delivered"]
    assert [(push.body["smsId"], push.body["key"]) for push in pushes] == [(message["smsId"], sale.hub.key)] * 3


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(market: Market) -> None:
    with PretendPartner(otherwise=Answer(status=503)) as partner:
        hub = market.hub(pushUrl=partner.url)
        sales = [market.sell(hub) for _ in range(3)]
        for sale in sales:
            sale.deliver("Code: 5015")
        partner.wait_for(len(sales), 60)
        finished = {}
        for sale, outcome in zip(sales, (1, 3, 4), strict=True):
            assert sale.finish(outcome) == SUCCESSFUL
            finished[sale.phone] = time.monotonic()
        for sale in sales:
            until(sale.shown, lambda shown: shown["messages"][0]["pushState"] == "stopped")
        late = [push for push in _pushed_until_silent(partner) if push.at > finished[push.body["phone"]] + 0.5]
    assert late == []

"""The benchmark's row push.11 measures what it says; what it finds is for `make bench`, on a quiet machine."""

from pathlib import Path

from bench.throughput import BATCH, in_a_process, measure
from tests.faults.cloud.behaviour import SUCCESS
from tests.faults.cloud.partners import PartnerServers


def test_worker_and_bare_loop_make_the_same_posts(tmp_path: Path) -> None:
    with PartnerServers(tmp_path) as servers:
        figures = in_a_process(measure, servers.open("bench", SUCCESS), rounds=2, batches=1)
        pushed = [seen.sms_id for seen in servers.attempts()]
    assert len(figures.worker) == len(figures.bare) == 2
    assert figures.ratio > 0
    # Each of three batches, the first of which only warms up, once by either.
    assert len(pushed) == 3 * BATCH * 2
    assert {pushed.count(sms_id) for sms_id in set(pushed)} == {2}

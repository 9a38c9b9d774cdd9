"""The benchmark's row push.11 measures what it says; what it finds is for `make bench`, on a quiet machine."""

from simulation.attempts.speed import BATCH, measure
from simulation.processes import in_a_process
from simulation.pushes.partner_process import partner_process
from simulation.pushes.partners import SUCCESS


def test_worker_and_bare_loop_make_the_same_posts() -> None:
    with partner_process() as servers:
        figures = in_a_process(measure, servers.open("bench", SUCCESS), rounds=2, batches=1)
        pushed = [seen.sms_id for seen in servers.attempts()]
    assert len(figures.worker) == len(figures.bare) == 2
    assert figures.ratio > 0
    # Each of three batches, the first of which only warms up, once by either.
    assert len(pushed) == 3 * BATCH * 2
    assert {pushed.count(sms_id) for sms_id in set(pushed)} == {2}

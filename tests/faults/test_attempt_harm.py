"""Contract 3: whatever a partner's side does, an attempt ends in time, with flat memory, and never goes inside.

The situations of the benchmark's row push.9, with a shorter time-out.
"""

from simulation.attempts.harm import Scale, measure_harm


def test_in_every_situation_the_reason_is_recorded_in_time_with_flat_memory_and_nothing_inside_is_reached() -> None:
    harm = measure_harm(Scale(attempt_timeout=1.0, rounds=2, outwait_names=False))
    assert harm.wrong(attempt_timeout=1.0) == []
    # Only listeners that can be reached show that nobody tried.
    assert harm.leading_inside > 0

"""Contract 3: whatever a partner's side does, an attempt ends in time, with flat memory, and never goes inside.

The situations of the benchmark's row push.9, with a shorter time-out.
"""

import pytest

from simulation.attempts.harm import MEMORY_LIMIT_BYTES, TOLERANCE_SECONDS, Harm, Scale, measure_harm

TIMEOUT_SECONDS = 1.0


@pytest.fixture(scope="module")
def harm() -> Harm:
    return measure_harm(Scale(attempt_timeout=TIMEOUT_SECONDS, rounds=2, outwait_names=False))


def test_the_reason_is_recorded_in_every_situation(harm: Harm) -> None:
    unexpected = [
        (end.situation.name, end.outcome) for end in harm.attempts if end.outcome is not end.situation.outcome
    ]
    assert unexpected == []


def test_every_attempt_ends_within_its_time_out(harm: Harm) -> None:
    late = [end for end in harm.attempts if end.seconds > TIMEOUT_SECONDS + TOLERANCE_SECONDS]
    assert late == []


def test_memory_stays_flat_over_everything_a_partner_may_send(harm: Harm) -> None:
    assert harm.memory.most < MEMORY_LIMIT_BYTES


def test_no_connection_to_an_address_inside_is_ever_opened(harm: Harm) -> None:
    # Only listeners that can be reached show that nobody tried.
    assert harm.leading_inside > 0
    assert (harm.reached, harm.stray) == (0, [])

"""What a deployment decides reaches the parts that it is for, in their units."""

import pytest

import hourly_counts.wiring
import sweep.wiring
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.outcomes import OutcomeLimits
from globalconnect.domain.sms import DuePush, SmsRef
from globalconnect.domain.times import DAY, MINUTE
from simulation.aws import Cloud

PUSH = DuePush(SmsRef(ActivationId(1), SmsId(2)), PartnerId("hub"), due=0)


@pytest.fixture(autouse=True)
def _decided(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = {"REST_MINUTES": "7", "RETENTION_DAYS": "3", "ACTIVATION_MINUTES": "61"}
    limits = {"OUTCOME_LEAST": "11", "REFUSED_PERCENT": "22", "TAKEN_BACK_PERCENT": "33"}
    for name, value in (cloud.env | decided | limits).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("slow", [False, True])
def test_the_sweep_knows_the_rest_and_which_queue_is_that_of_slow_partners(cloud: Cloud, slow: bool) -> None:
    made = sweep.wiring.parts.__wrapped__()
    assert made.numbers.rest == 7 * MINUTE
    made.queues.send([PUSH], slow=slow, now=0)
    assert (len(cloud.queued(slow=slow)), cloud.queued(slow=not slow)) == (1, [])


def test_hourly_counts_know_lease_retention_and_limits() -> None:
    made = hourly_counts.wiring.parts.__wrapped__()
    assert (made.lease, made.retention) == (61 * MINUTE, 3 * DAY)
    assert made.limits == OutcomeLimits(least=11, refused_percent=22, taken_back_percent=33)

"""What `make check-deployment` asks of AWS, asked of a deployed stack's emulator."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from acceptance.cloud import AwsCloud
from acceptance.pretend_partner import came_at, text_until
from deployment.stacks import Stacks
from local.aws import CONFIG, session
from local.progress import Progress
from local.stack import Stack


@pytest.fixture
def cloud(deployed: Stack) -> Iterator[AwsCloud]:
    stacks = Stacks(client(deployed, "cloudformation"), Progress())
    found = stacks.find(deployed.stack_name)
    assert found is not None
    made = AwsCloud(lambda service: client(deployed, service), found, stacks)
    yield made
    made.clear()


def client(deployed: Stack, service: str) -> Any:
    return session().client(service, endpoint_url=deployed.endpoint_url, config=CONFIG)  # type: ignore[call-overload]


def test_the_pretend_partner_answers_at_its_url_by_the_time_that_the_sms_names(
    deployed: Stack, cloud: AwsCloud
) -> None:
    with cloud.partner() as url, cloud.partner() as again:
        assert url == again
        # The emulator serves it on its own port, by the name.
        headers = {"Host": urlsplit(url).netloc}
        for taken_from, status in ((time.time() - 1, "SUCCESS"), (time.time() + 600, "ERROR")):
            asked = {"text": text_until(taken_from)}
            answer = httpx.post(deployed.endpoint_url, json=asked, headers=headers, trust_env=False, timeout=60)
            assert (answer.status_code, answer.json()["status"]) == (200, status)
            assert abs(came_at(answer.text) - time.time()) < 60
    cloud.clear()
    assert Stacks(client(deployed, "cloudformation"), Progress()).find("globalconnect-check-partner") is None


def test_what_the_account_may_do_and_what_was_put_aside_are_read_from_aws(cloud: AwsCloud) -> None:
    quotas = cloud.quotas()
    assert quotas.executions > cloud.calls_at_once() > 0
    assert cloud.receivers().silent_alarms == []
    assert cloud.dead_letters() == cloud.dropped_recursions(time.time() - 600) == 0

"""Contract 3: delivered is 2xx and a status of SUCCESS; everything else is a failed attempt, and the next one follows."""

import asyncio

import pytest

from globalconnect.domain.sms import PushState
from simulation.attempts.answers import ANSWERS, Answer, Pushed, push_with
from simulation.partner_server import SUCCESS, http


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name.replace(" ", "-"))
def test_push_is_repeated_10_s_later_after_an_answer_that_is_no_success(answer: Answer) -> None:
    assert asyncio.run(push_with(answer.bytes)) == answer.expected


def test_push_is_made_once_when_the_first_answer_is_a_success() -> None:
    expected = Pushed(((1, "delivered", 200),), (), PushState.DELIVERED, same_body=True)
    assert asyncio.run(push_with(http("200 OK", SUCCESS))) == expected

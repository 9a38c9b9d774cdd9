"""Contract 3: delivered is 2xx and a status of SUCCESS; everything else is a failed attempt, and the next one follows."""

import asyncio

import pytest

from bench.push_attempts import ANSWERS, Answer, push_twice
from globalconnect.domain.push_attempt import AttemptOutcome
from tests.far_side import SUCCESS, http


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name.replace(" ", "-"))
def test_push_is_repeated_10_s_later_after_an_answer_that_is_no_success(answer: Answer) -> None:
    assert asyncio.run(push_twice(answer)).wrong() == []


def test_push_is_made_once_when_the_first_answer_is_a_success() -> None:
    success = Answer("success", http("200 OK", SUCCESS), AttemptOutcome.DELIVERED, 200)
    pushed = asyncio.run(push_twice(success))
    assert [(attempt.outcome, attempt.number) for attempt in pushed.attempts] == [(AttemptOutcome.DELIVERED, 1)]
    assert (pushed.queued, len(pushed.bodies)) == ([], 1)

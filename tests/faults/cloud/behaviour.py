"""How partners behave, and what they see of it."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a partner answers: after so many seconds (None = never), failing that share of attempts, or every second."""

    after: float | None = 0.0
    fails: float = 0.0
    every_second: bool = False


class Seen(NamedTuple):
    """An attempt as its partner saw it; times as of time.time().

    `ended` is when it was answered or its connection closed, None while it goes on; `success` is what was answered.
    """

    partner: str
    sms_id: int
    arrived: float
    ended: float | None
    success: bool


SUCCESS = Behaviour()
FAILS = Behaviour(fails=1.0)
FAILS_LATE = Behaviour(after=4.0, fails=1.0)
NEVER_ANSWERS = Behaviour(after=None)
SUCCESS_LATE = Behaviour(after=4.9)
FAILS_EVERY_SECOND = Behaviour(every_second=True)
FAILS_ONE_IN_TWENTY = Behaviour(fails=0.05)

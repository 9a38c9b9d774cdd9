"""What happens while simulated hubs buy. Times are seconds since the beginning, of an action its beginning and its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Country, operator and service, as a partner calls them.
type Place = tuple[str, str, str]

# The rule of the hub (conformance/hubs.py) that an answer or a push breaks, and how.
type Wrong = tuple[str, str]

ANY = "any"
# From here on HTTP's codes are of errors.
_ERRORS = 400


class Action(StrEnum):
    COUNTS = "counts"
    NUMBER = "GET_NUMBER"
    FINISH = "FINISH_ACTIVATION"


class Reply(StrEnum):
    """What a hub's answer to a push means for the supplier: done, to be tried again, never again, or it may not know."""

    TAKEN = "taken"
    REFUSED = "refused"
    STOPPED = "stopped"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Happening:
    """Whatever happens, from its beginning to its end."""

    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Request(Happening):
    """A request of a partner, from its first byte to the last one of its answer, with what is `wrong` in the answer's form."""

    partner: str
    wrong: tuple[Wrong, ...] = field(default=(), kw_only=True)

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Counted(Request):
    """A partner was shown counts: those of what it ever asks for, and the `names` of all countries and operators."""

    counts: Mapping[Place, int]
    names: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Sold(Request):
    """A partner was given a number; `prefixes` is what it had excluded."""

    place: Place
    prefixes: tuple[str, ...]
    number: str
    activation: str


@dataclass(frozen=True, slots=True)
class Refused(Request):
    """A partner was told that there are no numbers."""

    place: Place
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished(Request):
    """A partner ended an activation of its own, or said so again; where that was no SUCCESS, `why` is what it was answered."""

    activation: str
    outcome: int
    accepted: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered(Request):
    """A partner that asked for counts or a number got no answer that it could use; where that was HTTP, `status` is its code.

    Of a number, `place` and `prefixes` are what it asked for.
    """

    action: Action
    why: str
    status: int | None = None
    place: Place | None = None
    prefixes: tuple[str, ...] = ()

    @property
    def may_have_sold(self) -> bool:
        """Whether it may have sold a number that nobody knows of: no error said that it hadn't."""
        return self.action is Action.NUMBER and (self.status is None or self.status < _ERRORS)


@dataclass(frozen=True, slots=True)
class Arrived(Happening):
    """An SMS was made arrive. No two have the same text.

    What was not `accepted` may never arrive, or later all the same: a command that gave up may have been heard.
    """

    phone: str
    text: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Pushed(Happening):
    """A push came for a partner, and was answered; `address` is whose address it came to, `script` how it was answered."""

    partner: str
    address: str
    sms_id: str
    phone: str
    text: str
    reply: Reply
    script: str
    wrong: tuple[Wrong, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Stray(Happening):
    """Something came to the hubs that is no push; `partner` is whose address it came to, empty where it is nobody's."""

    what: str
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Down(Happening):
    """A partner neither asked nor took anything."""

    partner: str


type Asked = Counted | Sold | Refused | Finished | Unanswered
type Event = Asked | Arrived | Pushed | Stray | Down


def action_of(request: Asked) -> Action:
    match request:
        case Counted():
            return Action.COUNTS
        case Sold() | Refused():
            return Action.NUMBER
        case Finished():
            return Action.FINISH
        case Unanswered():
            return request.action

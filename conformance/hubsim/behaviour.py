"""How simulated hubs behave: what becomes of a sale, and how pushes are answered. Drawn at random, the same for the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from conformance.hubs import Hub
from conformance.hubsim.events import Reply
from conformance.hubsim.ledger import CANCELED, PROHIBITED, RETURNED, SUCCESS

OK_BODY = b'{"status":"SUCCESS"}'


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Shares of what happens, and times in seconds. What an answer gave that was missed is kept until the end, or for one sale."""

    outcomes: Mapping[int, float] = field(
        default_factory=lambda: {SUCCESS: 0.80, CANCELED: 0.15, PROHIBITED: 0.02, RETURNED: 0.03}
    )
    second_sms: float = 0.10
    sms_after_finish: float = 0.02
    excluding: float = 0.25
    answer_lost: float = 0.01
    misbehaving: float = 0.12
    said_again: float = 0.10
    said_twice_at_once: float = 0.03
    refund: float = 0.03
    contradiction: float = 0.02
    finish_late: float = 0.05
    polled_every: tuple[float, float] = (10.0, 20.0)
    sms_within: tuple[float, float] = (1.0, 8.0)
    finish_within: tuple[float, float] = (0.2, 2.0)
    again_within: tuple[float, float] = (0.0, 5.0)
    late: tuple[float, float] = (20.0, 40.0)
    patience: float = 20.0
    bought_before_down: int = 10
    keeps_missed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a sale.

    `sms` are the pauses before each SMS that is made arrive, `late_sms` the one after FINISH. `then` are statuses that are said
    after the first one, with the pause before each; `at_once` says the first one twice at the same time. The hub misses the
    answer that gave it the number where `lost`, and sends the same again; where `impatient` it doesn't even wait for that answer.
    """

    outcome: int
    sms: Sequence[float]
    late_sms: float | None
    pause: float
    at_once: bool
    then: Sequence[tuple[float, int]]
    lost: bool
    impatient: bool


def plan(rolls: Random, behaviour: Behaviour) -> Plan:
    """Plan a sale."""
    outcome = rolls.choices([*behaviour.outcomes], [*behaviour.outcomes.values()])[0]
    # A number that is sent back, or that is none for the service, has brought a code or not; a cancelled one has brought none.
    has_code = outcome == SUCCESS or (outcome in {PROHIBITED, RETURNED} and rolls.random() < 1 / 2)
    sms = [rolls.uniform(*behaviour.sms_within)] if has_code else []
    if has_code and rolls.random() < behaviour.second_sms:
        sms.append(rolls.uniform(*behaviour.sms_within))
    then: list[tuple[float, int]] = []
    if rolls.random() < behaviour.said_again:
        then.append((rolls.uniform(*behaviour.again_within), outcome))
    if outcome == SUCCESS and rolls.random() < behaviour.refund:
        then.append((rolls.uniform(*behaviour.again_within), RETURNED))
    if outcome != SUCCESS and rolls.random() < behaviour.contradiction:
        # The answer to an earlier one got lost on its way, and that is repeated after the later one.
        then.append((0.0, SUCCESS))
    return Plan(
        outcome,
        sms,
        rolls.uniform(*behaviour.finish_within) if rolls.random() < behaviour.sms_after_finish else None,
        rolls.uniform(*(behaviour.late if rolls.random() < behaviour.finish_late else behaviour.finish_within)),
        rolls.random() < behaviour.said_twice_at_once,
        then,
        rolls.random() < behaviour.answer_lost,
        rolls.random() < 1 / 2,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """How a push is answered: after a pause with these bytes, all of the answer; None holds the connection open without any."""

    script: str
    reply: Reply
    body: bytes | None
    pause: float = 0.0


def http(status: str, body: bytes) -> bytes:
    """Return a whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


TAKEN = Answer("SUCCESS", Reply.TAKEN, http("200 OK", OK_BODY))
CUT = Answer("connection cut", Reply.REFUSED, b"")
_SLOW = Answer("SUCCESS after 2 s", Reply.TAKEN, TAKEN.body, 2.0)
_BROKEN = Answer("HTTP 500", Reply.REFUSED, http("500 Internal Server Error", b"<h1>Internal Server Error</h1>"))
_REFUSED = Answer("HTTP 400, ERROR", Reply.REFUSED, http("400 Bad Request", b'{"status":"ERROR","error":"try again"}'))
_SILENT = Answer("silence", Reply.REFUSED, None)
_ERROR = Answer("ERROR", Reply.REFUSED, http("200 OK", b'{"status":"ERROR","error":"try again"}'))
_WORDLESS = Answer("HTTP 200 without SUCCESS", Reply.TAKEN, http("200 OK", b"ok"))
# No SUCCESS can be read in it: whoever takes it for one loses an SMS.
_HALF = Answer("half an answer", Reply.REFUSED, http("200 OK", OK_BODY)[:-8])


def misbehaviours(hub: Hub) -> Sequence[Answer]:
    """Return the ways in which a hub doesn't take a push at once, or as others do."""
    # A hub that takes by HTTP's 200 has said so whatever the body, and with the first line.
    of_hub = [_WORDLESS] if hub.takes_200 else [_ERROR, _HALF]
    stops = [
        Answer(f"HTTP 400, {word}", Reply.STOPPED, http("400 Bad Request", f'{{"status":"{word}"}}'.encode()))
        for word in hub.stop_words
    ]
    return [_SLOW, _BROKEN, _REFUSED, _SILENT, CUT, *of_hub, *stops]

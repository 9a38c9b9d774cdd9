"""How a supplier behaves, as data: where it may do wrong, and where it may be odd and yet right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

type Excluding = Literal["prefixes", "whole numbers", "never", "strings", "national", "not whole", "parts", "near ones"]
type Losers = Literal["next", "both", "500", "all"]
type Gzip = Literal["asked", "never", "lied", "always", "long ones", "no errors", "no sales", "no NO_NUMBERS"]
type Asked = Literal["country", "operator", "service", "activationId", "status"]
type Action = Literal["GET_SERVICES", "GET_NUMBER", "FINISH_ACTIVATION", "getsms"]
type SmsIds = Literal["each SMS", "each of an activation", "each attempt", "all"]


_FEW_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Ways:
    """The defaults are right for every hub. Which hub's types, fields and words are used is its `Hub`.

    Times are seconds.
    """

    keys: tuple[str, str] | None = None
    """The keys of the hub and of another one; None for plain ones."""
    # Counts.
    overstates: int = 0
    shows_each: int = 1
    """Only each so-manieth number is counted."""
    count: type = int
    keeps_sold: bool = False
    empty_any: bool = False
    """Whether each country has an operator `any` without services, too."""
    counts_status: str | None = "SUCCESS"
    # Numbers.
    sells_out: bool = True
    """Whether there are no numbers when all are live; else who has one loses it to the next."""
    numbers_of_each: int | None = None
    """How many numbers each operator has at the most."""
    takes_turns: bool = False
    sells_at_once: int | None = None
    """How many can be live at a time, however many are counted."""
    overflows_at: int | None = None
    """How many are live when a number is given again."""
    apart: Literal["any", "service", "key"] | None = None
    """By what a number may be sold twice: of `any` and of its operator, for two services, to two keys."""
    mixes_operators: bool = False
    guesses: tuple[Asked, ...] = ()
    """Of what it takes a name that it doesn't know for one that it knows."""
    knows_places: bool = False
    """Whether an unknown country or service is an error."""
    rival_buys: int | None = None
    """After how many sales another hub buys a number of the same offer, and gives back the one that it had."""
    losers: Losers = "next"
    excludes: Excluding = "prefixes"
    minds: int | None = None
    """How many prefixes it minds, None for all."""
    shortest_prefix: int = 1
    """How many digits the prefixes have that it minds."""
    query_excludes: Literal["prefixes", "never", "no commas", "once"] = "prefixes"
    plus: bool = False
    national: tuple[str, ...] = ()
    """Countries whose numbers lack the country's code."""
    extras: bool = True
    activation_id: type = int
    ids_come_again: bool = False
    first_activation: int = 1000
    nothing_status: int = 200
    nothing: str = "NO_NUMBERS"
    refuses: Mapping[str, object] = field(default_factory=dict)
    """Fields that make GET_NUMBER an error when they have that type or value."""
    needs: tuple[str, ...] = ()
    """Fields without which GET_NUMBER is an error."""
    least_sum: float = 0.0
    # Ends of activations.
    finish_again: bool = True
    unknown_finish: bool = False
    foreign_finish: bool = False
    refused_finish_ends: tuple[Literal["key", "activation", "field"], ...] = ()
    """For which errors a FINISH that is refused ends the activation all the same."""
    stale_finish_ends: bool = False
    """Whether a FINISH of a number's old activation frees it."""
    mutes: bool = False
    """Whether an activation that is ended so keeps its number, and has its SMS pushed no more."""
    any_outcome: bool = False
    refuses_outcome: int | None = None
    refund_after_sale: bool = True
    forgets: tuple[int, ...] = ()
    """Outcomes after which a number should not be given again for the service, and is."""
    cancels: int | None = None
    """How often a number is issued for a service until it has only cancels; None for the hub's own limit."""
    gone_after: tuple[int, ...] = ()
    """Outcomes after which it gives a number no more, though it might."""
    lease_s: float | None = None
    resells_after_s: float | None = None
    """How old an activation is when its number is for sale again."""
    ends_when_taken: bool = False
    """Whether an SMS that is accepted ends its activation."""
    finishes_within_s: float | None = None
    """How old an activation may be when it is finished."""
    # Errors and requests.
    unknown_action: str = "ERROR"
    any_key_for: tuple[Action, ...] = ()
    error_http: int | None = None
    may_lack: tuple[Asked, ...] = ()
    error_field: str | None = None
    accept_must_parse: bool = False
    refuses_bearer_for: tuple[Action, ...] = ()
    needs_bearer: bool = False
    """Whether a request is an error without its key in Authorization: Bearer."""
    paths: bool = True
    paths_only: bool = False
    unpacks_requests: bool = True
    needs_action: bool = False
    reads_get: bool = True
    crashes_at_bad_json: bool = False
    getsms: bool = True
    foreign_getsms: bool = False
    getsms_messages: bool = True
    # How answers are sent.
    delay_s: float = 0.0
    delays: int | None = None
    """Which of its answers is late; None for each."""
    gzip: Gzip = "asked"
    content_type: str = "application/json; charset=utf-8"
    content_types: Mapping[str, str] = field(default_factory=dict)
    """What answers of a status, such as ERROR, say that they are instead."""
    chunked: bool = False
    http_1_0: bool = False
    keep_alive: bool = True
    lower_case_headers: bool = False
    pieces: bool = False
    indented: bool = False
    reversed_fields: bool = False
    escapes: bool = False
    more_fields: bool = False
    # Pushes.
    pushes: bool = True
    push_delay_s: float = 0.0
    later_delay_s: float = 0.0
    """How much later an SMS is pushed that isn't the first of its activation."""
    sms_delay_s: float = 0.0
    """How late whoever sends an SMS is answered."""
    copies: int = 1
    """How many of a push are sent at the same time."""
    attempts: int | None = None
    pauses: tuple[float, ...] = (1.0,)
    """The hub's intervals between the attempts, the last for ever."""
    pauses_after_answer: bool = False
    """Whether an interval begins with the answer to an attempt, not with the attempt."""
    gives_up_on: tuple[str, ...] = ()
    """Refusals that it takes for an end: "error", "400", "500", "201", "empty", "not json", "cut"."""
    push_timeout_s: float = 0.6
    echoes_after: float | None = None
    """How many of the hub's intervals after the last of its pushes an SMS is pushed once more."""
    once_more: int | None = None
    """From which attempt on SUCCESS is followed by one push more."""
    pushes_after: tuple[int, ...] = ()
    """Outcomes after which it pushes on."""
    remembers: bool = False
    """Whether an SMS to a number that nobody has is pushed to who had it last."""
    tells: bool = False
    """Whether it pushes SMS of a number that it never gave."""
    crosses_finish: bool = False
    """Whether an attempt is under way when FINISH is answered."""
    waits_its_turn: bool = False
    """Whether an SMS waits until the one before it is taken."""
    keeps_last: bool = False
    """Whether only the last SMS of an activation is pushed again."""
    unpacks: bool = True
    stop_words: bool = True
    sms_ids: SmsIds = "each SMS"
    """What has an smsId of its own."""
    first_sms: int = 901
    push_fields: Mapping[str, object] = field(default_factory=dict)
    """Fields of pushes that are otherwise: None lacks, a type is what the value is turned into, {} in a text is the value."""
    retry_fields: Mapping[str, object] = field(default_factory=dict)
    """The same, after the first attempt."""
    push_headers: Mapping[str, object] = field(default_factory=dict)
    retry_headers: Mapping[str, object] = field(default_factory=dict)
    loses: str | None = None
    """A regular expression of characters that become question marks."""
    cuts_at: int | None = None
    push_headers_lower: bool = False
    push_chunked: bool = False
    push_gzip: bool = False
    push_keep_alive: bool = False


def sms_text(text: str, ways: Ways) -> str:
    return (re.sub(ways.loses, "?", text) if ways.loses else text)[: ways.cuts_at]


def otherwise(fields: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Return fields or headers as `Ways.push_fields` has them."""
    changed = {**fields}
    for name, change in changes.items():
        match change:
            case None:
                changed.pop(name, None)
            case type():
                changed[name] = change(changed[name])
            case str():
                changed[name] = change.format(changed.get(name))
            case _:
                changed[name] = change
    return changed


def excluded(number: str, prefixes: list[Any], code: int, ways: Ways) -> bool:
    """Tell whether a number begins as one of these does; `code` is the length of its country's code."""
    kind = str if ways.excludes == "strings" else object
    minded = [str(prefix) for prefix in prefixes[: ways.minds] if isinstance(prefix, kind)]
    minded = [prefix for prefix in minded if len(prefix) >= ways.shortest_prefix]
    match ways.excludes:
        case "never":
            return False
        case "whole numbers":
            return number in minded
        case "not whole":
            minded = [prefix for prefix in minded if prefix != number]
        case "national":
            number = number[code:]
        case "parts":
            return any(part in number for part in minded)
        case "near ones":
            minded = [prefix[:_FEW_DIGITS] for prefix in minded]
    return number.startswith(tuple(minded))

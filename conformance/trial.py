"""What a check has to work with: requests in the hub's form, numbers to buy, SMS to have come, pushes to look at."""

import gzip
import json
import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from conformance.answers import OK
from conformance.exchange import Client, Exchange, Pace
from conformance.hubs import PATHS, Hub, Level
from conformance.masking import Masking, keys_in
from conformance.push_server import SUCCESS, Answer, Inbox, Push, PushServer
from conformance.sms_command import MakeSms

RETURNED = 5
# What every number begins with.
ANY_NUMBER = tuple("123456789")
# What identifies something, of a wrong type, too.
_SCALAR = int | float | str
# How many digits make a number, right or not.
_DIGITS = range(4, 21)


class Failed(Exception):
    """The supplier doesn't do what the check wants, as the answer to `asked` shows, by default the last one."""

    def __init__(self, why: str, asked: Exchange | None = None) -> None:
        super().__init__(why)
        self.asked = asked


class NotRun(Exception):
    """The check can't be made here; the text says why."""


class Prevented(NotRun):
    """All that the check needs was given, and still it can't be made: there is nothing to buy, or the SMS don't come."""


class Stopped(Exception):
    """Whoever runs the checks has broken them off."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to test, with what, and how long to wait (in seconds).

    `pushes` receives pushes and is entered already; `sms` has an SMS come to a number (digits, text) and may raise anything.
    `retry` is what is waited between two attempts of a push and `tolerance` how far off one may be; `soon` is the longest
    that counts as at once; `watch` is in intervals of retry and for what must not come. `outlive` is how old an activation
    becomes whose SMS must still be pushed. `poll` overrides how often a hub asks for counts, and so how old these may be, `within` how soon it wants its answers. `most` is the most numbers
    that a check holds at a time, `many` that of those that buy much of one offer, `at_once` that of the one of equal requests.
    Requests are `per_second` at most. With `paths` a hub asks at its paths, if it has some, else at the URL alone.
    Numbers are bought of `country`, `operator`, `service` alone where they are given.
    """

    url: str = field(repr=False)
    key: str = field(repr=False)
    other_key: str | None = field(default=None, repr=False)
    pushes: PushServer | None = None
    sms: MakeSms | None = None
    destructive: bool = False
    outlive: float | None = None
    retry: float = 10.0
    tolerance: float = 1.0
    soon: float = 5.0
    watch: float = 2.5
    poll: float | None = None
    within: float | None = None
    timeout: float = 30.0
    per_second: float = 5.0
    most: int = 10
    many: int = 32
    at_once: int = 30
    paths: bool = True
    country: str | None = None
    operator: str | None = None
    service: str | None = None

    @property
    def grace(self) -> float:
        """How late a push may be and yet be no later attempt: under way when FINISH was answered, or after another SMS."""
        return min(self.soon, self.retry / 2)

    @property
    def masking(self) -> Masking:
        return Masking({"KEY": self.key, "KEY2": self.other_key or "", **keys_in(self.url)})


@dataclass(frozen=True, slots=True)
class Offer:
    """What counts list: so many numbers of an operator for a service."""

    country: str
    operator: str
    service: str
    count: int


@dataclass(frozen=True, slots=True)
class Bought:
    """A number that was sold; `phone` is its digits, whatever type it has in the answer."""

    offer: Offer
    number: Any
    activation_id: Any
    phone: str
    exchange: Exchange


class Run:
    """What the checks of one hub share: the pace, whether to stop, and what is bought and not finished yet."""

    def __init__(self, hub: Hub, settings: Settings, pace: Pace | None = None) -> None:
        self.hub = hub
        self.settings = settings
        self.pace = pace or Pace(settings.per_second)
        self.stopping = threading.Event()
        self.exchanges: list[Exchange] = []
        self.phones: set[str] = set()
        # By the key that bought it.
        self.sold: set[tuple[str, object]] = set()
        # Where the pushes of activations came in that are finished, and since when they are.
        self.ended: list[tuple[Inbox, float]] = []
        self.strangers_before = len(settings.pushes.strangers) if settings.pushes else 0
        self.lock = threading.Lock()
        # One SMS at a time: what makes them may be a modem.
        self.sms_lock = threading.Lock()

    def keep(self, exchange: Exchange) -> None:
        with self.lock:
            self.exchanges.append(exchange)


class Trial:
    """One check's own. Whatever it buys is finished with 5 when it ends."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.hub = run.hub
        self.settings = run.settings
        self.exchanges: list[Exchange] = []
        self._last: Exchange | None = None
        # By the key that bought it: each may have ids of its own.
        self._live: dict[tuple[str, object], None] = {}
        self._lost: list[str] = []
        self._is_timed = True
        self._inboxes: list[Inbox] = []
        self._lock = threading.Lock()

    # ------------------------------------------------------------ requests

    def ask(  # noqa: PLR0913 - what requests may differ in
        self,
        action: str | None,
        /,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        body: bytes | None = None,
        packed: bool = False,
        paced: bool = True,
        **fields: object,
    ) -> Exchange:
        """Ask as the hub does: by POST, at its path for the action if it has one; with other headers, path or body if given."""
        if self._run.stopping.is_set():
            raise Stopped
        if path is None:
            path = self._path(action)
        if body is None:
            named = {} if action is None else {"action": action}
            content = {**named, "key": key or self.settings.key, **fields}
            # A lone surrogate of an answer goes back as the escape that it came as.
            body = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
        sent = {**self.hub.headers_with(key or self.settings.key), **(headers or {})}
        if packed:
            body, sent = gzip.compress(body), {**sent, "Content-Encoding": "gzip"}
        return self._client(action).post(body, sent, path, paced=paced)

    def get(self, path: str = "", /, **fields: object) -> Exchange:
        """Ask by GET; a field that is a list is repeated."""
        if self._run.stopping.is_set():
            raise Stopped
        headers = self.hub.headers_with(self.settings.key)
        del headers["Content-Type"]
        return self._client().get(urlencode(fields, doseq=True, errors="backslashreplace"), headers, path)

    def counts(self, **fields: Any) -> Exchange:
        return self.ask(self.hub.counts_action, **fields)

    def finish(self, activation_id: object, outcome: int, **fields: Any) -> Exchange:
        """Ask for the end of an activation; what is SUCCESS is no longer to be tidied up, unless another key or no outcome ended it."""
        answer = self.ask(
            "FINISH_ACTIVATION",
            **{"activationId": activation_id, "status": outcome, **self.hub.finish_extras, **fields},
        )
        if answer.field("status") == "SUCCESS" and outcome in {
            RETURNED,
            *self.hub.outcomes,
            *self.hub.outcomes_of_rent,
        }:
            with self._lock:
                self._live.pop((fields.get("key") or self.settings.key, activation_id), None)
        return answer

    def get_number(
        self,
        offer: Offer,
        excluded: Sequence[str] = (),
        *,
        hints: Mapping[str, object] | None = None,
        **fields: Any,
    ) -> Exchange:
        """Ask for a number, but none with these prefixes, with the hub's hints or others; what is sold is tidied up."""
        wanted = {**self.place(offer), **(self.hub.hints[0] if hints is None else hints)}
        if excluded:
            wanted["exceptionPhoneSet"] = [self.hub.prefixes(prefix) for prefix in excluded]
        answer = self.ask("GET_NUMBER", **{**wanted, **fields})
        self.remember(answer, fields.get("key"))
        return answer

    def is_others(self, bought: Bought) -> bool:
        """Tell whether KEY2 was sold something by the same id, in what was checked before: then it may speak of that."""
        with self._lock:
            return (self.settings.other_key or "", bought.activation_id) in self._run.sold

    def place(self, offer: Offer) -> dict[str, object]:
        """Return the fields of a GET_NUMBER that say what is to be bought."""
        return {"country": offer.country, "operator": offer.operator, "service": offer.service}

    def remember(self, answer: Exchange, key: str | None = None) -> None:
        """Note what a GET_NUMBER sold, so that it is finished."""
        activation_id = answer.field("activationId")
        if phone := _digits(answer.field("number")):
            with self._run.lock:
                self._run.phones.add(phone)
        with self._lock:
            # Of a wrong type, too: what was sold must end.
            if isinstance(activation_id, _SCALAR):
                sold = (key or self.settings.key, activation_id)
                self._live[sold] = None
                self._run.sold.add(sold)
            elif answer.field("status") == "SUCCESS":
                self._lost.append("what was sold without an activationId")
            elif not isinstance(answer.field("status"), str):
                self._lost.append("what a GET_NUMBER without an answer, or with none that can be read, may have sold")

    # ------------------------------------------------------------ sales

    def offers(self) -> Sequence[Offer]:
        """Return what can be bought here, most first. Raises Prevented if there is nothing, however well the counts are formed."""
        return self.listed(self.counts())

    def listed(self, counts: Exchange) -> Sequence[Offer]:
        settings = self.settings
        found = [
            offer
            for offer in offers_of(counts.json)
            if offer.count > 0
            and settings.country in (None, offer.country)
            and settings.operator in (None, offer.operator)
            and settings.service in (None, offer.service)
        ]
        if not found:
            raise Prevented("The counts list nothing that could be bought.")
        return sorted(found, key=lambda offer: -offer.count)

    def counted(self, offer: Offer) -> int:
        """Return how many are counted of an offer now."""
        listed = offers_of(self.counts().json)
        return sum(one.count for one in listed if replace(one, count=0) == replace(offer, count=0))

    def buy(self, offer: Offer | None = None, excluded: Sequence[str] = (), **fields: Any) -> Bought:
        """Buy a number, of what there is most of if nothing is named. Raises Prevented if there is none, Failed if it is refused."""
        offer = offer or self.offers()[0]
        bought = self.try_to_buy(offer, excluded, **fields)
        if bought is None:
            raise Prevented(f"NO_NUMBERS of {offer.country}, {offer.operator}, {offer.service}: no stock for it.")
        return bought

    def try_to_buy(self, offer: Offer, excluded: Sequence[str] = (), **fields: Any) -> Bought | None:
        """Buy a number, None where there is none."""
        return self.bought(offer, self.get_number(offer, excluded, **fields))

    def bought(self, offer: Offer, answer: Exchange) -> Bought | None:
        """Return what the answer to a GET_NUMBER sold."""
        match answer.field("status"):
            case "NO_NUMBERS":
                return None
            case "SUCCESS":
                number, activation_id = answer.field("number"), answer.field("activationId")
                phone = _digits(number)
                if not phone or not isinstance(activation_id, _SCALAR):
                    raise Failed(
                        f"GET_NUMBER was answered without a number or an activationId: {short(answer)}", answer
                    )
                return Bought(offer, number, activation_id, phone, answer)
            case _:
                raise Failed(f"GET_NUMBER was not answered with SUCCESS or NO_NUMBERS: {short(answer)}", answer)

    def buy_up_to(self, most: int, offer: Offer, excluded: Sequence[str] = ()) -> list[Bought]:
        """Buy until there are so many, or no more numbers."""
        bought: list[Bought] = []
        while len(bought) < most and (one := self.try_to_buy(offer, excluded)):
            bought.append(one)
        return bought

    def buy_at_once(self, requests: int, offer: Offer) -> Sequence[Exchange]:
        """Send so many equal GET_NUMBER at the same time."""
        self._run.pace.wait(requests)
        rule = self.hub.rules.get("at-once")
        # A hub that doesn't ask so much at once doesn't time it either.
        self._is_timed = rule is not None and rule.level is Level.REQUIRED
        together = threading.Barrier(requests)

        def one(_: int) -> Exchange:
            together.wait(self.settings.timeout)
            return self.get_number(offer, paced=False)

        try:
            with ThreadPoolExecutor(requests) as callers:
                return list(callers.map(one, range(requests)))
        finally:
            self._is_timed = True

    def others_than(self, phone: str) -> Sequence[str]:
        """Return the prefixes of every number but this one, nothing where the hub excludes whole numbers only."""
        if not self.hub.excludes_prefixes:
            return ()
        others = [
            phone[:place] + other for place, digit in enumerate(phone) for other in "0123456789" if other != digit
        ]
        # No number begins with 0.
        return [each for each in others if each != "0"]

    def give_back(self, *bought: Bought) -> None:
        """Return numbers before the check ends; that it works is another check's."""
        for one in bought:
            self.finish(one.activation_id, RETURNED)

    # ------------------------------------------------------------ SMS and pushes

    def inbox(self, bought: Bought, *answers: Answer) -> Inbox:
        """Return where the pushes of a number come in, answered so one after another, the last for ever."""
        if self.settings.pushes is None:
            raise NotRun("Nothing receives pushes.")
        inbox = self.settings.pushes.open(bought.phone, answers or (SUCCESS,))
        self._inboxes.append(inbox)
        return inbox

    def send(self, inbox: Inbox, text: str = "Your code is {}") -> str:
        """Have an SMS come to the number of an inbox; return its text, in which a word is new."""
        word = secrets.token_hex(5).upper()
        inbox.words.add(word)
        return self.sms(inbox.phone, text.format(word))

    def sms(self, phone: str, text: str = "Your code is 4711") -> str:
        """Have an SMS come to a number; return its text."""
        if self.settings.sms is None:
            raise NotRun("Nothing makes an SMS come.")
        with self._run.sms_lock:
            if self._run.stopping.is_set():
                raise Stopped
            try:
                self.settings.sms(phone, text)
            except Exception as error:
                raise Prevented(f"The SMS could not be made to come: {error}") from error
        return text

    def now(self) -> float:
        """Return the time on the clock of pushes."""
        return time.monotonic()

    def pushed(self, inbox: Inbox, pushes: int = 1, seconds: float | None = None) -> Sequence[Push]:
        """Wait for so many pushes of a number. Raises Failed if fewer come in time."""
        seconds = self._patience if seconds is None else seconds
        came = self._waited(inbox, pushes, seconds)
        if len(came) < pushes:
            raise Failed(f"{len(came)} of {pushes} pushes came within {seconds:g} s.")
        return came

    def is_pushed(self, inbox: Inbox, seconds: float | None = None) -> bool:
        """Wait for a push of a number; tell whether one came in time."""
        return bool(self._waited(inbox, 1, self._patience if seconds is None else seconds))

    def quiet(self, due: Mapping[Inbox, int]) -> None:
        """Look whether no more pushes come in than are due at each. Raises Failed if one does."""
        ends = time.monotonic() + self.settings.watch * self.settings.retry
        for inbox, pushes in due.items():
            came = self._waited(inbox, pushes + 1, ends - time.monotonic())
            if len(came) > pushes:
                late = came[pushes].at - came[pushes - 1].at
                raise Failed(f"Another push came {late:.1f} s after the last that was due.")

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped when the checks are broken off."""
        if self._run.stopping.wait(seconds):
            raise Stopped

    @property
    def _patience(self) -> float:
        return self.settings.soon + 3 * self.settings.retry

    def _waited(self, inbox: Inbox, pushes: int, seconds: float) -> Sequence[Push]:
        self._last, ends = None, time.monotonic() + seconds
        while True:
            left = ends - time.monotonic()
            came = inbox.wait(pushes, max(0.0, min(left, 0.5)))
            if self._run.stopping.is_set():
                raise Stopped
            if len(came) >= pushes or left <= 0:
                return came

    # ------------------------------------------------------------ the rest

    @property
    def last(self) -> Exchange | None:
        """The last request of this check, None once it has looked for pushes: no request repeats these."""
        return self._last

    def seen(self) -> Sequence[Exchange]:
        """Return every exchange of the whole run so far that the hub would time."""
        with self._run.lock:
            return tuple(self._run.exchanges)

    @property
    def open(self) -> Sequence[object]:
        """The ids of what is bought and not finished, and what was sold without one."""
        with self._lock:
            return [*self._lost, *(activation_id for _, activation_id in self._live)]

    def strangers(self) -> Sequence[Push]:
        """Return the pushes that came while this hub was checked, and name no number that was sold to it; keep them as of this check."""
        pushes = self.settings.pushes
        came = pushes.strangers[self._run.strangers_before :] if pushes else []
        found = [push for push in came if not any(phone.encode() in (push.body or b"") for phone in self._run.phones)]
        self.exchanges += [push.exchange(self.settings.masking) for push in found]
        return found

    def late(self) -> Sequence[tuple[Push, bool]]:
        """Return the pushes that came long after FINISH, each with whether the same SMS had been accepted before; keep them as of this check."""
        with self._run.lock:
            ended = tuple(self._run.ended)
        found: list[tuple[Push, bool]] = []
        for inbox, at in ended:
            pushes = inbox.pushes
            accepted = [(push.field("text"), push.at) for push in pushes if self._accepts(push.answer)]
            found += [
                (push, any(text == push.field("text") and then < push.at for text, then in accepted))
                for push in pushes
                if push.at > at + self.settings.grace
            ]
        self.exchanges += [push.exchange(self.settings.masking) for push, _ in found]
        return found

    @property
    def has_ended(self) -> bool:
        """Whether an SMS was accepted of an activation that is finished."""
        with self._run.lock:
            return any(self._accepts(push.answer) for inbox, _ in self._run.ended for push in inbox.pushes)

    def _accepts(self, answer: Answer) -> bool:
        """Tell whether an answer ends an SMS for the hub."""
        is_taken = answer.status == OK and (self.hub.takes_200 or SUCCESS.body in answer.body)
        return not answer.closes and (is_taken or any(word.encode() in answer.body for word in self.hub.stop_words))

    def tidy_up(self) -> Sequence[object]:
        """Finish with 5 what is live; accept the pushes that still come; return the ids that could not be finished, and what has none."""
        for inbox in self._inboxes:
            inbox.answer([SUCCESS])
        client = self._client("FINISH_ACTIVATION")
        for key, activation_id in list(self._live):
            named = {"activationId": activation_id, "status": RETURNED, **self.hub.finish_extras}
            # What was found is not to be lost by whatever goes wrong here.
            with suppress(Exception):
                body = json.dumps({"action": "FINISH_ACTIVATION", "key": key, **named}).encode()
                answer = client.post(body, self.hub.headers_with(key), self._path("FINISH_ACTIVATION"))
                if answer.field("status") == "SUCCESS":
                    del self._live[key, activation_id]
        left = self.open
        with self._run.lock:
            self._run.ended += [(inbox, time.monotonic()) for inbox in self._inboxes if not left]
        for inbox in self._inboxes:
            inbox.is_open = False
            self.exchanges += [push.exchange(self.settings.masking) for push in inbox.pushes]
        return left

    @property
    def asks_at_paths(self) -> bool:
        """Whether the hub asks at a path for each action."""
        return self.hub.paths and self.settings.paths

    def _path(self, action: str | None) -> str:
        return PATHS.get(action or "", "") if self.asks_at_paths else ""

    def _client(self, action: str | None = None) -> Client:
        settings, keep = self.settings, partial(self._keep, is_timed=action not in self.hub.untimed)
        return Client(settings.url, settings.key, self._run.pace, keep, settings.timeout, settings.masking)

    def _keep(self, exchange: Exchange, *, is_timed: bool) -> None:
        with self._lock:
            self.exchanges.append(exchange)
            self._last = exchange
        if self._is_timed and is_timed:
            self._run.keep(exchange)


def offers_of(counts: Any) -> list[Offer]:
    """Return what can be read in an answer to counts, in either form, as far as it can: its form is checked elsewhere."""
    content = counts if isinstance(counts, dict) else {}
    countries = content.get("countMap")
    if not isinstance(countries, dict):
        listed = content.get("countryList")
        countries = {
            entry["country"]: entry.get("operatorMap")
            for entry in (listed if isinstance(listed, list) else [])
            if isinstance(entry, dict) and isinstance(entry.get("country"), str)
        }
    return [
        Offer(country, operator, service, count)
        for country, operators in countries.items()
        for operator, services in (operators.items() if isinstance(operators, dict) else ())
        for service, listed in (services.items() if isinstance(services, dict) else ())
        if (count := _count(listed)) is not None
    ]


def _digits(number: Any) -> str:
    """Return the digits of a number as it was answered, nothing where they are too few or too many for one."""
    digits = re.sub(r"[^0-9]", "", str(number)) if isinstance(number, _SCALAR) else ""
    return digits if len(digits) in _DIGITS else ""


def _count(listed: Any) -> int | None:
    if isinstance(listed, dict):
        listed = listed.get("SMS")
    try:
        return int(float(listed))
    except (TypeError, ValueError, OverflowError):
        return None


def unknown_activation() -> int:
    """Return an id that no activation has, and that a supplier could have given: hubs' JSON readers keep no more exact."""
    return 2**53 - 1 - secrets.randbelow(2**20)


def short(answer: Exchange) -> str:
    """Return what an answer was in a few words."""
    if answer.status is None:
        return f"no answer ({answer.error})"
    return f"HTTP {answer.status}, {answer.shown.answer[:120]!r}"

"""Row gateways.1: sources of every type of the catalogue deliver to the local stack, by HTTP, as their gateways do.

Each has numbers that are sold and numbers that are not; one line is mapped half way. SMS come in any order, some of them
again, long ones in parts; some answers get lost, and then the gateway sends again.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx
from pydantic.alias_generators import to_camel

from bench.row import Row, Say
from globalconnect.domain.provider import PROVIDERS
from local import stack
from simulation.gateways import sample_of
from simulation.gateways.sample import Sample, Sent

IDS = ("gateways.1",)

SMS, REPEATED, LOST = 200, 0.1, 0.1
NUMBERS, SOLD = 4, 2
AT_ONCE = 6

_SEED = 15
_NAME = "gateways"
# Of a long SMS, each in a part of its own.
_WORDS = ("Ваш код: ", "50\N{GRINNING FACE} ", "الرمز 15")
_SECONDS = 60.0
# So soon a gateway that doesn't hear hangs up.
_UNHEARD_SECONDS = 0.02
_TRIES = 8
_SERVER_ERROR = 500

# Where an SMS is, and its text.
type Place = tuple[str, str]


@dataclass(slots=True)
class Source:
    """A source of a type, its numbers, and the activations of those that are sold."""

    provider: str
    sample: Sample
    phones: Sequence[str]
    source_id: str = ""
    url: str = ""
    sold: dict[str, int] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        """Its secret, spelled as a URL takes it where it is in one."""
        secret = self.sample.secret(0)
        return re.sub(r"[^\w-]", "-", secret) if "{secret}" in PROVIDERS[self.provider].address else secret

    @property
    def lines(self) -> dict[str, str]:
        """What it calls its numbers, where it doesn't name them."""
        return {self.sample.line_of(phone): phone for phone in self.phones} if self.sample.line_of else {}


@dataclass(frozen=True, slots=True)
class Message:
    """An SMS to a number of a source, as it is to be read, and what its gateway sends of it."""

    source: Source
    phone: str
    text: str
    parts: Sequence[Sent]

    @property
    def place(self) -> Place:
        """Where it belongs."""
        activation_id = self.source.sold.get(self.phone)
        where = "unclaimed: no activation held the number" if activation_id is None else f"activation {activation_id}"
        return where, self.text


@dataclass(frozen=True, slots=True)
class Delivery:
    """A part of an SMS, or a short one, on its way; its gateway misses the first answer if it is `lost`."""

    message: Message
    sent: Sent
    lost: str = ""


class Site:
    """The stack, as staff, a partner and gateways call it."""

    def __init__(self, up: stack.Stack) -> None:
        self._http = httpx.Client(base_url=up.api, timeout=_SECONDS, trust_env=False)
        self._token = up.admin_token
        self.unheard = 0

    def staff(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        """Call the admin API; return what a success answers."""
        answer = self._http.request(method, path, json=body, headers={"Authorization": self._token})
        answer.raise_for_status()
        content: Mapping[str, Any] = answer.json()
        return content

    def listed(self, path: str, name: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.staff("GET", f"{path}?cursor={quote(cursor)}" if cursor else path)
            yield from page[name]
            cursor = page["cursor"]

    def ask(self, key: str, action: str, **fields: object) -> Mapping[str, Any]:
        """Send a partner's request; return what it is answered."""
        answer: Mapping[str, Any] = self._http.post("/SMSBOWER", json={"key": key, "action": action, **fields}).json()
        return answer

    def buy(self, key: str, operator: str) -> tuple[str, int]:
        """Buy a number of a pool that a warm function may not know yet; return it and its activation."""
        wanted = {"country": _NAME, "operator": operator, "service": _NAME}
        deadline = time.monotonic() + _SECONDS
        while (bought := self.ask(key, "GET_NUMBER", **wanted))["status"] != "SUCCESS":
            if time.monotonic() > deadline:
                raise TimeoutError(str(bought))
        return str(bought["number"]), int(bought["activationId"])

    def deliver(self, delivery: Delivery) -> str | None:
        """Send until the gateway has heard that it was taken; return what is wrong with the answer, if anything."""
        source, part = delivery.message.source, delivery.sent
        if delivery.lost == "unread":
            self.send(source, part)
        elif delivery.lost:
            with suppress(httpx.ReadTimeout):
                self.send(source, part, httpx.Timeout(_SECONDS, read=_UNHEARD_SECONDS))
                self.unheard -= 1
            self.unheard += 1
        answer = self.send(source, part)
        for attempt in range(_TRIES):
            if answer.status_code < _SERVER_ERROR:
                break
            time.sleep(0.1 * 2**attempt)
            answer = self.send(source, part)
        status, _, body = source.sample.acknowledged
        is_right = (answer.status_code, answer.text) == (status, body)
        return None if is_right else f"{source.provider} was answered {answer.status_code}: {answer.text[:200]}"

    def send(self, source: Source, part: Sent, timeout: httpx.Timeout | None = None) -> httpx.Response:
        """Send what a source's gateway sends, signed."""
        now = time.time_ns() // 1_000_000
        sent = source.sample.sign(part, source.secret, source.url, now)
        request = self._http.build_request(
            sent.method,
            f"{source.url}{sent.path}",
            params=dict(sent.query) or None,
            headers=dict(sent.headers),
            content=sent.body,
            timeout=timeout or httpx.Timeout(_SECONDS),
        )
        return self._http.send(request)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Deliver to a stack of its own; the value is how many SMS are lacking, or are where they should not be."""
    if not set(IDS).intersection(wanted):
        return
    with TemporaryDirectory() as folder:
        try:
            yield play(stack.up(Path(folder)), progress)
        finally:
            stack.down(Path(folder))


def play(up: stack.Stack, progress: Say) -> Row:
    """Let gateways of all types deliver to a new stack, and compare."""
    site = Site(up)
    sources = set_up(site)
    unmapped = next(source for source in sources if source.lines)
    # Sold: what waits is somebody's.
    later = next(iter(unmapped.sold))
    for source in sources:
        map_lines(site, source, without=later)
    messages = [write(sources[number % len(sources)], number) for number in range(SMS)]
    deliveries = shuffled(messages)
    half = len(deliveries) // 2
    came = {one.message.place for one in deliveries[:half] if one.message.phone == later}

    began = time.monotonic()
    differences = deliver_all(site, deliveries[:half])
    differences += compared(waiting(site), [("waiting", text) for _, text in came])
    map_lines(site, unmapped)
    differences += deliver_all(site, deliveries[half:])
    seconds = time.monotonic() - began

    differences += compared(found(site, sources), [message.place for message in messages])
    for line in differences:
        progress(f"gateways.1: {line}")
    again = sum(len(message.parts) for message in messages)
    progress(
        f"gateways.1: {len(messages)} SMS in {again} parts or whole, {len(deliveries) - again} of these again, {len(came)} "
        f"SMS waited for their line, {sum(bool(one.lost) for one in deliveries)} answers lost, {site.unheard} of them by "
        f"hanging up; {seconds:.1f} s, {AT_ONCE} at once"
    )
    claim = (
        f"{len(sources)} sources of different kinds, {SMS} SMS with {REPEATED:.0%} repeats, reordered parts and lost answers "
        f"against the local stack: every SMS where it belongs, once (in {seconds:.0f} s, {len(deliveries) / seconds:.0f} "
        "deliveries a second)"
    )
    return Row("gateways.1", claim, len(differences), "differences", 0, not differences)


def set_up(site: Site) -> Sequence[Source]:
    """Enter a source of each type, and its numbers; sell some of them."""
    site.staff("PUT", f"/admin/services/{_NAME}", {"name": _NAME, "reusable": True, "enabled": True})
    key = site.staff("POST", "/admin/partners", {"name": _NAME})["key"]
    sources = []
    for place, provider in enumerate(PROVIDERS):
        sample = sample_of(provider)
        source = Source(provider, sample, [f"4474721{place:02}{number:03}" for number in range(NUMBERS)])
        settings = {to_camel(name): value for name, value in sample.settings.items()}
        entered = {"name": provider, "provider": provider, "secret": source.secret, "settings": settings}
        added = site.staff("POST", "/admin/sources", entered)
        source.source_id, source.url = added["sourceId"], added["url"]
        rows = [{"phone": phone, "country": _NAME, "operator": provider} for phone in source.phones]
        site.staff("POST", "/admin/numbers", rows)
        source.sold = dict(site.buy(key, provider) for _ in range(SOLD))
        sources.append(source)
    return sources


def map_lines(site: Site, source: Source, without: str = "") -> None:
    """Say which numbers a source's lines are, if it has any, but for one number."""
    lines = [{"line": line, "phone": phone} for line, phone in source.lines.items() if phone != without]
    if lines:
        site.staff("PUT", f"/admin/sources/{source.source_id}/lines", lines)


def write(source: Source, number: int) -> Message:
    """Write an SMS; every other one of a source that sends parts is a long one."""
    at, turn = time.time_ns() // 1_000_000, number // len(PROVIDERS)
    phone, text, write_part = source.phones[turn % NUMBERS], f"SMS {number}: Код 5015", source.sample.write_part
    if write_part is None or turn % 2:
        return Message(source, phone, text, [source.sample.write(f"id-{number}", phone, text, at)])
    words = [f"SMS {number}: {_WORDS[0]}", *_WORDS[1:]]
    parts = [
        write_part(f"id-{number}-{place}", phone, text, at, (number, place, len(words)))
        for place, text in enumerate(words, start=1)
    ]
    return Message(source, phone, "".join(words), parts)


def shuffled(messages: Sequence[Message]) -> list[Delivery]:
    """Return what is delivered, in any order: some SMS twice, and of some deliveries the answer gets lost."""
    rolls = random.Random(_SEED)  # noqa: S311 - the same play each time
    again = rolls.sample(messages, round(len(messages) * REPEATED))
    deliveries = [Delivery(message, sent) for message in [*messages, *again] for sent in message.parts]
    rolls.shuffle(deliveries)
    for turn, place in enumerate(rolls.sample(range(len(deliveries)), round(len(deliveries) * LOST))):
        one = deliveries[place]
        deliveries[place] = Delivery(one.message, one.sent, lost="hung up" if turn % 2 else "unread")
    return deliveries


def deliver_all(site: Site, deliveries: Iterable[Delivery]) -> list[str]:
    """Deliver, several at once; return what was wrong with answers."""
    with ThreadPoolExecutor(AT_ONCE) as gateways:
        return [wrong for wrong in gateways.map(site.deliver, deliveries) if wrong]


def waiting(site: Site) -> list[Place]:
    """Return the SMS that wait for their lines."""
    return [("waiting", one["text"]) for one in site.listed("/admin/waiting", "messages")]


def found(site: Site, sources: Iterable[Source]) -> list[Place]:
    """Return all SMS and payloads that there are, wherever."""
    places = waiting(site)
    for source in sources:
        for activation_id in source.sold.values():
            shown = site.staff("GET", f"/admin/activations/{activation_id}")["messages"]
            places += [(f"activation {activation_id}", one["text"]) for one in shown]
    places += [(f"unclaimed: {one['reason']}", one["text"]) for one in site.listed("/admin/unclaimed", "messages")]
    places += [("tests", one["text"]) for one in site.listed("/admin/tests", "messages")]
    places += [
        ("unreadable", f"{one['reason']} {one['payload']}") for one in site.listed("/admin/unreadable", "payloads")
    ]
    return places


def compared(places: Iterable[Place], expected: Iterable[Place]) -> list[str]:
    """Return how what was found differs from what was to be found."""
    there, wanted = Counter(places), Counter(expected)
    lacking, too_many = sorted((wanted - there).elements()), sorted((there - wanted).elements())
    return [f"lacking: {place}" for place in lacking] + [f"not expected: {place}" for place in too_many]

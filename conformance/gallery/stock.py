"""The numbers of a supplier: what is free, who has which, and what may not be given again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.gallery.ways import excluded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.gallery.ways import Ways
    from conformance.hubs import Hub

PROHIBITED, SOLD, CANCELLED, RETURNED = 1, 3, 4, 5
# HeroSMS's 14, 15, 16 are 3, 4, 5 of a rent.
OF_RENT = 11


class LostTheRace(Exception):
    """The number that was free has been given to another meanwhile."""


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number; the first `code` of its digits are its country's."""

    digits: str
    country: str
    operator: str
    code: int


@dataclass(slots=True)
class Activation:
    id: int
    key: str
    number: Number
    operator: str
    service: str
    began: float
    outcome: int | None = None
    is_muted: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    pushing: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Stock:
    """Safe for threads. `used` are pairs of a number's digits and a service for which it is not given any more."""

    hub: Hub
    ways: Ways
    numbers: Sequence[Number]
    services: tuple[str, ...]
    used: set[tuple[str, str]]
    activations: dict[int, Activation] = field(default_factory=dict)
    _holders: dict[str, Activation] = field(default_factory=dict)
    _cancelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    _waiting: int = 0
    _met: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return how many numbers of each country, operator and service can be bought now."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        with self._lock:
            for number in self.numbers[:: self.ways.shows_each]:
                operators = found.setdefault(number.country, {})
                for operator in self._listed_under(number):
                    of_service = operators.setdefault(operator, dict.fromkeys(self.services, 0))
                    for service in self.services:
                        of_service[service] += self.ways.keeps_sold or self._is_free(number, operator, service, None)
        return found

    def buy(self, key: str, country: str, operator: str, service: str, prefixes: list[Any]) -> Activation | None:
        """Give a number to who has the key, or None. Raises LostTheRace."""
        ways = self.ways
        while True:
            with self._lock:
                live = sum(map(self.is_live, self._holders.values()))
                if live == ways.overflows_at:
                    return self._sold(key, next(iter(self._holders.values())).number, operator, service)
                number = (
                    self._candidate(key, country, operator, service, prefixes) if live != ways.sells_at_once else None
                )
            if number is None:
                return None
            if ways.losers == "all" and not self._is_alone():
                return None
            if ways.losers != "next":
                time.sleep(0.02)  # between its look and its taking others look, too
            with self._lock:
                if ways.losers == "both" or not ways.sells_out or self._is_free(number, operator, service, key):
                    return self._sold(key, number, operator, service)
            if ways.losers == "500":
                raise LostTheRace

    def _is_alone(self) -> bool:
        """Wait a moment, longer if somebody else does at the same time; tell whether nobody did."""
        with self._lock:
            self._waiting += 1
            self._met = self._met or self._waiting > 1
        time.sleep(0.02)
        if self._met:
            time.sleep(0.2)
        with self._lock:
            self._waiting -= 1
            met, self._met = self._met, self._met and self._waiting > 0
            return not met

    def free(self, activation: Activation, *, whoever: bool = False) -> None:
        """Take a number from its activation, or from whoever has it."""
        with self._lock:
            holder = self._holders.get(activation.number.digits)
            if holder is not None and (whoever or holder is activation):
                if self.ways.mutes and holder.outcome is None:
                    holder.is_muted = True
                else:
                    del self._holders[activation.number.digits]

    def finish(self, activation: Activation, outcome: int) -> None:
        with self._lock:
            activation.outcome = outcome
            activation.ended.set()
            self.free(activation, whoever=self.ways.stale_finish_ends)
            outcome -= OF_RENT if outcome > OF_RENT else 0
            about = activation.number.digits, activation.service
            if outcome == CANCELLED:
                self._cancelled[about] += 1
            limit = self.ways.cancels or self.hub.cancel_limit
            if (
                (outcome in {PROHIBITED, SOLD} and outcome not in self.ways.forgets)
                or (outcome == CANCELLED and limit and self._cancelled[about] >= limit)
                or outcome in self.ways.gone_after
            ):
                self.used.add(about)

    def live_of(self, digits: str) -> Activation | None:
        """Return the youngest activation that has a number now; its country's code may lack."""
        with self._lock:
            having = [each for each in self._holders.values() if digits and each.number.digits.endswith(digits)]
            had = [each for each in self.activations.values() if self.ways.remembers and each.number.digits == digits]
            return max(filter(self.is_live, having), key=lambda each: each.began, default=next(reversed(had), None))

    def is_live(self, activation: Activation) -> bool:
        lease = self.ways.lease_s
        return activation.outcome is None and (lease is None or time.monotonic() - activation.began < lease)

    def _is_free(self, number: Number, operator: str, service: str, key: str | None) -> bool:
        holder = self._holders.get(number.digits)
        if self.ways.apart and holder:
            apart = {
                "any": (holder.operator == "any") != (operator == "any"),
                "service": holder.service != service,
                "key": key not in {None, holder.key},
            }
            holder = None if apart[self.ways.apart] else holder
        resells_after = self.ways.resells_after_s
        if holder and resells_after is not None and time.monotonic() - holder.began > resells_after:
            holder = None
        return (number.digits, service) not in self.used and (holder is None or not self.is_live(holder))

    def _listed_under(self, number: Number) -> Iterator[str]:
        if self.hub.any_operator != "alone":
            yield number.operator
        if self.hub.any_operator in {"beside", "alone"}:
            yield "any"

    def _candidate(self, key: str, country: str, operator: str, service: str, prefixes: list[Any]) -> Number | None:
        begin = len(self.activations) % len(self.numbers) if self.ways.takes_turns else 0
        fitting = [
            number
            for number in (*self.numbers[begin:], *self.numbers[:begin])
            if number.country == country
            and (operator in self._listed_under(number) or self.ways.mixes_operators)
            and service in self.services
            and (number.digits, service) not in self.used
            and not excluded(number.digits, prefixes, number.code, self.ways)
        ]
        live = fitting if not self.ways.sells_out else []
        return next(
            (number for number in fitting if self._is_free(number, operator, service, key)), next(iter(live), None)
        )

    def _sold(self, key: str, number: Number, operator: str, service: str) -> Activation:
        new = self.ways.first_activation + len(self.activations)
        if self.ways.ids_come_again:
            new = next((each.id for each in self.activations.values() if each.outcome is not None), new)
        activation = Activation(new, key, number, operator, service, time.monotonic())
        self.activations[new] = self._holders[number.digits] = activation
        return activation


def numbers(country: str, operator: str, code: str, begins: Iterable[str], each: int) -> Iterator[Number]:
    """Yield numbers of an operator, so many of each of what they begin with after the country's code."""
    for begin in begins:
        for nth in range(each):
            last = str(nth * 37 + 11)
            yield Number(code + begin + last.rjust(10 - len(begin), "0"), country, operator, len(code))

"""What a partner calls our countries, operators and services (contract 1.9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from globalconnect.domain.names import folded, spellings_of
from globalconnect.domain.requests import AskedPools, GetNumber, WantedNumber

# In place of an operator: all of the country that have no entry of their own.
EVERY_OPERATOR = "*"


@dataclass(frozen=True, slots=True)
class PartnerNames:
    """What a partner calls what we have, by our names as they are stored: countries, the operators of each country, and
    services. What has no entry is called as we call it or, with `hides_unmapped`, not offered.

    Several of our countries or operators may have one name: the partner is shown the sum, and is sold any of them. No two
    services have one.
    """

    countries: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    hides_unmapped: bool = False

    def country(self, ours: str) -> str | None:
        """Return what a country of ours is called; None when it is not offered."""
        return self.countries.get(ours, self._unmapped(ours))

    def operator(self, country: str, ours: str) -> str | None:
        """Return what an operator of ours in a country of ours is called; None when it is not offered."""
        own = self.operators.get(country, {})
        return own.get(ours, own.get(EVERY_OPERATOR, self._unmapped(ours)))

    def named_services(self, codes: Iterable[str]) -> dict[str, str]:
        """Return what services of ours are called, by our codes, those that are offered in the order of their names.

        One without an entry, whose code is what another is called, is not: it came after the names were given.
        """
        taken = frozenset(self.services.values())
        named = {
            ours: name
            for ours in codes
            if (name := self.services.get(ours, self._unmapped(ours))) is not None
            and (ours in self.services or ours not in taken)
        }
        return dict(sorted(named.items(), key=lambda entry: entry[1]))

    def wanted(self, asked: GetNumber) -> WantedNumber | None:
        """Return what of ours a partner asks for; None when no service is called so."""
        service = self._service(asked.service)
        if service is None:
            return None
        pools = tuple(self._pools(country, asked.operator) for country in self._countries(asked.country))
        return WantedNumber(pools, service, asked)

    def _unmapped(self, ours: str) -> str | None:
        return None if self.hides_unmapped else ours

    def _service(self, asked: str) -> str | None:
        for ours, name in self.services.items():
            if name == asked:
                return ours
        return None if asked in self.services else self._unmapped(asked)

    def _countries(self, asked: str) -> list[str]:
        name = folded(asked)
        countries = [ours for ours, theirs in self.countries.items() if theirs == name]
        if not self.hides_unmapped and self.countries.keys().isdisjoint(spellings_of(asked)):
            countries.append(asked)
        return countries

    def _pools(self, country: str, operator: str | None) -> AskedPools:
        own = next((self.operators[name] for name in spellings_of(country) if name in self.operators), {})
        if operator is None:
            is_any = EVERY_OPERATOR in own or not self.hides_unmapped
            return AskedPools(country, None if is_any else frozenset(own))
        name = folded(operator)
        if own.get(EVERY_OPERATOR) == name:
            return AskedPools(country, without=frozenset(ours for ours, theirs in own.items() if theirs != name))
        operators = {ours for ours, theirs in own.items() if theirs == name}
        if not self.hides_unmapped and EVERY_OPERATOR not in own and own.keys().isdisjoint(spellings_of(operator)):
            operators.add(operator)
        return AskedPools(country, frozenset(operators))


# Of a partner that calls everything as we do.
OUR_NAMES = PartnerNames()

"""What a name of a country, an operator or a service is, and when two of them are the same."""

import unicodedata
from collections.abc import Iterable

from globalconnect.domain.errors import InvalidInput

POOL_SEPARATOR = "|"

_LONGEST = 100
# They join letters or keep them apart, as some scripts need it; at an end they do nothing.
_JOINERS = "\u200c\u200d"
# What Unicode counts among letters and marks, and nobody sees.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def folded(name: str) -> str:
    """Return a name as it is compared: in NFC, without white space at its ends, one space for any in it."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def spellings_of(name: str) -> tuple[str, ...]:
    """Return how a name may be stored that somebody asks for: folded and, if that differs, as it was sent."""
    return tuple(dict.fromkeys((folded(name), name)))


class StoredNames:
    """Finds the pool that a country and an operator mean among those there are, whichever way it is stored."""

    def __init__(self, pools: Iterable[tuple[str, str]]) -> None:
        self._countries: dict[str, str] = {}
        self._pools: dict[tuple[str, str], tuple[str, str]] = {}
        # Of several under names that are the same the folded one comes last, and stays.
        for country, operator in sorted(pools, key=lambda pool: (pool == _both(*pool), pool)):
            pool = _both(country, operator)
            self._countries.setdefault(pool[0], country)
            self._pools[pool] = (country, operator)
            if country == pool[0]:
                self._countries[country] = country

    def pool(self, country: str, operator: str) -> tuple[str, str]:
        """Return a pool as it is stored; of a new one at least its country. Folds what it takes."""
        pool = _both(country, operator)
        return self._pools.get(pool, (self.country(country), pool[1]))

    def country(self, country: str) -> str:
        """Return a country as it is stored, folded when there is none."""
        return self._countries.get(folded(country), folded(country))


def _both(country: str, operator: str) -> tuple[str, str]:
    return folded(country), folded(operator)


def check_name(value: object, name: str, longest: int = _LONGEST) -> str:
    """Return a name, folded. Raises InvalidInput, which names the first character that nobody would see."""
    text = folded(value) if isinstance(value, str) else ""
    if not 0 < len(text) <= longest:
        raise InvalidInput(name, f"expected a text of 1 to {longest} characters")
    unseen = _first_unseen(text)
    if unseen is not None:
        raise InvalidInput(name, f"contains U+{ord(unseen):04X}")
    return text


def check_pool_name(value: object, name: str) -> str:
    """Return a country's or an operator's name as we keep it. Raises InvalidInput."""
    text = check_name(value, name)
    if POOL_SEPARATOR in text:
        raise InvalidInput(name, f"expected a text without {POOL_SEPARATOR}")
    return text


def _first_unseen(text: str) -> str | None:
    if text.isprintable() and _BLANK_LETTERS.isdisjoint(text):
        return None
    inner = range(1, len(text) - 1)
    for place, character in enumerate(text):
        joins = character in _JOINERS and place in inner
        if not joins and (character in _BLANK_LETTERS or not character.isprintable()):
            return character
    return None

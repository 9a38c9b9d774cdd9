"""Cursors: where the next page of a listing begins, opaque to whoever gets one (docs/adr/0017).

A cursor is the key to go on from, bound to its listing and filters. It is not signed: staff may read
every listing anyway. But one that was made up, or made for another listing, must end as a clear 400 and never reach
the store, so the key in it has to look exactly as the store would have written it.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.text import is_text

type CursorKey = Mapping[str, Any]

_VERSION = 1
_LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a listing, and the cursor of the next (None at the end)."""

    items: list[T]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing under its filters; `is_key` tells whether something can be a key of it."""

    name: str
    is_key: Callable[[object], bool]
    filters: tuple[str | None, ...] = ()

    def cursor(self, key: CursorKey | None) -> str | None:
        """Return the cursor of the page that begins after `key`; None at the end."""
        if key is None:
            return None
        content = json.dumps([_VERSION, self._binding(), key], separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()

    def key(self, cursor: str | None) -> dict[str, Any] | None:
        """Return the key in a cursor of this listing; None for the first page. Raises InvalidInput."""
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            content: object = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, RecursionError):
            content = None
        match content:
            case [version, binding, dict(key)] if (version, binding) == (_VERSION, self._binding()) and self.is_key(
                key
            ):
                return key
            case _:
                raise InvalidInput("cursor", "expected the cursor of an earlier answer to the same listing")

    def _binding(self) -> str:
        return hashlib.sha256(json.dumps([self.name, *self.filters]).encode()).hexdigest()[:16]


def has(key: object, /, **attributes: type[int] | type[str] | str) -> bool:
    """Return whether `key` has exactly these attributes, each of the given type or with the given text."""
    return (
        isinstance(key, dict)
        and key.keys() == attributes.keys()
        and all(_fits(key[name], expected) for name, expected in attributes.items())
    )


def _fits(value: object, expected: type[int] | type[str] | str) -> bool:
    if expected is int:
        return type(value) is int and 0 <= value <= LARGEST_ID
    if expected is str:
        return isinstance(value, str) and 0 < len(value.encode(errors="replace")) <= _LONGEST_TEXT and is_text(value)
    return value == expected

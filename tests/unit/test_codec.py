"""Items are read as they were written, also those that lack what came later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import from_wire, to_wire


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    at: int
    until: int | None = None


@dataclass(frozen=True)
class Thing:
    thing_id: str
    color: Color
    details: Mapping[str, int]
    url: str | None
    former_color: Color | None = None
    tags: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    stop: Part | None = None
    seen_at: int = 0


CODEC = Codec(
    Thing,
    {"thing_id": "id"},
    parts={"stop": Codec(Part, {"at": "stopped_at", "until": "back_at"})},
    unwritten={"seen_at"},
)
LEAST = Thing("a", Color.RED, {}, None)
MOST = Thing("a", Color.RED, {"x": 1}, "u", Color.RED, frozenset("pq"), (Part(1), Part(2, 3)), {"y": 2}, Part(4, 5), 6)


@pytest.mark.parametrize("thing", [LEAST, MOST])
def test_what_was_written_is_read(thing: Thing) -> None:
    item = to_wire({**CODEC.to_item(thing), "seen_at": thing.seen_at})
    assert CODEC.from_item(from_wire(item)) == thing


def test_none_and_what_is_empty_by_default_is_absent() -> None:
    assert to_wire(CODEC.to_item(LEAST)) == {"id": {"S": "a"}, "color": {"S": "red"}, "details": {"M": {}}}


def test_values_have_the_forms_that_deployed_stacks_have() -> None:
    assert to_wire(CODEC.to_item(MOST)) == to_wire(
        {
            "id": "a",
            "color": "red",
            "details": {"x": 1},
            "url": "u",
            "former_color": "red",
            "tags": {"p", "q"},
            # In a map, None is a value.
            "parts": [{"at": 1, "until": None}, {"at": 2, "until": 3}],
            "counts": {"y": 2},
            "stopped_at": 4,
            "back_at": 5,
        }
    )


def test_what_is_only_read_is_not_written() -> None:
    assert set(CODEC.attributes) - CODEC.to_item(MOST).keys() == {"seen_at"}


def test_an_item_of_an_earlier_version_has_the_defaults() -> None:
    assert CODEC.from_item({"id": "a", "color": "red", "details": {}}) == LEAST

"""Counts what a request costs in calls to AWS."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

# Also before what tests put in the place of AWS.
_EVENT = "before-parameter-build.dynamodb"


class Calls:
    """Counts the calls of a DynamoDB client by operation, while it is open."""

    def __init__(self, client: Any) -> None:
        self._made: list[str] = []
        self._events = client.meta.events

    def __enter__(self) -> Self:
        """Begin to count."""
        self._events.register(_EVENT, self._note)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        """Count no more."""
        self._events.unregister(_EVENT, self._note)

    def of(self, do: Callable[[], object]) -> list[str]:
        """Return the operations that something calls."""
        self._made.clear()
        do()
        return sorted(self._made)

    def _note(self, model: Any, **_: object) -> None:
        self._made.append(model.name)

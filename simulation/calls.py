"""Listens to the calls that a client of AWS makes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self


@contextmanager
def heard(client: Any, event: str) -> Iterator[list[dict[str, Any]]]:
    """Yield what botocore tells at an event of a client, one entry a call, as long as the context lasts."""
    told: list[dict[str, Any]] = []

    def note(**what: Any) -> None:
        told.append(what)

    client.meta.events.register(event, note)
    try:
        yield told
    finally:
        client.meta.events.unregister(event, note)


class Calls(ExitStack):
    """Counts the calls of a DynamoDB client by operation, while it is open."""

    def __init__(self, client: Any) -> None:
        super().__init__()
        self._client = client

    def __enter__(self) -> Self:
        # Also before what tests put in the place of AWS.
        self._told = self.enter_context(heard(self._client, "before-parameter-build.dynamodb"))
        return super().__enter__()

    def of(self, do: Callable[[], object]) -> list[str]:
        self._told.clear()
        do()
        return sorted(call["model"].name for call in self._told)

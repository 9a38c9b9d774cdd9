"""What is kept as one value because DynamoDB's own maps and lists would cost too much to read, or outgrow an item."""

import functools
import gzip
import json
from collections.abc import Mapping
from typing import Any

# Of no service.
NO_COUNTS = ""


def pack_counts(counts: Mapping[str, int]) -> str:
    """Return counts per service as `go,tg=12,3`: as a map, they would be most of the work of GET_SERVICES."""
    services = sorted(counts)
    return f"{','.join(services)}={','.join(str(counts[service]) for service in services)}" if services else NO_COUNTS


def unpack_counts(packed: str | dict[str, int]) -> dict[str, int]:
    if isinstance(packed, dict):
        # As they were kept before; the pool's next change writes them anew.
        return packed
    if packed == NO_COUNTS:
        return {}
    services, _, counts = packed.partition("=")
    return dict(zip(_split(services), map(int, counts.split(",")), strict=True))


@functools.lru_cache(maxsize=1_000)
def _split(services: str) -> tuple[str, ...]:
    # Many pools are blocked for the same services.
    return tuple(services.split(","))


def pack_histogram(counts: Mapping[int, int]) -> str:
    """Return counts by bound as `10=3,24=1`: as maps, those of a month would take a second to read."""
    return ",".join(f"{bound}={counts[bound]}" for bound in sorted(counts))


def unpack_histogram(packed: str) -> dict[int, int]:
    return {int(bound): int(count) for bound, _, count in (pair.partition("=") for pair in packed.split(",") if pair)}


def pack_json(content: object) -> bytes:
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)


def unpack_json(packed: bytes) -> Any:
    return json.loads(gzip.decompress(packed))

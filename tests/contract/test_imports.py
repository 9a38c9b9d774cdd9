"""Many numbers at once through the deployed URL: an import in parts, contract 5."""

import time
from collections.abc import Sequence
from typing import Any

from tests.contract.market import Market

CSV = {"Content-Type": "text/csv"}
# API Gateway gives up after 29 s.
GATEWAY_SECONDS = 29
ROWS, PART = 5_000, 2_500
PHONES = [str(470_000_000_000 + place) for place in range(ROWS)]


def _csv(phones: Sequence[str]) -> bytes:
    return "\n".join(["phone,country,operator", *(f"{phone},bigland,Big {phone[-1]}" for phone in phones), ""]).encode()


def _sent(market: Market, phones: Sequence[str]) -> tuple[dict[str, Any], float]:
    """Import numbers in parts. Returns the import as it is then, and how long the longest part took (s)."""
    import_id = market.made("POST", "/admin/imports", {"fileName": "big.csv"})["importId"]
    longest = 0.0
    for part, place in enumerate(range(0, len(phones), PART), 1):
        began = time.monotonic()
        path = f"/admin/imports/{import_id}/parts/{part}"
        answer = market.admin("PUT", path, _csv(phones[place : place + PART]), headers=CSV)
        longest = max(longest, time.monotonic() - began)
        assert answer.status_code == 200, answer.text
    return market.made("POST", f"/admin/imports/{import_id}/finish"), longest


def _counts(shown: dict[str, Any]) -> dict[str, int]:
    return {name: shown[name] for name in ("parts", "rows", "imported", "updated", "unchanged", "rejected")}


def test_a_large_file_is_imported_in_parts_and_once_more_changes_nothing(market: Market) -> None:
    parts = ROWS // PART
    first, longest = _sent(market, PHONES)
    sums = {"parts": parts, "rows": ROWS, "imported": ROWS, "updated": 0, "unchanged": 0, "rejected": 0}
    assert _counts(first) == sums
    assert longest < GATEWAY_SECONDS
    sample = market.made("GET", f"/admin/numbers/{PHONES[-1]}")
    again, longest = _sent(market, PHONES)
    assert _counts(again) == sums | {"imported": 0, "updated": ROWS, "unchanged": ROWS}
    assert longest < GATEWAY_SECONDS
    assert market.made("GET", f"/admin/numbers/{PHONES[-1]}") == sample
    newest = market.made("GET", "/admin/imports")["imports"][:2]
    assert newest == [again, first]

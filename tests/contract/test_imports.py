"""Many numbers at once through the deployed URL: imports in parts, withdrawing and restoring: contract 5."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.market import Market

CSV = {"Content-Type": "text/csv"}
# API Gateway gives up after 29 s.
GATEWAY_SECONDS = 29
ROWS, PART = 15_000, 3_000
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


def test_a_file_with_bad_rows_is_sent_in_parts_and_the_bad_rows_are_listed(market: Market) -> None:
    pool = market.pool(2)
    good, known = str(int(pool.phones[0]) + 5_000), pool.phones[0]
    line = f"{{}},{pool.country},{pool.operator}\n"
    contents = [
        "phone,country,operator\n" + line.format(good) + line.format("+44 1"),
        "phone,country,operator\n" + line.format(known) + line.format(good),
    ]
    import_id = market.made("POST", "/admin/imports", {"fileName": "small.csv"})["importId"]
    path = f"/admin/imports/{import_id}"
    gap = market.admin("PUT", f"{path}/parts/2", contents[1].encode(), headers=CSV)
    assert (gap.status_code, gap.json()["message"]) == (409, "part: expected 1, the next one")
    answers = [
        market.admin("PUT", f"{path}/parts/{part}", content.encode(), headers=CSV).json()
        for part, content in [(1, contents[0]), (1, contents[0]), (2, contents[1])]
    ]
    assert answers[0] == answers[1]
    listed = market.made("GET", f"{path}/rejected")
    assert listed == {"rejected": answers[0]["rejected"] + answers[2]["rejected"], "cursor": None}
    assert [refused["row"] for refused in listed["rejected"]] == [2, 4]
    finished = market.made("POST", f"{path}/finish")
    sums = {"parts": 2, "rows": 4, "imported": 1, "updated": 1, "unchanged": 1, "rejected": 2}
    assert _counts(finished) == sums
    assert market.made("GET", path) == finished


@pytest.mark.parametrize("enabled", [False, True])
def test_many_numbers_are_withdrawn_and_restored(market: Market, enabled: bool) -> None:
    pool = market.pool(3)
    path = f"/admin/numbers/{pool.phones[0]}"
    if enabled:
        market.made("PATCH", "/admin/numbers", {"phones": pool.phones, "enabled": False})
    asked = {"phones": [*pool.phones, "479999999999"], "enabled": enabled}
    assert market.made("PATCH", "/admin/numbers", asked) == {"changed": 3, "unknown": ["479999999999"]}
    assert market.made("PATCH", "/admin/numbers", asked)["changed"] == 0
    assert market.made("GET", path)["enabled"] is enabled

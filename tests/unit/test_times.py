"""Times as the contract writes them."""

import pytest

from globalconnect.domain.times import parse_iso, to_iso


def test_a_time_is_written_as_the_contract_does() -> None:
    assert to_iso(1_705_322_096_789) == "2024-01-15T12:34:56+00:00"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024-01-15T12:34:56Z", (1_705_322_096_000, False)),
        ("2024-01-15T14:34:56+02:00", (1_705_322_096_000, False)),
        ("2024-01-15T12:34:56.250+00:00", (1_705_322_096_250, True)),
        ("2024-01-15T12:34:56", None),
    ],
)
def test_a_time_is_read_with_its_offset_or_not_at_all(text: str, read: tuple[int, bool] | None) -> None:
    assert parse_iso(text) == read

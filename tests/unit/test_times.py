"""Times as the contract writes them."""

import pytest

from globalconnect.domain.times import HOUR, MINUTE, SECOND, parse_iso, to_iso


def test_a_time_is_written_as_the_contract_does() -> None:
    assert to_iso(1_705_322_096_789) == "2024-01-15T12:34:56+00:00"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024-01-15T12:34:56Z", (1_705_322_096_000, SECOND)),
        ("2024-01-15T14:34:56+02:00", (1_705_322_096_000, SECOND)),
        ("20240115T123456-0000", (1_705_322_096_000, SECOND)),
        ("2024-01-15 12:34:56Z", (1_705_322_096_000, SECOND)),
        ("2024-W03-1T12:34:56Z", (1_705_322_096_000, SECOND)),
        ("2024-01-15T12:34:56.250+00:00", (1_705_322_096_250, 1)),
        ("2024-01-15T12:34:56.000Z", (1_705_322_096_000, 1)),
        ("2024-01-15T12:34Z", (1_705_322_040_000, MINUTE)),
        ("20240115T1234+0000", (1_705_322_040_000, MINUTE)),
        ("2024-01-15T12+00:00", (1_705_320_000_000, HOUR)),
        ("2024-01-15T12:34:56", None),
    ],
)
def test_a_time_is_read_with_its_offset_as_exactly_as_it_is_stated_or_not_at_all(
    text: str, read: tuple[int, int] | None
) -> None:
    assert parse_iso(text) == read

"""Imports of numbers that are sent in parts (contract 5, docs/adr/0024)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A file of numbers that is sent in parts: who began it, and what its first `parts` parts did. Times are in ms.

    `updated` are numbers that were known, `unchanged` those of them that were in their pool already.
    """

    import_id: str
    file_name: str
    dry_run: bool
    staff: str
    started_at: int
    finished_at: int | None = None
    parts: int = 0
    rows: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not imported, by its place in the whole file."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportPart:
    """What a part of an import did; `content` is the SHA-256 (hex) of what was sent."""

    number: int
    content: str
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: tuple[RejectedRow, ...]

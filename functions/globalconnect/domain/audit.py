"""What staff have changed, and at which SMS texts they have looked (contract 5, docs/adr/0025)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

type AuditDetail = str | int | list[str]


class AuditResult(StrEnum):
    """How a change ended; one that is `started` is under way, or nobody knows how it ended."""

    STARTED = "started"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody of the staff did at `at` (ms). `token` tells entries of one moment apart.

    Details are ids, counts and names of fields, and the reason that was given: never a value that was set, never a secret,
    never what an SMS says.
    """

    at: int
    token: str
    staff: str
    staff_name: str
    action: str
    changed_id: str | None
    result: AuditResult
    details: Mapping[str, AuditDetail]

"""Who of the staff may do what (contract 5)."""

from dataclasses import dataclass
from enum import StrEnum

from globalconnect.domain.times import SECOND


class Role(StrEnum):
    """What a member of staff may do: what those before it may, and more."""

    VIEW = "view"
    SUPPORT = "support"
    STOCK = "stock"
    OWNER = "owner"

    def may_do_as(self, needed: "Role") -> bool:
        """Return whether this role may do what needs that one."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person of the staff, by their user name at Cognito; times in ms.

    `signed_out_at` ends every session that began before it, and so does `invited_at` those from before a removal.
    `totp_required` is this person's own duty to have a second factor; a deployment may require it of everybody.
    """

    name: str
    role: Role
    invited_at: int
    disabled_at: int | None = None
    signed_out_at: int | None = None
    totp_required: bool = False
    version: int = 0

    @property
    def is_owner(self) -> bool:
        """Whether they count among the owners of whom one must be left."""
        return self.role is Role.OWNER and self.disabled_at is None

    def admits(self, began_at: int) -> bool:
        """Return whether a token of this person counts whose session began at `began_at` (ms, in whole seconds)."""
        # Who signs in within the second in which they were invited is let in.
        since = max(self.invited_at // SECOND * SECOND, self.signed_out_at or 0)
        return self.disabled_at is None and began_at >= since

"""Who of the staff may do what (contract 5)."""

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is let do; everybody who can sign in is an administrator."""

    ADMINISTRATOR = "administrator"

"""Who asks, and what they may do (contract 5)."""

import re

from admin_api.wiring import Parts
from globalconnect.domain.errors import NotSignedIn, RoleNeeded, TotpNeeded
from globalconnect.domain.staff import Role, StaffMember
from globalconnect.domain.times import SECOND
from globalconnect.runtime.http import Request

_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


def signed_in(request: Request, parts: Parts, needed: Role) -> StaffMember:
    """Return the member of staff whose ID token a request has that needs a role.

    What an owner may do gives access, and could give back what was just taken: an owner is read as they are now, anybody
    else as they were within the cache's time. Raises NotSignedIn unless the token is an ID token of our client's, of a
    session that began since they were invited and signed out, and of somebody who is not disabled; and RoleNeeded for a
    user of the pool who is not of the staff. The API's authorizer takes any token of the pool: access tokens too, and
    those of other clients.
    """
    claims = request.claims
    if claims.get("token_use") != "id" or claims.get("aud") != parts.user_pool_client_id:
        raise NotSignedIn
    member = parts.staff.find(str(claims["cognito:username"]), as_now=needed is Role.OWNER)
    if member is None:
        raise RoleNeeded(None)
    if not member.admits(_began_at(request)):
        raise NotSignedIn
    return member


def check_role(member: StaffMember, needed: Role) -> None:
    """Raise RoleNeeded, which names the role, unless a person may do what needs that role."""
    if not member.role.may_do_as(needed):
        raise RoleNeeded(needed)


def check_totp(member: StaffMember, parts: Parts) -> None:
    """Raise TotpNeeded when a person must have a second factor and Cognito does not say that they do."""
    if (parts.require_totp or member.totp_required) and not parts.user_pool.has_totp(member.name):
        raise TotpNeeded


def _began_at(request: Request) -> int:
    """Return when the session began that a token is of (ms), as Cognito says to the second.

    A token that was renewed is of the session in which its holder signed in. API Gateway hands on this number as a text;
    `iat`, which a renewal moves, it makes a date of. Raises NotSignedIn for a token that does not say.
    """
    stated = str(request.claims.get("auth_time"))
    if not _SECONDS.fullmatch(stated):
        raise NotSignedIn
    return int(stated) * SECOND

"""`make staff`: invites a person to the console, on AWS or on the local stack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.failure import DeploymentError
from local.staff import OWNER, ROLES, grant, has_owner, new_password, role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployment.stacks import Stack

LOCAL, AWS = "local", "aws"
# Who was invited and has not come yet.
_INVITED = "FORCE_CHANGE_PASSWORD"
# As admin_api has it.
_ATOM, _LABEL = r"[a-z0-9!$&'*+=^_`{|}~-]+", "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+", re.ASCII)
_LONGEST_EMAIL = 128


@dataclass(frozen=True)
class Console:
    """A deployed stack as people come to it: its Cognito pool and staff table, through clients, and where they sign in."""

    pools: Any
    pool_id: str
    tables: Any
    staff_table: str
    url: str
    sends_mail: bool

    @classmethod
    def of(cls, client: Callable[[str], Any], stack: Stack, url: str, *, sends_mail: bool) -> Console:
        """That of a complete stack."""
        pool, table = stack.outputs["UserPoolId"], stack.outputs["StaffTableName"]
        return cls(client("cognito-idp"), pool, client("dynamodb"), table, url, sends_mail)


def where(wanted: str, *, local_is_up: bool, aws_is_at_hand: bool) -> str:
    """Which stack is meant: LOCAL or AWS. Raises DeploymentError when that is not plain."""
    if wanted and wanted not in {LOCAL, AWS}:
        raise DeploymentError(f"ON is {LOCAL} or {AWS}, not {wanted}.")
    if wanted == LOCAL and not local_is_up:
        raise DeploymentError("The local stack is down.", how="Start it: make up")
    if wanted:
        return wanted
    if local_is_up and aws_is_at_hand:
        raise DeploymentError(
            "The local stack is up, and there are an AWS region and credentials, too.",
            how="Say which is meant: ON=local or ON=aws",
        )
    if not local_is_up and not aws_is_at_hand:
        raise DeploymentError(
            "The local stack is down, and there is no AWS region with credentials.",
            how="Start the local one (make up), or name a region and sign in (AWS_REGION=..., AWS_PROFILE=...).",
        )
    return LOCAL if local_is_up else AWS


def email_of(text: str) -> str:
    """The e-mail address of the person. Raises DeploymentError when it is none."""
    # The pool tells capitals apart; people and their mail don't.
    email = text.strip().lower()
    if not text.isascii() or len(email) > _LONGEST_EMAIL or not _ADDRESS.fullmatch(email):
        raise DeploymentError("EMAIL is one e-mail address.", how="make staff EMAIL=ada@example.com")
    return email


def wants_reset(wanted: str) -> bool:
    """Whether RESET asks for it. Raises DeploymentError for what is neither yes nor nothing."""
    if wanted not in {"", "yes"}:
        raise DeploymentError(f"RESET is yes, or is not given; not {wanted}.")
    return bool(wanted)


def role_for(console: Console, email: str, wanted: str) -> str:
    """The role that a person is to have: the one that is wanted, else theirs, else owner where there is none yet.

    Raises DeploymentError when it is none, or has to be said.
    """
    if wanted and wanted not in ROLES:
        raise DeploymentError(f"ROLE is one of {', '.join(ROLES)}, not {wanted}.")
    role = wanted or role_of(console.tables, console.staff_table, email)
    if role is None and has_owner(console.tables, console.staff_table):
        raise DeploymentError("In which role?", how=f"make staff EMAIL={email} ROLE={'|'.join(ROLES)}")
    return role or OWNER


def invite(console: Console, email: str, role: str, say: Callable[[str], None]) -> None:
    """Invite the person in this role, once more if they have not come yet, and say what they do now.

    Who is there already is given the role, and enabled: it is the way back in. Raises DeploymentError for the last owner.
    """
    user = _user(console, email)
    if user and not user.get("Enabled", True):
        console.pools.admin_enable_user(UserPoolId=console.pool_id, Username=email)
    if user and user["UserStatus"] != _INVITED:
        _grant(console, email, role)
        say(f"{email} is there already ({user['UserStatus']}), has the role {role}, and signs in at {console.url}")
        return
    again = user is not None
    invited = f"{email} is invited{' again' if again else ''} as {role}"
    if console.sends_mail:
        _invite_by_mail(console, email, again=again)
        _grant(console, email, role)
        say(f"{invited}: a mail with a temporary password, good for 7 days, is on its way.")
        say(f"It does not say where to go. Tell them: sign in at {console.url} with {email}, and choose a password.")
    else:
        password = _invite_without_mail(console, email, again=again)
        _grant(console, email, role)
        say(f"{invited}. A local stack sends no mail: the temporary password is {password}")
        say(f"Sign in with both at {console.url} and choose a password.")


def reset(console: Console, email: str, role: str, say: Callable[[str], None]) -> None:
    """Let a person in who has lost their password or second factor, and nobody else: give them this role and a password
    for one sign-in, take the second factor away, end their sessions, and say what they do now.

    Whoever is not there yet is invited. Raises DeploymentError for the last owner.
    """
    user = _user(console, email)
    if user is None:
        invite(console, email, role, say)
        return
    person, password = {"UserPoolId": console.pool_id, "Username": email}, new_password()
    # The password first: with the former one nobody signs in once the sessions have ended.
    console.pools.admin_set_user_password(**person, Password=password, Permanent=False)
    console.pools.admin_set_user_mfa_preference(
        **person, SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False}
    )
    # Cognito may refuse this for who is disabled.
    console.pools.admin_enable_user(**person)
    console.pools.admin_user_global_sign_out(**person)
    _grant(console, email, role, ends_sessions=True)
    say(f"{email} has the role {role}, no second factor, and no session any more: the temporary password is {password}")
    say(f"Sign in with both at {console.url}, choose a password, and set up a second factor under your name.")


def _grant(console: Console, email: str, role: str, *, ends_sessions: bool = False) -> None:
    if not grant(console.tables, console.staff_table, email, role, ends_sessions=ends_sessions):
        raise DeploymentError(f"{email} is the last owner.", how="Make somebody else an owner first.")


def _user(console: Console, email: str) -> Mapping[str, Any] | None:
    """What Cognito says of the person's account, None when there is none."""
    try:
        user: Mapping[str, Any] = console.pools.admin_get_user(UserPoolId=console.pool_id, Username=email)
    except console.pools.exceptions.UserNotFoundException:
        return None
    return user


def _invite_by_mail(console: Console, email: str, *, again: bool) -> None:
    details: dict[str, Any] = {"MessageAction": "RESEND"} if again else {"UserAttributes": _attributes(email)}
    console.pools.admin_create_user(
        UserPoolId=console.pool_id, Username=email, DesiredDeliveryMediums=["EMAIL"], **details
    )


def _invite_without_mail(console: Console, email: str, *, again: bool) -> str:
    password = new_password()
    if not again:
        console.pools.admin_create_user(
            UserPoolId=console.pool_id, Username=email, UserAttributes=_attributes(email), MessageAction="SUPPRESS"
        )
    console.pools.admin_set_user_password(
        UserPoolId=console.pool_id, Username=email, Password=password, Permanent=False
    )
    return password


def _attributes(email: str) -> list[dict[str, str]]:
    return [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]

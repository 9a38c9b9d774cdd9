"""`make staff`: invites a person to the console, on AWS or on the local stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment import parameters
from deployment.failure import DeploymentError
from local.staff import new_password

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOCAL, AWS = "local", "aws"
# Who was invited and has not come yet.
_INVITED = "FORCE_CHANGE_PASSWORD"


@dataclass(frozen=True)
class Console:
    """A deployed stack as people come to it: its Cognito pool, through a client, and where they sign in."""

    pools: Any
    pool_id: str
    url: str
    sends_mail: bool


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
    if not parameters.is_email(text.strip()):
        raise DeploymentError("EMAIL is one e-mail address.", how="make staff EMAIL=ada@example.com")
    # The pool tells capitals apart; people and their mail don't.
    return text.strip().lower()


def invite(console: Console, email: str, say: Callable[[str], None]) -> None:
    """Invite the person, once more if they have not come yet, and say what they do now."""
    user = _user(console, email)
    if user and not user.get("Enabled", True):
        raise DeploymentError(
            f"{email} is there already, and disabled.",
            how=f"To enable: aws cognito-idp admin-enable-user --user-pool-id {console.pool_id} --username {email}",
        )
    if user and user["UserStatus"] != _INVITED:
        say(f"{email} is there already ({user['UserStatus']}), and signs in at {console.url}")
        return
    again = user is not None
    invited = f"{email} is invited{' again' if again else ''}"
    if console.sends_mail:
        _invite_by_mail(console, email, again=again)
        say(f"{invited}: a mail with a temporary password, good for 7 days, is on its way.")
        say(f"It does not say where to go. Tell them: sign in at {console.url} with {email}, and choose a password.")
    else:
        password = _invite_without_mail(console, email, again=again)
        say(f"{invited}. A local stack sends no mail: the temporary password is {password}")
        say(f"Sign in with both at {console.url} and choose a password.")


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

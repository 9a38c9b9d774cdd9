"""The local stack's member of staff: a Cognito user with a password of its own, and a token for the next hour."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local.aws import CONFIG, session
from local.place import read_private, write_private

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

    from local.deploy import Outputs
    from local.place import Place

NAME = "staff@localhost"
UNKNOWN_OR_WRONG = {"NotAuthorizedException", "UserNotFoundException"}


@dataclass(frozen=True)
class SignedIn:
    user: str
    password: str
    token: str


def sign_in(place: Place, endpoint: str, outputs: Outputs) -> SignedIn:
    """Sign the user in with the password kept from last time, or make the user when there is none."""
    users = session().client("cognito-idp", endpoint_url=endpoint, config=CONFIG)
    kept = read_private(place.staff_file) or {}
    password = kept.get("password")
    if isinstance(password, str):
        try:
            return SignedIn(NAME, password, _token(users, outputs, password))
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN_OR_WRONG:
                raise
    password = new_password()
    write_private(place.staff_file, {"user": NAME, "password": password})
    # One is there already when staff.json was lost; it gets the new password.
    with contextlib.suppress(users.exceptions.UsernameExistsException):
        users.admin_create_user(UserPoolId=outputs.user_pool_id, Username=NAME, MessageAction="SUPPRESS")
    users.admin_set_user_password(UserPoolId=outputs.user_pool_id, Username=NAME, Password=password, Permanent=True)
    return SignedIn(NAME, password, _token(users, outputs, password))


def _token(users: CognitoIdentityProviderClient, outputs: Outputs, password: str) -> str:
    answer = users.initiate_auth(
        ClientId=outputs.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": NAME, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]


def new_password() -> str:
    """A password by chance, as the pool's policy wants one."""
    # The pool's policy asks for each kind of letter, which chance alone does not promise.
    return f"{secrets.token_urlsafe(18)}aA1"

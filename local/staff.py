"""The local stack's member of staff: a Cognito user with a password of its own, and a token for the next hour."""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.aws import CONFIG, session
from local.place import read_private, write_private

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient

    from local.deploy import Outputs
    from local.place import Place

NAME = "staff@localhost"
OWNER = "owner"
ROLES = ("view", "support", "stock", OWNER)
# Under this name the table has the list of the owners, of whom one is always left (docs/adr/0042).
OWNERS = "#owners"
UNKNOWN_OR_WRONG = {"NotAuthorizedException", "UserNotFoundException"}


@dataclass(frozen=True)
class SignedIn:
    user: str
    password: str
    token: str


def sign_in(place: Place, endpoint: str, outputs: Outputs) -> SignedIn:
    """Sign the user in with the password kept from last time, or make the user when there is none."""
    users = session().client("cognito-idp", endpoint_url=endpoint, config=CONFIG)
    grant(session().client("dynamodb", endpoint_url=endpoint, config=CONFIG), outputs.staff_table, NAME, OWNER)
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
    # What was set up from the console ends here: commands sign in as this user, and have no phone.
    users.admin_set_user_mfa_preference(
        UserPoolId=outputs.user_pool_id,
        Username=NAME,
        SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
    )
    answer = users.initiate_auth(
        ClientId=outputs.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": NAME, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]


def grant(tables: DynamoDBClient, table: str, name: str, role: str, *, ends_sessions: bool = False) -> bool:
    """Let a user of the pool be of the staff in this role, enabled, whatever they were; False for the last owner.

    With ``ends_sessions`` those that they have count no more.
    """
    name_value, only, now = {"S": name}, {":names": {"SS": [name]}}, _now(tables, table)
    # Sessions begin in whole seconds: so one of this second is over, too.
    signed_out: Any = {":out": {"N": str(now + 999)}} if ends_sessions else {}
    owners: Any = {"TableName": table, "Key": {"name": {"S": OWNERS}}, "ExpressionAttributeValues": only}
    if role == OWNER:
        owners |= {"UpdateExpression": "ADD owners :names"}
    else:
        others = "attribute_not_exists(owners) OR NOT contains(owners, :name) OR size(owners) > :one"
        owners |= {
            "UpdateExpression": "DELETE owners :names",
            "ConditionExpression": others,
            "ExpressionAttributeValues": {**only, ":name": name_value, ":one": {"N": "1"}},
        }
    person: Any = {
        "TableName": table,
        "Key": {"name": name_value},
        "UpdateExpression": "SET #role = :role, invited_at = if_not_exists(invited_at, :now), "
        f"{'signed_out_at = :out, ' if ends_sessions else ''}"
        "totp_required = if_not_exists(totp_required, :false) REMOVE disabled_at ADD version :one",
        "ExpressionAttributeNames": {"#role": "role"},
        "ExpressionAttributeValues": {
            ":role": {"S": role},
            ":now": {"N": str(now)},
            ":false": {"BOOL": False},
            ":one": {"N": "1"},
            **signed_out,
        },
    }
    try:
        tables.transact_write_items(TransactItems=[{"Update": person}, {"Update": owners}])
    except tables.exceptions.TransactionCanceledException:
        return False
    return True


def _now(tables: DynamoDBClient, table: str) -> int:
    """The time (ms) as AWS has it, by which sessions are judged that begin a moment later; ours may be ahead."""
    told = tables.get_item(TableName=table, Key={"name": {"S": OWNERS}})["ResponseMetadata"]["HTTPHeaders"].get("date")
    # What stands in for AWS may not say, and has our clock.
    return int(parsedate_to_datetime(told).timestamp() if told else time.time()) * 1_000


def revoke(tables: DynamoDBClient, table: str, name: str) -> None:
    """Let a person be of the staff no more, be they the last owner."""
    gone: Any = {"TableName": table, "Key": {"name": {"S": name}}}
    owners: Any = {
        "TableName": table,
        "Key": {"name": {"S": OWNERS}},
        "UpdateExpression": "DELETE owners :names",
        "ExpressionAttributeValues": {":names": {"SS": [name]}},
    }
    tables.transact_write_items(TransactItems=[{"Delete": gone}, {"Update": owners}])


def has_owner(tables: DynamoDBClient, table: str) -> bool:
    """Whether somebody can let others in."""
    found = tables.get_item(TableName=table, Key={"name": {"S": OWNERS}}, ConsistentRead=True)
    return "owners" in found.get("Item", {})


def role_of(tables: DynamoDBClient, table: str, name: str) -> str | None:
    """The role that a person has, None when they have none."""
    found = tables.get_item(TableName=table, Key={"name": {"S": name}}, ConsistentRead=True).get("Item", {})
    return found["role"]["S"] if "role" in found else None


def new_password() -> str:
    """A password by chance, as the pool's policy wants one."""
    # The pool's policy asks for each kind of letter, which chance alone does not promise.
    return f"{secrets.token_urlsafe(18)}aA1"

"""Who is let in at the admin API, and by which name the audit log knows them (contract 5)."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.__main__ import invite
from local.aws import session
from local.stack import Stack

REFUSED = {"status": "ERROR", "message": "Sign in: a valid staff token is needed in Authorization"}
PASSWORD = "Chosen-by-Grace-1"


@pytest.fixture
def users(deployed: Stack) -> Any:
    return session().client("cognito-idp", endpoint_url=deployed.endpoint_url)


@pytest.fixture
def pool_id(deployed: Stack) -> str:
    stacks = session().client("cloudformation", endpoint_url=deployed.endpoint_url)
    (stack,) = stacks.describe_stacks(StackName=deployed.stack_name)["Stacks"]
    return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "UserPoolId")


def made(users: Any, pool_id: str, name: str, **attributes: str) -> None:
    """Make somebody of the staff, with a password of their own."""
    given = [{"Name": attribute, "Value": value} for attribute, value in attributes.items()]
    users.admin_create_user(UserPoolId=pool_id, Username=name, UserAttributes=given, MessageAction="SUPPRESS")
    users.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True)


def tokens_of(users: Any, client_id: str, name: str) -> dict[str, str]:
    answer = users.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    tokens: dict[str, str] = answer["AuthenticationResult"]
    return tokens


def ask(stack: Stack, token: str, path: str = "/admin/partners") -> httpx.Response:
    return httpx.get(f"{stack.api}{path}", headers={"Authorization": token}, trust_env=False, timeout=60)


def test_who_is_invited_signs_in_with_what_was_shown_chooses_a_password_and_is_let_in(
    deployed: Stack, stack_root: Path, capsys: pytest.CaptureFixture[str], users: Any
) -> None:
    invite({"EMAIL": "grace@example.com", "ON": "local"}, stack_root)
    said = capsys.readouterr().out
    password = said.partition("the temporary password is ")[2].split()[0]
    assert f"{deployed.api}/console/" in said

    asked = users.initiate_auth(
        ClientId=deployed.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "grace@example.com", "PASSWORD": password},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    signed_in = users.respond_to_auth_challenge(
        ClientId=deployed.user_pool_client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "grace@example.com", "NEW_PASSWORD": PASSWORD},
    )
    answer = ask(deployed, signed_in["AuthenticationResult"]["IdToken"])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("verified", "named"), [("true", "ada@example.com"), ("false", "ada-false")], ids=["verified", "not verified"]
)
def test_the_audit_log_shows_an_address_only_when_cognito_has_verified_it(
    deployed: Stack, users: Any, pool_id: str, verified: str, named: str
) -> None:
    name = f"ada-{verified}"
    made(users, pool_id, name, email="ada@example.com", email_verified=verified)
    token = tokens_of(users, deployed.user_pool_client_id, name)["IdToken"]
    code = f"of-{name}"
    url = f"{deployed.api}/admin/services/{code}"
    entered = httpx.put(url, json={"name": "Ada's"}, headers={"Authorization": token}, trust_env=False, timeout=60)
    assert entered.status_code == 200, entered.text
    entries = ask(deployed, token, "/admin/audit").json()["entries"]
    (entry,) = [entry for entry in entries if entry["id"] == code]
    sub = users.get_user(AccessToken=tokens_of(users, deployed.user_pool_client_id, name)["AccessToken"])
    (staff,) = [attribute["Value"] for attribute in sub["UserAttributes"] if attribute["Name"] == "sub"]
    assert (entry["staff"], entry["staffName"]) == (staff, named)


def test_an_access_token_and_an_id_token_of_another_client_are_401(deployed: Stack, users: Any, pool_id: str) -> None:
    made(users, pool_id, "mary")
    other = users.create_user_pool_client(
        UserPoolId=pool_id, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    ours = tokens_of(users, deployed.user_pool_client_id, "mary")
    assert ask(deployed, ours["IdToken"]).status_code == 200
    for token in (ours["AccessToken"], tokens_of(users, other, "mary")["IdToken"]):
        for path in ("/admin/partners", "/admin/nothing"):
            refused = ask(deployed, token, path)
            assert (refused.status_code, refused.json()) == (401, REFUSED)

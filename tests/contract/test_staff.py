"""Who is let in at the admin API, and by which name the audit log knows them (contract 5)."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deployment.__main__ import invite
from local.aws import session
from local.stack import Stack
from local.staff import grant
from tests.contract.market import Market, refused

PASSWORD = "Chosen-by-Grace-1"
FLOW = "USER_PASSWORD_AUTH"


@pytest.fixture
def users(deployed: Stack) -> Any:
    return session().client("cognito-idp", endpoint_url=deployed.endpoint_url)


@pytest.fixture
def pool_id(deployed: Stack) -> str:
    stacks = session().client("cloudformation", endpoint_url=deployed.endpoint_url)
    (stack,) = stacks.describe_stacks(StackName=deployed.stack_name)["Stacks"]
    return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "UserPoolId")


def tokens_of(users: Any, pool_id: str, client_id: str, name: str, **attributes: str) -> dict[str, str]:
    """Return the tokens that somebody gets who is entered in a pool, with a password of their own, and signs in."""
    given = [{"Name": attribute, "Value": value} for attribute, value in attributes.items()]
    users.admin_create_user(UserPoolId=pool_id, Username=name, UserAttributes=given, MessageAction="SUPPRESS")
    users.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True)
    return sign_in(users, client_id, name)


def sign_in(users: Any, client_id: str, name: str) -> dict[str, str]:
    given = {"USERNAME": name, "PASSWORD": PASSWORD}
    tokens: dict[str, str] = users.initiate_auth(ClientId=client_id, AuthFlow=FLOW, AuthParameters=given)[
        "AuthenticationResult"
    ]
    return tokens


def let_in(market: Market, name: str) -> None:
    """Give a user of the pool a role, as the command does for who is there already."""
    clients = partial(session().client, endpoint_url=market.stack.endpoint_url)
    (stack,) = clients("cloudformation").describe_stacks(StackName=market.stack.stack_name)["Stacks"]
    table = next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "StaffTableName")
    assert grant(clients("dynamodb"), table, name, "owner")


def another_client(users: Any, pool_id: str) -> str:
    made = users.create_user_pool_client(UserPoolId=pool_id, ClientName="other", ExplicitAuthFlows=[f"ALLOW_{FLOW}"])
    client_id: str = made["UserPoolClient"]["ClientId"]
    return client_id


def test_who_is_invited_signs_in_with_what_was_shown_chooses_a_password_and_is_let_in(
    market: Market, deployed: Stack, stack_root: Path, capsys: pytest.CaptureFixture[str], users: Any
) -> None:
    invite({"EMAIL": "grace@example.com", "ROLE": "view", "ON": "local"}, stack_root)
    said = capsys.readouterr().out
    password = said.partition("the temporary password is ")[2].split()[0]
    assert f"{deployed.api}/console/" in said

    asked = users.initiate_auth(
        ClientId=deployed.user_pool_client_id,
        AuthFlow=FLOW,
        AuthParameters={"USERNAME": "grace@example.com", "PASSWORD": password},
    )
    signed_in = users.respond_to_auth_challenge(
        ClientId=deployed.user_pool_client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "grace@example.com", "NEW_PASSWORD": PASSWORD},
    )
    token = signed_in["AuthenticationResult"]["IdToken"]
    answer = market.http.get("/admin/partners", headers={"Authorization": token})
    assert answer.status_code == 200, answer.text

    # Who has lost it gets another, and the session from before is over.
    invite({"EMAIL": "grace@example.com", "RESET": "yes", "ON": "local"}, stack_root)
    password = capsys.readouterr().out.partition("the temporary password is ")[2].split()[0]
    asked = users.initiate_auth(
        ClientId=deployed.user_pool_client_id,
        AuthFlow=FLOW,
        AuthParameters={"USERNAME": "grace@example.com", "PASSWORD": password},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    refused(market.http.get("/admin/me", headers={"Authorization": token}), 401, "Sign in")


def test_a_user_of_the_pool_without_a_role_is_let_in_once_an_owner_gives_them_one(
    market: Market, users: Any, pool_id: str
) -> None:
    token = tokens_of(users, pool_id, market.stack.user_pool_client_id, "lin@example.com")["IdToken"]
    refused(market.http.get("/admin/me", headers={"Authorization": token}), 403, "You have no role here yet")
    market.made("POST", "/admin/staff", {"email": "lin@example.com", "role": "view", "delivery": "screen"})
    # The session from before does not count: they may have been removed then.
    token = sign_in(users, market.stack.user_pool_client_id, "lin@example.com")["IdToken"]
    me = market.http.get("/admin/me", headers={"Authorization": token})
    assert me.json() == {"name": "lin@example.com", "role": "view", "totpRequired": False}
    refused(
        market.http.put("/admin/services/x", json={"name": "X"}, headers={"Authorization": token}), 403, "This needs"
    )
    market.made("PATCH", "/admin/staff/lin%40example.com", {"disabled": True})
    refused(market.http.get("/admin/me", headers={"Authorization": token}), 401, "Sign in")


@pytest.mark.parametrize(
    ("verified", "named"), [("true", "ada@example.com"), ("false", "ada-false")], ids=["verified", "not verified"]
)
def test_the_audit_log_shows_an_address_only_when_cognito_has_verified_it(
    market: Market, users: Any, pool_id: str, verified: str, named: str
) -> None:
    name, client_id = f"ada-{verified}", market.stack.user_pool_client_id
    let_in(market, name)
    tokens = tokens_of(users, pool_id, client_id, name, email="ada@example.com", email_verified=verified)
    path, signed_in = f"/admin/services/of-{name}", {"Authorization": tokens["IdToken"]}
    entered = market.http.put(path, json={"name": "Ada's"}, headers=signed_in)
    assert entered.status_code == 200, entered.text
    (entry,) = [entry for entry in market.made("GET", "/admin/audit")["entries"] if entry["id"] == f"of-{name}"]
    attributes = users.get_user(AccessToken=tokens["AccessToken"])["UserAttributes"]
    (staff,) = [attribute["Value"] for attribute in attributes if attribute["Name"] == "sub"]
    assert (entry["staff"], entry["staffName"]) == (staff, named)


def test_an_access_token_and_an_id_token_of_another_client_or_user_pool_are_401(
    market: Market, users: Any, pool_id: str
) -> None:
    let_in(market, "mary")
    ours = tokens_of(users, pool_id, market.stack.user_pool_client_id, "mary")
    assert market.http.get("/admin/partners", headers={"Authorization": ours["IdToken"]}).status_code == 200
    strangers = users.create_user_pool(PoolName="strangers")["UserPool"]["Id"]
    for token in (
        ours["AccessToken"],
        tokens_of(users, pool_id, another_client(users, pool_id), "another client's")["IdToken"],
        tokens_of(users, strangers, another_client(users, strangers), "stranger")["IdToken"],
    ):
        for path in ("/admin/partners", "/admin/nothing"):
            refused(market.http.get(path, headers={"Authorization": token}), 401, "Sign in")

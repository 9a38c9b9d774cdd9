"""`make staff` on a local stack: who is invited can work there, after choosing a password of their own."""

from pathlib import Path

import httpx
import pytest

from deployment.__main__ import invite
from local.aws import session
from local.stack import Stack


def test_who_is_invited_signs_in_with_what_was_shown_chooses_a_password_and_is_let_in(
    deployed: Stack, stack_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invite({"EMAIL": "grace@example.com", "ON": "local"}, stack_root)
    said = capsys.readouterr().out
    password = said.partition("the temporary password is ")[2].split()[0]
    assert f"{deployed.api}/console/" in said

    pools = session().client("cognito-idp", endpoint_url=deployed.endpoint_url)
    asked = pools.initiate_auth(
        ClientId=deployed.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "grace@example.com", "PASSWORD": password},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    signed_in = pools.respond_to_auth_challenge(
        ClientId=deployed.user_pool_client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "grace@example.com", "NEW_PASSWORD": "Chosen-by-Grace-1"},
    )
    token = signed_in["AuthenticationResult"]["IdToken"]
    answer = httpx.get(f"{deployed.api}/admin/partners", headers={"Authorization": token}, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text

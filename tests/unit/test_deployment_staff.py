"""`make staff`: who is invited how and where, and which account and region a command is for."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from deployment import account, staff
from deployment.failure import DeploymentError

EMAIL = "ada@example.com"
URL = "https://sms.example.com/console/"


class UnknownUserError(Exception):
    """What Cognito answers when nobody is of that name."""


@dataclass
class PretendPools:
    """A Cognito pool with its people, and a note of each call that changes something."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    exceptions = SimpleNamespace(UserNotFoundException=UnknownUserError)

    def admin_get_user(self, **given: str) -> dict[str, Any]:
        if given["Username"] not in self.people:
            raise UnknownUserError
        return self.people[given["Username"]]

    def admin_create_user(self, **given: Any) -> None:
        self.calls.append(given)

    def admin_set_user_password(self, **given: Any) -> None:
        self.calls.append(given)


def invite(pools: PretendPools, *, sends_mail: bool) -> str:
    said: list[str] = []
    staff.invite(staff.Console(pools, "pool", URL, sends_mail), EMAIL, said.append)
    return "\n".join(said)


def test_on_aws_a_stranger_gets_a_mail_and_their_address_counts_as_verified() -> None:
    pools = PretendPools()
    said = invite(pools, sends_mail=True)
    [call] = pools.calls
    assert call["Username"] == EMAIL
    assert {"Name": "email", "Value": EMAIL} in call["UserAttributes"]
    assert {"Name": "email_verified", "Value": "true"} in call["UserAttributes"]
    assert call["DesiredDeliveryMediums"] == ["EMAIL"]
    assert "MessageAction" not in call
    assert URL in said


def test_who_has_not_come_yet_gets_the_mail_again() -> None:
    pools = PretendPools({EMAIL: {"UserStatus": "FORCE_CHANGE_PASSWORD", "Enabled": True}})
    said = invite(pools, sends_mail=True)
    assert [call["MessageAction"] for call in pools.calls] == ["RESEND"]
    assert "invited again" in said


@pytest.mark.parametrize("sends_mail", [True, False])
@pytest.mark.parametrize(
    ("user", "status"),
    [
        ({"UserStatus": "CONFIRMED", "Enabled": True}, "CONFIRMED"),
        ({"UserStatus": "RESET_REQUIRED"}, "RESET_REQUIRED"),
    ],
)
def test_who_is_there_already_is_left_alone(user: dict[str, Any], status: str, *, sends_mail: bool) -> None:
    pools = PretendPools({EMAIL: user})
    assert f"is there already ({status})" in invite(pools, sends_mail=sends_mail)
    assert pools.calls == []


def test_who_is_disabled_is_not_sent_to_sign_in() -> None:
    pools = PretendPools({EMAIL: {"UserStatus": "CONFIRMED", "Enabled": False}})
    with pytest.raises(DeploymentError) as failure:
        invite(pools, sends_mail=True)
    assert "disabled" in failure.value.what
    assert f"admin-enable-user --user-pool-id pool --username {EMAIL}" in failure.value.how
    assert pools.calls == []


def test_capitals_make_no_other_person() -> None:
    assert staff.email_of(" Ada@Example.COM ") == "ada@example.com"


def test_on_a_local_stack_no_mail_is_sent_and_the_password_is_shown() -> None:
    pools = PretendPools()
    said = invite(pools, sends_mail=False)
    made, given = pools.calls
    assert made["MessageAction"] == "SUPPRESS"
    assert given["Permanent"] is False
    assert given["Password"] in said


@pytest.mark.parametrize("text", ["", "ada", "ada@example", "a@b.c,d@e.f", "ada @example.com"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(DeploymentError, match="EMAIL is one e-mail address"):
        staff.email_of(text)


@pytest.mark.parametrize(
    ("wanted", "local_is_up", "aws_is_at_hand", "on"),
    [
        ("", True, False, staff.LOCAL),
        ("", False, True, staff.AWS),
        (staff.LOCAL, True, True, staff.LOCAL),
        (staff.AWS, True, True, staff.AWS),
        (staff.AWS, False, False, staff.AWS),
    ],
)
def test_a_person_is_invited_where_that_is_plain(
    wanted: str, on: str, *, local_is_up: bool, aws_is_at_hand: bool
) -> None:
    assert staff.where(wanted, local_is_up=local_is_up, aws_is_at_hand=aws_is_at_hand) == on


@pytest.mark.parametrize(
    ("wanted", "local_is_up", "aws_is_at_hand", "said"),
    [
        ("", True, True, "ON=local or ON=aws"),
        ("", False, False, "make up"),
        (staff.LOCAL, False, True, "make up"),
        ("azure", True, True, "ON is local or aws"),
    ],
)
def test_where_it_is_not_plain_nobody_is_invited(
    wanted: str, said: str, *, local_is_up: bool, aws_is_at_hand: bool
) -> None:
    with pytest.raises(DeploymentError) as failure:
        staff.where(wanted, local_is_up=local_is_up, aws_is_at_hand=aws_is_at_hand)
    assert said in str(failure.value)


@pytest.mark.parametrize(
    ("variables", "of_profile", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, None, "eu-west-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "us-east-1", "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "us-east-1", "eu-west-1"),
        ({}, "us-east-1", "us-east-1"),
    ],
)
def test_both_names_of_the_region_mean_the_same(variables: dict[str, str], of_profile: str | None, region: str) -> None:
    assert account.chosen_region(variables, of_profile) == region


def test_two_regions_at_once_are_refused_naming_both() -> None:
    with pytest.raises(DeploymentError) as failure:
        account.chosen_region({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, None)
    assert "AWS_REGION is eu-west-1" in failure.value.what
    assert "AWS_DEFAULT_REGION is us-east-1" in failure.value.what


def test_no_region_is_refused_with_how_to_name_one() -> None:
    with pytest.raises(DeploymentError) as failure:
        account.chosen_region({}, None)
    assert "AWS_REGION=" in failure.value.how

"""`make staff`: who is invited how and where, and which account and region a command is for."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from deployment import account, staff
from deployment.failure import DeploymentError

EMAIL = "ada@example.com"
URL = "https://sms.example.com/console/"


PERSON = {"UserPoolId": "pool", "Username": EMAIL}
VERIFIED = [{"Name": "email", "Value": EMAIL}, {"Name": "email_verified", "Value": "true"}]


class UnknownUserError(Exception):
    """What Cognito answers when nobody is of that name."""


class PretendPools:
    """A Cognito pool with one person, or nobody, and a note of each call that changes something."""

    exceptions = SimpleNamespace(UserNotFoundException=UnknownUserError)

    def __init__(self, **user: object) -> None:
        self._user = user
        self.calls: list[dict[str, Any]] = []
        self.admin_create_user = self.admin_set_user_password = self.admin_enable_user = self._note
        self.admin_set_user_mfa_preference = self.admin_user_global_sign_out = self._note

    def _note(self, **given: Any) -> None:
        self.calls.append(given)

    def admin_get_user(self, **given: str) -> dict[str, Any]:
        if given != PERSON or not self._user:
            raise UnknownUserError
        return self._user


class LastOwnerError(Exception):
    """What DynamoDB answers when the list of the owners would be empty."""


class PretendTables:
    """A staff table: who has which role, and whether a change is refused for the last owner."""

    exceptions = SimpleNamespace(TransactionCanceledException=LastOwnerError)

    def __init__(self, roles: Mapping[str, str] | None = None, *, refuses: bool = False) -> None:
        self._roles = {EMAIL if name == "ada" else name: role for name, role in (roles or {}).items()}
        self._refuses = refuses
        self.granted: list[str] = []
        self.ended_sessions = False

    def get_item(self, **given: Any) -> dict[str, Any]:
        name = given["Key"]["name"]["S"]
        if name == "#owners":
            told = {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 27 Nov 2026 10:00:00 GMT"}}}
            return told | ({"Item": {"owners": {"SS": ["x"]}}} if "owner" in self._roles.values() else {})
        return {"Item": {"role": {"S": self._roles[name]}}} if name in self._roles else {}

    def transact_write_items(self, **given: Any) -> None:
        if self._refuses:
            raise LastOwnerError
        person = given["TransactItems"][0]["Update"]
        self.granted.append(person["ExpressionAttributeValues"][":role"]["S"])
        self.ended_sessions = "signed_out_at = :out" in person["UpdateExpression"]
        # As AWS has it, by whose clock sessions begin.
        assert person["ExpressionAttributeValues"][":now"] == {"N": "1795773600000"}


def console(pools: PretendPools | None = None, tables: PretendTables | None = None, *, sends_mail: bool = True) -> Any:
    tables = tables or PretendTables()
    return staff.Console(pools or PretendPools(), "pool", tables, "Staff", URL, sends_mail)


def invite(pools: PretendPools, *, sends_mail: bool, tables: PretendTables | None = None) -> str:
    said: list[str] = []
    staff.invite(console(pools, tables, sends_mail=sends_mail), EMAIL, "support", said.append)
    return "\n".join(said)


def refusal(command: Callable[..., object], *given: object, **named: object) -> str:
    with pytest.raises(DeploymentError) as failure:
        command(*given, **named)
    return str(failure.value)


def test_on_aws_a_stranger_gets_a_mail_and_their_address_counts_as_verified() -> None:
    pools = PretendPools()
    assert URL in invite(pools, sends_mail=True)
    assert pools.calls == [{**PERSON, "UserAttributes": VERIFIED, "DesiredDeliveryMediums": ["EMAIL"]}]


def test_who_has_not_come_yet_gets_the_mail_again() -> None:
    pools = PretendPools(UserStatus="FORCE_CHANGE_PASSWORD", Enabled=True)
    assert "invited again" in invite(pools, sends_mail=True)
    assert pools.calls == [{**PERSON, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]}]


def test_on_a_local_stack_no_mail_is_sent_and_the_password_is_shown() -> None:
    pools = PretendPools()
    said = invite(pools, sends_mail=False)
    made, given = pools.calls
    assert made == {**PERSON, "UserAttributes": VERIFIED, "MessageAction": "SUPPRESS"}
    assert given == {**PERSON, "Password": given["Password"], "Permanent": False}
    assert given["Password"] in said


@pytest.mark.parametrize("sends_mail", [True, False])
@pytest.mark.parametrize("user", [{"UserStatus": "CONFIRMED", "Enabled": True}, {"UserStatus": "RESET_REQUIRED"}])
def test_who_is_there_already_keeps_their_account_and_has_the_role(
    user: dict[str, object], *, sends_mail: bool
) -> None:
    pools, tables = PretendPools(**user), PretendTables()
    said = invite(pools, sends_mail=sends_mail, tables=tables)
    assert f"is there already ({user['UserStatus']}), has the role support" in said
    assert (pools.calls, tables.granted) == ([], ["support"])


def test_who_is_disabled_is_let_in_again() -> None:
    pools = PretendPools(UserStatus="CONFIRMED", Enabled=False)
    assert "has the role support" in invite(pools, sends_mail=True)
    assert pools.calls == [PERSON]


@pytest.mark.parametrize("sends_mail", [True, False])
@pytest.mark.parametrize("status", ["CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"])
def test_a_reset_shows_a_password_for_one_sign_in_and_takes_second_factor_and_sessions(
    status: str, *, sends_mail: bool
) -> None:
    said: list[str] = []
    pools, tables = PretendPools(UserStatus=status, Enabled=True), PretendTables()
    staff.reset(console(pools, tables, sends_mail=sends_mail), EMAIL, "owner", said.append)
    password, totp, *rest = pools.calls
    assert password == {**PERSON, "Password": password["Password"], "Permanent": False}
    assert totp == {**PERSON, "SoftwareTokenMfaSettings": {"Enabled": False, "PreferredMfa": False}}
    # Enabled, and signed out.
    assert rest == [PERSON, PERSON]
    assert password["Password"] in said[0]
    assert (tables.granted, tables.ended_sessions) == (["owner"], True)


def test_a_reset_of_a_stranger_is_an_invitation_and_no_other_command_ends_sessions() -> None:
    said: list[str] = []
    pools, tables = PretendPools(), PretendTables()
    staff.reset(console(pools, tables), EMAIL, "owner", said.append)
    assert pools.calls == [{**PERSON, "UserAttributes": VERIFIED, "DesiredDeliveryMediums": ["EMAIL"]}]
    assert (tables.granted, tables.ended_sessions) == (["owner"], False)


def test_a_reset_is_asked_for_by_yes() -> None:
    assert [staff.wants_reset(wanted) for wanted in ("", "yes")] == [False, True]
    assert "RESET is yes" in refusal(staff.wants_reset, "no")


@pytest.mark.parametrize(
    ("wanted", "roles", "role"),
    [
        ("", {}, "owner"),
        ("", {"ada": "stock", "x": "owner"}, "stock"),
        ("view", {"ada": "stock", "x": "owner"}, "view"),
        ("owner", {}, "owner"),
    ],
)
def test_a_persons_role_is_the_one_named_else_theirs_else_the_first_owners(
    wanted: str, roles: dict[str, str], role: str
) -> None:
    assert staff.role_for(console(tables=PretendTables(roles)), EMAIL, wanted) == role


def test_a_role_that_is_none_or_has_to_be_said_is_asked_for() -> None:
    tables = PretendTables({"x": "owner"})
    assert "ROLE=view|support|stock|owner" in refusal(staff.role_for, console(tables=tables), EMAIL, "")
    assert "ROLE is one of view, support, stock, owner, not admin" in refusal(
        staff.role_for, console(tables=tables), EMAIL, "admin"
    )


def test_the_last_owner_stays_one() -> None:
    tables = PretendTables(refuses=True)
    assert "is the last owner" in refusal(invite, PretendPools(UserStatus="CONFIRMED"), sends_mail=True, tables=tables)


def test_capitals_make_no_other_person() -> None:
    assert staff.email_of(" Ada@Example.COM ") == "ada@example.com"


@pytest.mark.parametrize("text", ["", "ada", "ada@example", "a@b.c,d@e.f", "ada @example.com"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert "EMAIL is one e-mail address" in refusal(staff.email_of, text)


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
    assert said in refusal(staff.where, wanted, local_is_up=local_is_up, aws_is_at_hand=aws_is_at_hand)


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


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"},
            "AWS_REGION is eu-west-1 and AWS_DEFAULT_REGION is us-east-1",
        ),
        ({}, "AWS_REGION="),
    ],
    ids=["two", "none"],
)
def test_where_no_one_region_is_named_it_is_said_how_to_name_one(variables: dict[str, str], said: str) -> None:
    assert said in refusal(account.chosen_region, variables, None)

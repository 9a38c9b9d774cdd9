"""Staff: who may do what, and who is let in at all (contract 5)."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from admin_api.app import ROUTES
from admin_api.user_pool import UserPool
from deployment import staff as command
from deployment.failure import DeploymentError
from globalconnect.domain.errors import Conflict
from globalconnect.domain.ids import PartnerId, SourceId
from globalconnect.domain.inbound import UnreadablePayload
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt
from globalconnect.domain.staff import Role
from globalconnect.store.staff import StaffMembers
from local.staff import grant, has_owner, revoke, role_of
from simulation.aws import START, TEMPLATE, Clock, Cloud
from simulation.clouds import Moto
from simulation.desk import Desk, NoAccounts, event
from simulation.failing import FailingClient, Fault, Nth, failing_cloud
from simulation.meanwhile import crossed
from simulation.shop import Reply

OTHER = "ada@example.com"
PATH = f"/admin/staff/{OTHER.replace('@', '%40')}"
STAFF = "/admin/staff"
MYSELF = f"{STAFF}/owner"
PASSWORD = "Long-enough-1-password"
LAST_OWNER = (409, "There must be an owner left: make somebody else one first")
CHANGED_MEANWHILE = (409, "Somebody changed you meanwhile: nothing was done; try again")
NOT_SIGNED_IN = (401, "Sign in: a valid staff token is needed in Authorization")
# What each role may do beside what those before it may; the rest is the owners'.
SUPPORTS = ("/push", "/pause", "/lift-marks", "/test-push", "/end")
STOCKS = ("/admin/numbers", "/admin/imports", "/admin/services", "/admin/sources", "/admin/unreadable")


class Accounts:
    """The user pool, as Cognito's own console and the sign-in of ours reach it."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("cognito-idp")
        policies: Any = TEMPLATE["Resources"]["OperatorPool"]["Properties"]["Policies"]
        self.pool: str = self.client.create_user_pool(PoolName="staff", Policies=policies)["UserPool"]["Id"]
        made = self.client.create_user_pool_client(
            UserPoolId=self.pool,
            ClientName="console",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        self._client_id = made["UserPoolClient"]["ClientId"]

    def clear(self) -> None:
        for user in self.client.list_users(UserPoolId=self.pool)["Users"]:
            self.client.admin_delete_user(UserPoolId=self.pool, Username=user["Username"])

    def find(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.client.admin_get_user(UserPoolId=self.pool, Username=name)
        except self.client.exceptions.UserNotFoundException:
            return None
        return found

    def get(self, name: str) -> dict[str, Any]:
        found = self.find(name)
        assert found
        return found

    def begin(self, password: str = PASSWORD, name: str = OTHER) -> dict[str, Any]:
        """Return the answer to a sign-in: tokens, or what Cognito asks for before it gives any."""
        given = {"USERNAME": name, "PASSWORD": password}
        answer: dict[str, Any] = self.client.initiate_auth(
            ClientId=self._client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given
        )
        return answer

    def sign_in(self, name: str = OTHER) -> dict[str, str]:
        """Let a person choose a password and sign in with it; return the tokens."""
        self.client.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=PASSWORD, Permanent=True)
        tokens: dict[str, str] = self.begin(name=name)["AuthenticationResult"]
        return tokens

    def set_up_totp(self, name: str = OTHER) -> None:
        token = self.sign_in(name)["AccessToken"]
        self.client.associate_software_token(AccessToken=token)
        self.client.verify_software_token(AccessToken=token, UserCode="123456")
        self.client.set_user_mfa_preference(
            AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )

    def can_renew(self, tokens: dict[str, str]) -> bool:
        """Return whether a session goes on once its tokens have expired."""
        given = {"REFRESH_TOKEN": tokens["RefreshToken"]}
        try:
            self.client.initiate_auth(ClientId=self._client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
        except self.client.exceptions.NotAuthorizedException:
            return False
        return True


@pytest.fixture(scope="module")
def _one_pool(moto: Moto) -> Accounts:
    """Return the pool of this module: moto takes a quarter of a second to make one."""
    return Accounts()


@pytest.fixture
def accounts(_one_pool: Accounts) -> Accounts:
    """Return a user pool without anybody."""
    _one_pool.clear()
    return _one_pool


@pytest.fixture
def cloud(cloud: Cloud, accounts: Accounts) -> Cloud:
    cloud.env["USER_POOL_ID"] = accounts.pool
    return cloud


@pytest.fixture
def owner(cloud: Cloud) -> Desk:
    return Desk(cloud)


def invite(owner: Desk, role: Role, email: str = OTHER) -> Reply:
    return owner.post(STAFF, {"email": email, "role": role.value, "delivery": "screen"})


def ask(
    desk: Desk, name: str, path: str = "/admin/pools", method: str = "GET", body: object = None, **claims: str
) -> Reply:
    """Ask something as a person of that name."""
    request = event(method, path, body=None if body is None else json.dumps(body))
    request["requestContext"]["authorizer"]["claims"] |= {"cognito:username": name, **claims}
    return desk.send(request)


def names(owner: Desk) -> list[str]:
    return [member["name"] for member in owner.get(STAFF).body["staff"] if "@" in member["name"]]


def over(client: Any, accounts: Accounts, clock: Clock) -> UserPool:
    """Return our side of the pool, over another client."""
    return UserPool(lambda: client, accounts.pool, clock)


# ---------------------------------------------------------------- roles


def needed(method: str, path: str) -> Role:
    """Return the least role that contract 5 lets use a route."""
    if method == "GET":
        return Role.VIEW
    if path.endswith(SUPPORTS):
        return Role.SUPPORT
    return Role.STOCK if path.startswith(STOCKS) else Role.OWNER


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_role_may_do_what_the_contract_says_and_is_told_which_one_may_do_the_rest(
    cloud: Cloud, route: Any, role: Role
) -> None:
    said = dict.fromkeys(re.findall(r"\{(\w+)\}", route.path), "1")
    reply = Desk(cloud, role=role, user_pool=NoAccounts()).send(event(route.method, route.path, body="{}", said=said))
    least = needed(route.method, route.path)
    if list(Role).index(role) < list(Role).index(least):
        assert reply.refusal == (403, f"This needs the role {least}")
    else:
        assert reply.status != 403


@pytest.mark.parametrize("role", Role)
def test_texts_are_hidden_from_a_role_without_them_and_refused_when_it_asks_for_them(cloud: Cloud, role: Role) -> None:
    desk, said = Desk(cloud, role=role), "code 5015"
    sold = desk.sold("hub", desk.stocked("447472190082"))
    sms = desk.arrived(sold)
    desk.admin.pushes.keep_attempts([(sms, Attempt(1, START, 5, "http_status", 500, f"can not keep {said}"))])
    desk.admin.partners.add(Partner(PartnerId("hub"), "Hub", "key", None, None, "default", START))
    desk.keep_unclaimed(1_000, said, START)
    desk.admin.inbox.keep_unreadable(UnreadablePayload("unreadable#gw#0", SourceId("gw"), said.encode(), "bad", START))
    paths = [f"/admin/activations/{sold.activation_id}", "/admin/partners/hub/activity", "/admin/unclaimed"]
    for path in [*paths, "/admin/unreadable"]:
        one = [str(sms.sms_id)] if path == paths[0] else []
        replies = {texts: desk.get(path, ("texts", texts)) for texts in ["shown", "hidden", *one]}
        replies[""] = desk.get(path)
        sees = {texts for texts, reply in replies.items() if "code" in json.dumps(reply.body)}
        assert replies["hidden"].status == replies[""].status == 200
        if role is Role.VIEW:
            assert sees == set()
            for texts in ["shown", *one]:
                assert replies[texts].refusal == (403, "This needs the role support")
        else:
            assert sees == {"shown", "", *one}
    looks = len(desk.get("/admin/audit").body["entries"])
    assert looks == (0 if role is Role.VIEW else 9)


def test_a_user_of_the_pool_who_is_not_of_the_staff_has_no_access(owner: Desk) -> None:
    for path in ("/admin/pools", "/admin/me", "/admin/nothing"):
        assert ask(owner, "stranger@example.com", path).refusal == (
            403,
            "You have no role here yet: ask an owner for one",
        )
    assert ask(owner, "#owners").status == 403


# ---------------------------------------------------------------- their life


def test_a_person_is_invited_with_a_role_and_a_password_for_one_sign_in(owner: Desk, accounts: Accounts) -> None:
    reply = invite(owner, Role.SUPPORT, "Ada@Example.com")
    assert (reply.status, reply.body["name"], reply.body["role"]) == (201, OTHER, "support")
    assert re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{20}", reply.body["temporaryPassword"])
    assert accounts.begin(reply.body["temporaryPassword"])["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert ask(owner, OTHER, "/admin/me").body == {"name": OTHER, "role": "support", "totpRequired": False}
    listed = owner.get(STAFF).body["staff"]
    assert [member["name"] for member in listed] == [OTHER, "owner", "stock", "support", "view"]
    # Again it is another password; with another role it is said to be there.
    again = invite(owner, Role.SUPPORT).body["temporaryPassword"]
    assert again not in {None, reply.body["temporaryPassword"]}
    assert invite(owner, Role.OWNER).refusal == (409, "This person is there already; change their role instead")
    assert reply.body["temporaryPassword"] not in str(owner.get("/admin/audit").body)


def test_who_has_a_password_of_their_own_keeps_it_when_they_are_invited_again(owner: Desk, accounts: Accounts) -> None:
    invite(owner, Role.VIEW)
    accounts.sign_in()
    assert invite(owner, Role.VIEW).body["temporaryPassword"] is None
    assert accounts.get(OTHER)["UserStatus"] == "CONFIRMED"


def test_a_disabled_person_is_out_and_comes_back_when_enabled(owner: Desk, accounts: Accounts) -> None:
    invite(owner, Role.STOCK)
    tokens = accounts.sign_in()
    assert owner.patch(PATH, {"disabled": True}).body["disabledAt"] is not None
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    assert accounts.get(OTHER)["Enabled"] is False
    assert owner.patch(PATH, {"disabled": False}).body["disabledAt"] is None
    assert ask(owner, OTHER).status == 200
    assert accounts.get(OTHER)["Enabled"] is True
    # The sessions that they had do not come back with them.
    assert not accounts.can_renew(tokens)


def test_sessions_that_began_before_a_sign_out_are_over_also_when_their_token_is_newer(
    owner: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    tokens = accounts.sign_in()
    owner.cloud.clock.advance(seconds=100)
    owner.post(f"{PATH}/sign-out")
    assert not accounts.can_renew(tokens)
    # Nor do they count again once the person was disabled and enabled.
    for disabled in (True, False):
        owner.patch(PATH, {"disabled": disabled})
    began = START // 1000
    # A token that was renewed since is of the session that began then.
    for auth_time, status in ((began, 401), (began + 99, 401), (began + 100, 200)):
        assert ask(owner, OTHER, auth_time=str(auth_time)).status == status


def test_a_reset_gives_a_password_once_and_ends_sessions(owner: Desk, accounts: Accounts) -> None:
    invite(owner, Role.VIEW)
    tokens = accounts.sign_in()
    owner.cloud.clock.advance(seconds=1)
    password = owner.post(f"{PATH}/reset-password").body["temporaryPassword"]
    assert accounts.begin(password)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    assert not accounts.can_renew(tokens)


def test_a_session_that_begins_before_a_reset_has_replaced_the_password_is_over(owner: Desk) -> None:
    clock = owner.cloud.clock

    class SlowAccounts(NoAccounts):
        """Has somebody of whom Cognito takes long to replace the password."""

        def invite(self, name: str, password: str | None) -> bool:
            return False

        def set_one_time_password(self, name: str, password: str) -> None:
            clock.advance(seconds=5)

    invite(owner, Role.VIEW)
    assert Desk(owner.cloud, user_pool=SlowAccounts()).post(f"{PATH}/reset-password").status == 200
    assert ask(owner, OTHER, auth_time=str(START // 1000 + 4)).refusal == NOT_SIGNED_IN


def test_a_removed_person_has_no_access_and_no_account(owner: Desk, accounts: Accounts) -> None:
    invite(owner, Role.OWNER)
    assert owner.delete(PATH).status == 200
    assert (ask(owner, OTHER).status, accounts.find(OTHER)) == (403, None)
    assert owner.delete(PATH).refusal == (404, "staff not found")


def test_sessions_from_before_a_removal_are_over_for_who_is_invited_again(owner: Desk) -> None:
    invite(owner, Role.OWNER)
    owner.delete(PATH)
    owner.cloud.clock.advance(seconds=100)
    invite(owner, Role.VIEW)
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    assert ask(owner, OTHER, auth_time=str(START // 1000 + 100)).status == 200


def test_what_is_remembered_of_a_person_is_forgotten_within_60_s(cloud: Cloud, owner: Desk) -> None:
    invite(owner, Role.STOCK)
    # Another environment, which has just seen them.
    cloud.env["CACHE_SECONDS"] = "60"
    other = Desk(cloud)
    assert ask(other, OTHER).status == 200
    owner.patch(PATH, {"disabled": True})
    assert ask(other, OTHER).status == 200
    cloud.clock.advance(seconds=60)
    assert ask(other, OTHER).refusal == NOT_SIGNED_IN


ADDRESSES = [
    "a%61@example.com",
    "x/y@example.com",
    "../@example.com",
    "x?y@example.com",
    "x\\y@example.com",
    "x#y@example.com",
    "x..y@example.com",
    ".x@example.com",
    "x.@example.com",
    "x@example",
    "x@example..com",
    "x@example.com/sign-out",
    "x@-example.com",
    "x@y@example.com",
    "x y@example.com",
    "\u017f@example.com",
    "\u212a@example.com",
    "x\u200by@example.com",
    "x" * 120 + "@example.com",
]


@pytest.mark.parametrize("email", ADDRESSES)
def test_what_cognito_mail_or_a_path_does_not_take_is_no_address(owner: Desk, email: str) -> None:
    status, said = invite(owner, Role.VIEW, email).refusal
    assert (status, said[:30]) == (400, "email: expected one e-mail add")
    with pytest.raises(DeploymentError, match="EMAIL is one e-mail address"):
        command.email_of(email)
    assert names(owner) == []


@pytest.mark.parametrize("email", ["ada+sms@example.com", "o'neil.jr@mail.example.co.uk", "x" * 100 + "@example.com"])
def test_a_person_is_found_by_their_address_and_named_by_it_in_the_audit_log(owner: Desk, email: str) -> None:
    assert command.email_of(email) == email
    path = f"{STAFF}/{email.replace('@', '%40').replace('+', '%2B')}"
    invite(owner, Role.VIEW, email)
    done = [
        owner.patch(path, {"role": "stock"}),
        owner.post(f"{path}/sign-out"),
        owner.post(f"{path}/reset-password"),
        owner.delete(f"{path}/totp"),
        owner.delete(path),
    ]
    assert [reply.status for reply in done] == [200] * len(done)
    entries = owner.get("/admin/audit").body["entries"]
    assert [entry["id"] for entry in entries] == [email] * 6


def test_a_name_is_read_once_and_so_is_nobody_elses(owner: Desk) -> None:
    invite(owner, Role.VIEW, "aa@example.com")
    assert owner.delete(f"{STAFF}/a%2561%40example.com").refusal == (404, "staff not found")
    assert names(owner) == ["aa@example.com"]


# ---------------------------------------------------------------- what fails on the way


@pytest.fixture
def cut_off(cloud: Cloud, accounts: Accounts) -> Desk:
    """Return the desk of an owner who does not reach Cognito."""
    return Desk(cloud, user_pool=over(FailingClient(accounts.client, lambda _: Fault.UNHEARD), accounts, cloud.clock))


def test_what_takes_access_away_has_done_so_before_cognito_is_asked(owner: Desk, cut_off: Desk) -> None:
    invite(owner, Role.STOCK)
    owner.cloud.clock.advance(seconds=1)
    assert cut_off.post(f"{PATH}/sign-out").status == 500
    assert ask(cut_off, OTHER).status == 401
    now = {"auth_time": str(START // 1000 + 1)}
    assert ask(cut_off, OTHER, **now).status == 200
    assert cut_off.patch(PATH, {"disabled": True}).status == 500
    assert ask(cut_off, OTHER, **now).status == 401
    assert cut_off.delete(PATH).status == 500
    assert ask(cut_off, OTHER, **now).status == 403


def test_what_gives_access_does_so_once_cognito_has_done_its_part(owner: Desk, cut_off: Desk) -> None:
    assert invite(cut_off, Role.STOCK).status == 500
    assert names(owner) == []
    invite(owner, Role.STOCK)
    owner.patch(PATH, {"disabled": True})
    assert cut_off.patch(PATH, {"disabled": False}).status == 500
    assert ask(owner, OTHER).status == 401


def test_a_disable_that_did_not_reach_cognito_does_so_when_it_is_asked_again(
    owner: Desk, cut_off: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    cut_off.patch(PATH, {"disabled": True})
    assert accounts.get(OTHER)["Enabled"] is True
    assert owner.patch(PATH, {"disabled": True}).status == 200
    assert accounts.get(OTHER)["Enabled"] is False


def test_of_a_removal_that_came_to_no_end_the_account_goes_when_it_is_asked_again(
    owner: Desk, cut_off: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    cut_off.delete(PATH)
    assert accounts.find(OTHER)
    assert owner.delete(PATH).status == 200
    assert accounts.find(OTHER) is None
    assert owner.delete(PATH).refusal == (404, "staff not found")


def test_an_account_that_was_left_disabled_is_enabled_by_an_invitation(
    owner: Desk, cut_off: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    owner.patch(PATH, {"disabled": True})
    assert invite(owner, Role.STOCK).status == 201
    assert accounts.get(OTHER)["Enabled"] is False
    cut_off.delete(PATH)
    assert invite(owner, Role.STOCK).status == 201
    assert accounts.get(OTHER)["Enabled"] is True


@pytest.mark.parametrize("fault", [Fault.UNHEARD, Fault.UNANSWERED])
@pytest.mark.parametrize("change", ["invite", "disable", "enable", "demote", "sign-out", "reset", "remove"])
def test_a_change_that_fails_once_at_any_call_is_whole_when_it_is_asked_again(
    moto: Moto, accounts: Accounts, change: str, fault: Fault
) -> None:
    asked: dict[str, Callable[[Desk], Reply]] = {
        "invite": lambda desk: invite(desk, Role.STOCK),
        "disable": lambda desk: desk.patch(PATH, {"disabled": True}),
        "enable": lambda desk: desk.patch(PATH, {"disabled": False}),
        "demote": lambda desk: desk.patch(PATH, {"role": "view"}),
        "sign-out": lambda desk: desk.post(f"{PATH}/sign-out"),
        "reset": lambda desk: desk.post(f"{PATH}/reset-password"),
        "remove": lambda desk: desk.delete(PATH),
    }
    number, calls = 0, 1
    while number < calls:
        accounts.clear()
        cloud = moto.cloud(USER_POOL_ID=accounts.pool)
        owner, nth = Desk(cloud), Nth(number, fault)
        tokens: dict[str, str] | None = None
        if change != "invite":
            invite(owner, Role.STOCK)
            tokens = accounts.sign_in()
        if change == "enable":
            owner.patch(PATH, {"disabled": True})
        cloud.clock.advance(seconds=1)
        failing = Desk(
            failing_cloud(cloud, nth), user_pool=over(FailingClient(accounts.client, nth), accounts, cloud.clock)
        )
        assert asked[change](failing).status in {200, 201, 500, 503}
        again = asked[change](owner)
        # What was done without an answer is found done: nobody is left to be removed.
        assert again.status in ({200, 404} if change == "remove" else {200, 201})

        found = accounts.find(OTHER)
        was, now = ask(owner, OTHER), ask(owner, OTHER, auth_time=str(START // 1000 + 1))
        if change == "remove":
            assert (found, was.status, now.status) == (None, 403, 403)
        else:
            assert found
            assert found["Enabled"] is (change != "disable")
            old = {"invite": 401, "disable": 401, "sign-out": 401, "reset": 401}
            assert (was.status, now.status) == (old.get(change, 200), 401 if change == "disable" else 200)
        if change in {"invite", "reset"}:
            assert accounts.begin(again.body["temporaryPassword"])["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        if tokens and found and change != "demote":
            assert not accounts.can_renew(tokens)
        if change == "demote":
            assert ask(owner, OTHER, "/admin/me").body["role"] == "view"
        calls = nth.made
        number += 1


class Refusing:
    """A client of Cognito that refuses one operation with this code."""

    def __init__(self, client: Any, operation: str, code: str) -> None:
        self._client, self._operation, self._code = client, operation, code

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)

        def refuse(**_: object) -> None:
            raise ClientError({"Error": {"Code": self._code, "Message": OTHER}}, name)

        return refuse


NO_MAIL = "No mail could be sent; ask with delivery screen, and hand the password over yourself"
MEANWHILE = "Somebody changed this person meanwhile; read the list again"
BUSY = "Temporarily busy; try again"


@pytest.mark.parametrize(
    ("operation", "code", "refusal"),
    [
        ("admin_create_user", "InvalidParameterException", (400, "email: expected an address that Cognito takes")),
        ("admin_create_user", "LimitExceededException", (503, NO_MAIL)),
        ("admin_create_user", "CodeDeliveryFailureException", (503, NO_MAIL)),
        ("admin_create_user", "TooManyRequestsException", (503, BUSY)),
        ("admin_create_user", "UnsupportedUserStateException", (409, MEANWHILE)),
        ("admin_create_user", "InternalErrorException", (500, "Temporary failure on our side; try again")),
    ],
)
def test_what_cognito_refuses_is_said_as_what_to_do_about_it(
    cloud: Cloud, accounts: Accounts, operation: str, code: str, refusal: tuple[int, str]
) -> None:
    desk = Desk(cloud, user_pool=over(Refusing(accounts.client, operation, code), accounts, cloud.clock))
    assert desk.post(STAFF, {"email": OTHER, "role": "view"}).refusal == refusal
    assert names(desk) == []


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("admin_set_user_password", "UserNotFoundException", 409),
        ("admin_set_user_password", "TooManyRequestsException", 503),
        ("admin_get_user", "TooManyRequestsException", 503),
        # Of who is disabled.
        ("admin_user_global_sign_out", "NotAuthorizedException", 200),
    ],
)
def test_so_it_is_with_a_reset(cloud: Cloud, accounts: Accounts, operation: str, code: str, status: int) -> None:
    invite(Desk(cloud), Role.VIEW)
    desk = Desk(cloud, user_pool=over(Refusing(accounts.client, operation, code), accounts, cloud.clock))
    assert desk.post(f"{PATH}/reset-password").status == status


def test_a_name_that_cognito_does_not_take_is_nobodys(cloud: Cloud, accounts: Accounts) -> None:
    refusing = Refusing(accounts.client, "admin_delete_user", "InvalidParameterException")
    desk = Desk(cloud, user_pool=over(refusing, accounts, cloud.clock))
    assert desk.delete(f"{STAFF}/%20").refusal == (404, "staff not found")


# ---------------------------------------------------------------- owners against owners


@pytest.fixture
def warm(cloud: Cloud, owner: Desk) -> Desk:
    """Return another environment, which has just seen somebody as an owner."""
    invite(owner, Role.OWNER)
    cloud.env["CACHE_SECONDS"] = "60"
    warm = Desk(cloud)
    assert ask(warm, OTHER).status == 200
    return warm


@pytest.mark.parametrize(
    ("take", "refused"),
    [
        (lambda owner: owner.patch(PATH, {"disabled": True}), 401),
        (lambda owner: owner.post(f"{PATH}/sign-out"), 401),
        (lambda owner: owner.patch(PATH, {"role": "view"}), 403),
        (lambda owner: owner.delete(PATH), 403),
    ],
    ids=["disabled", "signed out", "demoted", "removed"],
)
def test_from_whom_the_role_of_an_owner_was_taken_can_use_it_nowhere_and_give_it_to_nobody(
    owner: Desk, warm: Desk, take: Callable[[Desk], Reply], refused: int
) -> None:
    owner.cloud.clock.advance(seconds=1)
    assert take(owner).status == 200
    for method, path, body in [
        ("PATCH", PATH, {"disabled": False}),
        ("PATCH", PATH, {"role": "owner"}),
        ("POST", STAFF, {"email": "mallory@example.com", "role": "owner", "delivery": "screen"}),
        ("POST", f"{MYSELF}/reset-password", {}),
        ("POST", "/admin/partners", {"name": "Hub"}),
    ]:
        assert ask(warm, OTHER, path, method, body).status == refused
    assert ask(owner, OTHER, STAFF, "POST", {}).status == refused
    assert "mallory@example.com" not in names(owner)


def test_who_was_removed_elsewhere_is_invited_again_where_they_are_remembered(owner: Desk, warm: Desk) -> None:
    owner.delete(PATH)
    assert invite(warm, Role.OWNER).status == 201
    assert names(owner) == [OTHER]


@pytest.mark.parametrize(
    ("late", "against"),
    [
        (lambda desk: desk.patch(PATH, {"role": "stock"}), {"role": "stock"}),
        (lambda desk: desk.patch(PATH, {"disabled": True}), {"disabled": True}),
        (lambda desk: desk.delete(PATH), None),
        (lambda desk: desk.post(f"{PATH}/sign-out"), None),
        (lambda desk: desk.post(f"{PATH}/reset-password"), {"disabled": True}),
        (lambda desk: invite(desk, Role.OWNER, "mallory@example.com"), {"role": "view"}),
    ],
    ids=["demotes", "disables", "removes", "signs out", "resets", "invites"],
)
def test_of_two_owners_against_each_other_at_once_one_wins_also_where_there_is_a_third(
    owner: Desk, late: Callable[[Desk], Reply], against: dict[str, object] | None
) -> None:
    for email in (OTHER, "third@example.com"):
        invite(owner, Role.OWNER, email)
    before = owner.admin.staff.find(OTHER)
    first = Desk(owner.cloud, user_pool=NoAccounts())

    def take() -> None:
        method = "DELETE" if against is None else "PATCH"
        assert ask(first, OTHER, MYSELF, method, against).status == 200

    # The second has been let in, then the first is through.
    second = Desk(owner.cloud, user_pool=NoAccounts())
    second.admin = replace(second.admin, staff=crossed(second.admin.staff, "find", take))
    assert late(second).refusal == CHANGED_MEANWHILE
    assert owner.admin.staff.find(OTHER) == before
    assert owner.admin.staff.find("mallory@example.com") is None


def test_an_owner_who_is_demoted_while_they_change_themselves_stays_so(owner: Desk) -> None:
    invite(owner, Role.OWNER)

    def demote() -> None:
        assert ask(owner, OTHER, MYSELF, "PATCH", {"role": "view"}).status == 200

    late = Desk(owner.cloud)
    late.admin = replace(late.admin, staff=crossed(late.admin.staff, "find", demote))
    assert late.patch(MYSELF, {"role": "owner", "totpRequired": True}).status == 409
    assert ask(owner, "owner", "/admin/me").body["role"] == "view"


def test_of_two_who_change_a_person_they_both_read_the_second_is_refused(owner: Desk) -> None:
    invite(owner, Role.STOCK)
    staff = owner.admin.staff
    read, by = staff.find(OTHER), staff.find("owner")
    assert read
    assert by
    owner.patch(PATH, {"role": "view"})
    for second in (lambda: staff.change(read, replace(read, totp_required=True), by), lambda: staff.remove(read, by)):
        with pytest.raises(Conflict, match="Somebody changed this person meanwhile"):
            second()
    assert ask(owner, OTHER, "/admin/me").body["role"] == "view"


# ---------------------------------------------------------------- the last owner


@pytest.mark.parametrize(
    "change", [{"role": "stock"}, {"disabled": True}, None], ids=["demoted", "disabled", "removed"]
)
def test_the_last_owner_can_not_be_removed_demoted_or_disabled(owner: Desk, change: dict[str, object] | None) -> None:
    def step_down(path: str) -> Reply:
        return owner.delete(path) if change is None else owner.patch(path, change)

    assert step_down(MYSELF).refusal == LAST_OWNER
    invite(owner, Role.OWNER)
    assert step_down(MYSELF).status == 200
    # Whoever is left is the last.
    assert ask(owner, OTHER, PATH, "PATCH", {"role": "view"}).refusal == LAST_OWNER


def test_an_owner_who_is_disabled_does_not_count_until_they_are_enabled(owner: Desk) -> None:
    invite(owner, Role.OWNER)
    owner.patch(PATH, {"disabled": True})
    assert owner.patch(MYSELF, {"role": "stock"}).refusal == LAST_OWNER
    owner.patch(PATH, {"disabled": False})
    assert owner.patch(MYSELF, {"role": "stock"}).status == 200
    assert ask(owner, OTHER, PATH, "DELETE").refusal == LAST_OWNER


@pytest.mark.parametrize("role", Role)
def test_make_staff_gives_a_role_to_anybody_and_takes_it_from_no_last_owner(cloud: Cloud, role: Role) -> None:
    staff, table = StaffMembers(cloud.db, cloud.env["STAFF_TABLE"], 0, cloud.clock), cloud.env["STAFF_TABLE"]
    by = staff.find("owner")
    assert by
    assert grant(cloud.client, table, OTHER, role.value)
    given = staff.find(OTHER)
    assert given
    staff.change(given, replace(given, disabled_at=START), by)
    assert grant(cloud.client, table, OTHER, role.value)
    member = staff.find(OTHER)
    assert member
    assert (member.role, member.disabled_at, role_of(cloud.client, table, OTHER)) == (role, None, role)
    # The list of the owners is as the API has it.
    assert grant(cloud.client, table, "owner", "view") is (role is Role.OWNER)
    last = next(member for member in staff.everybody() if member.is_owner)
    with pytest.raises(Conflict, match="There must be an owner left"):
        staff.remove(last, last)
    for name in [member.name for member in staff.everybody()]:
        revoke(cloud.client, table, name)
    assert not has_owner(cloud.client, table)
    assert grant(cloud.client, table, "owner", "owner")
    assert has_owner(cloud.client, table)


def test_make_staff_lets_an_only_owner_in_who_has_lost_password_and_second_factor(
    cloud: Cloud, owner: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.OWNER)
    ask(owner, OTHER, MYSELF, "DELETE")
    tokens = accounts.sign_in()
    accounts.set_up_totp()
    assert accounts.begin()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    console = command.Console(
        accounts.client, accounts.pool, cloud.client, cloud.env["STAFF_TABLE"], "https://x", sends_mail=True
    )
    said: list[str] = []
    command.reset(console, OTHER, command.role_for(console, OTHER, ""), said.append)
    password = said[0].rpartition("the temporary password is ")[2]
    assert accounts.begin(password)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert not accounts.can_renew(tokens)
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    # With a password of their own they are in; no second factor is asked for.
    accounts.sign_in()
    in_a_year = str(START // 1000 + 365 * 86_400)
    assert ask(owner, OTHER, STAFF, auth_time=in_a_year).status == 200


# ---------------------------------------------------------------- the second factor


def test_a_person_of_whom_a_second_factor_is_required_can_do_nothing_before_they_have_it(
    owner: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    assert owner.patch(PATH, {"totpRequired": True}).body["totpRequired"] is True
    reply = ask(owner, OTHER)
    assert (reply.status, reply.refusal[1][:11]) == (403, "TOTP needed")
    assert ask(owner, OTHER, "/admin/me").body["totpRequired"] is True
    accounts.set_up_totp()
    assert ask(owner, OTHER).status == 200
    # An owner helps who has lost it.
    assert owner.delete(f"{PATH}/totp").status == 200
    assert ask(owner, OTHER).status == 403


def test_a_second_factor_that_was_turned_off_is_missed_within_60_s(
    cloud: Cloud, owner: Desk, accounts: Accounts
) -> None:
    invite(owner, Role.STOCK)
    owner.patch(PATH, {"totpRequired": True})
    accounts.set_up_totp()
    assert ask(owner, OTHER).status == 200
    Desk(cloud).delete(f"{PATH}/totp")
    cloud.clock.advance(seconds=60)
    assert ask(owner, OTHER).status == 403


def test_a_deployment_may_require_a_second_factor_of_all(cloud: Cloud, accounts: Accounts) -> None:
    accounts.client.admin_create_user(UserPoolId=accounts.pool, Username="owner")
    cloud.env["REQUIRE_TOTP"] = "true"
    strict = Desk(cloud)
    assert strict.get("/admin/pools").status == 403
    assert strict.get("/admin/me").body["totpRequired"] is True
    accounts.set_up_totp("owner")
    assert strict.get("/admin/pools").status == 200

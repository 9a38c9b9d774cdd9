"""Staff: who may do what, and who is let in at all (contract 5)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from admin_api.app import ROUTES
from globalconnect.domain.errors import Conflict
from globalconnect.domain.staff import Role, StaffMember
from globalconnect.store.staff import StaffMembers
from local.staff import grant, has_owner, revoke, role_of
from simulation.aws import START, TEMPLATE, Cloud
from simulation.desk import Desk, event
from simulation.meanwhile import crossed
from simulation.shop import Reply, Shop

OTHER = "ada@example.com"
PATH = f"/admin/staff/{OTHER.replace('@', '%40')}"
LAST_OWNER = (409, "There must be an owner left: make somebody else one first")
NOT_SIGNED_IN = (401, "Sign in: a valid staff token is needed in Authorization")
# What each role may do beside what those before it may; the rest is the owners'.
SUPPORTS = ("/push", "/pause", "/lift-marks", "/test-push")
STOCKS = ("/admin/numbers", "/admin/imports", "/admin/services", "/admin/sources")


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    """Return a cloud with a user pool, in which the staff of the table have accounts."""
    pools = boto3.client("cognito-idp")
    policies: Any = TEMPLATE["Resources"]["OperatorPool"]["Properties"]["Policies"]
    pool = pools.create_user_pool(PoolName="staff", Policies=policies)["UserPool"]["Id"]
    for role in Role:
        pools.admin_create_user(UserPoolId=pool, Username=role.value)
    cloud.env["USER_POOL_ID"] = pool
    return cloud


@pytest.fixture
def owner(cloud: Cloud) -> Desk:
    return Desk(cloud)


@pytest.fixture
def account(cloud: Cloud) -> Callable[[str], dict[str, Any] | None]:
    """Return what gives a person's account at Cognito."""
    pools = boto3.client("cognito-idp")

    def found(name: str) -> dict[str, Any] | None:
        try:
            answer: Any = pools.admin_get_user(UserPoolId=cloud.env["USER_POOL_ID"], Username=name)
        except pools.exceptions.UserNotFoundException:
            return None
        return dict(answer)

    return found


def invite(owner: Desk, role: Role, email: str = OTHER) -> Reply:
    return owner.post("/admin/staff", {"email": email, "role": role.value, "delivery": "screen"})


def ask(desk: Desk, name: str, path: str = "/admin/pools", **claims: str) -> Reply:
    """Ask something as a person of that name."""
    request = event("GET", path)
    request["requestContext"]["authorizer"]["claims"] |= {"cognito:username": name, **claims}
    return desk.send(request)


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
    reply = Desk(cloud, role=role).send(event(route.method, route.path, body="{}", said=said))
    least = needed(route.method, route.path)
    if list(Role).index(role) < list(Role).index(least):
        assert reply.refusal == (403, f"This needs the role {least}")
    else:
        assert reply.status != 403


@pytest.mark.parametrize("role", Role)
def test_texts_are_hidden_from_a_role_without_them_and_refused_when_it_asks_for_them(shop: Shop, role: Role) -> None:
    shop.stock("447472190082")
    _, activation_id = shop.sold()
    shop.deliver(shop.source(), {"phone": "447472190082", "from": "Microsoft", "text": "Your code: 5015"})
    desk, path = Desk(shop.cloud, role=role), f"/admin/activations/{activation_id}"
    (message,) = desk.get(path).body["messages"]
    (hidden,) = desk.get(path, ("texts", "hidden")).body["messages"]
    shown = desk.get(path, ("texts", "shown"))
    one = desk.get(path, ("texts", message["smsId"]))
    assert hidden["text"] is None
    if role is Role.VIEW:
        assert message["text"] is None
        assert shown.refusal == one.refusal == (403, "This needs the role support")
        assert desk.get("/admin/unclaimed", ("texts", "shown")).status == 403
        assert [entry["action"] for entry in desk.get("/admin/audit").body["entries"]] == []
    else:
        assert {message["text"], shown.body["messages"][0]["text"], one.body["messages"][0]["text"]} == {
            "Your code: 5015"
        }


def test_a_user_of_the_pool_who_is_not_of_the_staff_has_no_access(owner: Desk) -> None:
    for path in ("/admin/pools", "/admin/me", "/admin/nothing"):
        assert ask(owner, "stranger@example.com", path).refusal == (
            403,
            "You have no role here yet: ask an owner for one",
        )
    assert ask(owner, "#owners").status == 403


# ---------------------------------------------------------------- their life


def test_a_person_is_invited_with_a_role_and_a_password_for_one_sign_in(
    owner: Desk, account: Callable[[str], Any]
) -> None:
    reply = invite(owner, Role.SUPPORT, "Ada@Example.com")
    assert (reply.status, reply.body["name"], reply.body["role"]) == (201, OTHER, "support")
    assert re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{20}", reply.body["temporaryPassword"])
    assert account(OTHER)["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert ask(owner, OTHER, "/admin/me").body == {"name": OTHER, "role": "support", "totpRequired": False}
    listed = owner.get("/admin/staff").body["staff"]
    assert [member["name"] for member in listed] == [OTHER, "owner", "stock", "support", "view"]
    # Again it is another password; with another role it is said to be there.
    again = invite(owner, Role.SUPPORT).body["temporaryPassword"]
    assert again not in {None, reply.body["temporaryPassword"]}
    assert invite(owner, Role.OWNER).refusal == (409, "This person is there already; change their role instead")
    assert reply.body["temporaryPassword"] not in str(owner.get("/admin/audit").body)


def test_who_has_a_password_of_their_own_keeps_it_when_they_are_invited_again(
    cloud: Cloud, owner: Desk, account: Callable[[str], Any]
) -> None:
    invite(owner, Role.VIEW)
    pool = cloud.env["USER_POOL_ID"]
    boto3.client("cognito-idp").admin_set_user_password(
        UserPoolId=pool, Username=OTHER, Password="Long-enough-1-password", Permanent=True
    )
    assert invite(owner, Role.VIEW).body["temporaryPassword"] is None
    assert account(OTHER)["UserStatus"] == "CONFIRMED"


def test_a_disabled_person_is_out_and_comes_back_when_enabled(owner: Desk, account: Callable[[str], Any]) -> None:
    invite(owner, Role.STOCK)
    assert owner.patch(PATH, {"disabled": True}).body["disabledAt"] is not None
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    assert account(OTHER)["Enabled"] is False
    assert owner.patch(PATH, {"disabled": False}).body["disabledAt"] is None
    assert ask(owner, OTHER).status == 200
    assert account(OTHER)["Enabled"] is True


def test_sessions_that_began_before_a_sign_out_are_over_also_when_their_token_is_newer(owner: Desk) -> None:
    invite(owner, Role.STOCK)
    owner.cloud.clock.advance(seconds=100)
    owner.post(f"{PATH}/sign-out")
    began = START // 1000
    # A token that was renewed since is of the session that began then.
    for auth_time, status in ((began, 401), (began + 99, 401), (began + 100, 200)):
        assert ask(owner, OTHER, auth_time=str(auth_time)).status == status


def test_a_reset_gives_a_password_once_and_ends_sessions(owner: Desk, account: Callable[[str], Any]) -> None:
    invite(owner, Role.VIEW)
    assert owner.post(f"{PATH}/reset-password").body["temporaryPassword"]
    assert ask(owner, OTHER).refusal == NOT_SIGNED_IN
    assert account(OTHER)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_a_removed_person_has_no_access_and_no_account(owner: Desk, account: Callable[[str], Any]) -> None:
    invite(owner, Role.OWNER)
    assert owner.delete(PATH).status == 200
    assert (ask(owner, OTHER).status, account(OTHER)) == (403, None)
    assert owner.delete(PATH).refusal == (404, "staff not found")


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


# ---------------------------------------------------------------- the last owner


@pytest.mark.parametrize(
    "change", [{"role": "stock"}, {"disabled": True}, None], ids=["demoted", "disabled", "removed"]
)
def test_the_last_owner_can_not_be_removed_demoted_or_disabled(owner: Desk, change: dict[str, object] | None) -> None:
    def step_down(path: str) -> Reply:
        return owner.delete(path) if change is None else owner.patch(path, change)

    assert step_down("/admin/staff/owner").refusal == LAST_OWNER
    invite(owner, Role.OWNER)
    assert step_down("/admin/staff/owner").status == 200
    # Whoever is left is the last.
    name = OTHER
    request = event("PATCH", PATH, body='{"role": "view"}')
    request["requestContext"]["authorizer"]["claims"]["cognito:username"] = name
    assert owner.send(request).refusal == LAST_OWNER


def test_of_two_owners_who_remove_each_other_at_once_one_wins(cloud: Cloud) -> None:
    staff = StaffMembers(cloud.db, cloud.env["STAFF_TABLE"], 0, cloud.clock)
    staff.add(StaffMember(OTHER, Role.OWNER, START))
    owner = staff.get("owner")
    # One reads, the other removes, the first removes by what was read.
    late = crossed(staff, "get", lambda: staff.remove(owner))
    other = late.get(OTHER)
    with pytest.raises(Conflict, match="There must be an owner left"):
        late.remove(other)
    assert [member.name for member in staff.everybody() if member.is_owner] == [OTHER]


@pytest.mark.parametrize("role", Role)
def test_make_staff_gives_a_role_to_anybody_and_takes_it_from_no_last_owner(cloud: Cloud, role: Role) -> None:
    staff, table = StaffMembers(cloud.db, cloud.env["STAFF_TABLE"], 0, cloud.clock), cloud.env["STAFF_TABLE"]
    assert grant(cloud.client, table, OTHER, role.value)
    staff.change(staff.get(OTHER), replace(staff.get(OTHER), disabled_at=START))
    assert grant(cloud.client, table, OTHER, role.value)
    member = staff.get(OTHER)
    assert (member.role, member.disabled_at, role_of(cloud.client, table, OTHER)) == (role, None, role)
    # The list of the owners is as the API has it.
    assert grant(cloud.client, table, "owner", "view") is (role is Role.OWNER)
    with pytest.raises(Conflict):
        staff.remove(next(member for member in staff.everybody() if member.is_owner))
    for name in [member.name for member in staff.everybody()]:
        revoke(cloud.client, table, name)
    assert not has_owner(cloud.client, table)
    assert grant(cloud.client, table, "owner", "owner")
    assert has_owner(cloud.client, table)


# ---------------------------------------------------------------- the second factor


def test_a_person_of_whom_a_second_factor_is_required_can_do_nothing_before_they_have_it(
    cloud: Cloud, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(owner, Role.STOCK)
    assert owner.patch(PATH, {"totpRequired": True}).body["totpRequired"] is True
    reply = ask(owner, OTHER)
    assert (reply.status, reply.refusal[1][:11]) == (403, "TOTP needed")
    assert ask(owner, OTHER, "/admin/me").body["totpRequired"] is True
    _set_up_totp(cloud, OTHER)
    assert ask(owner, OTHER).status == 200
    # An owner helps who has lost it.
    assert owner.delete(f"{PATH}/totp").status == 200
    assert ask(owner, OTHER).status == 403


def test_a_deployment_may_require_a_second_factor_of_all(cloud: Cloud) -> None:
    cloud.env["REQUIRE_TOTP"] = "true"
    strict = Desk(cloud)
    assert strict.get("/admin/pools").status == 403
    assert strict.get("/admin/me").body["totpRequired"] is True
    _set_up_totp(cloud, "owner")
    assert strict.get("/admin/pools").status == 200


def _set_up_totp(cloud: Cloud, name: str) -> None:
    pools, pool, password = boto3.client("cognito-idp"), cloud.env["USER_POOL_ID"], "Long-enough-1-password"
    client = pools.create_user_pool_client(
        UserPoolId=pool, ClientName="console", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    pools.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    given = {"USERNAME": name, "PASSWORD": password}
    signed_in = pools.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    token = signed_in["AuthenticationResult"]["AccessToken"]
    pools.associate_software_token(AccessToken=token)
    pools.verify_software_token(AccessToken=token, UserCode="123456")
    pools.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})

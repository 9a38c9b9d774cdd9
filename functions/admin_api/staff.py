"""The staff: who may do what, and their accounts at Cognito (contract 5).

What takes access away is written in our table first, what gives it at Cognito first: whatever fails in between, a person
has no more than before, and the same request again ends it.
"""

import re
from dataclasses import replace
from typing import Annotated, Literal, Self, TypedDict

from pydantic import AfterValidator, Field, with_config

from admin_api.route import Call, route
from admin_api.schema import STRICT, Acknowledgement, Body, Flag, NoFields, NoQuery, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import Conflict, InvalidInput, NotFound, existing
from globalconnect.domain.ids import Rng
from globalconnect.domain.staff import Role, StaffMember
from globalconnect.domain.times import to_iso, to_iso_if_any

RESOURCE = "/admin/staff"
_MEMBER = f"{RESOURCE}/{{name}}"
_WHAT = "staff"
_LONGEST_EMAIL = 128
_PASSWORD_LENGTH = 20
# What Cognito's policy wants is in each: the pool asks for a letter of either kind and a digit.
_LETTERS = ("abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789")
# Of what Cognito takes, what mail can reach (SES wants ASCII) and a path can hold as it is; as deployment/staff.py has it.
_ATOM, _LABEL = r"[a-z0-9!$&'*+=^_`{|}~-]+", "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+", re.ASCII)


def _email(text: str) -> str:
    if text.isascii() and _ADDRESS.fullmatch(text.lower()):
        return text.lower()
    raise ValueError("no e-mail address")


Email = Annotated[
    str,
    Field(min_length=3, max_length=_LONGEST_EMAIL, description="one e-mail address, which is the name to sign in with"),
    AfterValidator(_email),
]
RoleName = Annotated[Literal["view", "support", "stock", "owner"], Field(description=f"one of {', '.join(Role)}")]
Delivery = Annotated[
    Literal["mail", "screen"],
    Field(description="mail, for which Cognito sends a temporary password, or screen, where the answer has it"),
]


class NewStaffMember(Body):
    """A person to invite."""

    email: Email
    role: RoleName
    delivery: Delivery = "mail"


@with_config(STRICT)
class StaffChange(TypedDict, total=False):
    """What is to be otherwise about a person; what is absent stays."""

    role: RoleName
    disabled: Flag
    totp_required: Flag


class StaffMemberView(View):
    """A member of staff. `totpRequired` is their own duty to have a second factor; the deployment may require it of all."""

    name: str
    role: RoleName
    invited_at: Time
    disabled_at: Time | None
    signed_out_at: Time | None
    totp_required: bool

    @classmethod
    def of(cls, member: StaffMember, **more: object) -> Self:
        """Return a person as staff see them; `more` are the fields of a subclass."""
        return cls(
            name=member.name,
            role=member.role.value,
            invited_at=to_iso(member.invited_at),
            disabled_at=to_iso_if_any(member.disabled_at),
            signed_out_at=to_iso_if_any(member.signed_out_at),
            totp_required=member.totp_required,
            **more,
        )


class InvitedView(StaffMemberView):
    """A person who was invited. `temporaryPassword` is null when it comes by mail, or they have a password of their own."""

    temporary_password: str | None = Field(repr=False)


class StaffPage(View):
    """All of the staff, by name."""

    staff: list[StaffMemberView]
    cursor: str | None = None


class MeView(View):
    """The person who asks. `totpRequired` says whether they must have a second factor, by duty or deployment."""

    name: str
    role: RoleName
    totp_required: bool


class TemporaryPasswordView(View):
    """A password for one sign-in, at which another is chosen."""

    temporary_password: str = Field(repr=False)


@route(
    "GET", "/admin/me", Role.VIEW, "Read who is signed in, and as what. It is answered without a second factor, too."
)
def me(parts: Parts, call: Call[NoQuery, NoFields]) -> MeView:
    member = call.member
    return MeView(name=member.name, role=member.role.value, totp_required=parts.require_totp or member.totp_required)


@route("GET", RESOURCE, Role.VIEW, "List the staff, whole and by name; its cursor is always null.")
def browse(parts: Parts, _call: Call[NoQuery, NoFields]) -> StaffPage:
    return StaffPage(staff=[StaffMemberView.of(member) for member in parts.staff.everybody()])


@route(
    "POST",
    RESOURCE,
    Role.OWNER,
    "Invite a person. Again with the same role, one who has not signed in yet gets another password.",
    action="staff.invited",
    status=201,
    errors=(409,),
)
def invite(parts: Parts, call: Call[NoQuery, NewStaffMember]) -> InvitedView:
    given = call.body
    call.log_change(changed_id=given.email, role=given.role)
    password = None if given.delivery == "mail" else _one_time_password(parts.rng)
    known = parts.staff.find(given.email, as_now=True)
    if known is not None and known.role.value != given.role:
        raise Conflict("This person is there already; change their role instead")
    # An account without a role has no access, so it may come first.
    is_new = parts.user_pool.invite(given.email, password)
    if known is None:
        # It may have been disabled, and left by a removal that came to no end.
        parts.user_pool.enable(given.email)
        known = StaffMember(given.email, Role(given.role), parts.now())
        parts.staff.add(known, call.member)
    return InvitedView.of(known, temporary_password=password if is_new else None)


@route(
    "PATCH",
    _MEMBER,
    Role.OWNER,
    "Change a person's role, disable or enable them, or require a second factor of them. One owner must be left.",
    action="staff.changed",
    errors=(404, 409),
)
def change(parts: Parts, call: Call[NoQuery, StaffChange]) -> StaffMemberView:
    given, before = call.body, _named(parts, call)
    if not given:
        raise InvalidInput("body", "expected at least one of role, disabled and totpRequired")
    role, disabled = given.get("role", before.role.value), given.get("disabled")
    call.log_change(fields=sorted(given), role=role)
    disabled_at = before.disabled_at
    if disabled is not None:
        disabled_at = (before.disabled_at or parts.now()) if disabled else None
    after = replace(
        before,
        role=Role(role),
        disabled_at=disabled_at,
        totp_required=given.get("totp_required", before.totp_required),
    )
    if disabled is False:
        parts.user_pool.enable(before.name)
    changed = before if after == before else parts.staff.change(before, after, call.member)
    if disabled:
        parts.user_pool.disable(before.name)
    return StaffMemberView.of(changed)


@route(
    "POST",
    f"{_MEMBER}/sign-out",
    Role.OWNER,
    "End all sessions of a person, within 60 s everywhere.",
    action="staff.signed_out",
    errors=(404, 409),
)
def sign_out(parts: Parts, call: Call[NoQuery, NoFields]) -> StaffMemberView:
    return StaffMemberView.of(_signed_out(_named(parts, call), parts, call.member))


@route(
    "POST",
    f"{_MEMBER}/reset-password",
    Role.OWNER,
    "Give a person a password for one sign-in, shown once, and end all their sessions.",
    action="staff.password_reset",
    errors=(404, 409),
)
def reset_password(parts: Parts, call: Call[NoQuery, NoFields]) -> TemporaryPasswordView:
    before = _named(parts, call)
    password = _one_time_password(parts.rng)
    # First: with the former password nobody signs in once the sessions have ended.
    if not parts.user_pool.invite(before.name, password):
        parts.user_pool.set_one_time_password(before.name, password)
    _signed_out(before, parts, call.member)
    return TemporaryPasswordView(temporary_password=password)


@route(
    "DELETE",
    f"{_MEMBER}/totp",
    Role.OWNER,
    "Take a person's second factor away, who has lost it; they can set up another.",
    action="staff.totp_removed",
    errors=(404,),
)
def remove_totp(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    parts.user_pool.remove_totp(_named(parts, call).name)
    return Acknowledgement()


@route(
    "DELETE",
    _MEMBER,
    Role.OWNER,
    "Remove a person, with their account. One owner must be left.",
    action="staff.removed",
    errors=(404, 409),
)
def remove(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    name, member = _found(parts, call)
    if member is not None:
        parts.staff.remove(member, call.member)
    # Of a removal that came to no end the account is left, alone.
    if not parts.user_pool.delete(name) and member is None:
        raise NotFound(_WHAT)
    return Acknowledgement()


def _named[B](parts: Parts, call: Call[NoQuery, B]) -> StaffMember:
    """Return the person whom a path names, as they are now, and have the audit log name them. Raises NotFound."""
    return existing(_found(parts, call)[1], _WHAT)


def _found[B](parts: Parts, call: Call[NoQuery, B]) -> tuple[str, StaffMember | None]:
    """Return a path's name, and the person if there is one, as they are now; then the audit log names them."""
    name = call.path["name"].lower()
    # Who changes themselves is changed as the one who was let do it.
    member = call.member if name == call.member.name else parts.staff.find(name, as_now=True)
    if member is not None:
        call.log_change(changed_id=name)
    return name, member


def _signed_out(before: StaffMember, parts: Parts, by: StaffMember) -> StaffMember:
    after = parts.staff.change(before, replace(before, signed_out_at=parts.now()), by)
    parts.user_pool.end_sessions(before.name)
    return after


def _one_time_password(rng: Rng) -> str:
    alphabet = "".join(_LETTERS)
    chosen = [kind[rng(len(kind))] for kind in _LETTERS]
    return "".join(chosen + [alphabet[rng(len(alphabet))] for _ in range(_PASSWORD_LENGTH - len(chosen))])

"""Staff at the admin API's handler, on the pretend cloud."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from admin_api.app import answer
from admin_api.user_pool import UserPool
from admin_api.wiring import Parts, build
from globalconnect.domain.activation import Activation
from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId, SourceId
from globalconnect.domain.inbound import InboundSms, InboxKind, Receipt, UnclaimedReason, identity_of
from globalconnect.domain.number import Number
from globalconnect.domain.sms import Sms
from globalconnect.domain.staff import Role, StaffMember
from globalconnect.domain.times import MINUTE
from globalconnect.runtime.http import endpoint
from globalconnect.runtime.startup import Environment
from globalconnect.store.activations import from_activation, from_sms
from globalconnect.store.audit import Audit
from globalconnect.store.staff import StaffMembers
from globalconnect.store.transactions import IssueResult, Transactions
from simulation.aws import TEMPLATE, Cloud, variables
from simulation.shop import Reply, grouped

STAFF_ID = "7d2f3c1e-operator"
# What API Gateway hands on of an ID token: texts all of them.
CLAIMS = {
    "sub": STAFF_ID,
    "cognito:username": "owner",
    "auth_time": "1790000000",
    "iat": "Mon Sep 21 14:13:20 UTC 2026",
    "email": "anna@example.com",
    "email_verified": "true",
    "token_use": "id",
    # What make_environment has for USER_POOL_CLIENT_ID.
    "aud": "OperatorClient",
}
HOST = "api.example.com"
STAGE = "live"
JSON = "application/json"
CSV = "text/csv"

PARTNER = {"name": "Hub"}


@dataclass(slots=True)
class Desk:
    """The desk of staff."""

    cloud: Cloud
    seed: int = 2
    role: Role = Role.OWNER
    user_pool: UserPool | None = None
    admin: Parts = field(init=False)

    def __post_init__(self) -> None:
        cloud = self.cloud
        # Keys have to differ, which rng that count can't promise.
        rng = random.Random(self.seed).randrange
        admin = build(Environment(cloud.env), cloud.db, cloud.queues(), cloud.clock, rng, cloud.kms)
        self.admin = replace(admin, user_pool=self.user_pool or admin.user_pool)

    def get(self, path: str, *query: tuple[str, str]) -> Reply:
        return self.send(event("GET", path, query=query))

    def post(self, path: str, body: object = None) -> Reply:
        return self.send(event("POST", path, body=None if body is None else json.dumps(body)))

    def put(self, path: str, body: object) -> Reply:
        return self.send(event("PUT", path, body=json.dumps(body)))

    def patch(self, path: str, body: object) -> Reply:
        return self.send(event("PATCH", path, body=json.dumps(body)))

    def delete(self, path: str) -> Reply:
        return self.send(event("DELETE", path))

    def keep_unclaimed(self, number: int, text: str, at: int, received_at: int | None = None) -> None:
        """Let an SMS be unclaimed at `at` (ms)."""
        sms = InboundSms("447472190035", "Telegram", text, str(number), stated_at=received_at)
        receipt = Receipt(SmsId(number), SourceId("gw"), identity_of(sms, SourceId("gw"), at), sms, at, at)
        self.cloud.db.transact(self.admin.inbox.entering(receipt, InboxKind.UNCLAIMED, UnclaimedReason.NOT_HELD))

    def upload(self, content: str, media_type: str = CSV) -> Reply:
        return self.send(event("POST", "/admin/numbers", body=content, headers={"Content-Type": media_type}))

    def put_file(self, path: str, content: str, media_type: str = CSV) -> Reply:
        return self.send(event("PUT", path, body=content, headers={"Content-Type": media_type}))

    def send_part(self, import_id: str, part: object, content: str, media_type: str = CSV) -> Reply:
        return self.put_file(f"/admin/imports/{import_id}/parts/{part}", content, media_type)

    def send(self, request: Mapping[str, Any]) -> Reply:
        claims = request["requestContext"]["authorizer"].get("claims", {})
        if claims.get("cognito:username") == Role.OWNER:
            claims["cognito:username"] = self.role.value
        return send(request, self.admin)

    def partner(self, **fields: object) -> dict[str, Any]:
        reply = self.post("/admin/partners", PARTNER | fields)
        assert reply.status == 201
        issued: dict[str, Any] = reply.body
        return issued

    def all_pages(self, path: str, things: str, *query: tuple[str, str]) -> list[Any]:
        found: list[Any] = []
        cursor: tuple[tuple[str, str], ...] = ()
        while True:
            reply = self.get(path, *query, *cursor)
            assert reply.status == 200
            assert reply.body.keys() == {things, "cursor"}
            found += reply.body[things]
            if reply.body["cursor"] is None:
                return found
            cursor = (("cursor", reply.body["cursor"]),)

    # ---------------------------------------------------------- what happened meanwhile

    def stocked(self, phone: str, country: str = "england", operator: str = "O2") -> Number:
        number = Number(phone, country, operator, available_from=self.cloud.clock())
        self.admin.numbers.add(number)
        return number

    def sold(self, partner_id: str, number: Number, service: str = "tg", **fields: Any) -> Activation:
        now = self.cloud.clock()
        activation = Activation(
            activation_id=ActivationId(1_000_000 + self.cloud.rng(1 << 40)),
            partner_id=PartnerId(partner_id),
            phone=number.phone,
            country=number.country,
            operator=number.operator,
            service=service,
            started_at=now,
            expires_at=now + 60 * MINUTE,
            **fields,
        )
        sales = Transactions(self.cloud.db, self.admin.numbers, self.admin.activations)
        assert sales.issue(activation, tries=1) is IssueResult.DONE
        return activation

    def recorded(self, activation: Activation) -> Activation:
        item = from_activation(activation, self.admin.activations.retention)
        self.cloud.db.put(self.admin.activations.table, item)
        return activation

    def arrived(self, activation: Activation, sms_id: int = 77, **fields: Any) -> Sms:
        now = self.cloud.clock()
        sms = Sms(
            sms_id=SmsId(sms_id),
            activation_id=activation.activation_id,
            partner_id=activation.partner_id,
            phone=activation.phone,
            phone_from="Telegram",
            text="code 12345",
            received_at=now,
            stored_at=now,
            **fields,
        )
        self.cloud.db.put(self.admin.activations.table, from_sms(sms, self.admin.activations.retention))
        return sms


class Unrecorded(Audit):
    """An audit log that keeps nothing, for a handler without a cloud."""

    def __init__(self) -> None:
        """Need nothing."""

    def write(self, entry: AuditEntry) -> None:
        """Keep nothing."""


class OwnerAlone(StaffMembers):
    """A staff of one owner, for a handler without a cloud."""

    def __init__(self) -> None:
        """Need nothing."""

    def find(self, name: str, *, as_now: bool = False) -> StaffMember:
        """Return the owner."""
        return StaffMember(name, Role.OWNER, 0)


class NoAccounts(UserPool):
    """A user pool that does whatever it is asked to, for a handler without Cognito."""

    def __init__(self) -> None:
        """Need nothing."""

    def invite(self, name: str, password: str | None) -> bool:
        """Do as if somebody new had been invited."""
        return True

    def has_totp(self, name: str) -> bool:
        """Return that everybody has a second factor."""
        return True

    def enable(self, name: str) -> None:
        """Do nothing."""

    disable = end_sessions = remove_totp = enable

    def delete(self, name: str) -> bool:
        """Do as if there had been an account."""
        return True

    def set_one_time_password(self, name: str, password: str) -> None:
        """Do nothing."""


def environment(**known: str) -> Environment:
    """Return what a handler without a cloud is put together of: the template's variables, but for these."""
    return Environment(variables(TEMPLATE, {}) | known)


def send(request: Mapping[str, Any], admin: Parts) -> Reply:
    """Send an event to the handler that works with `admin`."""
    proxied = endpoint(lambda asked: answer(asked, admin))(request, None)
    assert proxied["headers"]["Content-Type"] == "application/json; charset=utf-8"
    body = proxied["body"] if proxied.get("isBase64Encoded") else json.loads(proxied["body"])
    return Reply(proxied["statusCode"], body, proxied["headers"])


def below_admin(path: str, said: Mapping[str, str] | None = None) -> str:
    """Return a path without /admin, as API Gateway gives it, with what is `said` in place of its names, encoded."""
    named = {name: quote(value, safe="") for name, value in (said or {}).items()}
    return re.sub(r"\{(\w+)\}", lambda name: named[name.group(1)], path.removeprefix("/admin/"))


def event(
    method: str,
    path: str,
    *,
    body: str | None = None,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    said: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event that API Gateway makes of a request to a path below /admin, with what is `said` for its names."""
    fields = grouped(query)
    return {
        "resource": "/admin/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Accept": "*/*", **(headers or {})},
        "queryStringParameters": {name: values[-1] for name, values in fields.items()} or None,
        "multiValueQueryStringParameters": fields or None,
        "pathParameters": {"proxy": below_admin(path, said)},
        "stageVariables": None,
        "requestContext": {
            "domainName": HOST,
            "path": f"/{STAGE}{path}",
            "authorizer": {"claims": dict(CLAIMS)},
        },
        "body": body,
        "isBase64Encoded": False,
    }

"""Admin API: services, sources, inbox, and what holds for every route (contract 5)."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.service import Service
from globalconnect.domain.times import DAY
from globalconnect.store.sources import Sources
from simulation.aws import START, Cloud
from simulation.desk import HOST, STAFF_ID, STAGE, Desk, event
from simulation.failing import Fault, Scripted, failing_cloud
from simulation.shop import present


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


def changes_logged(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.message == "changed_by_staff"]


# ---------------------------------------------------------------- services


def test_a_service_is_on_sale_and_not_reusable_unless_said_otherwise(desk: Desk) -> None:
    reply = desk.put("/admin/services/tg", {"name": "Telegram"})
    assert reply.status == 200
    assert reply.body == {"code": "tg", "name": "Telegram", "reusable": False, "enabled": True, "cancelLimit": None}
    assert desk.admin.services.find("tg") == Service("tg", "Telegram", reusable=False, enabled=True)


def test_putting_a_service_again_replaces_it_whole(desk: Desk) -> None:
    desk.put("/admin/services/tg", {"name": "Telegram", "reusable": True, "enabled": False})
    assert desk.admin.services.find("tg") == Service("tg", "Telegram", reusable=True, enabled=False)
    desk.put("/admin/services/tg", {"name": "TG"})
    assert desk.admin.services.find("tg") == Service("tg", "TG", reusable=False, enabled=True)


def test_a_service_may_be_given_a_cancel_limit_and_lose_it_again(desk: Desk) -> None:
    assert desk.put("/admin/services/tg", {"name": "Telegram", "cancelLimit": 2}).body["cancelLimit"] == 2
    assert desk.get("/admin/services").body["services"][0]["cancelLimit"] == 2
    assert desk.admin.services.find("tg") == Service("tg", "Telegram", cancel_limit=2)
    assert desk.put("/admin/services/tg", {"name": "Telegram", "cancelLimit": None}).body["cancelLimit"] is None
    assert desk.admin.services.find("tg") == Service("tg", "Telegram")


def test_the_catalogue_is_listed_by_code(desk: Desk) -> None:
    for code in ("wa", "go", "A.b_c-9", "x" * 40):
        assert desk.put(f"/admin/services/{code}", {"name": code}).status == 200
    reply = desk.get("/admin/services")
    assert [service["code"] for service in reply.body["services"]] == ["A.b_c-9", "go", "wa", "x" * 40]
    assert reply.body["cursor"] is None


# ---------------------------------------------------------------- sources


def test_a_source_gets_an_id_an_url_and_a_secret_that_is_shown_once(desk: Desk) -> None:
    reply = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"})
    assert reply.status == 201
    source_id, secret = reply.body["sourceId"], reply.body.pop("secret")
    assert reply.body == {
        "sourceId": source_id,
        "name": "Gateway",
        "provider": "generic",
        "url": f"https://{HOST}/{STAGE}/inbound/{source_id}",
        "createdAt": "2026-09-21T14:13:20+00:00",
        "lastHeardAt": None,
        "lastUnreadable": None,
        "lastUntimed": None,
    }
    stored = present(desk.admin.sources.find(source_id))
    assert stored.secret == secret
    assert len(secret) == 40
    listed = desk.get("/admin/sources").body
    assert listed == {"sources": [reply.body], "cursor": None}
    assert secret not in json.dumps(listed)


def test_a_source_may_be_entered_with_the_secret_that_its_provider_has_made(desk: Desk) -> None:
    fields = {"name": "Gateway", "provider": "generic", "settings": {}}
    reply = desk.post("/admin/sources", {**fields, "secret": "of a provider"})
    assert (reply.status, reply.body["secret"]) == (201, "of a provider")
    assert secrets_of(desk, reply.body["sourceId"]) == ["of a provider"]
    for refused in ({"secret": "short"}, {"secret": 12_345_678}, {"settings": {"lines": "x"}}, {"settings": None}):
        status, message = desk.post("/admin/sources", {**fields, **refused}).refusal
        assert (status, message.partition(":")[0]) == (400, next(iter(refused)))


def test_the_types_of_gateway_are_listed_with_what_each_needs(desk: Desk) -> None:
    assert desk.get("/admin/providers").body == {
        "providers": [
            {
                "name": "generic",
                "title": "Generic (JSON, signed)",
                "methods": ["POST"],
                "authentication": "`X-Signature`: hex HMAC-SHA256 of the body, with the secret as key",
                "secret": "made",
                "settings": [],
            }
        ]
    }


@pytest.mark.parametrize(
    ("changes", "base"),
    [
        ({"stageVariables": {"publicUrl": "http://127.0.0.1:4566/x/live/"}}, "http://127.0.0.1:4566/x/live"),
        ({"stageVariables": {"other": "x"}}, f"https://{HOST}/live"),
        ({"stageVariables": None}, f"https://{HOST}/live"),
        ({"requestContext": {"path": "/admin/sources"}}, f"https://{HOST}"),
        ({"requestContext": {"path": "/admin/sources/"}, "path": "/admin/sources/"}, f"https://{HOST}"),
        ({"requestContext": {"path": "/gc/admin/sources"}, "path": "/gc/admin/sources"}, f"https://{HOST}/gc"),
    ],
)
def test_the_url_of_a_source_is_where_the_outside_reaches_this_api(
    desk: Desk, changes: dict[str, Any], base: str
) -> None:
    desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"})
    request = event("GET", "/admin/sources")
    context = request["requestContext"] | changes.pop("requestContext", {})
    shown = desk.send(request | changes | {"requestContext": context}).body["sources"][0]
    assert shown["url"] == f"{base}/inbound/{shown['sourceId']}"


def secrets_of(desk: Desk, source_id: str) -> list[str]:
    """Return the secrets with which a gateway may sign now, newest first."""
    source = present(desk.admin.sources.find(source_id))
    return source.secrets(desk.cloud.clock())


def added(desk: Desk) -> tuple[str, str]:
    """Enter a gateway; return its id and its secret."""
    body = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body
    return body["sourceId"], body["secret"]


def test_a_source_gets_a_new_secret_that_is_shown_once_and_the_former_is_good_for_a_day(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    source_id, first = added(desk)
    reply = desk.post(f"/admin/sources/{source_id}/secret")
    second = reply.body["secret"]
    assert (reply.status, reply.body) == (201, {"sourceId": source_id, "secret": second, "warning": None})
    assert (len(second), second != first) == (40, True)
    assert secrets_of(desk, source_id) == [second, first]
    desk.cloud.clock.advance(ms=DAY - 1)
    assert secrets_of(desk, source_id) == [second, first]
    desk.cloud.clock.advance(ms=1)
    assert secrets_of(desk, source_id) == [second]
    seen = caplog.text + json.dumps([vars(record) for record in caplog.records], default=str)
    seen += json.dumps(desk.get("/admin/sources").body) + json.dumps(desk.get("/admin/audit").body)
    assert second not in seen
    entries = desk.get("/admin/audit").body["entries"]
    assert ("source.secret_replaced", source_id, {}) in [
        (entry["action"], entry["id"], entry["details"]) for entry in entries
    ]


@pytest.mark.parametrize(
    ("secret", "warned"), [("x" * 8, True), ("x" * 15, True), ("x" * 16, False), ("x" * 4_096, False)]
)
def test_a_secret_may_be_given_and_a_short_one_gets_a_warning(desk: Desk, secret: str, *, warned: bool) -> None:
    source_id, first = added(desk)
    reply = desk.post(f"/admin/sources/{source_id}/secret", {"secret": secret})
    assert (reply.status, reply.body["secret"]) == (201, secret)
    assert (reply.body["warning"] is not None) == warned
    assert secret not in str(reply.body["warning"])
    assert secrets_of(desk, source_id) == [secret, first]


def test_a_secret_that_is_replaced_again_leaves_the_one_before_it_its_own_time(desk: Desk) -> None:
    source_id, first = added(desk)
    path = f"/admin/sources/{source_id}/secret"
    desk.post(path)
    desk.cloud.clock.advance(ms=DAY // 2)
    # Its answer was lost, so staff ask for another.
    third = desk.post(path).body["secret"]
    assert [secrets_of(desk, source_id)[place] for place in (0, -1)] == [third, first]
    desk.cloud.clock.advance(ms=DAY // 2)
    assert first not in secrets_of(desk, source_id)
    assert len(secrets_of(desk, source_id)) == 2


def test_the_same_secret_given_again_changes_nothing_and_a_former_one_becomes_the_newest(desk: Desk) -> None:
    source_id, first = added(desk)
    path = f"/admin/sources/{source_id}/secret"
    for _ in range(3):
        assert desk.post(path, {"secret": "given secret"}).status == 201
        assert secrets_of(desk, source_id) == ["given secret", first]
        desk.cloud.clock.advance(ms=1_000)
    assert desk.post(path, {"secret": first}).status == 201
    assert secrets_of(desk, source_id) == [first, "given secret"]


def test_a_new_secret_that_aws_kept_without_an_answer_is_shown(desk: Desk) -> None:
    source_id, first = added(desk)
    db = failing_cloud(desk.cloud, Scripted(Fault.UNANSWERED, operation="UpdateItem")).db
    desk.admin = replace(desk.admin, sources=Sources(db, desk.cloud.env["SOURCES_TABLE"], 0, desk.cloud.clock))
    reply = desk.post(f"/admin/sources/{source_id}/secret")
    assert reply.status == 201
    assert secrets_of(desk, source_id) == [reply.body["secret"], first]


def test_the_secret_of_no_source_can_be_replaced(desk: Desk) -> None:
    assert desk.post("/admin/sources/nobody/secret").refusal == (404, "source not found")
    assert desk.post("/admin/sources/..|../secret").refusal == (404, "source not found")


def test_a_removed_source_is_gone(desk: Desk) -> None:
    source_id = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body["sourceId"]
    reply = desk.delete(f"/admin/sources/{source_id}")
    assert (reply.status, reply.body) == (200, {"status": "SUCCESS"})
    assert desk.admin.sources.find(source_id) is None
    assert desk.delete(f"/admin/sources/{source_id}").refusal == (404, "source not found")
    assert desk.delete("/admin/sources/..|..").refusal == (404, "source not found")


# ---------------------------------------------------------------- inbox


def test_unclaimed_sms_are_listed_newest_first_page_by_page(desk: Desk) -> None:
    for n in range(101):
        desk.keep_unclaimed(1_000 + n, f"code {n}", START + n * 1_000, received_at=START - n)
    desk.admin.inbox.keep_unreadable("x", "gw", b"{", "bad", START)
    assert desk.get("/admin/unclaimed").body["messages"][0] == {
        "smsId": "1100",
        "sourceId": "gw",
        "phone": "447472190035",
        "phoneFrom": "Telegram",
        "text": "code 100",
        "receivedAt": "2026-09-21T14:13:19+00:00",
        "storedAt": "2026-09-21T14:15:00+00:00",
        "reason": "no activation held the number",
        "repeats": 0,
    }
    listed = [message["smsId"] for message in desk.all_pages("/admin/unclaimed", "messages")]
    assert listed == [str(1_000 + n) for n in reversed(range(101))]


def test_unreadable_payloads_are_listed_as_they_came(desk: Desk) -> None:
    payload = '{"phone": <script>alert(1)</script>\u202e'
    desk.admin.inbox.keep_unreadable("x", "gw", payload.encode(), "body: expected valid JSON", START)
    shown = {
        "sourceId": "gw",
        "payload": payload,
        "reason": "body: expected valid JSON",
        "storedAt": "2026-09-21T14:13:20+00:00",
    }
    assert desk.get("/admin/unreadable").body == {"payloads": [shown], "cursor": None}
    assert desk.get("/admin/unclaimed").body == {"messages": [], "cursor": None}


def test_a_cursor_of_the_unclaimed_is_400_for_the_unreadable(desk: Desk) -> None:
    for n in range(101):
        desk.keep_unclaimed(1_000 + n, "code", START + n)
    cursor = present(desk.get("/admin/unclaimed").body["cursor"])
    assert desk.get("/admin/unreadable", ("cursor", cursor)).status == 400


# ---------------------------------------------------------------- every route


def test_every_change_is_logged_with_who_and_what_by_ids_only(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    partner = desk.partner(name="Hub Ltd", pushUrl="https://hub.example.com/p?token=hush")
    path = f"/admin/partners/{partner['partnerId']}"
    desk.patch(path, {"name": "Renamed"})
    rotated = desk.post(f"{path}/rotate-key").body
    signing = desk.post(f"{path}/signing-secret").body
    desk.delete(f"{path}/signing-secret")
    desk.put("/admin/services/tg", {"name": "Telegram"})
    desk.post("/admin/numbers", [{"phone": "447472190035", "country": "england", "operator": "O2"}, 5])
    desk.patch("/admin/numbers/447472190035", {"enabled": False})
    desk.patch("/admin/numbers/447472190035", {"enabled": True})
    source = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body
    desk.arrived(desk.sold(partner["partnerId"], desk.stocked("447472190036")))
    activation = desk.get("/admin/activations").body["activations"][0]["activationId"]
    desk.post(f"/admin/activations/{activation}/messages/77/push")
    desk.delete(f"/admin/sources/{source['sourceId']}")
    desk.delete(path)

    changes = [(record.action, record.id) for record in changes_logged(caplog)]
    assert changes == [
        ("partner.issued", partner["partnerId"]),
        ("partner.changed", partner["partnerId"]),
        ("partner.key_rotated", partner["partnerId"]),
        ("partner.signing_secret_rotated", partner["partnerId"]),
        ("partner.signing_secrets_removed", partner["partnerId"]),
        ("service.put", "tg"),
        ("numbers.imported", None),
        ("number.withdrawn", "447472190035"),
        ("number.restored", "447472190035"),
        ("source.added", source["sourceId"]),
        ("message.pushed_again", str(activation)),
        ("source.removed", source["sourceId"]),
        ("partner.revoked", partner["partnerId"]),
    ]
    assert {record.staff for record in changes_logged(caplog)} == {STAFF_ID}
    written = str([vars(record) for record in caplog.records])
    for hidden in (
        partner["key"],
        rotated["key"],
        signing["signingSecret"],
        source["secret"],
        "hush",
        "Hub Ltd",
        "anna",
        "code 12345",
    ):
        assert hidden not in written


def test_reading_is_not_logged_as_a_change(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for path in ("partners", "services", "numbers", "activations", "sources", "unclaimed", "unreadable"):
        assert desk.get(f"/admin/{path}").status == 200
    assert changes_logged(caplog) == []


def test_a_long_answer_is_gzipped_when_asked_for(desk: Desk) -> None:
    for n in range(30):
        desk.stocked(f"4474721900{n:02}")
    plain = desk.get("/admin/numbers")
    packed = desk.send(event("GET", "/admin/numbers", headers={"Accept-Encoding": "gzip"}))
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(base64.b64decode(packed.body))) == plain.body


def test_a_failure_of_ours_is_500_in_our_json_and_says_nothing_of_its_cause(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("globalconnect.store.partners.Partners.page", fail)
    assert desk.get("/admin/partners").refusal == (500, "Temporary failure on our side; try again")
    assert [record.message for record in caplog.records] == ["unexpected_error"]
    assert "a secret" not in str([vars(record) for record in caplog.records])

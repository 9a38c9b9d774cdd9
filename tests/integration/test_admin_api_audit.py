"""Admin API, the audit log: every change, and every look at what SMS say (contract 5, docs/adr/0025)."""

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from globalconnect.domain.audit import AuditEntry, AuditResult
from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import PartnerId, SourceId
from globalconnect.domain.inbound import UnreadablePayload
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt, Sms
from globalconnect.domain.times import DAY
from globalconnect.store.audit import Audit
from globalconnect.store.cursors import Listing
from simulation.aws import START, Cloud
from simulation.calls import Calls
from simulation.desk import STAFF_ID, Desk, event
from simulation.failing import Fault, failing_cloud
from simulation.meanwhile import crossed
from simulation.shop import Reply, present

if TYPE_CHECKING:
    from collections.abc import Callable

PHONE = "447472190035"
PUSH_URL = "https://hub.example.com/push?token=hush"
BUSY = (503, "Temporarily busy; try again")


def failing(desk: Desk, first: int = 1) -> Desk:
    """Return a desk over the same tables whose writes to the audit log fail from so many on, all of the store's tries."""
    writes = itertools.count(1)

    def fault(operation: str) -> Fault | None:
        return Fault.THROTTLED if operation == "PutItem" and next(writes) >= first else None

    audit = Audit(failing_cloud(desk.cloud, fault).db, desk.cloud.env["AUDIT_TABLE"], 400 * DAY)
    other = Desk(desk.cloud)
    other.admin = replace(other.admin, audit=audit)
    return other


def entries(desk: Desk) -> list[dict[str, Any]]:
    """Return the audit log, oldest first; clocks stand still, so entries of one moment are in no order."""
    return sorted(desk.all_pages("/admin/audit", "entries"), key=lambda entry: entry["at"])


def newest(desk: Desk) -> dict[str, Any]:
    """Return the newest entry, and let time go on, so that the next one is newer."""
    entry: dict[str, Any] = desk.get("/admin/audit").body["entries"][0]
    desk.cloud.clock.advance(ms=1)
    return entry


# ---------------------------------------------------------------- changes


def test_a_change_is_recorded_with_who_when_what_and_how_it_ended(desk: Desk) -> None:
    partner = desk.partner(pushUrl=PUSH_URL)
    assert newest(desk) == {
        "at": "2026-09-21T14:13:20+00:00",
        "staff": STAFF_ID,
        "staffName": "anna@example.com",
        "action": "partner.issued",
        "id": partner["partnerId"],
        "result": "done",
        "details": {},
    }


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email_verified": "true"},
        *({"email": "ceo@victim.example", "email_verified": said} for said in ("false", "True", "1", "")),
        {"email": "ceo@victim.example"},
    ],
)
def test_an_address_that_cognito_has_not_verified_names_nobody(desk: Desk, claims: dict[str, str]) -> None:
    request = event("PUT", "/admin/services/tg", body='{"name": "Telegram"}')
    known = request["requestContext"]["authorizer"]["claims"]
    del known["email"], known["email_verified"]
    known |= claims
    assert desk.send(request).status == 200
    assert newest(desk)["staffName"] == "owner"


def test_entries_are_stored_with_the_names_that_deployed_stacks_have(desk: Desk) -> None:
    desk.put("/admin/services/tg", {"name": "Telegram"})
    (item,) = desk.cloud.client.scan(TableName=desk.cloud.env["AUDIT_TABLE"])["Items"]
    assert (item["operator"], item["operator_name"]) == ({"S": STAFF_ID}, {"S": "anna@example.com"})


def test_every_change_is_recorded_as_it_is_logged_without_a_value_a_key_or_a_secret(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    issued = desk.partner(name="Hub Ltd", pushUrl=PUSH_URL)
    partner_id, path = issued["partnerId"], f"/admin/partners/{issued['partnerId']}"
    sold = desk.sold(partner_id, desk.stocked(PHONE))
    desk.arrived(sold)
    source = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body
    source_id = source["sourceId"]
    changes: list[Callable[[], Reply]] = [
        lambda: desk.patch(path, {"name": "Renamed", "pushUrl": None, "services": ["secretservice"]}),
        lambda: desk.patch(path, {"pushUrl": PUSH_URL}),
        lambda: desk.post(f"{path}/rotate-key"),
        lambda: desk.post(f"{path}/signing-secret"),
        lambda: desk.delete(f"{path}/signing-secret"),
        lambda: desk.patch(path, {"maxLive": 5}),
        lambda: desk.post(f"{path}/pause", {"reason": "Unpaid"}),
        lambda: desk.delete(f"{path}/pause"),
        lambda: desk.put("/admin/services/tg", {"name": "Telegram"}),
        lambda: desk.upload("phone,country,operator\n447472190036,england,O2\n1,england,O2\n"),
        lambda: desk.patch(f"/admin/numbers/{PHONE}", {"enabled": False}),
        lambda: desk.patch(f"/admin/numbers/{PHONE}", {"enabled": True}),
        lambda: desk.post(f"/admin/activations/{sold.activation_id}/messages/77/push"),
        lambda: desk.post(f"/admin/sources/{source_id}/secret"),
        lambda: desk.delete(f"/admin/sources/{source_id}"),
        lambda: desk.delete(path),
    ]
    hidden = [issued["key"], source["secret"], "Hub Ltd", "Renamed", "hush", "secretservice", "Gateway", "code 12345"]
    for change in changes:
        desk.cloud.clock.advance(seconds=1)
        reply = change()
        assert reply.status in {200, 201, 202}
        hidden += [reply.body[name] for name in ("key", "secret", "signingSecret") if name in reply.body]
    recorded = [(entry["action"], entry["id"], entry["details"]) for entry in entries(desk)[2:]]
    assert recorded == [
        ("partner.changed", partner_id, {"fields": ["name", "pushUrl", "services"]}),
        ("partner.changed", partner_id, {"fields": ["pushUrl"]}),
        ("partner.key_rotated", partner_id, {}),
        ("partner.signing_secret_rotated", partner_id, {}),
        ("partner.signing_secrets_removed", partner_id, {}),
        ("partner.changed", partner_id, {"fields": ["maxLive"]}),
        ("partner.paused", partner_id, {"fields": ["reason"], "reason": "Unpaid"}),
        ("partner.resumed", partner_id, {}),
        ("service.put", "tg", {}),
        ("numbers.imported", None, {"imported": 1, "updated": 0, "rejected": 1}),
        ("number.withdrawn", PHONE, {}),
        ("number.restored", PHONE, {}),
        ("message.pushed_again", str(sold.activation_id), {"smsId": "77"}),
        ("source.secret_replaced", source_id, {}),
        ("source.removed", source_id, {}),
        ("partner.revoked", partner_id, {}),
    ]
    assert {entry["result"] for entry in entries(desk)} == {"done"}
    logged = [vars(record) for record in caplog.records if record.message == "changed_by_staff"]
    assert [(line["action"], line["id"]) for line in logged[2:]] == [(action, named) for action, named, _ in recorded]
    assert {line["staff"] for line in logged} == {STAFF_ID}
    written = str(desk.cloud.client.scan(TableName=desk.cloud.env["AUDIT_TABLE"])["Items"])
    assert [text for text in (*hidden, "anna@") if text in str([vars(record) for record in caplog.records])] == []
    assert [text for text in hidden if text in written] == []


@pytest.mark.parametrize(
    ("ask", "status", "action", "named"),
    [
        (lambda desk: desk.patch("/admin/partners/nobody", {"name": "N"}), 404, "partner.changed", "nobody"),
        (lambda desk: desk.delete("/admin/sources/nobody"), 404, "source.removed", "nobody"),
        (lambda desk: desk.patch("/admin/numbers/12", {"enabled": True}), 400, "number.changed", "12"),
        (lambda desk: desk.put("/admin/services/" + "x" * 101, {"name": "X"}), 400, "service.put", None),
        # A text that would not show as it is.
        (
            lambda desk: desk.send(event("DELETE", "/admin/partners/{id}", said={"id": "\u202egnp.exe"})),
            404,
            "partner.revoked",
            None,
        ),
    ],
)
def test_a_change_that_is_refused_is_recorded_as_refused(
    desk: Desk, ask: Any, status: int, action: str, named: str | None
) -> None:
    assert ask(desk).status == status
    (entry,) = entries(desk)
    assert (entry["action"], entry["id"], entry["result"]) == (action, named, "refused")


def test_what_cannot_be_read_is_refused_before_there_is_an_entry(desk: Desk) -> None:
    assert desk.post("/admin/partners", {"nome": "Hub"}).status == 400
    assert desk.send(event("POST", "/admin/partners", body='{"name": "Hub"}', query=[("a", "b")])).status == 400
    assert entries(desk) == []


# ---------------------------------------------------------------- when the log can't be written


@pytest.mark.parametrize(
    "ask",
    [
        lambda desk, _: desk.post("/admin/partners", {"name": "Another"}),
        lambda desk, partner: desk.patch(f"/admin/partners/{partner}", {"name": "Renamed"}),
        lambda desk, partner: desk.post(f"/admin/partners/{partner}/rotate-key"),
        lambda desk, partner: desk.delete(f"/admin/partners/{partner}"),
    ],
)
def test_what_cannot_be_recorded_is_not_done(desk: Desk, ask: Any) -> None:
    partner_id = desk.partner()["partnerId"]
    before, recorded = desk.get("/admin/partners").body, entries(desk)
    assert ask(failing(desk), partner_id).refusal == BUSY
    assert (desk.get("/admin/partners").body, entries(desk)) == (before, recorded)


def test_a_log_that_aws_refuses_to_write_is_503_and_not_500(desk: Desk) -> None:
    desk.admin = replace(desk.admin, audit=Audit(desk.cloud.db, "NoSuchTable", 400 * DAY))
    assert desk.post("/admin/partners", {"name": "Hub"}).refusal == BUSY
    assert Desk(desk.cloud).get("/admin/partners").body["partners"] == []


def test_a_change_whose_end_cannot_be_recorded_stands_and_stays_started(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    reply = failing(desk, first=2).post("/admin/partners", {"name": "Hub"})
    assert (reply.status, len(reply.body["key"])) == (201, 46)
    (entry,) = entries(desk)
    assert (entry["action"], entry["id"], entry["result"]) == ("partner.issued", None, "started")
    assert [record.message for record in caplog.records] == ["changed_by_staff", "audit_not_recorded"]


def test_a_refusal_whose_end_cannot_be_recorded_is_the_same_refusal(desk: Desk) -> None:
    refused = failing(desk, first=2).delete("/admin/partners/nobody")
    assert refused.refusal == (404, "partner not found")
    assert newest(desk)["result"] == "started"


@pytest.mark.parametrize(("failure", "status"), [(RuntimeError("a secret"), 500), (Busy(), 503)])
def test_a_change_of_which_nobody_knows_how_it_ended_stays_started(desk: Desk, failure: Exception, status: int) -> None:
    def fail() -> None:
        raise failure

    desk.admin = replace(desk.admin, partners=crossed(desk.admin.partners, "add", fail))
    assert desk.post("/admin/partners", {"name": "Hub"}).status == status
    assert newest(desk)["result"] == "started"


# ---------------------------------------------------------------- looks at what SMS say

EXPECTED_TEXTS = (
    "expected shown, which is the default, or the smsId of the only one to show, both entered in the audit log; "
    "or hidden"
)


# What a partner's server sent back, which may be most of the SMS: no masking knows all ways to spell it.
ANSWER = "can not save the code: sign in at https://t.example/l/Q"

type Looks = dict[str, tuple[str, str | None, dict[str, int]]]


def tried(desk: Desk, sms: Sms, answer: str = ANSWER) -> None:
    desk.admin.pushes.keep_attempts([(sms, Attempt(1, START, 5, "http_status", 500, answer))])


@pytest.fixture
def looked_at(desk: Desk) -> Looks:
    """Return what shows texts, by path: what the entry of a look says, its action, id and details."""
    sold = desk.sold("hub", desk.stocked(PHONE))
    tried(desk, desk.arrived(sold))
    tried(desk, desk.arrived(desk.sold("hub", desk.stocked("447472190036")), 78), "")
    desk.admin.partners.add(Partner(PartnerId("hub"), "Hub", "key", None, None, "default", START))
    desk.keep_unclaimed(1_000, "code 4711", START)
    desk.admin.inbox.keep_unreadable(UnreadablePayload("unreadable#gw#0", SourceId("gw"), b'{"code 4711', "bad", START))
    return {
        f"/admin/activations/{sold.activation_id}": ("sms.texts_read", str(sold.activation_id), {"messages": 1}),
        "/admin/unclaimed": ("unclaimed.texts_read", None, {"messages": 1}),
        "/admin/unreadable": ("unreadable.payloads_read", None, {"messages": 1}),
        "/admin/partners/hub/activity": ("partner.answers_read", "hub", {"answers": 1}),
    }


def with_nulls(body: object) -> object:
    """Return what is shown with null for what SMS and partners say."""
    hidden = dict.fromkeys(("text", "payload", "answer"))
    return json.loads(
        json.dumps(body), object_hook=lambda shown: shown | {name: None for name in hidden if name in shown}
    )


@pytest.mark.parametrize("query", [(), (("texts", "shown"),)])
def test_a_look_at_texts_is_recorded(desk: Desk, looked_at: Looks, query: tuple[tuple[str, str], ...]) -> None:
    for path, look in looked_at.items():
        assert "code" in json.dumps(desk.get(path, *query).body)
        entry = newest(desk)
        assert (entry["action"], entry["id"], entry["details"]) == look
        assert (entry["staff"], entry["result"]) == (STAFF_ID, "done")
    assert "code" not in json.dumps(entries(desk))


def test_hidden_texts_are_null_and_no_look(desk: Desk, looked_at: Looks) -> None:
    hidden = {path: desk.get(path, ("texts", "hidden")).body for path in looked_at}
    assert entries(desk) == []
    assert hidden == {path: with_nulls(desk.get(path).body) for path in looked_at}


def test_one_text_is_shown_and_recorded_alone(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    for sms_id in (77, 78):
        tried(desk, desk.arrived(sold, sms_id))
    path = f"/admin/activations/{sold.activation_id}"
    reply = desk.get(path, ("texts", "78"))
    shown = [(sms["smsId"], sms["text"], sms["attemptLog"][0]["answer"]) for sms in reply.body["messages"]]
    assert sorted(shown) == [("77", None, None), ("78", "code 12345", ANSWER)]
    (entry,) = entries(desk)
    look = ("sms.texts_read", str(sold.activation_id), {"messages": 1, "smsId": "78"})
    assert (entry["action"], entry["id"], entry["details"]) == look


@pytest.mark.parametrize(
    ("texts", "refusal"),
    [
        ("79", (404, "message not found")),
        ("078", (400, f"texts: {EXPECTED_TEXTS}")),
        ("none", (400, f"texts: {EXPECTED_TEXTS}")),
    ],
)
def test_a_text_that_there_is_not_is_refused_and_no_look(desk: Desk, texts: str, refusal: tuple[int, str]) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    desk.arrived(sold, 78)
    assert desk.get(f"/admin/activations/{sold.activation_id}", ("texts", texts)).refusal == refusal
    assert entries(desk) == []


def test_texts_whose_look_cannot_be_recorded_are_not_shown(desk: Desk, looked_at: Looks) -> None:
    for path in looked_at:
        assert failing(desk).get(path).refusal == BUSY
        assert failing(desk).get(path, ("texts", "hidden")).status == 200
    assert entries(desk) == []


def test_where_there_is_no_text_to_see_there_is_no_look(desk: Desk) -> None:
    tried(desk, desk.arrived(desk.sold("hub", desk.stocked(PHONE))), "")
    desk.admin.partners.add(Partner(PartnerId("hub"), "Hub", "key", None, None, "default", START))
    sold = desk.sold("other", desk.stocked("447472190036"))
    for path in (
        f"activations/{sold.activation_id}",
        "unclaimed",
        "unreadable",
        "partners/hub/activity",
        "activations",
    ):
        assert desk.get(f"/admin/{path}").status == 200
    assert entries(desk) == []


def test_texts_hidden_in_one_page_and_shown_in_the_next_are_one_listing(desk: Desk) -> None:
    for n in range(101):
        desk.keep_unclaimed(1_000 + n, f"code {n}", START + n)
    cursor = desk.get("/admin/unclaimed", ("texts", "hidden")).body["cursor"]
    (message,) = desk.get("/admin/unclaimed", ("cursor", cursor)).body["messages"]
    assert message["text"] == "code 0"


# ---------------------------------------------------------------- the listing


def test_an_empty_log_is_a_read_per_month_that_is_kept(desk: Desk) -> None:
    with Calls(desk.cloud.client) as calls:
        assert calls.of(lambda: desk.get("/admin/audit")) == ["GetItem"] + ["Query"] * 14


@pytest.mark.parametrize(("days", "kept"), [(None, 400), ("30", 30)])
def test_an_entry_is_kept_for_400_days_unless_a_deployment_says_otherwise(
    cloud: Cloud, days: str | None, kept: int
) -> None:
    if days is not None:
        cloud.env["AUDIT_DAYS"] = days
    Desk(cloud).put("/admin/services/tg", {"name": "Telegram"})
    (item,) = cloud.client.scan(TableName=cloud.env["AUDIT_TABLE"])["Items"]
    assert int(item["expire_at"]["N"]) == START // 1_000 + kept * 86_400


@pytest.mark.parametrize(("path", "days"), [("unclaimed", 30), ("unreadable", 30), ("audit", 400)])
def test_unclaimed_sms_payloads_and_entries_past_their_retention_are_not_shown(
    desk: Desk, path: str, days: int
) -> None:
    desk.keep_unclaimed(1_000, "code 4711", START)
    desk.admin.inbox.keep_unreadable(UnreadablePayload("unreadable#gw#0", SourceId("gw"), b"{", "bad", START))
    desk.admin.audit.write(AuditEntry(START, "t", "op", "Op", "x.done", "1", AuditResult.DONE, {}))

    def shown() -> int:
        return sum(len(listed) for listed in desk.get(f"/admin/{path}", *texts).body.values() if listed)

    texts = () if path == "audit" else (("texts", "hidden"),)
    desk.cloud.clock.advance(ms=days * DAY - 1_000)
    assert shown() == 1
    desk.cloud.clock.advance(ms=1_000)
    assert shown() == 0


def test_a_cursor_with_a_month_that_is_none_or_is_to_come_is_400(desk: Desk) -> None:
    listing = Listing("audit", lambda _: True)
    for month in ("2026-10", "2026-13", "9999-12", "202x-01", ""):
        cursor = present(listing.cursor({"month": month, "entry": "000001790000000-abc"}))
        assert desk.get("/admin/audit", ("cursor", cursor)).status == 400


def test_a_key_that_was_pasted_in_place_of_an_id_is_not_kept_in_the_log(desk: Desk) -> None:
    key = desk.partner()["key"]
    for path in (f"/admin/partners/{key}", f"/admin/sources/{key}"):
        assert desk.delete(path).status == 404
    desk.post(f"/admin/partners/{key}/rotate-key")
    assert key not in str(desk.cloud.client.scan(TableName=desk.cloud.env["AUDIT_TABLE"])["Items"])

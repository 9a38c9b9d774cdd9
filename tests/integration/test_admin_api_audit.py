"""Admin API, the audit log: every change, and every look at what SMS say (contract 5, docs/adr/0025)."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from globalconnect.domain.audit import AuditEntry, AuditResult
from globalconnect.domain.errors import Busy
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt, Sms
from globalconnect.domain.times import DAY
from globalconnect.store.audit import Audit
from globalconnect.store.cursors import Listing
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners
from globalconnect.store.sources import Sources
from simulation.aws import START, Cloud
from simulation.calls import Calls
from simulation.desk import STAFF_ID, Desk, event
from simulation.failing import FailingClient, Fault, Scripted, failing_cloud
from simulation.shop import Reply, present

if TYPE_CHECKING:
    from collections.abc import Callable

PHONE = "447472190035"
PUSH_URL = "https://hub.example.com/push?token=hush"
BUSY = (503, "Temporarily busy; try again")


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


class Writes:
    """Fails writes to the audit log by their number, the first is 1."""

    def __init__(self, cloud: Cloud, *failing: int, fault: Fault | None = None) -> None:
        self._table = cloud.env["AUDIT_TABLE"]
        self._failing = failing
        self._client = FailingClient(cloud.client, lambda _: fault)
        self._plain = cloud.client
        self.seen = 0

    def __getattr__(self, name: str) -> Any:
        """Return an operation, or whatever else the client has."""
        return getattr(self._plain, name)

    def put_item(self, **arguments: Any) -> Any:
        if arguments["TableName"] == self._table:
            self.seen += 1
            if self.seen in self._failing:
                return self._client.put_item(**arguments)
        return self._plain.put_item(**arguments)


def failing(desk: Desk, *writes: int) -> Desk:
    """Return a desk over the same tables whose writes to the audit log fail, by their number (of the store's tries: all)."""
    client: Any = Writes(desk.cloud, *writes, fault=Fault.THROTTLED)
    db = Dynamo(client, pause=lambda _: None)
    other = Desk(desk.cloud)
    other.admin = replace(other.admin, audit=Audit(db, desk.cloud.env["AUDIT_TABLE"], 400 * DAY))
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


@pytest.mark.parametrize("verified", ["false", "True", "1", "", None])
def test_an_address_that_cognito_has_not_verified_names_nobody(desk: Desk, verified: str | None) -> None:
    request = event("PUT", "/admin/services/tg", body='{"name": "Telegram"}')
    claims = request["requestContext"]["authorizer"]["claims"]
    claims |= {"email": "ceo@victim.example", "email_verified": verified}
    if verified is None:
        del claims["email_verified"]
    assert desk.send(request).status == 200
    assert newest(desk)["staffName"] == "anna"


def test_entries_are_stored_with_the_names_that_deployed_stacks_have(desk: Desk) -> None:
    desk.put("/admin/services/tg", {"name": "Telegram"})
    (item,) = desk.cloud.client.scan(TableName=desk.cloud.env["AUDIT_TABLE"])["Items"]
    assert (item["operator"], item["operator_name"]) == ({"S": STAFF_ID}, {"S": "anna@example.com"})


def test_every_change_is_recorded_as_it_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    partner_id = desk.partner(pushUrl=PUSH_URL)["partnerId"]
    path = f"/admin/partners/{partner_id}"
    sold = desk.sold(partner_id, desk.stocked(PHONE))
    desk.arrived(sold)
    source_id = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body["sourceId"]
    changes: list[Callable[[], Reply]] = [
        lambda: desk.patch(path, {"name": "Renamed", "pushUrl": None}),
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
    for change in changes:
        desk.cloud.clock.advance(seconds=1)
        assert change().status in {200, 201, 202}
    recorded = [(entry["action"], entry["id"], entry["details"]) for entry in entries(desk)[2:]]
    assert recorded == [
        ("partner.changed", partner_id, {"fields": ["name", "pushUrl"]}),
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
    logged = [record for record in caplog.records if record.message == "changed_by_staff"]
    assert [(line.action, line.id) for line in logged[2:]] == [(action, named) for action, named, _ in recorded]  # type: ignore[attr-defined]


def test_a_test_push_is_recorded_with_its_outcome(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    desk.admin.partners.change(partner_id, {"push_url": "http://127.0.0.1:9/"})
    desk.cloud.clock.advance(seconds=1)
    desk.post(f"/admin/partners/{partner_id}/test-push")
    entry = newest(desk)
    assert (entry["action"], entry["id"], entry["details"]) == (
        "partner.push_tested",
        partner_id,
        {"outcome": "bad_url"},
    )


def test_no_entry_holds_a_value_a_key_or_a_secret(desk: Desk) -> None:
    issued = desk.partner(name="Hub Ltd", pushUrl=PUSH_URL)
    path = f"/admin/partners/{issued['partnerId']}"
    desk.patch(path, {"name": "Renamed", "pushUrl": "https://other.example.com/", "services": ["secretservice"]})
    shown_once = [
        issued["key"],
        desk.post(f"{path}/rotate-key").body["key"],
        desk.post(f"{path}/signing-secret").body["signingSecret"],
        desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body["secret"],
    ]
    desk.put("/admin/services/tg", {"name": "Telegram"})
    stored = str(desk.cloud.client.scan(TableName=desk.cloud.env["AUDIT_TABLE"])["Items"])
    for hidden in (*shown_once, "Hub Ltd", "Renamed", "example.com/", "hush", "secretservice", "Gateway", "Telegram"):
        assert hidden not in stored


@pytest.mark.parametrize(
    ("ask", "status", "action", "named"),
    [
        (lambda desk: desk.patch("/admin/partners/nobody", {"name": "N"}), 404, "partner.changed", "nobody"),
        (lambda desk: desk.delete("/admin/sources/nobody"), 404, "source.removed", "nobody"),
        (lambda desk: desk.patch("/admin/numbers/12", {"enabled": True}), 400, "number.changed", "12"),
        (lambda desk: desk.put("/admin/services/" + "x" * 101, {"name": "X"}), 400, "service.put", None),
    ],
)
def test_a_change_that_is_refused_is_recorded_as_refused(
    desk: Desk, ask: Any, status: int, action: str, named: str | None
) -> None:
    assert ask(desk).status == status
    (entry,) = entries(desk)
    assert (entry["action"], entry["id"], entry["result"]) == (action, named, "refused")


def test_a_text_in_a_path_that_would_not_show_as_it_is_is_left_out(desk: Desk) -> None:
    request = event("DELETE", "/admin/partners/{partnerId}", said={"partnerId": "\u202egnp.exe"})
    assert desk.send(request).status == 404
    assert newest(desk)["id"] is None


def test_what_cannot_be_read_is_refused_before_there_is_an_entry(desk: Desk) -> None:
    assert desk.post("/admin/partners", {"nome": "Hub"}).status == 400
    assert desk.send(event("POST", "/admin/partners", body='{"name": "Hub"}', query=[("a", "b")])).status == 400
    assert entries(desk) == []


def test_who_has_no_address_is_recorded_by_user_name(desk: Desk) -> None:
    request = event("POST", "/admin/partners", body='{"name": "Hub"}')
    del request["requestContext"]["authorizer"]["claims"]["email"]
    assert desk.send(request).status == 201
    assert newest(desk)["staffName"] == "anna"


def test_a_source_that_aws_removed_without_an_answer_is_recorded_as_removed(desk: Desk) -> None:
    source_id = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic"}).body["sourceId"]
    desk.cloud.clock.advance(seconds=1)
    db = failing_cloud(desk.cloud, Scripted(Fault.UNANSWERED, operation="DeleteItem")).db
    desk.admin = replace(desk.admin, sources=Sources(db, desk.cloud.env["SOURCES_TABLE"], 0, desk.cloud.clock))
    assert desk.delete(f"/admin/sources/{source_id}").status == 200
    assert (newest(desk)["action"], newest(desk)["result"]) == ("source.removed", "done")
    assert desk.delete(f"/admin/sources/{source_id}").status == 404


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
    before, recorded = everything(desk), entries(desk)
    assert ask(failing(desk, *range(1, 100)), partner_id).refusal == BUSY
    assert (everything(desk), entries(desk)) == (before, recorded)


def test_a_log_that_aws_refuses_to_write_is_503_and_not_500(desk: Desk) -> None:
    desk.admin = replace(desk.admin, audit=Audit(desk.cloud.db, "NoSuchTable", 400 * DAY))
    assert desk.post("/admin/partners", {"name": "Hub"}).refusal == BUSY
    assert Desk(desk.cloud).get("/admin/partners").body["partners"] == []


def test_a_change_whose_end_cannot_be_recorded_stands_and_stays_started(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    reply = failing(desk, *range(2, 100)).post("/admin/partners", {"name": "Hub"})
    assert (reply.status, len(reply.body["key"])) == (201, 46)
    (entry,) = entries(desk)
    assert (entry["action"], entry["id"], entry["result"]) == ("partner.issued", None, "started")
    assert [record.message for record in caplog.records] == ["changed_by_staff", "audit_not_recorded"]


def test_a_refusal_whose_end_cannot_be_recorded_is_the_same_refusal(desk: Desk) -> None:
    refused = failing(desk, *range(2, 100)).delete("/admin/partners/nobody")
    assert refused.refusal == (404, "partner not found")
    assert newest(desk)["result"] == "started"


@pytest.mark.parametrize(("failure", "status"), [(RuntimeError("a secret"), 500), (Busy(), 503)])
def test_a_change_of_which_nobody_knows_how_it_ended_stays_started(desk: Desk, failure: Exception, status: int) -> None:
    class Failing(Partners):
        """Cannot tell."""

        def add(self, partner: Partner) -> None:
            super().add(partner)
            raise failure

    cloud = desk.cloud
    desk.admin = replace(desk.admin, partners=Failing(cloud.db, cloud.env["PARTNERS_TABLE"], 0, cloud.clock))
    assert desk.post("/admin/partners", {"name": "Hub"}).status == status
    assert newest(desk)["result"] == "started"


def everything(desk: Desk) -> Any:
    return desk.cloud.client.scan(TableName=desk.cloud.env["PARTNERS_TABLE"])["Items"]


# ---------------------------------------------------------------- looks at what SMS say

EXPECTED_TEXTS = (
    "expected shown, which is the default, or the smsId of the only one to show, both entered in the audit log; "
    "or hidden"
)


def unclaimed(desk: Desk, text: str = "code 4711") -> None:
    desk.keep_unclaimed(1_000, text, START)


@pytest.fixture
def looked_at(desk: Desk) -> dict[str, tuple[str, str | None]]:
    """Return what shows texts, by path: the action of a look, and the id in its entry."""
    sold = desk.sold("hub", desk.stocked(PHONE))
    desk.arrived(sold)
    unclaimed(desk)
    desk.admin.inbox.keep_unreadable("x", "gw", b'{"code 4711', "body: expected valid JSON", START)
    return {
        f"/admin/activations/{sold.activation_id}": ("sms.texts_read", str(sold.activation_id)),
        "/admin/unclaimed": ("unclaimed.texts_read", None),
        "/admin/unreadable": ("unreadable.payloads_read", None),
    }


def texts_in(reply: Reply) -> list[str | None]:
    assert reply.status == 200
    shown = reply.body.get("messages", reply.body.get("payloads"))
    return [entry["text"] if "text" in entry else entry["payload"] for entry in shown]


@pytest.mark.parametrize("query", [(), (("texts", "shown"),)])
def test_a_look_at_texts_is_recorded(
    desk: Desk, looked_at: dict[str, tuple[str, str | None]], query: tuple[tuple[str, str], ...]
) -> None:
    for path, (action, named) in looked_at.items():
        assert all(texts_in(desk.get(path, *query)))
        entry = newest(desk)
        assert (entry["action"], entry["id"], entry["result"]) == (action, named, "done")
        assert (entry["staff"], entry["details"]) == (STAFF_ID, {"messages": 1})
    assert "code" not in json.dumps(entries(desk))


def test_hidden_texts_are_null_and_no_look(desk: Desk, looked_at: dict[str, tuple[str, str | None]]) -> None:
    for path in looked_at:
        reply = desk.get(path, ("texts", "hidden"))
        assert texts_in(reply) == [None]
        assert "code" not in json.dumps(reply.body)
        shown = desk.get(path)
        assert texts_in(shown) != [None]
        (hidden_one,) = reply.body.get("messages", reply.body.get("payloads"))
        (shown_one,) = shown.body.get("messages", shown.body.get("payloads"))
        assert hidden_one == shown_one | ({"text": None} if "text" in shown_one else {"payload": None})
    assert len(entries(desk)) == len(looked_at)


# What a partner's server sent back, which may be most of the SMS: no masking knows all ways to spell it.
ANSWER = "can not save: sign in at https://t.example/l/Q"


def tried(desk: Desk, sms: Sms, answer: str = ANSWER, outcome: str = "http_status") -> None:
    desk.admin.pushes.keep_attempts([(sms, Attempt(1, START, 5, outcome, 500, answer))])


def answers_in(reply: Reply) -> dict[str, list[str | None]]:
    return {sms["smsId"]: [attempt["answer"] for attempt in sms["attemptLog"]] for sms in reply.body["messages"]}


def test_answers_to_pushes_are_hidden_with_the_texts(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    tried(desk, desk.arrived(sold))
    reply = desk.get(f"/admin/activations/{sold.activation_id}", ("texts", "hidden"))
    assert answers_in(reply) == {"77": [None]}
    assert "t.example" not in json.dumps(reply.body)
    assert entries(desk) == []
    assert answers_in(desk.get(f"/admin/activations/{sold.activation_id}")) == {"77": [ANSWER]}
    assert newest(desk)["action"] == "sms.texts_read"


def test_one_text_is_shown_and_recorded_alone(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    for sms_id in (77, 78):
        tried(desk, desk.arrived(sold, sms_id))
    path = f"/admin/activations/{sold.activation_id}"
    reply = desk.get(path, ("texts", "78"))
    assert {sms["smsId"]: sms["text"] for sms in reply.body["messages"]} == {"77": None, "78": "code 12345"}
    assert answers_in(reply) == {"77": [None], "78": [ANSWER]}
    (entry,) = entries(desk)
    assert (entry["action"], entry["id"]) == ("sms.texts_read", str(sold.activation_id))
    assert entry["details"] == {"messages": 1, "smsId": "78"}


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


def test_texts_whose_look_cannot_be_recorded_are_not_shown(
    desk: Desk, looked_at: dict[str, tuple[str, str | None]]
) -> None:
    for path in looked_at:
        assert failing(desk, *range(1, 100)).get(path).refusal == BUSY
        assert failing(desk, *range(1, 100)).get(path, ("texts", "hidden")).status == 200
    assert entries(desk) == []


@pytest.mark.parametrize("query", [(), (("texts", "shown"),)])
def test_a_look_at_a_partners_answers_is_recorded(desk: Desk, query: tuple[tuple[str, str], ...]) -> None:
    for sms_id, answer in ((77, ANSWER), (78, "")):
        tried(desk, desk.arrived(desk.sold("hub", desk.stocked(f"4474721900{sms_id}")), sms_id), answer)
    desk.admin.partners.add(Partner("hub", "Hub", "key", None, None, "default", START))
    path = "/admin/partners/hub/activity"
    hidden = desk.get(path, ("texts", "hidden"))
    assert [failure["answer"] for failure in hidden.body["failures"]] == [None, None]
    assert entries(desk) == []
    shown = desk.get(path, *query)
    assert sorted(failure["answer"] for failure in shown.body["failures"]) == ["", ANSWER]
    entry = newest(desk)
    assert (entry["action"], entry["id"], entry["details"]) == ("partner.answers_read", "hub", {"answers": 1})
    assert failing(desk, *range(1, 100)).get(path).refusal == BUSY


def test_where_a_partner_answered_nothing_there_is_no_look(desk: Desk) -> None:
    tried(desk, desk.arrived(desk.sold("hub", desk.stocked(PHONE))), "")
    desk.admin.partners.add(Partner("hub", "Hub", "key", None, None, "default", START))
    assert desk.get("/admin/partners/hub/activity").status == 200
    assert entries(desk) == []


def test_where_there_is_no_text_to_see_there_is_no_look(desk: Desk) -> None:
    sold = desk.sold("hub", desk.stocked(PHONE))
    for path in (f"/admin/activations/{sold.activation_id}", "/admin/unclaimed", "/admin/unreadable"):
        assert texts_in(desk.get(path)) == []
    for path in ("partners", "services", "numbers", "pools", "activations", "sources", "audit"):
        assert desk.get(f"/admin/{path}").status == 200
    assert entries(desk) == []


def test_texts_hidden_in_one_page_and_shown_in_the_next_are_one_listing(desk: Desk) -> None:
    for n in range(101):
        desk.keep_unclaimed(1_000 + n, f"code {n}", START + n)
    cursor = desk.get("/admin/unclaimed", ("texts", "hidden")).body["cursor"]
    assert texts_in(desk.get("/admin/unclaimed", ("cursor", cursor))) == ["code 0"]


# ---------------------------------------------------------------- the listing


def entered(desk: Desk, at: int, number: int) -> None:
    desk.admin.audit.write(AuditEntry(at, f"t{number}", "op", "Op", "x.done", str(number), AuditResult.DONE, {}))


def test_the_log_is_listed_newest_first_over_months_and_pages_each_once(desk: Desk) -> None:
    # 230 entries over eight months, some months without any, back to the last days that are kept.
    times = [START - (n % 5) * 97 * DAY - n * 1_000 for n in range(230)]
    for number, at in enumerate(times):
        entered(desk, at, number)
    listed = desk.all_pages("/admin/audit", "entries")
    assert [entry["at"] for entry in listed] == sorted((entry["at"] for entry in listed), reverse=True)
    assert sorted(int(entry["id"]) for entry in listed) == list(range(230))


def test_a_page_that_is_full_at_the_end_of_a_month_leads_to_the_month_before(desk: Desk) -> None:
    for n in range(100):
        entered(desk, START - n, n)
    entered(desk, START - 60 * DAY, 100)
    page = desk.get("/admin/audit").body
    assert (len(page["entries"]), page["cursor"] is not None) == (100, True)
    assert [entry["id"] for entry in desk.get("/admin/audit", ("cursor", page["cursor"])).body["entries"]] == ["100"]


def test_an_empty_log_is_a_read_per_month_that_is_kept(desk: Desk) -> None:
    with Calls(desk.cloud.client) as calls:
        assert calls.of(lambda: desk.get("/admin/audit")) == ["Query"] * 14
    assert desk.get("/admin/audit").body == {"entries": [], "cursor": None}


def test_the_log_goes_on_from_one_year_to_the_one_before(desk: Desk) -> None:
    desk.cloud.clock.at = 1_767_225_600_000  # the first moment of 2026
    entered(desk, desk.cloud.clock() - 1, 1)
    assert [entry["id"] for entry in desk.get("/admin/audit").body["entries"]] == ["1"]


def test_an_entry_is_kept_for_400_days_unless_a_deployment_says_otherwise(cloud: Cloud) -> None:
    def kept() -> int:
        Desk(cloud).put("/admin/services/tg", {"name": "Telegram"})
        (item,) = cloud.client.scan(TableName=cloud.env["AUDIT_TABLE"])["Items"]
        cloud.client.delete_item(
            TableName=cloud.env["AUDIT_TABLE"], Key={"month": item["month"], "entry": item["entry"]}
        )
        return int(item["expire_at"]["N"]) - START // 1_000

    assert kept() == 400 * 86_400
    cloud.env["AUDIT_DAYS"] = "30"
    assert kept() == 30 * 86_400


def test_unclaimed_sms_payloads_and_entries_past_their_retention_are_not_shown(desk: Desk) -> None:
    unclaimed(desk)
    desk.admin.inbox.keep_unreadable("x", "gw", b'{"code 4711', "body: expected valid JSON", START)
    entered(desk, START, 1)
    desk.cloud.clock.advance(ms=30 * DAY - 1_000)
    assert len(texts_in(desk.get("/admin/unclaimed", ("texts", "hidden")))) == 1
    assert len(texts_in(desk.get("/admin/unreadable", ("texts", "hidden")))) == 1
    desk.cloud.clock.advance(ms=1_000)
    for path in ("unclaimed", "unreadable"):
        assert texts_in(desk.get(f"/admin/{path}")) == []
    assert len(entries(desk)) == 1
    desk.cloud.clock.advance(ms=370 * DAY)
    # Its month is still listed.
    entered(desk, START + 401 * DAY, 2)
    assert [entry["id"] for entry in entries(desk)] == ["2"]


def test_a_cursor_with_a_month_that_is_none_or_is_to_come_is_400(desk: Desk) -> None:
    listing = Listing("audit", lambda _: True)
    for month in ("2026-10", "2026-13", "9999-12", "202x-01", ""):
        cursor = present(listing.cursor({"month": month, "entry": "000001790000000-abc"}))
        assert desk.get("/admin/audit", ("cursor", cursor)).status == 400

"""Admin API: services, sources, inbox, and what holds for every route (contract 5)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from globalconnect.domain.activation import Activation
from globalconnect.domain.audit import AuditEntry, AuditResult
from globalconnect.domain.ids import ActivationId, PartnerId, SourceId
from globalconnect.domain.import_job import ImportJob, ImportPart, RejectedRow
from globalconnect.domain.inbound import UnreadablePayload
from globalconnect.domain.partner import Partner
from globalconnect.domain.service import Service
from globalconnect.domain.source import Source
from globalconnect.domain.times import DAY, HOUR
from simulation.aws import START
from simulation.desk import HOST, STAGE, Desk, event
from simulation.failing import Fault, Scripted, failing_cloud
from simulation.shop import Reply, Shop, present

HUB = PartnerId("hub")
DIGEST = "0" * 64
PAYLOAD = f"unreadable#gw#{DIGEST}"
GATEWAY = SourceId("gw")

# ---------------------------------------------------------------- services


@pytest.mark.parametrize(
    ("put", "stored"),
    [
        ({}, Service("tg", "Telegram", reusable=False, enabled=True, cancel_limit=None)),
        ({"reusable": True, "enabled": False}, Service("tg", "Telegram", reusable=True, enabled=False)),
        ({"cancelLimit": 2}, Service("tg", "Telegram", cancel_limit=2)),
        ({"cancelLimit": None}, Service("tg", "Telegram")),
    ],
)
@pytest.mark.parametrize("before", [{}, {"reusable": True, "enabled": False, "cancelLimit": 9}])
def test_putting_a_service_replaces_it_whole(
    desk: Desk, before: dict[str, Any], put: dict[str, Any], stored: Service
) -> None:
    desk.put("/admin/services/tg", {"name": "Before", **before})
    shown = {"code": "tg", "name": "Telegram", "reusable": False, "enabled": True, "cancelLimit": None, **put}
    reply = desk.put("/admin/services/tg", {"name": "Telegram", **put})
    assert (reply.status, reply.body) == (200, shown)
    assert desk.get("/admin/services").body == {"services": [shown], "cursor": None}
    assert desk.admin.services.find("tg") == stored


def test_the_catalogue_is_listed_by_code(desk: Desk) -> None:
    for code in ("wa", "go", "A.b_c-9", "x" * 40):
        assert desk.put(f"/admin/services/{code}", {"name": code}).status == 200
    listed = desk.all_pages("/admin/services", "services")
    assert [service["code"] for service in listed] == ["A.b_c-9", "go", "wa", "x" * 40]


# ---------------------------------------------------------------- sources


def added(desk: Desk, **fields: object) -> tuple[str, str]:
    """Enter a gateway; return its id and its secret."""
    reply = desk.post("/admin/sources", {"name": "Gateway", "provider": "generic", **fields})
    assert reply.status == 201
    return reply.body["sourceId"], reply.body["secret"]


def secrets_of(desk: Desk, source_id: str) -> list[str]:
    """Return the secrets with which a gateway may sign now, newest first."""
    sources = desk.admin.sources
    return sources.secrets(present(sources.find(SourceId(source_id))), desk.cloud.clock())


def test_a_source_gets_an_id_an_url_and_a_secret_that_is_shown_once(desk: Desk) -> None:
    source_id, secret = added(desk)
    shown: dict[str, Any] = {
        "sourceId": source_id,
        "name": "Gateway",
        "provider": "generic",
        "url": f"https://{HOST}/{STAGE}/inbound/{source_id}",
        "address": f"https://{HOST}/{STAGE}/inbound/{source_id}",
        "createdAt": "2026-09-21T14:13:20+00:00",
        "lastHeardAt": None,
        "lastUnreadable": None,
        "lastUntimed": None,
        "lastSmsAt": None,
        "quietSince": None,
        "settings": {},
    }
    assert desk.get("/admin/sources").body == {"sources": [shown], "cursor": None}
    assert desk.get(f"/admin/sources/{source_id}").body == shown
    assert (len(secret), secrets_of(desk, source_id)) == (40, [secret])


def test_a_source_may_be_entered_with_the_secret_that_its_provider_has_made(desk: Desk) -> None:
    source_id, secret = added(desk, settings={}, secret="of a provider")
    assert (secret, secrets_of(desk, source_id)) == ("of a provider", ["of a provider"])


@pytest.mark.parametrize(
    ("provider", "ending"),
    [("generic", ""), ("jasmin", "/a-b.c_d~e"), ("kannel", "?key=a-b.c_d~e&from=%p")],
)
def test_what_to_enter_at_a_gateway_holds_the_secret_where_nothing_else_would(
    desk: Desk, provider: str, ending: str
) -> None:
    body = desk.post("/admin/sources", {"name": "G", "provider": provider, "secret": "a-b.c_d~e"}).body
    url = f"https://{HOST}/{STAGE}/inbound/{body['sourceId']}"
    again = desk.post(f"/admin/sources/{body['sourceId']}/secret", {"secret": "a-b.c_d~e"}).body
    (listed,) = desk.get("/admin/sources").body["sources"]
    assert listed["address"][: len(url + ending)].startswith(url + ending.split("a-b", maxsplit=1)[0])
    assert ("{secret}" in listed["address"], "a-b" in listed["address"]) == (bool(ending), False)
    for shown in (body, again):
        assert shown["address"][: len(url + ending)] == url + ending
    assert body["url"] == url


@pytest.mark.parametrize(
    "secret", ["a secret of a source", "secret/of/it", "secret%2Fof", "секретный", "secret+of", "secret?of#it"]
)
def test_a_secret_that_is_in_an_address_is_the_same_however_that_is_written(desk: Desk, secret: str) -> None:
    refusal = "secret: expected letters (A to Z), digits and - . _ ~ only, since it is in the URL"
    for provider in ("jasmin", "kannel"):
        source_id, first = added(desk, provider=provider)
        refused = [
            desk.post("/admin/sources", {"name": "G", "provider": provider, "secret": secret}),
            desk.post(f"/admin/sources/{source_id}/secret", {"secret": secret}),
        ]
        assert [reply.refusal for reply in refused] == [(400, refusal)] * 2
        assert secrets_of(desk, source_id) == [first]
    # Who signs with it may have any.
    assert added(desk, secret=secret)[1] == secret


@pytest.mark.parametrize("secret", ["x" * 15, "x" * 16, None])
def test_a_source_with_a_short_secret_gets_a_warning(desk: Desk, secret: str | None) -> None:
    entered = desk.post("/admin/sources", {"name": "Modem", "provider": "generic", "secret": secret})
    short = "secret: below 16 characters it may be guessed" if secret == "x" * 15 else None
    assert (entered.status, entered.body["warning"]) == (201, short)


def test_the_types_of_gateway_are_listed_with_what_each_needs(desk: Desk) -> None:
    (generic, *_) = desk.get("/admin/providers").body["providers"]
    assert generic | {"steps": [], "settings": [one["name"] for one in generic["settings"]]} == {
        "name": "generic",
        "title": "Generic (JSON, signed)",
        "methods": ["POST"],
        "authentication": "`X-Signature`: hex HMAC-SHA256 of the body, with the secret as key",
        "secret": "made",
        "settings": ["countryCode"],
        "certainty": "source",
        "steps": [],
        "limits": [],
        "line": "what it sends as `line`",
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
    added(desk)
    request = event("GET", "/admin/sources")
    context = request["requestContext"] | changes.pop("requestContext", {})
    shown = desk.send(request | changes | {"requestContext": context}).body["sources"][0]
    assert shown["url"] == f"{base}/inbound/{shown['sourceId']}"


def test_a_source_gets_a_new_secret_that_is_shown_once_and_the_former_is_good_for_a_day(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    source_id, first = added(desk)
    reply = desk.post(f"/admin/sources/{source_id}/secret")
    second = reply.body["secret"]
    address = f"https://{HOST}/{STAGE}/inbound/{source_id}"
    shown_once = {"sourceId": source_id, "address": address, "secret": second, "warning": None}
    assert (reply.status, reply.body) == (201, shown_once)
    desk.cloud.clock.advance(ms=DAY // 2)
    # Its answer was lost, so staff ask for another: the one before it keeps its own time.
    third = desk.post(f"/admin/sources/{source_id}/secret").body["secret"]
    desk.cloud.clock.advance(ms=DAY // 2 - 1)
    assert secrets_of(desk, source_id) == [third, second, first]
    desk.cloud.clock.advance(ms=1)
    assert secrets_of(desk, source_id) == [third, second]
    shown = str([vars(record) for record in caplog.records]) + str(desk.get("/admin/sources").body)
    assert second not in shown + str(desk.get("/admin/audit").body)


@pytest.mark.parametrize(
    ("secret", "warned"), [("x" * 8, True), ("x" * 15, True), ("x" * 16, False), ("x" * 4_096, False)]
)
def test_a_secret_may_be_given_and_a_short_one_gets_a_warning(desk: Desk, secret: str, *, warned: bool) -> None:
    source_id, first = added(desk)
    reply = desk.post(f"/admin/sources/{source_id}/secret", {"secret": secret})
    assert (reply.status, reply.body["secret"]) == (201, secret)
    assert (reply.body["warning"] is not None) == warned
    assert secrets_of(desk, source_id) == [secret, first]


def test_a_removed_source_is_gone(desk: Desk) -> None:
    source_id, _ = added(desk)
    reply = desk.delete(f"/admin/sources/{source_id}")
    assert (reply.status, reply.body) == (200, {"status": "SUCCESS"})
    assert desk.admin.sources.find(SourceId(source_id)) is None
    for gone in (source_id, "..|.."):
        path = f"/admin/sources/{gone}"
        refused = [desk.get(path), desk.delete(path), desk.post(f"{path}/secret")]
        assert [reply.refusal for reply in refused] == [(404, "source not found")] * 3


# ---------------------------------------------------------------- inbox


def test_unclaimed_sms_are_listed_newest_first(desk: Desk) -> None:
    for n in range(2):
        desk.keep_unclaimed(1_000 + n, f"code {n}", START + n * 1_000, received_at=START - n)
    desk.admin.inbox.keep_unreadable(UnreadablePayload(PAYLOAD, GATEWAY, b"{", "bad", START))
    newest, other = desk.get("/admin/unclaimed").body["messages"]
    assert newest == {
        "smsId": "1001",
        "sourceId": "gw",
        "phone": "447472190035",
        "phoneFrom": "Telegram",
        "text": "code 1",
        "receivedAt": "2026-09-21T14:13:19+00:00",
        "storedAt": "2026-09-21T14:13:21+00:00",
        "reason": "no activation held the number",
        "repeats": 0,
    }
    assert other["smsId"] == "1000"


def test_unreadable_payloads_are_listed_as_they_came(desk: Desk) -> None:
    payload = '{"phone": <script>alert(1)</script>\u202e'
    desk.admin.inbox.keep_unreadable(
        UnreadablePayload(PAYLOAD, GATEWAY, payload.encode(), "body: expected valid JSON", START)
    )
    shown = {
        "payloadId": f"gw-{DIGEST}",
        "sourceId": "gw",
        "payload": payload,
        "reason": "body: expected valid JSON",
        "storedAt": "2026-09-21T14:13:20+00:00",
    }
    assert desk.get("/admin/unreadable").body == {"payloads": [shown], "cursor": None}
    assert desk.get("/admin/unclaimed").body == {"messages": [], "cursor": None}


# ---------------------------------------------------------------- every listing

FULL_PAGE = 100
# Path, query, and what is listed there.
LISTINGS: list[tuple[str, tuple[tuple[str, str], ...], str]] = [
    # First, since a look at texts is an entry.
    ("/admin/audit", (), "entries"),
    ("/admin/partners", (), "partners"),
    ("/admin/sources", (), "sources"),
    ("/admin/imports", (), "imports"),
    ("/admin/numbers", (), "numbers"),
    ("/admin/numbers", (("country", "england"),), "numbers"),
    ("/admin/numbers", (("country", "england"), ("operator", "O2")), "numbers"),
    ("/admin/pools", (), "pools"),
    ("/admin/activations", (), "activations"),
    ("/admin/activations", (("partnerId", "hub"),), "activations"),
    ("/admin/activations", (("phone", "447472190000"),), "activations"),
    ("/admin/activations", (("service", "tg"),), "activations"),
    ("/admin/activations", (("state", "live"),), "activations"),
    ("/admin/unclaimed", (), "messages"),
    ("/admin/unreadable", (), "payloads"),
]
OTHERS = [
    ("/admin/numbers", (("country", "poland"),)),
    ("/admin/numbers", (("country", "england"), ("operator", "Play"))),
    ("/admin/activations", (("partnerId", "other"),)),
    ("/admin/activations", (("partnerId", "hub"), ("phone", "447472190000"))),
    ("/admin/activations", (("service", "live"),)),
    ("/admin/imports/import1/rejected", ()),
]


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Return a desk with one more of everything than a page holds; two of the imports have rejected rows as well."""
    shop = Shop(desk.cloud)
    for n in range(FULL_PAGE + 1):
        at = START - n
        shop.partner()
        shop.source()
        desk.admin.import_jobs.start(ImportJob(f"import{n}", "a.csv", dry_run=False, staff="anna", started_at=at))
        desk.stocked(str(447_472_190_000 + n))
        desk.admin.pool_counts.open_pool("england", f"Operator {n}")
        desk.recorded(Activation(ActivationId(n + 1), HUB, "447472190000", "england", "O2", "tg", at, at + HOUR))
        desk.keep_unclaimed(1_000 + n, "code", at)
        desk.admin.inbox.keep_unreadable(UnreadablePayload(f"unreadable#gw#{n}", GATEWAY, b"{}", f"bad {n}", at))
        desk.admin.audit.write(AuditEntry(at, f"t{n}", "op", "Op", "x.done", str(n), AuditResult.DONE, {}))
    for import_id in ("import0", "import1"):
        rows = tuple(RejectedRow(row, "bad") for row in range(1, 1_002))
        current = present(desk.admin.import_jobs.get(import_id))
        desk.admin.import_jobs.record(current, ImportPart(1, "content", 1_001, 0, 0, 0, rows), ())
    return desk


def test_every_listing_is_given_100_at_a_time_each_once(full: Desk) -> None:
    for path, query, things in LISTINGS:
        page = full.get(path, *query).body[things]
        found = [json.dumps(one) for one in full.all_pages(path, things, *query)]
        assert (len(page), len(found), len(set(found))) == (FULL_PAGE, FULL_PAGE + 1, FULL_PAGE + 1), path


def test_a_cursor_is_400_for_every_other_listing(full: Desk) -> None:
    listings = [(path, query) for path, query, _ in LISTINGS] + [("/admin/imports/import0/rejected", ())]
    refusal = (400, "cursor: expected the cursor of an earlier answer to the same listing")
    for made_for in listings:
        path, query = made_for
        cursor = present(full.get(path, *query).body["cursor"])
        for asked in [*listings, *OTHERS]:
            reply = full.get(asked[0], *asked[1], ("cursor", cursor))
            assert reply.status == 200 if asked == made_for else reply.refusal == refusal, (made_for, asked)


# ---------------------------------------------------------------- every change

type Ask = Callable[[Desk], Reply]
type Kept = Callable[[Desk], object]


def _signing_secrets(desk: Desk) -> object:
    (secret,) = desk.admin.partners.get(HUB).signing_secrets
    return {"signingSecret": secret.secret}


def _source_secrets(desk: Desk) -> object:
    return {
        "sourceId": "gw",
        "address": f"https://{HOST}/{STAGE}/inbound/gw",
        "secret": secrets_of(desk, "gw")[0],
        "warning": None,
    }


def _of_partner(desk: Desk) -> object:
    return desk.get("/admin/partners/hub").body


@pytest.mark.parametrize(
    ("operation", "ask", "kept"),
    [
        ("UpdateItem", lambda desk: desk.patch("/admin/partners/hub", {"name": "N", "version": 1}), _of_partner),
        ("UpdateItem", lambda desk: desk.post("/admin/partners/hub/pause", {"reason": "Rude"}), _of_partner),
        ("UpdateItem", lambda desk: desk.delete("/admin/partners/hub/pause"), _of_partner),
        ("UpdateItem", lambda desk: desk.post("/admin/partners/hub/signing-secret"), _signing_secrets),
        ("UpdateItem", lambda desk: desk.post("/admin/sources/gw/secret"), _source_secrets),
        ("UpdateItem", lambda desk: desk.post("/admin/imports/i/finish"), lambda d: d.get("/admin/imports/i").body),
        ("DeleteItem", lambda desk: desk.delete("/admin/sources/gw"), lambda d: {"status": "SUCCESS"}),
    ],
    ids=["version", "pause", "resume", "signing secret", "secret of a source", "finish", "removal"],
)
def test_a_change_that_aws_made_without_an_answer_is_answered_and_recorded_as_made(
    desk: Desk, operation: str, ask: Ask, kept: Kept
) -> None:
    desk.admin.partners.add(Partner(HUB, "Hub", "key", None, None, "default", START))
    desk.admin.partners.pause(HUB, "Unpaid", START)
    desk.admin.sources.add(Source(GATEWAY, "Gateway", "generic", "first secret", START))
    desk.admin.import_jobs.start(ImportJob("i", "a.csv", dry_run=False, staff="anna", started_at=START))
    faults = Scripted(Fault.UNANSWERED, operation=operation)
    reply = ask(Desk(failing_cloud(desk.cloud, faults)))
    assert (reply.status in {200, 201}, faults.left) == (True, [])
    # What is only said of a change is not kept.
    assert {name: value for name, value in reply.body.items() if name != "offerWarning"} == kept(desk)
    assert desk.get("/admin/audit").body["entries"][0]["result"] == "done"


def test_a_route_that_was_deployed_without_its_authorizer_stays_shut(desk: Desk) -> None:
    request = event("GET", "/admin/partners")
    assert desk.send(request).status == 200
    request["requestContext"]["authorizer"] = {}
    assert desk.send(request).refusal == (500, "Temporary failure on our side; try again")

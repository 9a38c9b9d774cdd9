"""Admin API, partners, their keys, signing secrets and test pushes: contract 5."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from globalconnect.domain.backlog import PartnerPending, PendingNote
from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import LARGEST_TEST_SMS_ID, PartnerId
from globalconnect.domain.offer import Offer
from globalconnect.domain.partner import partner_id_of
from globalconnect.domain.sms import Attempt, Sms
from globalconnect.runtime.startup import clock
from globalconnect.store.dynamo import expression
from globalconnect.store.partners import Partners
from local.pretend_partner import DROP, ERROR, Answer, PretendPartner
from simulation.aws import START, Cloud
from simulation.desk import Desk
from simulation.failing import failing_cloud

PUSH_URL = "https://hub.example.com/push?token=abc"


@pytest.fixture
def hub() -> Iterator[PretendPartner]:
    with PretendPartner() as hub:
        yield hub


@pytest.fixture
def local_desk(cloud: Cloud) -> Desk:
    """Return the desk of a local stack, whose clock shows the real time: partners check the time of a signature."""
    cloud.env["PUSH_LOOPBACK"] = "true"
    cloud.clock.at = clock()
    return Desk(cloud)


def test_issuing_gives_a_key_that_works(desk: Desk) -> None:
    reply = desk.post("/admin/partners", {"name": "Hub", "pushUrl": PUSH_URL, "services": ["tg", "go"]})
    key = reply.body.pop("key")
    partner_id = reply.body.pop("partnerId")
    assert reply.status == 201
    assert reply.body == {
        "name": "Hub",
        "pushUrl": PUSH_URL,
        "pushUrlIsPlainHttp": False,
        "services": ["go", "tg"],
        "dialect": "globalconnect",
        "overrides": {},
        "maxLive": None,
        "liveLimit": None,
        "offer": None,
        "offerWarning": None,
        "paused": None,
        "createdAt": "2026-09-21T14:13:20+00:00",
        "revoked": False,
        "signed": False,
        "version": 0,
        "lastSuccessAt": None,
        "slowUntil": None,
        "inTrouble": False,
    }
    assert partner_id_of(key) == partner_id
    assert desk.admin.partners.authenticate(key).partner_id == partner_id


def test_no_services_given_means_all_and_an_empty_list_means_none(desk: Desk) -> None:
    assert desk.partner()["services"] is None
    assert desk.partner(services=None)["services"] is None
    none = desk.partner(services=[])
    assert none["services"] == []
    assert not desk.admin.partners.get(none["partnerId"]).may_buy("tg")


def test_reading_gives_what_was_issued(desk: Desk) -> None:
    issued = desk.partner(pushUrl=PUSH_URL)
    del issued["key"], issued["offerWarning"]
    assert desk.get(f"/admin/partners/{issued['partnerId']}").body == issued
    assert desk.get("/admin/partners").body == {"partners": [issued], "cursor": None}


OVERRIDES = {
    "types": {"number": "number", "phone": "string", "smsId": "number"},
    "errorFields": ["error", "message"],
    "errorHttp": 200,
    "gzipFrom": 0,
    "pushDone": "http200",
}


def test_overrides_are_shown_as_given_replaced_as_a_whole_and_taken_away(desk: Desk) -> None:
    issued = desk.partner(dialect="smsbower", overrides=OVERRIDES)
    path = f"/admin/partners/{issued['partnerId']}"
    assert (issued["overrides"], desk.get(path).body["overrides"]) == (OVERRIDES, OVERRIDES)
    for given, shown in (({"errorHttp": "mapped"}, {"errorHttp": "mapped"}), (OVERRIDES, OVERRIDES), (None, {})):
        version = desk.get(path).body["version"]
        for _ in range(2):
            # The same again is done already.
            reply = desk.patch(path, {"overrides": given, "version": version})
            assert (reply.status, reply.body["overrides"]) == (200, shown)
        assert desk.patch(path, {"overrides": {"gzipFrom": 7}, "version": version}).status == 409
    assert desk.get(path).body["dialect"] == "smsbower"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Renamed"}, {"name": "Renamed"}),
        ({"pushUrl": "https://other.example.com/"}, {"pushUrl": "https://other.example.com/"}),
        ({"pushUrl": None}, {"pushUrl": None}),
        ({"services": ["wa"]}, {"services": ["wa"]}),
        ({"services": []}, {"services": []}),
        ({"services": None}, {"services": None}),
        ({"dialect": "globalconnect"}, {}),
        ({"overrides": OVERRIDES}, {"overrides": OVERRIDES}),
        ({"overrides": {}}, {"overrides": {}}),
        ({"overrides": None}, {"overrides": {}}),
        ({"maxLive": 1}, {"maxLive": 1, "liveLimit": 1}),
        ({"maxLive": 1_000_000}, {"maxLive": 1_000_000, "liveLimit": 1_000_000}),
        ({"maxLive": None}, {"maxLive": None}),
        ({"offer": {"percent": 1}}, {"offer": {"percent": 1}}),
        ({"offer": {"percent": 100, "most": 1_000_000}}, {"offer": {"percent": 100, "most": 1_000_000}}),
        ({"offer": {"most": 1}}, {"offer": {"most": 1}}),
        ({"offer": None}, {"offer": None}),
        ({"name": "R", "pushUrl": None, "services": None}, {"name": "R", "pushUrl": None, "services": None}),
    ],
)
def test_a_change_touches_only_the_fields_that_are_given(
    desk: Desk, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    issued = desk.partner(pushUrl=PUSH_URL, services=["tg"])
    key = issued.pop("key")
    path = f"/admin/partners/{issued['partnerId']}"
    reply = desk.patch(path, change)
    assert reply.status == 200
    assert reply.body == issued | expected | {"version": 1}
    assert desk.get(path).body | {"offerWarning": None} == reply.body
    assert desk.admin.partners.authenticate(key).partner_id == issued["partnerId"]


def test_the_former_name_of_the_default_dialect_is_good_for_ever(desk: Desk) -> None:
    issued = desk.partner(dialect="default")
    path = f"/admin/partners/{issued['partnerId']}"
    assert (issued["dialect"], desk.get(path).body["dialect"]) == ("globalconnect", "globalconnect")
    for asked in ("smshub", "default"):
        assert desk.patch(path, {"dialect": asked}).status == 200
    assert desk.get(path).body["dialect"] == "globalconnect"
    # As it was stored before.
    desk.admin.partners.change(PartnerId(issued["partnerId"]), {"dialect": "default"})
    assert desk.get(path).body["dialect"] == "globalconnect"


def test_a_revoked_partner_can_be_neither_changed_nor_given_a_new_key(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    revoked = desk.delete(path).body
    replies = [
        *(desk.patch(path, {"name": "Back"} | version) for version in ({}, {"version": 0}, {"version": 1})),
        desk.post(f"{path}/rotate-key"),
        desk.post(f"{path}/signing-secret"),
        desk.delete(f"{path}/signing-secret"),
        desk.post(f"{path}/pause", {"reason": "Unpaid"}),
        desk.delete(f"{path}/pause"),
    ]
    assert {reply.refusal for reply in replies} == {(409, "partner: is revoked")}
    assert desk.get(path).body == revoked


@pytest.mark.parametrize("partner_id", ["nobody", "UPPER", "a" * 3_000, "a|b", "..."])
def test_a_partner_that_does_not_exist_is_404_for_every_method(desk: Desk, partner_id: str) -> None:
    path = f"/admin/partners/{partner_id}"
    replies = [
        desk.get(path),
        desk.patch(path, {"name": "N"}),
        desk.patch(path, {"name": "N", "version": 0}),
        desk.delete(path),
        desk.post(f"{path}/rotate-key"),
        desk.post(f"{path}/signing-secret"),
        desk.delete(f"{path}/signing-secret"),
        desk.post(f"{path}/pause", {"reason": "Unpaid"}),
        desk.delete(f"{path}/pause"),
        desk.post(f"{path}/test-push"),
        desk.get(f"{path}/activity"),
    ]
    assert {reply.refusal for reply in replies} == {(404, "partner not found")}
    assert desk.get("/admin/partners").body["partners"] == []


def test_a_plain_http_push_url_is_taken_and_marked_as_such(desk: Desk) -> None:
    partner = desk.partner(pushUrl="HTTP://hub.example/push")
    path = f"/admin/partners/{partner['partnerId']}"
    assert (partner["pushUrl"], partner["pushUrlIsPlainHttp"]) == ("http://hub.example/push", True)
    shown = [
        desk.get(path).body,
        *desk.get("/admin/partners").body["partners"],
        desk.patch(path, {"pushUrl": None}).body,
    ]
    assert [one["pushUrlIsPlainHttp"] for one in shown] == [True, True, False]


def test_where_only_https_is_wanted_a_plain_http_push_url_is_refused_when_it_is_set(cloud: Cloud) -> None:
    plain = {"pushUrl": "http://hub.example/push"}
    path = f"/admin/partners/{Desk(cloud).partner(**plain)['partnerId']}"
    before = Desk(cloud).get(path).body
    cloud.env["PUSH_HTTPS_ONLY"] = "true"
    desk = Desk(cloud)
    refused = [desk.post("/admin/partners", {"name": "Hub", **plain}), desk.patch(path, {"name": "Other", **plain})]
    assert {reply.refusal for reply in refused} == {(400, "pushUrl: expected a URL that starts with https://")}
    # What was set before stays, and so does everything else.
    assert desk.get(path).body == before
    assert desk.patch(path, {"name": "Other"}).body["pushUrl"] == plain["pushUrl"]


# ---------------------------------------------------------------- versions

CHANGED_MEANWHILE = (409, "partner: was changed meanwhile; read it again")


def test_of_two_who_change_what_they_both_read_the_second_is_refused(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    version = desk.get(path).body["version"]
    first = desk.patch(path, {"name": "First", "version": version})
    assert (first.status, first.body["name"], first.body["version"]) == (200, "First", version + 1)
    assert desk.patch(path, {"name": "Second", "version": version}).refusal == CHANGED_MEANWHILE
    assert desk.patch(path, {"pushUrl": PUSH_URL, "version": version + 2}).refusal == CHANGED_MEANWHILE
    assert desk.get(path).body | {"offerWarning": None} == first.body
    assert desk.patch(path, {"name": "Second", "version": version + 1}).body["name"] == "Second"


def test_of_two_who_change_a_partner_at_once_one_does(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"

    def overtake(operation: str) -> None:
        if operation == "UpdateItem":
            desk.patch(path, {"name": "First", "version": 0})

    slower = Desk(failing_cloud(desk.cloud, overtake))
    assert slower.patch(path, {"name": "Second", "pushUrl": None, "version": 0}).refusal == CHANGED_MEANWHILE
    assert (desk.get(path).body["name"], desk.get(path).body["version"]) == ("First", 1)


def test_every_change_by_staff_makes_another_version_and_nothing_else_does(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    path = f"/admin/partners/{partner_id}"
    changes: list[Callable[[], object]] = [
        lambda: desk.patch(path, {"name": "Renamed"}),
        lambda: desk.post(f"{path}/rotate-key"),
        lambda: desk.post(f"{path}/signing-secret"),
        lambda: desk.delete(f"{path}/signing-secret"),
        lambda: desk.post(f"{path}/pause", {"reason": "Unpaid"}),
        lambda: desk.delete(f"{path}/pause"),
        lambda: desk.delete(path),
    ]
    for version, change in enumerate(changes, start=1):
        change()
        desk.admin.partners.note_success(partner_id, START + version)
        desk.admin.partners.note_slow(partner_id, START + version)
        assert desk.get(path).body["version"] == version
    assert desk.delete(path).body == desk.get(path).body
    assert desk.get(path).body["version"] == 7


def test_a_partner_from_before_there_were_versions_has_the_version_0(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    desk.cloud.db.update(desk.cloud.env["PARTNERS_TABLE"], {"partner_id": partner_id}, expression("REMOVE #version"))
    path = f"/admin/partners/{partner_id}"
    assert desk.get(path).body["version"] == 0
    assert desk.patch(path, {"name": "New", "version": 1}).refusal == CHANGED_MEANWHILE
    assert desk.patch(path, {"name": "New", "version": 0}).body["version"] == 1


# ---------------------------------------------------------------- limits


def test_a_partner_may_be_issued_with_a_limit_of_live_activations(desk: Desk) -> None:
    issued = desk.partner(maxLive=40)
    assert issued["maxLive"] == 40
    assert desk.admin.partners.authenticate(issued["key"]).max_live == 40
    assert desk.partner(maxLive=None)["maxLive"] is None


def test_staff_see_the_limit_that_applies(desk: Desk) -> None:
    desk.admin = replace(desk.admin, max_live=7)
    assert [desk.partner(maxLive=own)["liveLimit"] for own in (3, None)] == [3, 7]
    desk.admin = replace(desk.admin, max_live=0)
    assert [desk.partner(dialect=name)["liveLimit"] for name in ("globalconnect", "smshub")] == [None, 100]


# ---------------------------------------------------------------- offers


def _places(desk: Desk) -> dict[str, list[int]]:
    """Return place and places of the partners that have a turn."""
    return {
        partner.partner_id: [partner.turn.place, partner.turn.places]
        for partner in desk.admin.partners.every()
        if partner.turn is not None
    }


def test_an_offer_is_replaced_as_a_whole_and_known_to_who_sells(desk: Desk) -> None:
    issued = desk.partner(offer={"percent": 20, "most": 5}, maxLive=9)
    path = f"/admin/partners/{issued['partnerId']}"
    assert issued["offer"] == desk.get(path).body["offer"] == {"percent": 20, "most": 5}
    assert desk.admin.partners.authenticate(issued["key"]).offer == Offer(20, 5)
    for given, shown in (({"most": 7}, {"most": 7}), (None, None)):
        version = desk.get(path).body["version"]
        for _ in range(2):
            # The same again is done already.
            reply = desk.patch(path, {"offer": given, "version": version})
            assert (reply.status, reply.body["offer"]) == (200, shown)
        assert desk.patch(path, {"offer": {"most": 8}, "version": version}).status == 409
    assert desk.get(path).body["maxLive"] == 9
    assert desk.admin.partners.authenticate(issued["key"]).offer is None


def test_offers_of_more_than_100_percent_together_are_a_warning(desk: Desk) -> None:
    def warned(reply: Mapping[str, Any]) -> bool:
        return "120 % together" in (reply["offerWarning"] or "")

    first, second = desk.partner(offer={"percent": 60}), desk.partner(offer={"percent": 40})
    path = f"/admin/partners/{second['partnerId']}"
    assert not warned(first)
    assert not warned(second)
    # A paused partner's is one of them: it will be shown its part again.
    desk.post(f"/admin/partners/{first['partnerId']}/pause", {"reason": "Unpaid"})
    assert warned(desk.patch(path, {"offer": {"percent": 60}}).body)
    assert desk.patch(path, {"name": "New"}).body["offerWarning"] is None
    desk.delete(f"/admin/partners/{first['partnerId']}")
    assert desk.patch(path, {"offer": {"percent": 60}}).body["offerWarning"] is None


@pytest.mark.parametrize("most", [1, 5])
def test_an_offer_without_a_percentage_counts_as_all_that_is_free(desk: Desk, most: int) -> None:
    assert desk.partner(offer={"most": most})["offerWarning"] is None
    assert "101 % together" in desk.partner(offer={"percent": 1})["offerWarning"]


def test_the_turns_are_those_of_who_has_an_offer_and_is_sold_to(desk: Desk) -> None:
    desk.partner()
    ids = sorted(desk.partner(offer={"percent": 20})["partnerId"] for _ in range(3))
    path, version = f"/admin/partners/{ids[0]}", desk.get(f"/admin/partners/{ids[0]}").body["version"]
    everyone, rest = {ids[n]: [n, 3] for n in range(3)}, {ids[1]: [0, 2], ids[2]: [1, 2]}
    assert _places(desk) == everyone
    desk.post(f"{path}/pause", {"reason": "Unpaid"})
    assert _places(desk) | rest == _places(desk)
    desk.delete(f"{path}/pause")
    assert _places(desk) == everyone
    desk.patch(path, {"offer": None})
    assert _places(desk) == rest
    desk.patch(path, {"offer": {"most": 5}})
    assert _places(desk) == everyone
    # The turns of others are no change of theirs.
    assert desk.get(f"/admin/partners/{ids[1]}").body["version"] == version
    desk.delete(path)
    assert _places(desk) | rest == _places(desk)


def test_a_new_partner_gets_its_key_though_the_turns_could_not_be_arranged(desk: Desk) -> None:
    class Crowded(Partners):
        def arrange_turns(self) -> int:
            raise Busy

    crowded = Crowded(desk.cloud.db, desk.cloud.env["PARTNERS_TABLE"], 0, desk.cloud.clock)
    admin = desk.admin
    desk.admin = replace(admin, partners=crowded)
    issued = desk.partner(offer={"percent": 20})
    assert "set the offer again" in issued["offerWarning"]
    assert desk.patch(f"/admin/partners/{issued['partnerId']}", {"offer": {"percent": 20}}).status == 503
    desk.admin = admin
    assert _places(desk) == {}
    assert desk.patch(f"/admin/partners/{issued['partnerId']}", {"offer": {"percent": 20}}).status == 200
    assert _places(desk) == {issued["partnerId"]: [0, 1]}


# ---------------------------------------------------------------- paused


def test_a_pause_keeps_its_beginning_has_its_last_reason_and_ends_once(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    before = desk.get(path).body
    # Of one that is not paused nothing changes.
    assert desk.delete(f"{path}/pause").body == before
    desk.post(f"{path}/pause", {"reason": "Unpaid since May"})
    desk.cloud.clock.advance(minutes=5)
    paused = desk.post(f"{path}/pause", {"reason": "Burns numbers"})
    pause = {"at": "2026-09-21T14:13:20+00:00", "reason": "Burns numbers"}
    assert (paused.status, paused.body) == (200, before | {"paused": pause, "version": paused.body["version"]})
    assert desk.get(path).body == paused.body == desk.get("/admin/partners").body["partners"][0]
    resumed = [desk.delete(f"{path}/pause") for _ in range(2)]
    assert resumed[0] == resumed[1]
    assert desk.get(path).body == resumed[0].body == before | {"version": resumed[0].body["version"]}


def test_no_other_change_of_a_partner_touches_its_pause_its_limit_or_its_signing_secret(desk: Desk) -> None:
    partner_id = desk.partner(maxLive=5)["partnerId"]
    path = f"/admin/partners/{partner_id}"
    paused = desk.post(f"{path}/pause", {"reason": "Unpaid"}).body["paused"]
    secret = desk.post(f"{path}/signing-secret").body["signingSecret"]
    desk.patch(path, {"name": "New", "pushUrl": None, "services": ["tg"], "dialect": "globalconnect"})
    desk.post(f"{path}/rotate-key")
    desk.admin.partners.note_success(partner_id, START)
    shown = desk.delete(path).body
    assert (shown["paused"], shown["maxLive"], shown["revoked"]) == (paused, 5, True)
    assert signing_secrets(desk, partner_id) == [secret]


# ---------------------------------------------------------------- health and activity


def test_a_partner_is_shown_with_its_last_success_and_as_slow_while_it_is(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    desk.admin.partners.note_success(partner_id, START)
    desk.admin.partners.note_slow(partner_id, START + 60_000)
    for slow_until in ("2026-09-21T14:14:20+00:00", None):
        shown = desk.get(f"/admin/partners/{partner_id}").body
        assert (shown["lastSuccessAt"], shown["slowUntil"]) == ("2026-09-21T14:13:20+00:00", slow_until)
        assert desk.get("/admin/partners").body["partners"] == [shown]
        desk.cloud.clock.advance(minutes=1)


def attempted(desk: Desk, sms: Sms, *attempts: Attempt) -> None:
    desk.admin.pushes.keep_attempts([(sms, attempt) for attempt in attempts])


def test_the_activity_of_a_partner_is_what_waits_and_its_newest_failed_attempts(desk: Desk) -> None:
    partner_id = desk.partner(pushUrl=PUSH_URL)["partnerId"]
    path = f"/admin/partners/{partner_id}/activity"
    before = desk.get(path).body
    outcomes = before.pop("outcomes")
    assert before == {
        "waiting": 0,
        "oldestPendingAt": None,
        "measuredAt": None,
        "failures": [],
        "soldOutAfterPoll": 0,
    }
    first = desk.arrived(desk.sold(partner_id, desk.stocked("447472190001")), sms_id=71)
    second = desk.arrived(desk.sold(partner_id, desk.stocked("447472190002")), sms_id=72)
    others = desk.arrived(desk.sold("others", desk.stocked("447472190003")), sms_id=73)
    attempted(
        desk,
        first,
        Attempt(1, START, 1_234, "timeout", None, ""),
        Attempt(2, START + 20_000, 5, "delivered", 200, "ok"),
    )
    attempted(desk, second, Attempt(1, START + 10_000, 7, "http_status", 503, "busy"))
    attempted(desk, others, Attempt(1, START, 7, "tls", None, ""))
    waits = {partner_id: PartnerPending(3, START + 1_000), "others": PartnerPending(9, START)}
    desk.admin.statistics.put_pending(PendingNote(START + 30_000, 12, START, waits))
    assert desk.get(path).body == {
        "waiting": 3,
        "oldestPendingAt": "2026-09-21T14:13:21+00:00",
        "measuredAt": "2026-09-21T14:13:50+00:00",
        "failures": [
            {
                "at": "2026-09-21T14:13:30+00:00",
                "activationId": second.activation_id,
                "smsId": "72",
                "number": 1,
                "outcome": "http_status",
                "httpStatus": 503,
                "durationMs": 7,
                "answer": "busy",
            },
            {
                "at": "2026-09-21T14:13:20+00:00",
                "activationId": first.activation_id,
                "smsId": "71",
                "number": 1,
                "outcome": "timeout",
                "httpStatus": None,
                "durationMs": 1234,
                "answer": "",
            },
        ],
        "outcomes": outcomes,
        "soldOutAfterPoll": 0,
    }


def test_of_many_failed_attempts_the_newest_20_of_the_last_25_activations_are_shown(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    for n in range(30):
        desk.cloud.clock.advance(seconds=1)
        sms = desk.arrived(desk.sold(partner_id, desk.stocked(f"4474721900{n:02}")), sms_id=100 + n)
        attempted(desk, sms, Attempt(1, desk.cloud.clock(), 1, "connection", None, ""))
        if n == 0:
            # The newest of all, in an activation that is too long ago.
            attempted(desk, sms, Attempt(2, START + 3_600_000, 1, "connection", None, ""))
    failures = desk.get(f"/admin/partners/{partner_id}/activity").body["failures"]
    assert [failure["smsId"] for failure in failures] == [str(129 - n) for n in range(20)]


# ---------------------------------------------------------------- signing secrets


def signing_secrets(desk: Desk, partner_id: str) -> list[str]:
    """Return the secrets that sign a partner's pushes now, the newest first."""
    partner = desk.admin.partners.get(PartnerId(partner_id))
    return list(desk.admin.partners.secrets(partner, desk.cloud.clock()).signing)


def test_a_signing_secret_is_32_random_bytes_and_signs_from_then_on(desk: Desk) -> None:
    partner_id = desk.partner()["partnerId"]
    reply = desk.post(f"/admin/partners/{partner_id}/signing-secret")
    secret = reply.body["signingSecret"]
    assert (reply.status, reply.body) == (201, {"signingSecret": secret})
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert desk.get(f"/admin/partners/{partner_id}").body["signed"] is True
    assert signing_secrets(desk, partner_id) == [secret]


def test_a_key_or_signing_secret_is_shown_only_by_the_answer_that_creates_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    issued = desk.partner()
    path = f"/admin/partners/{issued['partnerId']}"
    created = [issued["key"], desk.post(f"{path}/rotate-key").body["key"]]
    created += [desk.post(f"{path}/signing-secret").body["signingSecret"] for _ in range(2)]
    others = [desk.get(path), desk.get("/admin/partners"), desk.patch(path, {"name": "New"})]
    others += [desk.delete(f"{path}/signing-secret"), desk.delete(path)]
    seen = str([reply.body for reply in others]) + str([vars(record) for record in caplog.records])
    assert [secret for secret in created if secret.removeprefix("whsec_") in seen] == []


def test_removing_the_signing_secrets_ends_the_signatures_and_a_second_time_changes_nothing(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    before = desk.get(path).body
    for _ in range(2):
        desk.post(f"{path}/signing-secret")
    replies = [desk.delete(f"{path}/signing-secret") for _ in range(2)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, before | {"version": 3})] * 2


# ---------------------------------------------------------------- test pushes


def test_a_test_push_is_one_push_of_a_made_up_sms_in_the_form_of_every_push(
    local_desk: Desk, hub: PretendPartner
) -> None:
    issued = local_desk.partner(pushUrl=hub.url)
    reply = local_desk.post(f"/admin/partners/{issued['partnerId']}/test-push")
    assert reply.status == 200
    assert reply.body.pop("durationMs") in range(5_001)
    assert reply.body == {
        "delivered": True,
        "outcome": "delivered",
        "httpStatus": 200,
        "answer": '{"status":"SUCCESS"}',
    }
    (push,) = hub.pushes
    sms_id, text = push.body.pop("smsId"), push.body.pop("text")
    assert push.body == {
        "key": issued["key"],
        "action": "PUSH_SMS",
        "phone": "447700900000",
        "phoneFrom": "GlobalConnect",
        "call": 0,
        "voice": 0,
    }
    assert 1 <= int(sms_id) <= LARGEST_TEST_SMS_ID
    assert "test" in text
    assert not any(name.lower().startswith("webhook-") for name in push.headers)


def test_every_test_push_has_an_sms_id_of_its_own_and_is_signed_if_pushes_are(
    local_desk: Desk, hub: PretendPartner
) -> None:
    path = f"/admin/partners/{local_desk.partner(pushUrl=hub.url)['partnerId']}"
    secrets = [local_desk.post(f"{path}/signing-secret").body["signingSecret"] for _ in range(2)]
    for _ in range(2):
        local_desk.post(f"{path}/test-push")
    assert len({push.body["smsId"] for push in hub.pushes}) == 2
    for push in hub.pushes:
        assert [Webhook(secret).verify(push.raw, dict(push.headers)) for secret in secrets] == [push.body] * 2
        assert push.headers["webhook-id"] == f"sms_{push.body['smsId']}"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (ERROR, ("refused_answer", 200, '{"status":"ERROR"}')),
        (Answer(503, b"busy"), ("http_status", 503, "busy")),
        (Answer(302, headers={"Location": "http://169.254.169.254/"}, body=b""), ("http_status", 302, "")),
        (DROP, ("connection", None, "")),
    ],
)
def test_a_test_push_that_fails_says_how_and_is_neither_tried_again_nor_kept(
    local_desk: Desk, hub: PretendPartner, answer: Answer, shown: tuple[str, int | None, str]
) -> None:
    hub.answer(answer)
    path = f"/admin/partners/{local_desk.partner(pushUrl=hub.url)['partnerId']}"
    before = local_desk.get(path).body
    reply = local_desk.post(f"{path}/test-push")
    told = tuple(reply.body[name] for name in ("outcome", "httpStatus", "answer"))
    assert (reply.status, reply.body["delivered"], told) == (200, False, shown)
    assert len(hub.pushes) == 1
    assert local_desk.cloud.queued() == local_desk.cloud.queued(slow=True) == []
    assert local_desk.get(path).body == before
    assert local_desk.get("/admin/activations").body["activations"] == []
    assert local_desk.get("/admin/unclaimed").body["messages"] == []


def test_a_test_push_masks_key_signing_secret_and_query_in_the_answer_and_logs_none_of_them(
    local_desk: Desk, hub: PretendPartner, caplog: pytest.LogCaptureFixture
) -> None:
    issued = local_desk.partner(pushUrl=f"{hub.url}?token=hush")
    path = f"/admin/partners/{issued['partnerId']}"
    secret = local_desk.post(f"{path}/signing-secret").body["signingSecret"]
    bare = secret.removeprefix("whsec_")
    hub.answer(Answer(500, f"{issued['key']} {secret} {bare} token=hush".encode()))
    assert local_desk.post(f"{path}/test-push").body["answer"] == "*** *** *** ***"
    written = str([vars(record) for record in caplog.records])
    assert [hidden for hidden in (issued["key"], bare, "hush") if hidden in written] == []


def test_a_test_push_goes_nowhere_inside_and_is_recorded_with_its_outcome(desk: Desk) -> None:
    """The name is checked at every attempt, however it came into the table."""
    partner_id = desk.partner()["partnerId"]
    desk.admin.partners.change(partner_id, {"push_url": "http://127.0.0.1:9/"})
    desk.cloud.clock.advance(seconds=1)
    reply = desk.post(f"/admin/partners/{partner_id}/test-push")
    assert (reply.body["delivered"], reply.body["outcome"]) == (False, "bad_url")
    entry = desk.get("/admin/audit").body["entries"][0]
    recorded = (entry["action"], entry["id"], entry["details"])
    assert recorded == ("partner.push_tested", partner_id, {"outcome": "bad_url"})


def test_a_partner_that_is_revoked_or_has_no_push_url_gets_no_test_push(local_desk: Desk, hub: PretendPartner) -> None:
    without = local_desk.partner()["partnerId"]
    revoked = local_desk.partner(pushUrl=hub.url)["partnerId"]
    local_desk.delete(f"/admin/partners/{revoked}")
    assert local_desk.post(f"/admin/partners/{without}/test-push").refusal == (409, "partner: has no Push URL")
    assert local_desk.post(f"/admin/partners/{revoked}/test-push").refusal == (409, "partner: is revoked")
    assert hub.pushes == []

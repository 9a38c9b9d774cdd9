"""Admin API, partners and their keys: contract 5."""

import json
from typing import Any

import pytest

from globalconnect.domain.errors import InvalidKey
from globalconnect.domain.partner import partner_id_of
from tests.conftest import Cloud
from tests.integration.admin_support import Desk

PUSH_URL = "https://hub.example.com/push?token=abc"


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


def test_issuing_gives_a_key_that_works(desk: Desk) -> None:
    reply = desk.post("/admin/partners", {"name": "Hub", "pushUrl": PUSH_URL, "services": ["tg", "go"]})
    key = reply.body.pop("key")
    partner_id = reply.body.pop("partnerId")
    assert reply.status == 201
    assert reply.body == {
        "name": "Hub",
        "pushUrl": PUSH_URL,
        "services": ["go", "tg"],
        "dialect": "default",
        "createdAt": "2026-09-21T14:13:20+00:00",
        "revoked": False,
    }
    assert partner_id_of(key) == partner_id
    assert desk.admin.partners.authenticate(key).partner_id == partner_id


def test_no_services_given_means_all_and_an_empty_list_means_none(desk: Desk) -> None:
    assert desk.partner()["services"] is None
    assert desk.partner(services=None)["services"] is None
    none = desk.partner(services=[])
    assert none["services"] == []
    assert not desk.admin.partners.get(none["partnerId"]).may_buy("tg")


def test_a_key_is_shown_only_by_the_answer_that_creates_it(desk: Desk) -> None:
    issued = desk.partner()
    path = f"/admin/partners/{issued['partnerId']}"
    rotated = desk.post(f"{path}/rotate-key")
    others = [desk.get(path), desk.get("/admin/partners"), desk.patch(path, {"name": "New"}), desk.delete(path)]
    for reply in others:
        assert reply.status == 200
        assert '"key"' not in json.dumps(reply.body)
        assert issued["key"] not in json.dumps(reply.body)
        assert rotated.body["key"] not in json.dumps(reply.body)


def test_reading_gives_what_was_issued(desk: Desk) -> None:
    issued = desk.partner(pushUrl=PUSH_URL)
    del issued["key"]
    assert desk.get(f"/admin/partners/{issued['partnerId']}").body == issued
    assert desk.get("/admin/partners").body == {"partners": [issued], "cursor": None}


def test_partners_are_listed_page_by_page_each_once(desk: Desk) -> None:
    issued = {desk.partner(name=f"Hub {n}")["partnerId"] for n in range(205)}
    listed = [partner["partnerId"] for partner in desk.all_pages("/admin/partners", "partners")]
    assert len(desk.get("/admin/partners").body["partners"]) == 100
    assert len(listed) == 205
    assert set(listed) == issued


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Renamed"}, {"name": "Renamed"}),
        ({"pushUrl": "http://other.example.com/"}, {"pushUrl": "http://other.example.com/"}),
        ({"pushUrl": None}, {"pushUrl": None}),
        ({"services": ["wa"]}, {"services": ["wa"]}),
        ({"services": []}, {"services": []}),
        ({"services": None}, {"services": None}),
        ({"dialect": "default"}, {}),
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
    assert reply.body == issued | expected
    assert desk.get(path).body == issued | expected
    assert desk.admin.partners.authenticate(key).partner_id == issued["partnerId"]


def test_two_operators_who_change_different_things_both_succeed(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    before = desk.get(path).body
    desk.patch(path, {"name": "Renamed"})
    desk.patch(path, {"pushUrl": PUSH_URL})
    assert desk.get(path).body == before | {"name": "Renamed", "pushUrl": PUSH_URL}


def test_a_rotated_key_works_and_the_old_one_stops(desk: Desk) -> None:
    issued = desk.partner()
    reply = desk.post(f"/admin/partners/{issued['partnerId']}/rotate-key")
    assert reply.status == 200
    assert reply.body == issued | {"key": reply.body["key"]}
    assert desk.admin.partners.authenticate(reply.body["key"]).partner_id == issued["partnerId"]
    with pytest.raises(InvalidKey):
        desk.admin.partners.authenticate(issued["key"])


def test_a_revoked_key_stops_working_and_revoking_again_changes_nothing(desk: Desk) -> None:
    issued = desk.partner()
    path = f"/admin/partners/{issued['partnerId']}"
    first = desk.delete(path)
    desk.cloud.clock.advance(minutes=5)
    again = desk.delete(path)
    assert (first.status, again.status) == (200, 200)
    assert first.body["revoked"] is True
    assert again.body == first.body == desk.get(path).body
    with pytest.raises(InvalidKey):
        desk.admin.partners.authenticate(issued["key"])


def test_a_revoked_partner_can_be_neither_changed_nor_given_a_new_key(desk: Desk) -> None:
    path = f"/admin/partners/{desk.partner()['partnerId']}"
    revoked = desk.delete(path).body
    assert desk.patch(path, {"name": "Back"}).refusal == (409, "partner: is revoked")
    assert desk.post(f"{path}/rotate-key").refusal == (409, "partner: is revoked")
    assert desk.get(path).body == revoked


@pytest.mark.parametrize("partner_id", ["nobody", "UPPER", "a" * 3_000, "a|b", "..."])
def test_a_partner_that_does_not_exist_is_404_for_every_method(desk: Desk, partner_id: str) -> None:
    path = f"/admin/partners/{partner_id}"
    replies = [
        desk.get(path),
        desk.patch(path, {"name": "N"}),
        desk.delete(path),
        desk.post(f"{path}/rotate-key"),
    ]
    assert [reply.refusal for reply in replies] == [(404, "partner not found")] * 4
    assert desk.get("/admin/partners").body["partners"] == []


def test_a_local_stack_lets_push_urls_point_at_this_machine(cloud: Cloud) -> None:
    cloud.env["PUSH_LOOPBACK"] = "true"
    assert Desk(cloud).partner(pushUrl="http://127.0.0.1:9999/push")["pushUrl"] == "http://127.0.0.1:9999/push"

"""`make restore`: tables that are lost, put back by the command itself while the handlers' code goes on (docs/adr/0039)."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deployment.copies import iso
from deployment.failure import DeploymentError
from deployment.restore import _form_lines
from deployment.restoring import GRANTED, RECOUNTED, RESTORED, RestoreReport
from globalconnect.domain.number import Number
from globalconnect.domain.times import DAY
from local.place import REPOSITORY
from simulation.aws import TEMPLATE
from simulation.clouds import Moto
from simulation.meanwhile import crossed
from simulation.restores import KILLED_AFTER, LOST, REHEARSALS, STACK, Site
from simulation.shop import COUNTRY, OPERATOR, present

PHONE, OTHER = "447472190082", "447472190083"


@pytest.fixture
def site(moto: Moto) -> Iterator[Site]:
    made = Site.build(moto)
    yield made
    for name in made.cloud.client.list_tables()["TableNames"]:
        if name.startswith((made.stack.prefix, STACK)):
            made.cloud.client.delete_table(TableName=name)


def refusal(command: Callable[..., object], *given: Any) -> str:
    """Return what is said when the command must not, or can't, go on."""
    with pytest.raises(DeploymentError) as failure:
        command(*given)
    return str(failure.value)


def tables(site: Site) -> Sequence[str]:
    found: list[str] = site.cloud.client.list_tables()["TableNames"]
    return [name for name in found if name.startswith(STACK)]


# ---------------------------------------------------------------- the rehearsals


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("rehearsal", REHEARSALS, ids=lambda rehearsal: rehearsal.__name__)
def test_a_table_that_is_lost_is_restored_and_what_was_running_goes_on(
    site: Site, rehearsal: Callable[..., list[str]], how: str
) -> None:
    assert rehearsal(site, how) == []
    assert tables(site) == [], "the copy was left"


@pytest.mark.parametrize("writes", KILLED_AFTER)
@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("rehearsal", REHEARSALS, ids=lambda rehearsal: rehearsal.__name__)
def test_a_restore_that_is_killed_is_finished_by_the_same_command(
    site: Site, rehearsal: Callable[..., list[str]], how: str, writes: int
) -> None:
    assert rehearsal(site, how, interrupted_after=writes) == []
    assert tables(site) == []
    doors = [done for done in site.stack.done if "PartnerApi" in done]
    assert doors[-1:] == (["opened PartnerApiFunction"] if how == "gone" else [])


def test_every_table_of_the_template_can_be_restored() -> None:
    kinds = {name: each["Type"] for name, each in TEMPLATE["Resources"].items()}
    known = {name.removesuffix("Table") for name, kind in kinds.items() if kind == "AWS::DynamoDB::Table"}
    assert {*RESTORED, *RECOUNTED, *GRANTED} == known


@pytest.mark.parametrize("name", RESTORED)
def test_a_table_is_found_by_its_whole_key(site: Site, name: str) -> None:
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.restore(name)
    assert f"{name}: 0 looked at, 0 put back" in site.said


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("name", sorted(RECOUNTED))
def test_counts_that_are_lost_are_made_again_by_a_recount(site: Site, name: str, how: str) -> None:
    site.shop.sell("tg")
    partner = site.shop.partner(max_live=2)
    site.shop.stock(PHONE, OTHER)
    site.shop.buy(partner)
    site.shop.project()
    if how == "gone":
        site.dynamodb.delete(site.table(name))
    else:
        site.lose(name)
    site.restore(name)
    assert site.wrong_counts(partner) == []
    assert site.shop.partner_parts.holders.held_by(partner.partner_id) == 1


# ---------------------------------------------------------------- what is newer, and what must not come back


def test_a_second_restore_finds_nothing_to_do_and_undoes_nothing(site: Site) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    partner, activation_id = site.shop.sold()
    site.shop.finish(partner, activation_id, 1)
    before = site.shop.all_numbers()
    for _ in range(2):
        site.restore("Numbers")
    assert site.shop.all_numbers() == before
    assert site.said.count("Numbers: 1 looked at, 0 put back") == 2


def test_a_number_is_not_held_for_an_activation_that_was_finished_while_it_is_looked_at(site: Site) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    partner, activation_id = site.shop.sold()
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    # After its activation was read, and before the number is.
    restoration = site.restoration()
    db = crossed(restoration.db, "get_many", lambda: site.shop.finish(partner, activation_id, 5))
    asked = {"TABLE": "Numbers", "CONFIRM": "Numbers", "AT": iso(present(site.dynamodb.at))}
    replace(restoration, db=db).run(asked)
    assert present(site.shop.numbers.get(PHONE)).activation_id is None


def test_a_number_that_staff_entered_again_meanwhile_has_its_former_marks_and_the_new_ones(site: Site) -> None:
    site.shop.sell("tg", "go", "wa")
    site.shop.stock(PHONE)
    for service in ("tg", "wa"):
        partner, activation_id = site.shop.sold(service)
        site.shop.finish(partner, activation_id, 3)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.lose("Numbers")
    site.shop.stock(PHONE)
    partner, activation_id = site.shop.sold("go")
    site.shop.finish(partner, activation_id, 1)
    site.restore("Numbers")
    assert present(site.shop.numbers.get(PHONE)).blocked == {"tg", "go", "wa"}


def test_a_number_whose_activation_is_lost_as_well_stays_held(site: Site) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    partner, activation_id = site.shop.sold()
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    for name in ("Numbers", "Activations"):
        site.lose(name)
    for name in ("Numbers", "Activations"):
        site.restore(name)
    assert site.shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    assert site.shop.finish(partner, activation_id, 5).body == {"status": "SUCCESS"}


def test_a_number_that_was_entered_since_is_back_also_when_its_only_sale_ran_out(site: Site) -> None:
    site.shop.sell("tg")
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.shop.stock(PHONE)
    site.shop.sold()
    site.cloud.clock.advance(minutes=61)
    site.lose("Numbers")
    site.restore("Numbers")
    assert site.shop.buy(site.shop.partner()).body["number"] == PHONE


def test_a_number_that_is_held_stays_held_though_nothing_is_known_of_its_activation(site: Site) -> None:
    site.shop.sell("tg", "go")
    site.shop.stock(PHONE)
    partner, activation_id = site.shop.sold("go")
    site.shop.finish(partner, activation_id, 3)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.lose("Numbers")
    # Entered again, and older than it was.
    site.shop.stock(PHONE)
    _, holder = site.shop.sold()
    site.lose("Activations")
    site.restore("Numbers")
    assert present(site.shop.numbers.get(PHONE)).activation_id == holder


def test_a_warm_environment_that_has_read_past_it_finds_what_is_put_back(site: Site) -> None:
    warm = site.shop
    warm.sell("tg")
    warm.stock(PHONE)
    used_up = [str(447_472_190_100 + place) for place in range(120)]
    for phone in used_up:
        site.cloud.clock.advance(seconds=1)
        now = site.cloud.clock()
        warm.numbers.add(Number(phone, COUNTRY, OPERATOR, available_from=now, blocked=frozenset({"tg"})))
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.lose("Numbers", *used_up)
    partner = warm.partner()
    assert warm.buy(partner).body["status"] == "NO_NUMBERS"
    site.restore("Numbers")
    assert warm.buy(partner).body["number"] == PHONE


def test_texts_past_their_retention_stay_purged(site: Site) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    site.shop.sold()
    site.cloud.clock.advance(ms=30 * DAY - 1_000)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.lose("Activations")
    site.restore("Activations")
    assert site.cloud.client.scan(TableName=site.table("Activations"))["Items"] == []
    assert "        1 items that are past their retention and stay purged" in site.said


def test_a_sale_of_a_version_that_did_not_note_the_service_is_named(site: Site) -> None:
    site.shop.sell("tg")
    site.dynamodb.remember()
    site.shop.stock(PHONE)
    site.shop.sold()
    site.twist("Numbers", {"phone": {"S": PHONE}}, "held_for")
    site.cloud.clock.advance(minutes=6)
    site.lose("Activations")
    site.restore("Activations")
    assert any(PHONE in line and "withdraw" in line for line in site.said)


def test_a_source_that_staff_removed_stays_removed_and_a_replaced_secret_stays_bad(site: Site) -> None:
    desk = site.desk
    made = [desk.post("/admin/sources", {"name": name, "provider": "generic"}).body for name in "abc"]
    removed, replaced, kept = made
    desk.post(f"/admin/sources/{replaced['sourceId']}/secret")
    site.cloud.clock.advance(minutes=2)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=2)
    desk.delete(f"/admin/sources/{removed['sourceId']}")
    desk.post(f"/admin/sources/{replaced['sourceId']}/secret")
    site.cloud.clock.advance(minutes=5)
    site.lose("Sources")
    site.restore("Sources")
    found = {item["source_id"]["S"]: item for item in site.cloud.client.scan(TableName=site.table("Sources"))["Items"]}
    assert found.keys() == {replaced["sourceId"], kept["sourceId"]}
    assert found[kept["sourceId"]]["secret"]["S"] == kept["secret"]
    assert found[replaced["sourceId"]]["secret"]["S"] != replaced["secret"]
    assert "former_secrets" not in found[replaced["sourceId"]]


def test_a_signing_secret_that_was_replaced_or_removed_signs_no_more_and_who_was_paused_stays_so(site: Site) -> None:
    desk, clock = site.desk, site.cloud.clock
    rotated, removed, paused, resumed = (desk.partner() for _ in range(4))
    path = {id(each): f"/admin/partners/{each['partnerId']}" for each in (rotated, removed, paused, resumed)}
    for each in (rotated, removed):
        desk.post(f"{path[id(each)]}/signing-secret")
    clock.advance(minutes=2)
    site.dynamodb.remember()
    clock.advance(minutes=2)
    desk.post(f"{path[id(rotated)]}/signing-secret")
    desk.delete(f"{path[id(removed)]}/signing-secret")
    for each in (paused, resumed):
        desk.post(f"{path[id(each)]}/pause", {"reason": "The key was stolen"})
    clock.advance(minutes=1)
    desk.delete(f"{path[id(resumed)]}/pause")
    clock.advance(minutes=5)
    site.lose("Partners")
    site.restore("Partners")
    partners = site.shop.partners
    kept = [partners.get(each["partnerId"]) for each in (rotated, removed, paused, resumed)]
    assert [partners.secrets(each, clock()).signing for each in kept[:2]] == [(), ()]
    assert [each.paused is not None for each in kept] == [False, False, True, False]
    said = "\n".join(site.said)
    assert all(f"{each['partnerId']}: staff have since made" in said for each in (rotated, removed))
    assert f"{paused['partnerId']}: staff have paused it since" in said


@pytest.mark.parametrize(
    ("parameter", "then_encrypted", "says"),
    [
        ("on", False, "Next: make encrypt-keys"),
        ("ending", True, "Next: make encrypt-keys"),
        ("off", True, "came back encrypted"),
        ("off", False, None),
        ("on", True, None),
    ],
)
def test_what_came_back_in_another_form_of_keys_is_said_with_what_to_do(
    parameter: str, says: str | None, *, then_encrypted: bool
) -> None:
    report = RestoreReport(encrypted=3) if then_encrypted else RestoreReport(in_clear=3)
    lines = _form_lines(report, parameter, "")
    assert (says in "\n".join(lines)) if says else lines == []


def test_what_staff_changed_since_is_named_to_be_done_again(site: Site) -> None:
    site.shop.stock(PHONE)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    site.desk.patch(f"/admin/numbers/{PHONE}", {"enabled": False})
    site.lose("Numbers")
    site.restore("Numbers")
    assert any("number.withdrawn" in line and PHONE in line for line in site.said)


# ---------------------------------------------------------------- the command


def test_the_doors_are_closed_while_a_table_is_empty_and_open_once_running_sales_are_back(site: Site) -> None:
    site.dynamodb.delete(site.table("Numbers"))
    site.restore("Numbers")
    closed, made, opened = (
        [index for index, done in enumerate(site.stack.done) if done.startswith(begin)]
        for begin in ("closed", "made", "opened")
    )
    assert len(opened) == 3
    assert min(closed) < min(made) < min(opened)
    assert max(closed) < min(opened)
    assert site.stack.done[-1] == "recount"


def test_a_table_that_was_made_anew_by_the_template_is_known_by_its_name(site: Site) -> None:
    site.shop.stock(PHONE)
    site.dynamodb.delete(site.table("Numbers"))
    site.stack.is_unable = True
    assert "docs/runbook.md" in refusal(site.restore, "Numbers")
    # What `make deploy` does of a template in which the table has another name.
    site.stack.make("NumbersTable", "NumbersTable2")
    site.restore("Numbers")
    assert site.cloud.client.scan(TableName=site.stack.tables["NumbersTable2"])["Count"] == 1


def test_of_several_tables_that_are_gone_each_is_restored_and_the_doors_stay_closed_until_all_are(site: Site) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    partner, activation_id = site.shop.sold()
    for name in ("Numbers", "Activations", "Counted"):
        site.dynamodb.delete(site.table(name))
    site.restore("Numbers")
    assert not [done for done in site.stack.done if done.startswith("opened")]
    assert any("make restore TABLE=Activations" in line for line in site.said)
    site.restore("Activations")
    assert len([done for done in site.stack.done if done.startswith("opened")]) == 3
    assert site.shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    assert site.shop.finish(partner, activation_id, 3).body == {"status": "SUCCESS"}
    assert tables(site) == []


def test_counts_wait_for_the_numbers_they_are_of(site: Site) -> None:
    for name in ("Numbers", "Counted"):
        site.dynamodb.delete(site.table(name))
    assert "First: make restore TABLE=Numbers" in refusal(site.restore, "Counted")
    assert site.stack.done == []


def test_what_dynamodb_refuses_is_told_and_the_same_command_goes_on(site: Site) -> None:
    site.shop.stock(PHONE)
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    counted = site.stack.tables["CountedTable"]
    site.stack.tables["CountedTable"] = "out-of-reach"
    assert "The same command again goes on" in refusal(site.restore, "Numbers")
    site.stack.tables["CountedTable"] = counted
    site.restore("Numbers")


@pytest.mark.parametrize("name", ["Partners", "Services", "Numbers", "Activations", "Sources", "Inbox"])
def test_the_doors_do_not_open_before_a_running_sale_has_what_it_needs(site: Site, name: str) -> None:
    site.shop.sell("tg")
    site.shop.stock(PHONE)
    gateway = site.shop.source()
    partner, activation_id = site.shop.sold()
    site.shop.deliver(gateway, {"phone": PHONE, "from": "Telegram", "text": "code", "id": "1"})
    site.dynamodb.delete(site.table(name))
    seen: list[object] = []

    def deliver_again_and_poll() -> None:
        again = site.shop.deliver(gateway, {"phone": PHONE, "from": "Telegram", "text": "code", "id": "1"})
        shown = site.shop.messages(partner, activation_id).body
        seen.append((again.status, [message["text"] for message in shown["messages"]]))

    site.stack.opens = deliver_again_and_poll
    site.restore(name)
    assert seen == [(200, ["code"])] * 3


def test_a_table_that_nobody_at_the_doors_needs_closes_none(site: Site) -> None:
    site.dynamodb.delete(site.table("Audit"))
    site.restore("Audit")
    assert site.stack.done == ["made AuditTable"]


def test_what_would_take_another_table_away_is_not_done_and_the_doors_are_open_again(site: Site) -> None:
    table = "AWS::DynamoDB::Table"
    site.stack.changes = [{"Action": "Remove", "LogicalResourceId": "PartnersTable", "ResourceType": table}]
    site.dynamodb.delete(site.table("Numbers"))
    assert "Remove PartnersTable" in refusal(site.restore, "Numbers")
    assert site.stack.done[-1] == "opened InboundSmsFunction"
    assert "made NumbersTable" not in site.stack.done


def test_a_copy_stays_if_that_is_wanted(site: Site) -> None:
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    asked = {"TABLE": "Services", "CONFIRM": "Services", "AT": iso(present(site.dynamodb.at)), "KEEP": "yes"}
    site.restoration().run(asked)
    assert tables(site) == [f"{STACK}-restore-Services"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "TABLE is one of Activations, Audit"),
        ({"TABLE": "Nummern"}, "TABLE is one of"),
        ({"TABLE": "Numbers"}, "AT does not say"),
        ({"TABLE": "Numbers", "AT": "yesterday"}, "AT is a time with its offset"),
        ({"TABLE": "Numbers", "AT": "2026-09-21T14:00:00"}, "AT is a time with its offset"),
        ({"TABLE": "Numbers", "AT": "2024-09-21T14:00:00Z"}, "can be restored as it was from"),
        ({"TABLE": "Numbers", "AT": "{at}"}, "Nobody is there to type"),
        ({"TABLE": "Numbers", "AT": "{at}", "CONFIRM": "numbers"}, "numbers is not Numbers"),
    ],
)
def test_what_is_not_meant_or_not_possible_is_refused_and_nothing_is_begun(
    site: Site, asked: dict[str, str], said: str
) -> None:
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    at = iso(present(site.dynamodb.at))
    assert said in refusal(site.restoration().run, {name: value.format(at=at) for name, value in asked.items()})
    assert tables(site) == []


def test_a_copy_of_another_time_is_not_taken_for_the_one_that_is_asked_for(site: Site) -> None:
    site.dynamodb.remember()
    site.cloud.clock.advance(minutes=6)
    at = present(site.dynamodb.at)
    asked = {"TABLE": "Numbers", "CONFIRM": "Numbers", "KEEP": "yes"}
    site.restoration().run(asked | {"AT": iso(at)})
    assert "There is a copy of" in refusal(site.restoration().run, asked | {"AT": iso(at - timedelta(minutes=1))})


def test_a_table_that_was_deleted_without_a_backup_can_not_be_restored(site: Site) -> None:
    site.dynamodb.delete(site.table("Numbers"))
    site.dynamodb.backups.clear()
    assert "has no backup of it" in refusal(site.restore, "Numbers")


def test_a_stack_of_something_else_is_not_touched(site: Site) -> None:
    asked = {"TABLE": "Numbers", "CONFIRM": "Numbers", "AT": "2026-09-21T14:00:00Z"}
    assert "is none of Something" in refusal(replace(site.restoration(), product="Something").run, asked)
    assert tables(site) == []


def test_the_command_runs_in_the_environment_that_deploys() -> None:
    python, home = REPOSITORY / ".tools" / "sam" / "bin" / "python", {"HOME": "/nonexistent", "PYTHONPATH": "functions"}
    ran = subprocess.run(
        [python, "-m", "deployment", "restore"], cwd=REPOSITORY, env=home, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "No AWS region is set." in ran.stderr) == (1, True), ran.stderr


def test_what_the_staff_may_do_is_not_put_back_but_said_anew(site: Site) -> None:
    site.dynamodb.delete(site.table("Staff"))
    site.restore("Staff")
    assert site.dynamodb.client.scan(TableName=site.table("Staff"))["Items"] == []
    assert any("make staff EMAIL=you@example.com ROLE=owner" in line for line in site.said)

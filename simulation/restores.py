"""Tables lost and restored, with `make restore` itself: a stack of tables on moto, whose functions are the real ones.

What moto lacks is played here: as of when a copy is, the backup that DynamoDB makes of a table that is deleted, and a
CloudFormation that makes it anew.
"""

# ruff: noqa: N803 - arguments are called what boto3 calls them

import copy
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from deployment.account import Account
from deployment.copies import Copies, iso
from deployment.restore import Restoration
from deployment.stacks import Stacks
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import AttemptResult
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.signing import Signer
from globalconnect.store.activations import first_push
from globalconnect.store.dynamo import Dynamo
from local.progress import Progress
from recount.recount import Recount
from simulation.aws import (
    REGION,
    TEMPLATE,
    Cloud,
    enter_staff,
    make_environment,
    next_prefix,
    table_arguments,
    variables,
)
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.office import DELIVERED, FAILED, URL
from simulation.shop import Shop, present

STACK = "globalconnect"
_TABLES = [name for name, each in TEMPLATE["Resources"].items() if each["Type"] == "AWS::DynamoDB::Table"]


def _backend() -> Any:
    return get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION]


@dataclass(slots=True)
class PretendDynamo:
    """moto's DynamoDB, which remembers its tables as they were at a time, and backs up those that are deleted."""

    client: Any
    now: Callable[[], datetime]
    at: datetime | None = None
    remembered: dict[str, Any] = field(default_factory=dict)
    backups: dict[str, str] = field(default_factory=dict)
    # So many writes are let through before the person gives up; None lets all through.
    writes_left: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def remember(self) -> None:
        """Let this be the time to which tables are restored."""
        self.at = self.now().replace(microsecond=0)
        self.remembered = {name: copy.deepcopy(table.items) for name, table in _backend().tables.items()}

    def delete(self, table: str) -> None:
        """Delete a table as a person would; DynamoDB makes a backup of it."""
        self.at = self.now()
        made = self.client.create_backup(TableName=table, BackupName=f"{table}$DeletedTableBackup")
        self.backups[made["BackupDetails"]["BackupArn"]] = table
        self.client.delete_table(TableName=table)

    def list_backups(self, BackupType: str, ExclusiveStartBackupArn: str = "") -> dict[str, Any]:
        """One a page, the newest first."""
        assert BackupType == "SYSTEM"
        left = [arn for arn in sorted(self.backups, reverse=True) if arn < (ExclusiveStartBackupArn or "~")]
        found = [
            {"BackupArn": arn, "TableName": self.backups[arn], "BackupCreationDateTime": self.at} for arn in left[:1]
        ]
        return {"BackupSummaries": found} | ({"LastEvaluatedBackupArn": left[0]} if len(left) > 1 else {})

    def describe_continuous_backups(self, TableName: str) -> dict[str, Any]:
        now = self.now()
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": now - timedelta(days=7),
            "LatestRestorableDateTime": now - timedelta(minutes=5),
        }
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}

    def restore_table_to_point_in_time(
        self, SourceTableName: str, TargetTableName: str, RestoreDateTime: datetime, GlobalSecondaryIndexOverride: Any
    ) -> None:
        assert RestoreDateTime == self.at
        assert GlobalSecondaryIndexOverride == []
        self.client.restore_table_to_point_in_time(SourceTableName=SourceTableName, TargetTableName=TargetTableName)
        _backend().tables[TargetTableName].items = copy.deepcopy(self.remembered[SourceTableName])

    def restore_table_from_backup(
        self, TargetTableName: str, BackupArn: str, GlobalSecondaryIndexOverride: Any
    ) -> None:
        assert GlobalSecondaryIndexOverride == []
        self.client.restore_table_from_backup(TargetTableName=TargetTableName, BackupArn=BackupArn)

    def describe_table(self, TableName: str) -> Any:
        described = self.client.describe_table(TableName=TableName)
        if "RestoreSummary" in described["Table"]:
            # moto has it be of now.
            described["Table"]["RestoreSummary"]["RestoreDateTime"] = self.at
        return described

    def put_item(self, **arguments: Any) -> Any:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise KeyboardInterrupt
            self.writes_left -= 1
        return self.client.put_item(**arguments)


@dataclass(slots=True)
class PretendStack:
    """A stack at CloudFormation and Lambda: its tables by logical id, and what was done with it."""

    client: Any
    prefix: str
    tables: dict[str, str]
    done: list[str] = field(default_factory=list)
    recount: Callable[[], object] = lambda: None
    changes: list[dict[str, str]] = field(default_factory=list)
    # What happens when the API is opened.
    opens: Callable[[], object] = lambda: None
    # Its change sets see nothing that is gone.
    is_unable: bool = False

    def make(self, name: str, new_name: str) -> None:
        """Make a table of the stack anew, empty, under another logical id or the same."""
        physical = f"{self.tables.pop(name)}-anew"
        self.client.create_table(TableName=physical, **table_arguments(TEMPLATE["Resources"][name]["Properties"]))
        self.tables[new_name] = physical
        self.done.append(f"made {name}")

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        parameters = [
            {"ParameterKey": name, "ParameterValue": str(stated["Default"])}
            for name, stated in TEMPLATE["Parameters"].items()
        ]
        named = {"StackName": STACK, "StackId": f"arn:{STACK}", "StackStatus": "UPDATE_COMPLETE"}
        return {"Stacks": [named | {"Description": TEMPLATE["Description"], "Parameters": parameters}]}

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _list_stack_resources(self, StackName: str) -> Iterator[dict[str, Any]]:
        others = {name: name for name in TEMPLATE["Resources"] if name not in _TABLES}
        yield {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": physical,
                    "ResourceType": "AWS::DynamoDB::Table" if name in self.tables else "another",
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for name, physical in {**others, **self.tables}.items()
            ]
        }

    def _describe_stack_events(self, StackName: str) -> Iterator[dict[str, Any]]:
        yield {"StackEvents": []}

    def create_change_set(self, **arguments: Any) -> dict[str, str]:
        assert arguments["UsePreviousTemplate"]
        assert arguments["DeploymentMode"] == "REVERT_DRIFT"
        # What is not given would go back to its default.
        assert {each["ParameterKey"] for each in arguments["Parameters"]} == TEMPLATE["Parameters"].keys()
        assert all(each["UsePreviousValue"] for each in arguments["Parameters"])
        there = {table.name for table in _backend().tables.values()}
        lost = [name for name, physical in self.tables.items() if physical not in there]
        made = [{"Action": "Add", "LogicalResourceId": name, "ResourceType": "AWS::DynamoDB::Table"} for name in lost]
        self.changes = [*self.changes, *([] if self.is_unable else made)]
        return {"Id": "arn:change-set"}

    def describe_change_set(self, ChangeSetName: str) -> dict[str, Any]:
        changes = [{"ResourceChange": change} for change in self.changes]
        return {"Status": "CREATE_COMPLETE", "ExecutionStatus": "EXECUTE_COMPLETE", "Changes": changes}

    def delete_change_set(self, ChangeSetName: str) -> None:
        self.done.append("change set deleted")

    def execute_change_set(self, ChangeSetName: str) -> None:
        for change in self.changes:
            self.make(change["LogicalResourceId"], change["LogicalResourceId"])
        self.changes = []

    # Lambda

    def put_function_concurrency(self, FunctionName: str, ReservedConcurrentExecutions: int) -> None:
        self.done.append(f"closed {FunctionName}")

    def delete_function_concurrency(self, FunctionName: str) -> None:
        self.opens()
        self.done.append(f"opened {FunctionName}")

    def invoke(self, FunctionName: str, InvocationType: str) -> None:
        assert (FunctionName, InvocationType) == ("RecountFunction", "Event")
        self.done.append("recount")
        self.recount()


@dataclass(slots=True)
class _Hub:
    """Partners' servers, which refuse some texts."""

    refused: frozenset[str]
    got: list[str] = field(default_factory=list)

    async def attempt(
        self, url: str, body: dict[str, object], secrets: Sequence[str], signer: Signer | None, dialect: Dialect
    ) -> AttemptResult:
        """Take one push, or not."""
        self.got.append(str(body["text"]))
        return FAILED if body["text"] in self.refused else DELIVERED


@dataclass(slots=True)
class Site:
    """A stack at work, whose tables get lost: a shop, its staff, and one who restores."""

    dynamodb: PretendDynamo
    stack: PretendStack
    cloud: Cloud
    said: list[str] = field(default_factory=list)

    @classmethod
    def build(cls, moto: Moto) -> "Site":
        prefix = next_prefix()
        env = make_environment(TEMPLATE, moto.dynamodb, moto.sqs, prefix)
        enter_staff(moto.dynamodb, env)
        cloud = Cloud(Dynamo(moto.dynamodb, pause=lambda _: None), moto.dynamodb, moto.sqs, env)
        dynamodb = PretendDynamo(moto.dynamodb, lambda: datetime.fromtimestamp(cloud.clock.at / 1_000, UTC))
        stack = PretendStack(moto.dynamodb, prefix, {name: prefix + name for name in _TABLES})
        site = cls(dynamodb, stack, cloud)
        stack.recount = site.recount
        return site

    @property
    def shop(self) -> Shop:
        """The functions as they are deployed: they get a table's new name with it."""
        named = variables(TEMPLATE, self.stack.tables)
        tables = {name: value for name, value in named.items() if name.endswith("_TABLE")}
        self.cloud = replace(self.cloud, env={**self.cloud.env, **tables})
        return Shop(self.cloud)

    @property
    def desk(self) -> Desk:
        return Desk(self.shop.cloud)

    def table(self, name: str) -> str:
        return self.stack.tables[f"{name}Table"]

    def restore(self, name: str) -> None:
        """Type `make restore`."""
        was_deleted = self.dynamodb.backups or self.dynamodb.at is None
        at = {} if was_deleted else {"AT": iso(present(self.dynamodb.at))}
        self.restoration().run({"TABLE": name, "CONFIRM": name, **at})

    def restoration(self) -> Restoration:
        progress = Progress(io.StringIO())
        return Restoration(
            stack_name=STACK,
            account=Account("123456789012", "arn:aws:iam::123456789012:user/ada", REGION, cast("Any", None)),
            stacks=Stacks(self.stack, progress, pause=lambda _: None),
            copies=Copies(self.dynamodb, progress, pause=lambda _: None),
            db=Dynamo(cast("Any", self.dynamodb), pause=lambda _: None),
            functions=self.stack,
            say=self.said.append,
            ask=lambda _: None,
            product="GlobalConnect",
            now=self.cloud.clock,
        )

    def recount(self) -> None:
        shop = self.shop
        Recount(shop.numbers, shop.counts, new_id=lambda: "recount", pause=lambda _: None).run()

    def lose(self, name: str, *but: str) -> None:
        """Let a bad script delete every item of a table but those whose key begins with one of these."""
        table = _backend().tables[self.table(name)]
        keys = table.hash_key_attr, table.range_key_attr
        found = self.cloud.client.scan(TableName=table.name)["Items"]
        for item in found:
            if str(next(iter(item[keys[0]].values()))) not in but:
                key = {attribute: item[attribute] for attribute in keys if attribute}
                self.cloud.client.delete_item(TableName=table.name, Key=key)

    def twist(self, name: str, key: dict[str, Any], attribute: str) -> None:
        """Let a bad script remove an attribute of an item."""
        names = {"#attribute": attribute}
        self.cloud.client.update_item(
            TableName=self.table(name),
            Key=key,
            UpdateExpression="REMOVE #attribute",
            ExpressionAttributeNames=names,
        )

    # ---------------------------------------------------------- partners and their pushes

    def push(self, *refused: str) -> list[str]:
        """Have push_sms see every SMS that there is as one that was just stored, as it sees those that are put back.

        Partners take all but these texts. Returns the texts that were pushed.
        """
        found = self.cloud.client.scan(TableName=self.table("Activations"))["Items"]
        new = [{"NewImage": item} for item in found if item["entry"]["S"].startswith("sms#")]
        hub, clock, shop = _Hub(frozenset(refused)), self.cloud.clock, self.shop

        @asynccontextmanager
        async def open_client() -> AsyncIterator[_Hub]:
            yield hub

        pusher = Pusher(
            pushes=shop.pushes,
            partners=shop.partners,
            queues=self.cloud.queues(),
            health=Health(shop.partners, clock),
            open_client=open_client,
            max_age=None,
            now=clock,
        )
        try:
            assert not pusher.deliver_new([first_push(change) for change in new])
        finally:
            pusher.close()
        return sorted(hub.got)

    def wrong_counts(self, partner: Partner) -> list[str]:
        """Return where GET_SERVICES says otherwise than the numbers do."""
        shop = self.shop
        shown = shop.call(partner, "GET_SERVICES").body["countryList"]
        said = {
            (country["country"], operator, service): count
            for country in shown
            for operator, services in country["operatorMap"].items()
            for service, count in services.items()
        }
        numbers = [one for one in shop.all_numbers() if one.enabled]
        true = {
            (*pool, service): sum(
                (one.country, one.operator) == pool
                and one.activation_id is None
                and not one.resting
                and service not in one.blocked
                for one in numbers
            )
            for pool in {(one.country, one.operator) for one in numbers}
            for service in shop.services.catalogue()
        }
        return [
            f"{name}: {said.get(name)} is said, {count} is true"
            for name, count in true.items()
            if said.get(name) != count
        ]


# ---------------------------------------------------------------- what is rehearsed

# A table that is gone, and one of which a bad script has deleted items.
LOST = ("gone", "damaged")
# After so many writes the command is killed.
KILLED_AFTER = (0, 1, 3)
_PHONES = [f"4474721900{number}" for number in range(30, 36)]
_FINISHED = {"status": "SUCCESS"}


class _Sales:
    """Sales of a site that is about to lose a table: to a hub, and to one that takes no push."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.shop.sell("tg", "go")
        self.gateway = site.shop.source()
        self.hub, self.deaf = site.shop.partner(push_url=URL), site.shop.partner(push_url=URL)
        self.buyers: dict[str, Partner] = {}
        self.ids: dict[str, int] = {}

    def sell(self, phone: str, buyer: Partner | None = None) -> None:
        shop = self.site.shop
        shop.stock(phone)
        self.site.cloud.clock.advance(seconds=1)
        self.buyers[phone] = buyer or self.hub
        bought = shop.buy(self.buyers[phone]).body
        assert bought["number"] == phone
        self.ids[phone] = bought["activationId"]

    def text(self, phone: str, words: str) -> int:
        """Have an SMS come in; returns what the gateway is answered."""
        return self.site.shop.deliver(self.gateway, {"phone": phone, "from": "Telegram", "text": words}).status

    def finish(self, phone: str, outcome: int) -> object:
        return self.site.shop.finish(self.buyers[phone], self.ids[phone], outcome).body

    def shown(self, phone: str) -> list[str] | str:
        """What getsms shows: the texts, or the status when there are none."""
        body = self.site.shop.messages(self.buyers[phone], self.ids[phone]).body
        return [message["text"] for message in body.get("messages", ())] or str(body["status"])

    def buyable(self, service: str) -> set[str]:
        """Buy all that can be bought; gives which numbers those were, each once."""
        replies = [self.site.shop.buy(self.hub, service).body for _ in _PHONES]
        bought = [reply["number"] for reply in replies if reply["status"] == "SUCCESS"]
        assert len(bought) == len(set(bought)), "one number was sold twice"
        return set(bought)

    def goes_on(self, phone: str) -> list[str]:
        """Play a sale to its end: an SMS comes, is pushed and shown, and the sale is finished."""
        before = self.shown(phone)
        words = f"another to {phone}"
        shown = [*(before if isinstance(before, list) else ()), words]
        return [
            *_otherwise("the gateway is answered", self.text(phone, words), 200),
            *_otherwise("pushed to a running sale", self.site.push(), [words]),
            *_otherwise("getsms of a running sale", self.shown(phone), shown),
            *_otherwise("FINISH of a running sale", self.finish(phone, 3), _FINISHED),
            *_otherwise("used up for", present(self.site.shop.numbers.get(phone)).blocked, {"tg"}),
        ]


def numbers_restored(site: Site, how: str, interrupted_after: int | None = None) -> list[str]:
    """Lose Numbers while sales run, restore it, and go on; returns what is otherwise than if nothing had happened.

    With `interrupted_after`, the command is killed after so many writes, and typed again.
    """
    sales, clock = _Sales(site), site.cloud.clock
    running, used_up, twisted, since, used_up_since, entered_since = _PHONES[:6]
    sales.sell(running)
    sales.text(running, "before")
    site.push()
    sales.sell(used_up)
    sales.finish(used_up, 3)
    site.shop.stock(twisted)
    site.shop.project()
    clock.advance(minutes=10)
    if how == "gone":
        site.dynamodb.delete(site.table("Numbers"))
        # The gateway will deliver it again.
        assert sales.text(running, f"another to {running}") == 500
    else:
        site.dynamodb.remember()
        clock.advance(minutes=2)
        site.twist("Numbers", {"phone": {"S": twisted}}, "pool")
        sales.sell(since)
        sales.sell(used_up_since)
        sales.finish(used_up_since, 3)
        # Entered since, so the copy does not have it.
        sales.sell(entered_since)
        site.shop.project()
        site.lose("Numbers", twisted)
        clock.advance(minutes=5)
    _restore(site, "Numbers", interrupted_after)
    found = site.wrong_counts(sales.hub)
    held = {one.phone: one.activation_id for one in site.shop.all_numbers() if one.is_held(clock())}
    live = {phone: its_id for phone, its_id in sales.ids.items() if phone not in {used_up, used_up_since}}
    found += _otherwise("held", held, live)
    found += _otherwise("for sale", sales.buyable("tg"), {twisted})
    for phone in live:
        found += sales.goes_on(phone)
    found += _otherwise("for sale for another service", sales.buyable("go"), set(sales.ids))
    site.shop.project()
    return found + site.wrong_counts(sales.hub)


def activations_restored(site: Site, how: str, interrupted_after: int | None = None) -> list[str]:
    """Lose Activations while sales run, restore it, and go on; returns what is otherwise than it should be.

    With `interrupted_after`, the command is killed after so many writes, and typed again.
    """
    sales, clock = _Sales(site), site.cloud.clock
    delivered, waiting, finished, since, taken = _PHONES[:5]
    sales.sell(delivered)
    sales.text(delivered, "delivered")
    site.push()
    sales.sell(waiting, sales.deaf)
    sales.text(waiting, "waits")
    for phone, words in ((finished, "too late"), (taken, "taken since")):
        sales.sell(phone)
        sales.text(phone, words)
    site.push("waits", "too late", "taken since")
    clock.advance(minutes=2)
    if how == "damaged":
        site.dynamodb.remember()
        clock.advance(minutes=2)
        sales.sell(since)
    site.push("waits", "too late")
    sales.finish(finished, 4)
    if how == "damaged":
        site.lose("Activations")
    else:
        site.dynamodb.delete(site.table("Activations"))
        assert sales.text(delivered, f"another to {delivered}") == 500
    clock.advance(minutes=5)
    _restore(site, "Activations", interrupted_after)
    found = [
        *_otherwise("getsms of a sale whose SMS was delivered", sales.shown(delivered), ["delivered"]),
        *_otherwise("getsms of a sale whose SMS was taken since", sales.shown(taken), ["taken since"]),
        *_otherwise("getsms of a sale whose SMS waits", sales.shown(waiting), ["waits"]),
        *_otherwise("getsms of a sale that is finished", sales.shown(finished), ["too late"]),
        # Neither what was delivered nor what is finished.
        *_otherwise("pushed", site.push(), ["waits"]),
    ]
    if since in sales.ids:
        found += _otherwise("getsms of a sale since", sales.shown(since), "WAIT_CODE")
    for phone in sorted(sales.ids.keys() - {waiting, finished}):
        found += sales.goes_on(phone)
    found += _otherwise("FINISH again", sales.finish(finished, 4), _FINISHED)
    site.recount()
    return found + site.wrong_counts(sales.hub)


def partners_restored(site: Site, how: str, interrupted_after: int | None = None) -> list[str]:
    """Lose Partners, restore it; returns what is otherwise: a key that staff took from somebody must not come back.

    With `interrupted_after`, the command is killed after so many writes, and typed again.
    """
    clock, desk = site.cloud.clock, site.desk
    site.shop.sell("tg")
    kept, rotated, revoked = (desk.partner() for _ in range(3))
    url = desk.post(f"/admin/partners/{kept['partnerId']}/link").body["url"]
    clock.advance(minutes=2)
    site.dynamodb.remember()
    clock.advance(minutes=2)
    new = desk.post(f"/admin/partners/{rotated['partnerId']}/rotate-key").body["key"]
    desk.delete(f"/admin/partners/{revoked['partnerId']}")
    clock.advance(minutes=5)
    if how == "gone":
        site.dynamodb.delete(site.table("Partners"))
    else:
        site.lose("Partners")
    _restore(site, "Partners", interrupted_after)
    keys = {"kept": kept["key"], "former": rotated["key"], "new": new, "revoked": revoked["key"]}
    works = {name: site.shop.post({"key": key, "action": "GET_SERVICES"}).status == 200 for name, key in keys.items()}
    works["link"] = site.shop.follow_link(url.partition("#")[2]).status == 200
    # With the backup of the moment nothing is lost; else nobody but the partner has the new key, and a link may have been
    # taken.
    expected = {"kept": True, "former": False, "new": how == "gone", "revoked": False, "link": how == "gone"}
    return _otherwise("keys that work", works, expected)


REHEARSALS = (numbers_restored, activations_restored, partners_restored)


def _otherwise(what: str, got: object, expected: object) -> list[str]:
    return [] if got == expected else [f"{what}: {got}, expected {expected}"]


def _restore(site: Site, name: str, interrupted_after: int | None) -> None:
    if interrupted_after is None:
        site.restore(name)
        return
    site.dynamodb.writes_left = interrupted_after
    try:
        site.restore(name)
    except KeyboardInterrupt:
        site.dynamodb.writes_left = None
        site.restore(name)

"""Copies of tables as they were: made by DynamoDB, by point-in-time recovery or of the backup of a deleted table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.failure import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.progress import Progress

_GONE = "ResourceNotFoundException"
_LOOK_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Copy:
    """A table of its own that holds what another did at a time. `exact`: that one was deleted then."""

    name: str
    at: datetime
    exact: bool
    is_ready: bool


@dataclass(frozen=True)
class Copies:
    """Tables, through a client of DynamoDB."""

    client: Any
    progress: Progress
    pause: Callable[[float], None] = time.sleep

    def exists(self, table: str) -> bool:
        """Whether there is a table of that name."""
        return self._table(table) is not None

    def find(self, name: str) -> Copy | None:
        """The copy of that name, None when there is none. Raises DeploymentError when it is a table of somebody else's."""
        table = self._table(name)
        if table is None:
            return None
        summary = table.get("RestoreSummary")
        if summary is None:
            raise DeploymentError(
                f"The table {name} is no copy of another.", how="Is it somebody's? Then give it another name."
            )
        return Copy(name, summary["RestoreDateTime"], "SourceBackupArn" in summary, table["TableStatus"] == "ACTIVE")

    def check(self, table: str, at: datetime) -> None:
        """Refuse a time that the table can't be restored to. Raises DeploymentError."""
        described = self.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        recovery = described["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            raise DeploymentError(f"The table {table} has no point-in-time recovery.")
        first, last = recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]
        if not first <= at <= last:
            raise DeploymentError(
                f"{table} can be restored as it was from {iso(first)} to {iso(last)}, not {iso(at)}.",
                how="The end of that is usually five minutes ago: for a later time, wait.",
            )

    def make_of(self, table: str, at: datetime, name: str) -> None:
        """Begin to make a copy of a table as it was. The copy has no indexes, which nobody reads."""
        self.client.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=name, RestoreDateTime=at, GlobalSecondaryIndexOverride=[]
        )

    def make_of_deleted(self, table: str, name: str) -> None:
        """Begin to make a copy of a table that was deleted. Raises DeploymentError when DynamoDB has kept no backup of it."""
        backups = [each for each in self._system_backups() if each["TableName"] == table]
        if not backups:
            raise DeploymentError(
                f"The table {table} is gone, and DynamoDB has no backup of it.",
                how="It keeps one for 35 days if the table had point-in-time recovery when it was deleted.",
            )
        newest = max(backups, key=lambda each: each["BackupCreationDateTime"])
        self.client.restore_table_from_backup(
            TargetTableName=name, BackupArn=newest["BackupArn"], GlobalSecondaryIndexOverride=[]
        )

    def ready(self, name: str) -> Copy:
        """The copy once it is whole, which takes DynamoDB minutes, or hours of a very large one."""
        with self.progress.step(f"DynamoDB makes {name}, which takes it 20 minutes or more"):
            while not (found := self.find(name)) or not found.is_ready:
                self.pause(_LOOK_EVERY_SECONDS)
        return found

    def delete(self, name: str) -> None:
        """Delete a copy: it has no recovery of its own, so DynamoDB keeps nothing of it."""
        self.client.delete_table(TableName=name)

    def _system_backups(self) -> list[dict[str, Any]]:
        page = self.client.list_backups(BackupType="SYSTEM")
        found: list[dict[str, Any]] = page["BackupSummaries"]
        while "LastEvaluatedBackupArn" in page:
            page = self.client.list_backups(BackupType="SYSTEM", ExclusiveStartBackupArn=page["LastEvaluatedBackupArn"])
            found += page["BackupSummaries"]
        return found

    def _table(self, name: str) -> Any:
        try:
            return self.client.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != _GONE:
                raise
            return None


def iso(at: datetime) -> str:
    """A time as it is typed: 2026-11-27T10:00:00Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    """The time that was typed. Raises DeploymentError when it is none, or says not where."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise DeploymentError("AT is a time with its offset.", how="AT=2026-11-27T10:00:00Z")
    return at.replace(microsecond=0)

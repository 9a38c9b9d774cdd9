"""A small copy of the repository, in which `make deploy` is quick, and an AWS of its own to deploy it to.

Template, Makefile and tools are the real ones. Only the functions do nothing, so there is little to build and upload.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local import emulator, template
from local.aws import CONFIG, REGION, session
from local.place import REPOSITORY, Place

# A run that is not done by then hangs.
LONGEST_SECONDS = 120.0
_WHOLE = ("local", "deployment", "requirements", "docs/samples")
_FILES = ("Makefile", "template.yaml", "samconfig.toml", "docs/costs.md", "docs/openapi.json")
_CONSOLE = ("package-lock.json", "package.json", ".npmrc", "build.mjs", "node_modules/.done")


@dataclass(frozen=True)
class Ran:
    """A command that ended: its exit status, and all it printed."""

    code: int
    said: str


@dataclass(frozen=True)
class Checkout:
    """The copy."""

    root: Path

    @classmethod
    def make_in(cls, root: Path) -> "Checkout":
        for name in _WHOLE:
            shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
        (root / ".tools").symlink_to(REPOSITORY / ".tools")
        resources = template.load(root / "template.yaml")["Resources"].values()
        handlers = {each["Properties"]["Handler"] for each in resources if each["Type"] == "AWS::Serverless::Function"}
        for module in {handler.split(".")[0] for handler in handlers}:
            _write(root / "functions" / module / "app.py", "def handler(event, context):\n    return None\n")
        _write(root / "functions" / "requirements.txt", "")
        for name in _CONSOLE:
            _write(root / "console" / name, "")
        # Newer than all it is built from, so there is nothing to build.
        _write(root / "functions" / "console" / "static" / "index.html", "")
        return cls(root)

    def run(self, *command: str, variables: Mapping[str, str]) -> Ran:
        """Run a command to its end, with these variables and no others but where programs are."""
        with self.started(*command, variables=variables) as process:
            said, _ = process.communicate(timeout=LONGEST_SECONDS)
        return Ran(process.returncode, said)

    @contextmanager
    def started(self, *command: str, variables: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
        """Start a command; whatever is left of it when the context ends is killed."""
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        closed = {"PATH": os.environ["PATH"], "HOME": str(home), "SAM_CLI_TELEMETRY": "0"}
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=closed | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                # The session is its own, so all that it started is in it, and nothing else.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class EmulatedAws:
    """An emulated AWS: where it is, and what is there."""

    endpoint: str
    variables: Mapping[str, str]

    def client(self, service: str) -> Any:
        return _client(service, self.endpoint)

    def status_of(self, stack_name: str) -> str | None:
        """The state of a stack, None when there is none."""
        pages = self.client("cloudformation").get_paginator("list_stacks").paginate()
        states = {each["StackName"]: str(each["StackStatus"]) for page in pages for each in page["StackSummaries"]}
        status = states.get(stack_name)
        return None if status == "DELETE_COMPLETE" else status

    def protected(self) -> dict[str, bool]:
        """The tables and pools that there are, by name, and whether they are protected from deletion."""
        tables, pools = self.client("dynamodb"), self.client("cognito-idp")
        found = {
            name: bool(tables.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"))
            for name in tables.list_tables()["TableNames"]
        }
        for pool in pools.list_user_pools(MaxResults=60)["UserPools"]:
            described = pools.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
            found[pool["Name"]] = described.get("DeletionProtection") == "ACTIVE"
        return found

    def holds(self) -> list[str]:
        """What there is of all that the template makes, but for SAM's own bucket."""
        functions = self.client("lambda")
        found = {
            "table": self.client("dynamodb").list_tables()["TableNames"],
            "pool": [each["Id"] for each in self.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
            "function": [each["FunctionName"] for each in functions.list_functions()["Functions"]],
            "mapping": [each["UUID"] for each in functions.list_event_source_mappings()["EventSourceMappings"]],
            "queue": self.client("sqs").list_queues().get("QueueUrls", []),
            "API": [each["id"] for each in self.client("apigateway").get_rest_apis()["items"]],
            "log group": [each["logGroupName"] for each in self.client("logs").describe_log_groups()["logGroups"]],
            "role": [each["RoleName"] for each in self.client("iam").list_roles()["Roles"]],
            "schedule": [each["Name"] for each in self.client("scheduler").list_schedules()["Schedules"]],
            "alarm": [each["AlarmName"] for each in self.client("cloudwatch").describe_alarms()["MetricAlarms"]],
            "topic": [each["TopicArn"] for each in self.client("sns").list_topics()["Topics"]],
        }
        return sorted(f"{kind} {name}" for kind, names in found.items() for name in names)


@contextmanager
def an_aws(root: Path, variables: Mapping[str, str] | None = None) -> Iterator[EmulatedAws]:
    """Return an AWS that is empty, with ``variables`` for the emulator."""
    place = Place(root)
    up = emulator.start(place, emulator.free_port(), variables)
    try:
        yield EmulatedAws(
            up.endpoint,
            {
                "AWS_ENDPOINT_URL": up.endpoint,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_REGION": REGION,
                "SAM_CLI_POLL_DELAY": "0.1",
            },
        )
    finally:
        emulator.stop(place)


@cache
def _client(service: str, endpoint: str) -> Any:
    made: Any = session()
    return made.client(service, endpoint_url=endpoint, config=CONFIG)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")

"""The pretend cloud in which costs are measured: the tables of template.yaml on moto, watched, and a shop over them."""

import io
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, Literal

import boto3
from moto import mock_aws

from bench.costing import assumed
from bench.costing.meter import Meter
from globalconnect.runtime import logs
from globalconnect.store.dynamo import Dynamo
from local import template as templates
from local.place import TEMPLATE
from tests import partiql
from tests.conftest import Cloud, make_environment
from tests.integration.shop import Shop

# What the names of this run's tables begin with; the meter leaves it out.
_PREFIX = "bench-"

# Powertools says it of each log line while a call is traced, which is how template.yaml has it.
_TRACE_ID_BYTES = len(',"xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793"')
_SERVICE_BYTES = len('"service"') + len(',"service":"globalconnect"')
# START, END and REPORT of each invocation, 26 bytes around each as CloudWatch counts them. What X-Ray samples has another
# line, of 115 bytes, which is nothing where `Tracing` is as the template has it.
_LAMBDAS_OWN_BYTES = 345


@dataclass(frozen=True, slots=True)
class World:
    """The cloud, a shop in it, and what watches them."""

    template: Mapping[str, Any]
    cloud: Cloud
    shop: Shop
    meter: Meter

    def memory_gb(self, function: str) -> float:
        """Return the memory of a function, in GB."""
        default: float = self.template["Globals"]["Function"]["MemorySize"]
        return float(self.template["Resources"][function]["Properties"].get("MemorySize", default)) / 1024

    def is_on(self, parameter: str, value: str = "true") -> bool:
        """Return whether a parameter of the template has that value unless somebody changes it."""
        return bool(self.template["Parameters"][parameter]["Default"] == value)

    @property
    def traced(self) -> float:
        """The share of invocations that are traced beyond one a second; 0 where none is."""
        return assumed.TRACED if self.is_on("Tracing", "Active") else 0.0

    def alarm_metrics(self) -> int:
        """Tell how many metrics the alarms watch: an alarm on an expression is charged for each in it."""
        alarms = self._properties("AWS::CloudWatch::Alarm")
        return sum(sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms)

    def kms_requests(self) -> float:
        """Tell how often KMS is asked in a month, if every function used every table that has a key of KMS."""
        tables = self._properties("AWS::DynamoDB::Table")
        keyed = sum(table.get("SSESpecification", {}).get("SSEEnabled", False) for table in tables)
        return float(keyed * self.of_type("AWS::Serverless::Function") * assumed.MONTH_SECONDS / assumed.KMS_SECONDS)

    def table(self, name: str) -> str:
        """Return the full name of a table of the template."""
        return _PREFIX + name

    def tables(self) -> list[str]:
        """Return the full names of all tables."""
        resources = self.template["Resources"].items()
        return [_PREFIX + name for name, resource in resources if resource["Type"] == "AWS::DynamoDB::Table"]

    def of_type(self, kind: str) -> int:
        """Tell how many resources of a type the template has."""
        return len(self._properties(kind))

    def _properties(self, kind: str) -> list[dict[str, Any]]:
        return [
            resource.get("Properties", {})
            for resource in self.template["Resources"].values()
            if resource["Type"] == kind
        ]


@contextmanager
def pretend_cloud() -> Iterator[World]:
    """Return a world with the catalogue's services on sale and nothing in stock; rng fall the same each time."""
    template = templates.load(TEMPLATE)
    with mock_aws(), _log_to(io.StringIO()):
        dynamodb, helper, sqs = (_client(service) for service in ("dynamodb", "dynamodb", "sqs"))
        partiql.teach(dynamodb, helper)
        env = make_environment(template, dynamodb, sqs, prefix=_PREFIX)
        cloud = Cloud(Dynamo(dynamodb), dynamodb, sqs, env, rng=random.Random(1).randrange)  # noqa: S311 - repeatable
        meter = Meter(dynamodb, sqs, helper)
        shop = Shop(cloud, {"CACHE_SECONDS": env["CACHE_SECONDS"]})
        yield World(template, cloud, shop, meter)


def _client(service: Literal["dynamodb", "sqs"]) -> Any:
    return boto3.client(service, aws_access_key_id="bench", aws_secret_access_key="bench", region_name="us-east-1")  # noqa: S106


def logged_by(do: Callable[[], object]) -> int:
    """Return how many bytes CloudWatch takes in of what something logs and of the metrics it prints, as on Lambda: there
    each log line names its trace, and each metric its service.
    """
    metrics = io.StringIO()
    with _log_to(io.StringIO()) as lines, redirect_stdout(metrics):
        do()
    text = (lines.getvalue() + metrics.getvalue()).replace("service_undefined", "globalconnect")
    traced, measured = lines.getvalue().count("\n"), metrics.getvalue().count("\n")
    return len(text.encode()) + traced * _TRACE_ID_BYTES + measured * _SERVICE_BYTES


@contextmanager
def _log_to(lines: io.StringIO) -> Iterator[io.StringIO]:
    handler = logs.logger.registered_handler
    if not isinstance(handler, logging.StreamHandler):
        raise TypeError("the log is written otherwise than it was")
    before = handler.setStream(lines)
    try:
        yield lines
    finally:
        handler.setStream(before or handler.stream)


def invocation_log(lines: int) -> int:
    """Return the bytes that an invocation writes to the log: Lambda's own lines, and `lines` (bytes) of ours."""
    return _LAMBDAS_OWN_BYTES + lines

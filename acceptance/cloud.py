"""The two places a stack can be deployed to, with what is asked of each beside the stack's URL, and what is expected there."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from acceptance import pretend_partner
from deployment.scaling import ENOUGH, SHARDS
from deployment.stacks import Stack, Stacks
from local.staff import OWNER, grant, new_password, revoke

# What the check makes is called so, wherever it has a name.
NAME = "zz-check"
PARTNER_STACK = "globalconnect-check-partner"
_HOST = "127.0.0.1"
_ROUTE_LIMIT = 1_000
_TRACES_AT_ONCE = 5
_GIVEN_KEYS = ("PartnerApiFunction", "GetsmsFunction", "PushSmsFunction", "PushRetryFunction", "AdminApiFunction")


@dataclass(frozen=True)
class Expected:
    """What is expected of a target, in seconds; of GET_NUMBER at once by functions that are `warm`, or by none that is."""

    counts: float
    get_number: float
    warm: bool
    push_p50: float
    push_p99: float


class Tokens(NamedTuple):
    """What Cognito gives to who signs in."""

    id: str
    access: str


class Traces(NamedTuple):
    """How many traces there are, and how many of them hold what must not be in them."""

    found: int
    with_key: int


class Receivers(NamedTuple):
    """Who is told of alarms: how many have confirmed it, and which alarms tell nobody."""

    confirmed: int
    silent_alarms: Sequence[str]


class Quotas(NamedTuple):
    """What the account may do in the region: Lambda invocations at a time, requests a second of API Gateway."""

    executions: int
    requests: int

    @property
    def enough(self) -> bool:
        """Whether they carry what the stack states."""
        return self.executions >= ENOUGH and self.requests >= _ROUTE_LIMIT


class Cloud(Protocol):
    """Where a stack is deployed. What can't be seen there is None."""

    name: str
    expected: Expected

    @property
    def bases(self) -> Sequence[str]:
        """The base URLs under which it is called, the usual one first."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of the stack."""

    def sign_in(self) -> Tokens:
        """Sign a member of staff in who is there for the check alone."""

    def partner(self) -> Any:
        """A context that gives the Push URL of a pretend partner."""

    def dead_letters(self) -> int:
        """How many dead letters there are."""

    def dropped_recursions(self, since: float) -> int | None:
        """How many invocations AWS has dropped as a loop since then (s since 1970)."""

    def traces(self, key: str, since: float) -> Traces | None:
        """What of a key is in the traces since then."""

    def receivers(self) -> Receivers | None:
        """Who is told of alarms."""

    def quotas(self) -> Quotas | None:
        """What the account may do."""

    def calls_at_once(self) -> int:
        """How many calls at once it leaves to partners; enough, where that is not known."""

    def clear(self) -> Sequence[str]:
        """Remove what the check has made beside the stack; return what could not be."""


class _Deployed:
    """What both have in common: Cognito, SQS and the resources of the stack, by clients of the one or the other."""

    def __init__(self, client: Callable[[str], Any], stack: Stack, stacks: Stacks) -> None:
        self._client = client
        self._stack = stack
        self._stacks = stacks

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the stack was deployed with."""
        return self._stack.parameters

    def sign_in(self) -> Tokens:
        """Sign the check's member of staff in, who gets a new password each time."""
        users, pool, password = self._client("cognito-idp"), self._stack.outputs["UserPoolId"], new_password()
        with suppress(users.exceptions.UsernameExistsException):
            users.admin_create_user(UserPoolId=pool, Username=NAME, MessageAction="SUPPRESS")
        users.admin_set_user_password(UserPoolId=pool, Username=NAME, Password=password, Permanent=True)
        grant(self._client("dynamodb"), self._stack.outputs["StaffTableName"], NAME, OWNER)
        signed_in = users.initiate_auth(
            ClientId=self._stack.outputs["UserPoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": NAME, "PASSWORD": password},
        )["AuthenticationResult"]
        return Tokens(signed_in["IdToken"], signed_in["AccessToken"])

    def dead_letters(self) -> int:
        """How many dead letters there are, those just being looked at among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self._physical["RetryDeadLetters"]
        found = self._client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def clear(self) -> Sequence[str]:
        """Delete the check's member of staff; return what could not be deleted."""
        users = self._client("cognito-idp")
        with suppress(users.exceptions.UserNotFoundException):
            users.admin_delete_user(UserPoolId=self._stack.outputs["UserPoolId"], Username=NAME)
        revoke(self._client("dynamodb"), self._stack.outputs["StaffTableName"], NAME)
        return []

    @cached_property
    def _physical(self) -> Mapping[str, str]:
        return {each.logical_id: each.physical_id for each in self._stacks.resources(self._stack.id)}


class LocalCloud(_Deployed):
    """The local stack. Its emulator has no traces, no metrics of AWS's own, no quotas, and nobody is told of alarms."""

    name = "the local stack"
    expected = Expected(counts=10.0, get_number=10.0, warm=True, push_p50=3.0, push_p99=10.0)

    def __init__(self, client: Callable[[str], Any], stack: Stack, stacks: Stacks, api: str) -> None:
        super().__init__(client, stack, stacks)
        self.bases = [api]

    @contextmanager
    def partner(self) -> Iterator[str]:
        """Serve the pretend partner on a free port of 127.0.0.1."""
        server = _PartnerServer((_HOST, 0), _PartnerHandler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{server.server_port}/push"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def dropped_recursions(self, since: float) -> None:
        """Not here."""

    def traces(self, key: str, since: float) -> None:
        """Not here."""

    def receivers(self) -> None:
        """Not here."""

    def quotas(self) -> None:
        """Not here."""

    def calls_at_once(self) -> int:
        """As many as one likes."""
        return 1_000


class AwsCloud(_Deployed):
    """A stack on AWS."""

    name = "AWS"
    expected = Expected(counts=2.0, get_number=3.0, warm=False, push_p50=1.0, push_p99=3.0)

    @property
    def bases(self) -> Sequence[str]:
        """The URL that API Gateway gives, and that of the stack's own domain."""
        own = self._stack.outputs.get("PartnerUrl", "").removesuffix("/SMSBOWER")
        return [self._stack.outputs["ApiUrl"], *([own] if own else [])]

    @contextmanager
    def partner(self) -> Iterator[str]:
        """Deploy the pretend partner, a stack of its own, unless it is there."""
        clouds = self._client("cloudformation")
        # One that an earlier run left may just be on its way out.
        self._stacks.settled(self._stacks.find(PARTNER_STACK))
        template = Path(__file__).with_name("stack.yaml").read_text(encoding="utf-8")
        code = Path(pretend_partner.__file__).read_text(encoding="utf-8")
        with suppress(clouds.exceptions.AlreadyExistsException):
            clouds.create_stack(
                StackName=PARTNER_STACK,
                TemplateBody=template,
                Parameters=[{"ParameterKey": "Code", "ParameterValue": code}],
                Capabilities=["CAPABILITY_IAM"],
            )
        clouds.get_waiter("stack_create_complete").wait(StackName=PARTNER_STACK, WaiterConfig={"Delay": 5})
        made = clouds.describe_stacks(StackName=PARTNER_STACK)["Stacks"][0]
        yield next(output["OutputValue"] for output in made["Outputs"])

    def dropped_recursions(self, since: float) -> int:
        """How many invocations of the functions that push were dropped."""
        functions = [self._physical[name] for name in ("PushSmsFunction", "PushRetryFunction")]
        watch, start, end = self._client("cloudwatch"), _time(since), _time(time.time() + 60)
        return sum(
            int(point["Sum"])
            for function in functions
            for point in watch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="RecursiveInvocationsDropped",
                Dimensions=[{"Name": "FunctionName", "Value": function}],
                StartTime=start,
                EndTime=end,
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
        )

    def traces(self, key: str, since: float) -> Traces:
        """Look for the key in the traces of the functions that are given it."""
        rays = self._client("xray")
        traced = " OR ".join(f'service("{self._physical[name]}")' for name in _GIVEN_KEYS)
        pages = rays.get_paginator("get_trace_summaries").paginate(
            StartTime=_time(since), EndTime=_time(time.time()), FilterExpression=traced
        )
        ids = [summary["Id"] for page in pages for summary in page["TraceSummaries"]]
        with_key = 0
        for start in range(0, len(ids), _TRACES_AT_ONCE):
            found = rays.batch_get_traces(TraceIds=ids[start : start + _TRACES_AT_ONCE])["Traces"]
            with_key += sum(key in json.dumps(trace, default=str) for trace in found)
        return Traces(len(ids), with_key)

    def receivers(self) -> Receivers:
        """Who has confirmed to be told, and which alarms of the stack tell the topic nothing."""
        topic = self._stack.outputs["AlarmTopicArn"]
        pages = self._client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        arns = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]
        ours = {name: physical for name, physical in self._physical.items() if name.endswith("Alarm")}
        watch = self._client("cloudwatch")
        found = {
            alarm["AlarmName"]: alarm
            for alarm in watch.describe_alarms(AlarmNames=list(ours.values()), MaxRecords=100)["MetricAlarms"]
        }
        silent = [
            name
            for name, physical in sorted(ours.items())
            if not found[physical]["ActionsEnabled"] or topic not in found[physical]["AlarmActions"]
        ]
        return Receivers(sum(arn.startswith("arn:") for arn in arns), silent)

    def quotas(self) -> Quotas:
        """What the account may do in the region."""
        limit = self._client("lambda").get_account_settings()["AccountLimit"]
        throttle = self._client("apigateway").get_account()["throttleSettings"]
        return Quotas(int(limit["ConcurrentExecutions"]), int(throttle["rateLimit"]))

    def calls_at_once(self) -> int:
        """What pushes leave of the account's concurrent executions."""
        stated = self._stack.parameters
        pushes = int(stated["RetryConcurrency"]) + int(stated["SlowRetryConcurrency"])
        return max(1, self.quotas().executions - pushes - SHARDS * int(stated["PushParallelization"]))

    def clear(self) -> Sequence[str]:
        """Delete the member of staff, and the pretend partner's stack without waiting for it."""
        super().clear()
        if self._stacks.find(PARTNER_STACK) is None:
            return []
        self._client("cloudformation").delete_stack(StackName=PARTNER_STACK)
        return [f"the stack {PARTNER_STACK} is being deleted, which takes AWS a minute"]


class _PartnerServer(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when many pushes come at once.
    request_queue_size = 512


class _PartnerHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        answered = pretend_partner.handler({"body": body}, None)
        content = answered["body"].encode()
        self.send_response(answered["statusCode"])
        self.send_header("Content-Type", answered["headers"]["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Keep quiet: requests hold a key."""


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

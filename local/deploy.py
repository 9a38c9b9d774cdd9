"""Brings template.yaml into a running emulator with the very commands that bring it to AWS."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import subprocess
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from local import template
from local.aws import CONFIG, environment, session
from local.failure import LocalError
from local.place import BUILD, FUNCTIONS, REPOSITORY, SAM, SAMCONFIG, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_apigateway.literals import GatewayResponseTypeType
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from local.place import Place
    from local.progress import Progress

# Kept in the emulator and not in a file, so that it goes back in time together with what it describes.
DEPLOYED = "/local-stack/deployed"
USABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
STAGE = "live"
# Parameters that make the cloud's template a local stack: pushes to this machine, no waiting for caches, the console's
# page that plays partner and phone, and tokens that last while somebody tries things out.
LOCAL_PARAMETERS = {
    "PushLoopback": "true",
    "CacheSeconds": "0",
    "DeletionProtection": "false",
    "TryIt": "true",
    "StaffTokenMinutes": "60",
}


@dataclass(frozen=True)
class Outputs:
    """What the deployed stack says about itself."""

    api_id: str
    user_pool_id: str
    user_pool_client_id: str
    staff_table: str


class UnusableStateError(Exception):
    """The emulator holds a stack that was not finished, so nothing can be deployed over it."""


def stack_name() -> str:
    """The stack's name in samconfig.toml."""
    return str(tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))["local"]["global"]["parameters"]["stack_name"])


def ensure_deployed(place: Place, endpoint: str, overrides: Mapping[str, str], progress: Progress) -> Outputs:
    """Build and deploy, or do nothing when the emulator already runs exactly this.

    Raises LocalError when a command fails and UnusableStateError when the emulator's state must be given up first.
    """
    with progress.step("comparing what is deployed with the sources"):
        wanted = _fingerprint(_parameters(overrides))
        up_to_date = _deployed(endpoint) == wanted
    if up_to_date:
        return _outputs(endpoint, stack_name())
    outputs = deploy(place, endpoint, stack_name(), overrides, progress)
    parameters = session().client("ssm", endpoint_url=endpoint, config=CONFIG)
    parameters.put_parameter(Name=DEPLOYED, Value=wanted, Type="String", Overwrite=True)
    return outputs


def deploy(place: Place, endpoint: str, name: str, overrides: Mapping[str, str], progress: Progress) -> Outputs:
    """Build, and deploy as the stack ``name`` of the emulator, whatever it runs. Raises LocalError."""
    place.deploy_log.write_bytes(b"")
    with built(place, overrides, progress), progress.step("deploying the stack (sam deploy)"):
        _sam("deploy", ["--stack-name", name, "--no-progressbar"], place, overrides, endpoint)
    return _outputs(endpoint, name)


@contextmanager
def built(place: Place, overrides: Mapping[str, str], progress: Progress) -> Iterator[Path]:
    """Build the functions, or find them built, and hold them; gives the directory with one directory per function.

    All stacks of this machine share it, so it waits until another one has deployed from it; who needs it longer than the
    context takes a copy. Raises LocalError.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with progress.step("building the functions (sam build)"):
            # Building asks no AWS, so none can be reached.
            options = ["--template-file", str(TEMPLATE), "--cached", "--parallel"]
            _sam("build", options, place, overrides, "http://127.0.0.1:1")
        yield BUILD / ".aws-sam" / "build"


def _parameters(overrides: Mapping[str, str]) -> dict[str, str]:
    architecture = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    return {"Architecture": architecture} | LOCAL_PARAMETERS | dict(overrides)


def _fingerprint(parameters: Mapping[str, str]) -> str:
    """A hash of everything that a deployment consists of."""
    files = sorted(path for path in FUNCTIONS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    sources = [TEMPLATE, SAMCONFIG, *files]
    tools = [REPOSITORY / "requirements" / f"{name}.txt" for name in ("sam", "emulator")]
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for path in [*sources, *tools]:
        digest.update(f"{path.relative_to(REPOSITORY)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _deployed(endpoint: str) -> str | None:
    """The fingerprint of what the emulator runs, None when it is not a finished stack of ours."""
    try:
        status = _described(endpoint, stack_name())["StackStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    if status not in USABLE:
        raise UnusableStateError(f"The stack in the emulator is {status}")
    parameters = session().client("ssm", endpoint_url=endpoint, config=CONFIG)
    try:
        return parameters.get_parameter(Name=DEPLOYED)["Parameter"]["Value"]
    except parameters.exceptions.ParameterNotFound:
        return None


def _described(endpoint: str, name: str) -> StackTypeDef:
    stacks = session().client("cloudformation", endpoint_url=endpoint, config=CONFIG)
    return stacks.describe_stacks(StackName=name)["Stacks"][0]


def _outputs(endpoint: str, name: str) -> Outputs:
    outputs = _described(endpoint, name).get("Outputs", [])
    values = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    return Outputs(
        api_id=values["ApiId"],
        user_pool_id=values["UserPoolId"],
        user_pool_client_id=values["UserPoolClientId"],
        staff_table=values["StaffTableName"],
    )


def _sam(command: str, options: list[str], place: Place, overrides: Mapping[str, str], endpoint: str) -> None:
    if not SAM.exists():
        raise LocalError(f"The SAM command line is not installed ({SAM} is missing).", how="Run: make up")
    variables = environment(endpoint, os.environ)
    path = f"{SAM.parent}{os.pathsep}{variables.get('PATH', os.defpath)}"
    config = ["--config-file", str(SAMCONFIG), "--config-env", "local"]
    parameters = [f"{name}={value}" for name, value in sorted(_parameters(overrides).items())]
    with place.deploy_log.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own tool and arguments
            [str(SAM), command, *config, *options, "--parameter-overrides", *parameters],
            cwd=BUILD,
            env={**variables, "PATH": path, "SAM_CLI_POLL_DELAY": "0.5"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise LocalError(f"`sam {command}` failed.", log=place.deploy_log)


def gateway_responses() -> dict[GatewayResponseTypeType, dict[str, Any]]:
    """The API's own answers, as template.yaml states them, as arguments of PutGatewayResponse."""
    return {
        kind: {
            "responseParameters": {
                f"gatewayresponse.header.{name}": value
                for name, value in stated.get("ResponseParameters", {}).get("Headers", {}).items()
            },
            "responseTemplates": stated.get("ResponseTemplates", {}),
            **({"statusCode": str(stated["StatusCode"])} if "StatusCode" in stated else {}),
        }
        for kind, stated in _api()["GatewayResponses"].items()
    }


def _api() -> Any:
    return template.load(TEMPLATE)["Resources"]["Api"]["Properties"]


def finish_gateway(endpoint: str, api_id: str, public_url: str) -> None:
    """Do what the emulator leaves undone: the API's own answers, and where its stage and Cognito are to be found.

    Its import of an API skips gateway responses and binary media types, and its public URL has a path that the
    functions can't know.
    """
    # The emulator wants a list where AWS wants an operation per type, so botocore must not check what we send.
    unchecked = CONFIG.merge(Config(parameter_validation=False))
    gateway = session().client("apigateway", endpoint_url=endpoint, config=unchecked)
    gateway.meta.events.register("before-parse.apigateway.UpdateStage", drop_method_settings)
    for kind, response in gateway_responses().items():
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
    # In templates `/` is spelled `~1`, which the emulator takes literally.
    types = [spelled.replace("~1", "/") for spelled in _api()["BinaryMediaTypes"]]
    binary: Any = {"op": "replace", "path": "/binaryMediaTypes", "value": types}
    gateway.update_rest_api(restApiId=api_id, patchOperations=[binary])
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
    variables = {"publicUrl": public_url, "cognitoUrl": f"{endpoint}/"}
    gateway.update_stage(
        restApiId=api_id,
        stageName=STAGE,
        patchOperations=[
            {"op": "replace", "path": f"/variables/{name}", "value": value} for name, value in variables.items()
        ],
    )


def drop_method_settings(response_dict: dict[str, Any], **_: object) -> None:
    """Take the part out of an answer about a stage that botocore can't read."""
    # The emulator gives CloudFormation's list where the API has a map.
    body = json.loads(response_dict["body"])
    body.pop("methodSettings", None)
    response_dict["body"] = json.dumps(body).encode()

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


class UnusableStateError(Exception):
    """The emulator holds a stack that was not finished, so nothing can be deployed over it."""


def stack_name() -> str:
    """The stack's name in samconfig.toml."""
    config = tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))
    name = config["local"]["global"]["parameters"]["stack_name"]
    if not isinstance(name, str):
        raise TypeError(f"stack_name in {SAMCONFIG} is not text")
    return name


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
    _remember(endpoint, wanted)
    return outputs


def deploy(place: Place, endpoint: str, name: str, overrides: Mapping[str, str], progress: Progress) -> Outputs:
    """Build, and deploy as the stack ``name`` of the emulator, whatever it runs. Raises LocalError."""
    place.deploy_log.write_bytes(b"")
    with built(place, overrides, progress), progress.step("deploying the stack (sam deploy)"):
        _deploy(place, name, _parameters(overrides), _commands(endpoint))
    return _outputs(endpoint, name)


@contextmanager
def built(place: Place, overrides: Mapping[str, str], progress: Progress) -> Iterator[Path]:
    """Build the functions, or find them built, and hold them; gives the directory with one directory per function.

    All stacks of this machine share it: who needs it longer than the context takes a copy. Raises LocalError.
    """
    parameters = _parameters(overrides)
    with _build_held():
        with progress.step("building the functions (sam build)"):
            # Building asks no AWS, so none can be reached.
            _build(place, parameters, _commands("http://127.0.0.1:1"))
        yield BUILD / ".aws-sam" / "build"


def _parameters(overrides: Mapping[str, str]) -> dict[str, str]:
    return {"Architecture": _architecture()} | LOCAL_PARAMETERS | dict(overrides)


def _commands(endpoint: str) -> dict[str, str]:
    """The environment of `sam`."""
    commands = environment(endpoint, os.environ) | {"SAM_CLI_POLL_DELAY": "0.5"}
    commands["PATH"] = f"{SAM.parent}{os.pathsep}{commands.get('PATH', os.defpath)}"
    return commands


def _architecture() -> str:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def _fingerprint(parameters: Mapping[str, str]) -> str:
    """A hash of everything that a deployment consists of."""
    sources = [TEMPLATE, SAMCONFIG, *sorted(path for path in FUNCTIONS.rglob("*") if _is_source(path))]
    tools = [REPOSITORY / "requirements" / f"{name}.txt" for name in ("sam", "emulator")]
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for path in [*sources, *tools]:
        digest.update(f"{path.relative_to(REPOSITORY)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".pyc")


def _deployed(endpoint: str) -> str | None:
    """The fingerprint of what the emulator runs, None when it is not a finished stack of ours."""
    status = _status(endpoint)
    if status is None:
        return None
    if status not in USABLE:
        raise UnusableStateError(f"The stack in the emulator is {status}")
    parameters = session().client("ssm", endpoint_url=endpoint, config=CONFIG)
    try:
        return parameters.get_parameter(Name=DEPLOYED)["Parameter"]["Value"]
    except parameters.exceptions.ParameterNotFound:
        return None


def _remember(endpoint: str, fingerprint: str) -> None:
    parameters = session().client("ssm", endpoint_url=endpoint, config=CONFIG)
    parameters.put_parameter(Name=DEPLOYED, Value=fingerprint, Type="String", Overwrite=True)


def _status(endpoint: str) -> str | None:
    stacks = session().client("cloudformation", endpoint_url=endpoint, config=CONFIG)
    try:
        return stacks.describe_stacks(StackName=stack_name())["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise


def _outputs(endpoint: str, name: str) -> Outputs:
    stacks = session().client("cloudformation", endpoint_url=endpoint, config=CONFIG)
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    values = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Outputs(
        api_id=values["ApiId"], user_pool_id=values["UserPoolId"], user_pool_client_id=values["UserPoolClientId"]
    )


def _build(place: Place, parameters: Mapping[str, str], variables: Mapping[str, str]) -> None:
    arguments = ["--template-file", str(TEMPLATE), "--cached", "--parallel", *_parameter_overrides(parameters)]
    _sam("build", arguments, place, variables)


def _deploy(place: Place, name: str, parameters: Mapping[str, str], variables: Mapping[str, str]) -> None:
    arguments = ["--stack-name", name, "--no-progressbar", *_parameter_overrides(parameters)]
    _sam("deploy", arguments, place, variables)


def _parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in sorted(parameters.items()))]


def _sam(command: str, arguments: list[str], place: Place, variables: Mapping[str, str]) -> None:
    if not SAM.exists():
        raise LocalError(f"The SAM command line is not installed ({SAM} is missing).", how="Run: make up")
    config = ["--config-file", str(SAMCONFIG), "--config-env", "local"]
    with place.deploy_log.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own tool and arguments
            [str(SAM), command, *config, *arguments],
            cwd=BUILD,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise LocalError(f"`sam {command}` failed.", log=place.deploy_log)


@contextmanager
def _build_held() -> Iterator[None]:
    """Hold the build, which all stacks of this machine share; waits until another one has deployed from it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def gateway_responses() -> dict[GatewayResponseTypeType, dict[str, Any]]:
    """The API's own answers, as template.yaml states them, as arguments of PutGatewayResponse."""
    stated = _api_properties()["GatewayResponses"]
    return {kind: _gateway_response(response) for kind, response in stated.items()}


def _api_properties() -> dict[str, Any]:
    properties: dict[str, Any] = template.load(TEMPLATE)["Resources"]["Api"]["Properties"]
    return properties


def _gateway_response(stated: Mapping[str, Any]) -> dict[str, Any]:
    headers = stated.get("ResponseParameters", {}).get("Headers", {})
    arguments: dict[str, Any] = {
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
        "responseTemplates": dict(stated.get("ResponseTemplates", {})),
    }
    if "StatusCode" in stated:
        arguments["statusCode"] = str(stated["StatusCode"])
    return arguments


def finish_gateway(endpoint: str, api_id: str, public_url: str) -> None:
    """Do what the emulator leaves undone: the API's own answers, and where its stage and Cognito are to be found.

    Its import of an API skips gateway responses and binary media types, and its public URL has a path that the functions can't know.
    """
    gateway = session().client("apigateway", endpoint_url=endpoint, config=CONFIG)
    gateway.meta.events.register("before-parse.apigateway.UpdateStage", drop_method_settings)
    for kind, response in gateway_responses().items():
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
    _set_binary_media_types(endpoint, api_id)
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
    variables = {"publicUrl": public_url, "cognitoUrl": f"{endpoint}/"}
    gateway.update_stage(
        restApiId=api_id,
        stageName=STAGE,
        patchOperations=[
            {"op": "replace", "path": f"/variables/{name}", "value": value} for name, value in variables.items()
        ],
    )


def _set_binary_media_types(endpoint: str, api_id: str) -> None:
    # In templates `/` is spelled `~1`, which the emulator takes literally; and it wants a list where AWS wants an
    # operation per type, so botocore must not check what we send.
    unchecked = CONFIG.merge(Config(parameter_validation=False))
    gateway = session().client("apigateway", endpoint_url=endpoint, config=unchecked)
    types = [spelled.replace("~1", "/") for spelled in _api_properties()["BinaryMediaTypes"]]
    operation: Any = {"op": "replace", "path": "/binaryMediaTypes", "value": types}
    gateway.update_rest_api(restApiId=api_id, patchOperations=[operation])


def drop_method_settings(response_dict: dict[str, Any], **_: object) -> None:
    """Take the part out of an answer about a stage that botocore can't read."""
    # The emulator gives CloudFormation's list where the API has a map.
    body = json.loads(response_dict["body"])
    body.pop("methodSettings", None)
    response_dict["body"] = json.dumps(body).encode()

"""The tools that build and deploy: the console's build, `sam build`, compiled modules, `sam deploy`."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deployment.account import REGION_VARIABLES
from deployment.failure import DeploymentError
from local.place import REPOSITORY, SAM, SAMCONFIG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What has a variable of its own, because both the deployment and SAM have to know it.
_VARIABLES = {
    "--parameter-overrides": "variables: make deploy ALARM_EMAIL=... DOMAIN=...",
    "--stack-name": "a variable: STACK=...",
    "--region": "a variable: AWS_REGION=...",
    "--profile": "a variable: AWS_PROFILE=...",
}
# With these nothing, or something else, would be deployed.
_REFUSED = ("--guided", "-g", "--no-execute-changeset", "--config-file", "--config-env", "--template-file", "-t")
_OF_A_PARENT_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")


class Tools(Protocol):
    """What builds and deploys. Each call raises DeploymentError when it fails."""

    def build(self, parameters: Mapping[str, str]) -> None:
        """Build the console and the functions."""

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Have the stack be what was built, with these parameters; those not named stay as they are."""


@dataclass(frozen=True)
class Sam:
    """The SAM command line, for one stack."""

    stack_name: str
    region: str
    variables: Mapping[str, str]
    arguments: Sequence[str] = ()

    def build(self, parameters: Mapping[str, str]) -> None:
        """Build the console and the functions, compiled modules included."""
        inherited = {name: value for name, value in self.variables.items() if name not in _OF_A_PARENT_MAKE}
        _run(["make", "--silent", "console"], inherited)
        self._sam("build", *overrides(parameters))
        _run([sys.executable, "-m", "local.bytecode", ".aws-sam/build"], inherited)

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Upload what was built, and have the stack be it."""
        where = ["--stack-name", self.stack_name, "--region", self.region]
        self._sam("deploy", *where, *overrides(parameters), *self.arguments)

    def _sam(self, *arguments: str) -> None:
        paths = f"{SAM.parent}{os.pathsep}{self.variables.get('PATH', os.defpath)}"
        regions = dict.fromkeys(REGION_VARIABLES, self.region)
        _run([str(SAM), *arguments], {**self.variables, "PATH": paths, **regions})


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """``parameters`` as SAM reads them: in quotes, or a value that is empty or has spaces would be lost."""
    return ["--parameter-overrides", *(f'{name}="{value}"' for name, value in sorted(parameters.items()))]


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse in ARGS what has to be said otherwise. Raises DeploymentError."""
    for argument in arguments:
        option = argument.partition("=")[0]
        if option in _REFUSED:
            raise DeploymentError(
                f"{option} is not for ARGS.", how=f"With it, run SAM itself: {SAM.relative_to(REPOSITORY)}"
            )
        if option in _VARIABLES:
            raise DeploymentError(f"{option} is not for ARGS.", how=f"It is {_VARIABLES[option]}")


def usual_stack_name() -> str:
    """The stack's name in samconfig.toml."""
    return str(_settings()["global"]["parameters"]["stack_name"])


def zip_prefix() -> str:
    """Under what SAM puts its zips in its bucket, as samconfig.toml says."""
    return str(_settings()["deploy"]["parameters"]["s3_prefix"])


def _settings() -> dict[str, dict[str, dict[str, object]]]:
    settings: dict[str, dict[str, dict[str, object]]] = tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))["default"]
    return settings


def _run(command: Sequence[str], variables: Mapping[str, str]) -> None:
    ended = subprocess.run(command, cwd=REPOSITORY, env=dict(variables), check=False)  # noqa: S603 - our own commands
    if ended.returncode != 0:
        name = "sam " + command[1] if command[0] == str(SAM) else " ".join(command)
        raise DeploymentError(f"`{name}` failed; what it said is above.")

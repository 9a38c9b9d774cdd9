"""Which account and region a command works on: known within seconds, or refused with what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config

from deployment.failure import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# boto3 and SAM read only the second; the AWS command line, and so most people, the first.
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
# The first request tells whether there is an AWS to talk to. Nobody should wait long for a no.
_FIRST = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
_LATER = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_SIGN_IN = (
    "Sign in (aws sso login, aws configure), or name a profile: AWS_PROFILE=..., "
    "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)


@dataclass(frozen=True)
class Account:
    """An AWS account, seen from one region by one caller."""

    number: str
    caller: str
    region: str
    session: boto3.Session = field(repr=False)

    def client(self, service: str) -> Any:
        """A client of ``service`` in the region."""
        return self.session.client(service, config=_LATER)  # type: ignore[call-overload]

    def lines(self) -> list[str]:
        """What a command says of it before it does anything."""
        return [f"  account   {self.number} ({self.caller})", f"  region    {self.region}"]


def find(variables: Mapping[str, str], say: Callable[[str], None] = print) -> Account:
    """The account of the credentials that boto3 finds, in the region that ``variables`` or the profile name.

    Raises DeploymentError within seconds when there is no region, or no credentials that AWS accepts.
    """
    session = _session(variables)
    region = session.region_name
    say(f"Asking AWS in {region} whose credentials these are ...")
    try:
        caller = session.client("sts", config=_FIRST).get_caller_identity()
    except exceptions.NoCredentialsError:
        raise DeploymentError("No AWS credentials were found.", how=_SIGN_IN) from None
    except exceptions.ClientError as error:
        raise DeploymentError(_refused(error, region), how=_SIGN_IN) from None
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise DeploymentError(
            f"AWS can't be reached in {region}: {error}",
            how=f"Is there a region {region}, and does this machine reach it?",
        ) from None
    except exceptions.InvalidRegionError:
        raise DeploymentError(f"{region} is no AWS region.", how=_where()) from None
    except exceptions.BotoCoreError as error:
        raise DeploymentError(f"The AWS credentials can't be used: {error}", how=_SIGN_IN) from None
    return Account(caller["Account"], caller["Arn"], region, session)


def is_at_hand(variables: Mapping[str, str]) -> bool:
    """Whether there are a region and credentials, good ones or not."""
    try:
        return _session(variables).get_credentials() is not None
    except (DeploymentError, exceptions.BotoCoreError):
        return False


def chosen_region(variables: Mapping[str, str], of_profile: str | None) -> str:
    """The region that ``variables`` name by either name, else the profile's. Raises DeploymentError."""
    named = {name: variables[name] for name in REGION_VARIABLES if variables.get(name)}
    if len(set(named.values())) > 1:
        raise DeploymentError(
            " and ".join(f"{name} is {region}" for name, region in named.items()) + ": which one is meant?",
            how="Set one of the two, or both to the same.",
        )
    region = next(iter(named.values()), of_profile)
    if not region:
        raise DeploymentError("No AWS region is set.", how=_where())
    return region


def _session(variables: Mapping[str, str]) -> boto3.Session:
    try:
        region = chosen_region(variables, boto3.Session().region_name)
        # Also of the calls that get credentials: a role's, single sign-on's.
        core = botocore.session.Session()
        core.set_default_client_config(_FIRST)
        return boto3.Session(region_name=region, botocore_session=core)
    except exceptions.ProfileNotFound as error:
        raise DeploymentError(f"{error}.", how="`aws configure list-profiles` shows those there are.") from None
    except exceptions.BotoCoreError as error:
        raise DeploymentError(f"The AWS settings of this machine can't be read: {error}") from None


def _where() -> str:
    return "Say where, for example: AWS_REGION=eu-west-1 (an AWS profile may name one, too)."


def _refused(error: exceptions.ClientError, region: str) -> str:
    code = error.response["Error"]["Code"]
    if code in _EXPIRED:
        return "The AWS credentials have expired."
    return f"AWS does not accept the credentials ({code}), or has {region} not enabled for the account."

"""Clients for the emulator, deaf to whatever AWS settings the user has."""

import os
from collections.abc import Mapping

import boto3
import botocore.session
from botocore.config import Config

REGION = "us-east-1"
# The emulator takes any; these say what they are.
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105 - not a secret


def session() -> boto3.session.Session:
    """A session that reads no profile and no file of the user's."""
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.session.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION, botocore_session=core
    )


CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3})


def environment(endpoint: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """``inherited`` without the user's AWS and SAM settings, leading to the emulator at ``endpoint`` instead."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(("AWS_", "SAM_"))}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }

"""What the deployment decides: read from the environment once, per function, failing loudly.

A settings class names what one function needs; field `numbers_table` is the variable NUMBERS_TABLE.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from globalconnect.domain.times import DAY, MINUTE, SECOND


class BadSettings(RuntimeError):
    """The environment lacks a variable or holds one that can't be read; the function can't start."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Base of every function's settings."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read all fields of this class. Raises BadSettings naming the variable."""
        return cls(**{field.name: _read(environ, field.name.upper(), field.type) for field in fields(cls)})


def on_lambda(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this is an environment of Lambda; a test or a tool imports the same modules elsewhere."""
    return "AWS_LAMBDA_RUNTIME_API" in environ


def _read(environ: Mapping[str, str], name: str, kind: object) -> str | int | bool:
    value = environ.get(name)
    if value is None:
        raise BadSettings(f"{name} is not set")
    if kind is int:
        if not value.isdecimal():
            raise BadSettings(f"{name} must be a whole number")
        return int(value)
    if kind is bool:
        if value not in {"true", "false"}:
            raise BadSettings(f"{name} must be true or false")
        return value == "true"
    if not value:
        raise BadSettings(f"{name} is empty")
    return value


@dataclass(frozen=True, slots=True)
class PartnerApiSettings(Settings):
    """Settings of partner_api."""

    partners_table: str
    services_table: str
    numbers_table: str
    activations_table: str
    availability_table: str
    holders_table: str
    activation_minutes: int
    cancel_limit: int
    max_live: int
    rest_minutes: int
    retention_days: int
    cache_seconds: int

    @property
    def lease(self) -> int:
        """How long a number is reserved (ms)."""
        return self.activation_minutes * MINUTE

    @property
    def rest(self) -> int:
        """How long a number rests between two sales (ms), 0 when it doesn't."""
        return self.rest_minutes * MINUTE


@dataclass(frozen=True, slots=True)
class GetsmsSettings(Settings):
    """Settings of getsms."""

    partners_table: str
    activations_table: str
    retention_days: int
    cache_seconds: int


@dataclass(frozen=True, slots=True)
class InboundSmsSettings(Settings):
    """Settings of inbound_sms."""

    numbers_table: str
    activations_table: str
    sources_table: str
    inbox_table: str
    retention_days: int
    cache_seconds: int
    receipt_skew_seconds: int

    @property
    def receipt_skew(self) -> int:
        """How slow a gateway's clock may be (ms)."""
        return self.receipt_skew_seconds * SECOND


@dataclass(frozen=True, slots=True)
class PushSettings(Settings):
    """Settings of push_sms and push_retry."""

    partners_table: str
    activations_table: str
    retention_days: int
    retry_queue_url: str
    slow_retry_queue_url: str
    push_max_age_minutes: int
    push_loopback: bool

    @property
    def max_age(self) -> int | None:
        """How old an SMS may become while it is pushed (ms), None when that never ends (contract 3)."""
        return self.push_max_age_minutes * MINUTE or None


@dataclass(frozen=True, slots=True)
class ProjectionSettings(Settings):
    """Settings of projection."""

    availability_table: str
    counted_table: str
    holders_table: str


@dataclass(frozen=True, slots=True)
class RecountSettings(Settings):
    """Settings of recount."""

    numbers_table: str
    availability_table: str
    counted_table: str
    holders_table: str


@dataclass(frozen=True, slots=True)
class OutcomeLimitSettings(Settings):
    """Base of the settings of functions that tell which partners are over a limit of outcomes."""

    outcome_least: int
    refused_percent: int
    taken_back_percent: int


@dataclass(frozen=True, slots=True)
class HourlyCountsSettings(OutcomeLimitSettings):
    """Settings of hourly_counts."""

    activations_table: str
    availability_table: str
    statistics_table: str
    activation_minutes: int
    retention_days: int

    @property
    def lease(self) -> int:
        """How long a number is reserved (ms)."""
        return self.activation_minutes * MINUTE


@dataclass(frozen=True, slots=True)
class SweepSettings(Settings):
    """Settings of sweep."""

    partners_table: str
    numbers_table: str
    activations_table: str
    statistics_table: str
    rest_minutes: int
    retention_days: int
    retry_queue_url: str
    slow_retry_queue_url: str

    @property
    def rest(self) -> int:
        """How long a number rests between two sales (ms), 0 when it doesn't."""
        return self.rest_minutes * MINUTE


@dataclass(frozen=True, slots=True)
class AdminApiSettings(OutcomeLimitSettings):
    """Settings of admin_api."""

    partners_table: str
    services_table: str
    numbers_table: str
    activations_table: str
    availability_table: str
    sources_table: str
    inbox_table: str
    statistics_table: str
    imports_table: str
    audit_table: str
    cancel_limit: int
    retention_days: int
    audit_days: int
    retry_queue_url: str
    slow_retry_queue_url: str
    push_loopback: bool
    push_https_only: bool
    user_pool_client_id: str


@dataclass(frozen=True, slots=True)
class ConsoleSettings(Settings):
    """Settings of console."""

    user_pool_client_id: str
    cognito_url: str
    try_it: bool


def retention(days: int) -> int:
    return days * DAY

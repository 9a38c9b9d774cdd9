"""The catalogue of gateway types: how each delivers and proves itself, and what a source of it needs (docs/adr/0036)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SecretOrigin(StrEnum):
    """Who makes the secret of a source: we do, unless staff give one, or its provider does, and staff have to give it."""

    MADE = "made"
    GIVEN = "given"


class SettingType(StrEnum):
    """What the value of a setting is."""

    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A setting that sources of a type have; `description` goes on from "expected"."""

    name: str
    description: str
    type: SettingType = SettingType.TEXT
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A type of gateway, as staff choose it: `methods` are those of HTTP that it delivers by, `authentication` says how a
    delivery proves that it knows the source's secret.
    """

    title: str
    methods: tuple[str, ...]
    authentication: str
    secret: SecretOrigin = SecretOrigin.MADE
    settings: tuple[SettingSpec, ...] = ()


# By name, which is also that of its module in globalconnect/inbound/providers.
PROVIDERS: Mapping[str, ProviderSpec] = {
    "generic": ProviderSpec(
        title="Generic (JSON, signed)",
        methods=("POST",),
        authentication="`X-Signature`: hex HMAC-SHA256 of the body, with the secret as key",
    ),
}

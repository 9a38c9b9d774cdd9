"""The types of gateway that a source can be of, and what each needs of it (contract 5)."""

from collections.abc import Mapping
from typing import Self

from pydantic.alias_generators import to_camel

from admin_api.route import Call, Route
from admin_api.schema import NoFields, NoQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import Rng, new_token
from globalconnect.domain.provider import PROVIDERS, ProviderSpec, SecretOrigin, SettingType
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.staff import Role

_SECRET_LENGTH = 40
_TYPES: Mapping[SettingType, type] = {SettingType.TEXT: str, SettingType.FLAG: bool}


class SettingView(View):
    """A setting that sources of a type have: a text, or a flag, which is true or false."""

    name: str
    type: SettingType
    required: bool
    description: str


class ProviderView(View):
    """A type of gateway: by which methods it delivers, how a delivery proves that it is genuine, who makes the secret."""

    name: str
    title: str
    methods: list[str]
    authentication: str
    secret: SecretOrigin
    settings: list[SettingView]

    @classmethod
    def of(cls, name: str, spec: ProviderSpec) -> Self:
        settings = [
            SettingView(
                name=to_camel(setting.name),
                type=setting.type,
                required=setting.is_required,
                description=setting.description,
            )
            for setting in spec.settings
        ]
        return cls(
            name=name,
            title=spec.title,
            methods=[*spec.methods],
            authentication=spec.authentication,
            secret=spec.secret,
            settings=settings,
        )


class ProviderCatalogue(View):
    """The types of gateway that there are."""

    providers: list[ProviderView]


def browse(_parts: Parts, _call: Call[NoQuery, NoFields]) -> ProviderCatalogue:
    return ProviderCatalogue(providers=[ProviderView.of(name, spec) for name, spec in PROVIDERS.items()])


def secret_for(spec: ProviderSpec, given: str | None, rng: Rng) -> str:
    """Return the secret of a source: the one given, else a new one. Raises InvalidInput when only its provider makes it."""
    if given is None and spec.secret is SecretOrigin.GIVEN:
        raise InvalidInput("secret", f"expected the one that {spec.title} has made")
    return given or new_token(_SECRET_LENGTH, rng)


def settings_for(spec: ProviderSpec, given: SourceSettings) -> SourceSettings:
    """Return a source's settings by the names of their specs. Raises InvalidInput when they are not what its type needs."""
    specs = {to_camel(setting.name): setting for setting in spec.settings}
    if given.keys() - specs.keys():
        raise InvalidInput("settings", f"expected {f'no other than {", ".join(specs)}' if specs else 'none'}")
    for name, setting in specs.items():
        is_right = type(given[name]) is _TYPES[setting.type] if name in given else not setting.is_required
        if not is_right:
            raise InvalidInput(f"settings.{name}", f"expected {setting.description}")
    return {specs[name].name: value for name, value in given.items()}


ROUTES = (
    Route(
        method="GET",
        path="/admin/providers",
        role=Role.ADMINISTRATOR,
        use=browse,
        answer=ProviderCatalogue,
        summary="List the types of gateway that a source can be of, and what each needs of it.",
    ),
)

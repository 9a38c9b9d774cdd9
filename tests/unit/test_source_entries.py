"""What a source of a type needs, checked by the catalogue when it is entered."""

import random
from typing import Any

import pytest

from admin_api.sources import ProviderView, secret_for, settings_for
from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.provider import Certainty, ProviderSpec, SecretOrigin, SettingSpec, SettingType

SPEC = ProviderSpec(
    title="Example Telecom",
    methods=("GET", "POST"),
    authentication="`sig`",
    certainty=Certainty.DOCUMENTS,
    steps=("one", "two"),
    secret=SecretOrigin.GIVEN,
    settings=(
        SettingSpec("utc_offset", 'the offset of its clock, like "+03:00"', is_required=True),
        SettingSpec("silent_is_offline", "true or false", SettingType.FLAG),
    ),
)
MADE = ProviderSpec("Generic", ("POST",), "`X-Signature`", Certainty.SOURCE, ("one", "two"))
RNG = random.Random(1).randrange


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"utcOffset": "+03:00"}, {"utc_offset": "+03:00"}),
        ({"utcOffset": "Z", "silentIsOffline": False}, {"utc_offset": "Z", "silent_is_offline": False}),
    ],
)
def test_settings_are_stored_by_the_names_of_the_catalogue(given: Any, stored: Any) -> None:
    assert settings_for(SPEC, given) == stored
    assert settings_for(MADE, {}) == {}


@pytest.mark.parametrize(
    ("spec", "given", "refusal"),
    [
        (SPEC, {}, 'settings.utcOffset: expected the offset of its clock, like "+03:00"'),
        (SPEC, {"utcOffset": True}, 'settings.utcOffset: expected the offset of its clock, like "+03:00"'),
        (SPEC, {"utcOffset": "Z", "silentIsOffline": "no"}, "settings.silentIsOffline: expected true or false"),
        (SPEC, {"utcOffset": "Z", "hush": "x"}, "settings: expected no other than utcOffset, silentIsOffline"),
        (SPEC, {"utc_offset": "Z"}, "settings: expected no other than utcOffset, silentIsOffline"),
        (MADE, {"utcOffset": "Z"}, "settings: expected none"),
    ],
)
def test_a_setting_that_is_missing_unknown_or_of_another_type_is_refused(
    spec: ProviderSpec, given: Any, refusal: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        settings_for(spec, given)
    assert str(refused.value) == refusal


def test_a_secret_is_the_one_given_and_made_only_where_its_provider_makes_none() -> None:
    assert secret_for(SPEC, "of a provider", RNG) == secret_for(MADE, "of a provider", RNG) == "of a provider"
    assert len(secret_for(MADE, None, RNG)) == 40
    with pytest.raises(InvalidInput, match="secret: expected the one that Example Telecom has made"):
        secret_for(SPEC, None, RNG)


def test_staff_see_what_a_form_for_a_source_needs() -> None:
    assert ProviderView.of("example", SPEC).model_dump(mode="json") == {
        "name": "example",
        "title": "Example Telecom",
        "methods": ["GET", "POST"],
        "authentication": "`sig`",
        "secret": "given",
        "settings": [
            {
                "name": "utcOffset",
                "type": "text",
                "required": True,
                "description": 'the offset of its clock, like "+03:00"',
                "choices": [],
            },
            {
                "name": "silentIsOffline",
                "type": "flag",
                "required": False,
                "description": "true or false",
                "choices": [],
            },
        ],
        "certainty": "documents",
        "steps": ["one", "two"],
        "limits": [],
        "line": "",
    }

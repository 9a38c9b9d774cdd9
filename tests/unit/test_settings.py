"""Settings: read once, failing loudly."""

import pytest

from globalconnect.runtime import settings
from globalconnect.runtime.settings import BadSettings, PartnerApiSettings, PushSettings, Settings
from simulation.aws import TEMPLATE

VARIABLES = TEMPLATE["Globals"]["Function"]["Environment"]
ENVIRON = {
    "PARTNERS_TABLE": "partners",
    "ACTIVATIONS_TABLE": "activations",
    "RETENTION_DAYS": "30",
    "RETRY_QUEUE_URL": "https://queue",
    "SLOW_RETRY_QUEUE_URL": "https://slow",
    "PUSH_MAX_AGE_MINUTES": "0",
    "PUSH_LOOPBACK": "false",
}


def test_settings_are_read_from_the_environment() -> None:
    read = PushSettings.from_env(ENVIRON)
    assert (read.partners_table, read.retention_days, read.push_loopback) == ("partners", 30, False)


@pytest.mark.parametrize("name", ENVIRON)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(BadSettings, match=name):
        PushSettings.from_env({key: value for key, value in ENVIRON.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [("PARTNERS_TABLE", ""), ("RETENTION_DAYS", "-1"), ("RETENTION_DAYS", "x"), ("PUSH_LOOPBACK", "yes")],
)
def test_a_variable_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        PushSettings.from_env({**ENVIRON, name: value})


def test_a_maximum_age_of_0_means_none() -> None:
    assert PushSettings.from_env(ENVIRON).max_age is None
    assert PushSettings.from_env({**ENVIRON, "PUSH_MAX_AGE_MINUTES": "2"}).max_age == 120_000


@pytest.mark.parametrize("kind", Settings.__subclasses__(), ids=lambda kind: kind.__name__)
def test_the_template_gives_every_variable_a_function_reads(kind: type[Settings]) -> None:
    assert {name.upper() for name in kind.__dataclass_fields__} <= set(VARIABLES["Variables"])


def test_the_lease_is_in_ms() -> None:
    environ = dict.fromkeys((name.upper() for name in PartnerApiSettings.__dataclass_fields__), "60")
    assert PartnerApiSettings.from_env(environ).lease == 3_600_000
    assert settings.retention(1) == 86_400_000

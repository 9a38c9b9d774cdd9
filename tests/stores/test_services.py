"""The store of services."""

from dataclasses import replace

import pytest

from globalconnect.domain.service import Service
from globalconnect.store.services import Services
from simulation.aws import Cloud

TELEGRAM = Service("tg", "Telegram")
GOOGLE = Service("go", "Google", reusable=True, enabled=False, cancel_limit=2)


@pytest.fixture
def services(tables: Cloud) -> Services:
    return Services(tables.db, tables.env["SERVICES_TABLE"], 0, tables.clock)


def test_the_catalogue_has_every_service_as_it_was_put_last(services: Services) -> None:
    assert services.catalogue() == {}
    for service in (TELEGRAM, GOOGLE, replace(TELEGRAM, name="Telegram X")):
        services.put(service)
    assert services.catalogue() == {"go": GOOGLE, "tg": replace(TELEGRAM, name="Telegram X")}


def test_a_service_is_found_by_its_code_and_no_other(services: Services) -> None:
    services.put(GOOGLE)
    assert services.find("go") == GOOGLE
    assert services.find("tg") is None


def test_a_new_service_is_found_where_the_catalogue_is_remembered(services: Services, tables: Cloud) -> None:
    warm = Services(tables.db, tables.env["SERVICES_TABLE"], 60, tables.clock)
    services.put(TELEGRAM)
    assert warm.find("tg") == TELEGRAM
    services.put(GOOGLE)
    assert warm.find("go") == GOOGLE
    assert warm.catalogue() == {"tg": TELEGRAM}

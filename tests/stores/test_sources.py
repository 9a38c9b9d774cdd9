"""The store of sources."""

from dataclasses import replace

import pytest

from globalconnect.domain.errors import Conflict, NotFound
from globalconnect.domain.ids import SourceId
from globalconnect.domain.source import Problem, Source
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.sources import NOTED_EVERY, Sources
from simulation.aws import START, Cloud
from tests.stores.pages import every

SOURCE_ID = SourceId("s1")

SOURCE = Source(SOURCE_ID, "Gateway", "generic", "first", START)


@pytest.fixture
def sources(tables: Cloud) -> Sources:
    stored = _fresh(tables)
    stored.add(SOURCE)
    return stored


def _fresh(tables: Cloud) -> Sources:
    return Sources(tables.db, tables.env["SOURCES_TABLE"], 0, tables.clock)


def _secrets(sources: Sources, now: int) -> list[str]:
    found = sources.find(SOURCE_ID)
    return sources.secrets(found, now) if found else []


def test_a_source_is_read_as_it_was_added_and_once(sources: Sources) -> None:
    assert sources.find(SOURCE_ID) == SOURCE
    assert sources.find(SourceId("s2")) is None
    with pytest.raises(ConditionFailed):
        sources.add(replace(SOURCE, name="Other"))
    assert every(lambda after: sources.page(1, after)) == [SOURCE]


def test_a_removed_source_is_gone(sources: Sources) -> None:
    sources.remove(SOURCE_ID)
    assert sources.find(SOURCE_ID) is None
    with pytest.raises(NotFound):
        sources.remove(SOURCE_ID)
    with pytest.raises(NotFound):
        sources.replace_secret(SOURCE_ID, "second", START)


def test_replaced_secrets_stay_good_for_a_while_newest_first(sources: Sources) -> None:
    for number, secret in enumerate(["second", "third", "third", "second"]):
        sources.replace_secret(SOURCE_ID, secret, START + number)
    assert _secrets(sources, START + 9) == ["second", "third", "first"]


def test_of_two_new_secrets_at_the_same_moment_one_is_refused_and_none_is_lost(tables: Cloud, sources: Sources) -> None:
    faster: list[str] = []

    class Overtaken(Sources):
        """Somebody else is always a little faster."""

        def _read(self, source_id: str) -> Source | None:
            before = super()._read(SourceId(source_id))
            if faster:
                sources.replace_secret(SourceId(source_id), faster.pop(), START)
            return before

    overtaken = Overtaken(tables.db, tables.env["SOURCES_TABLE"], 0, tables.clock)
    for secret in ("second", "third"):
        faster.append(secret)
        with pytest.raises(Conflict):
            overtaken.replace_secret(SOURCE_ID, "slower", START)
    assert _secrets(sources, START) == ["third", "second", "first"]


def test_what_is_heard_is_noted_once_a_minute(sources: Sources, tables: Cloud) -> None:
    for later, noted in ((0, START), (NOTED_EVERY - 1, START), (NOTED_EVERY, START + NOTED_EVERY)):
        for environment in (sources, _fresh(tables)):
            environment.note_heard(environment.find(SOURCE_ID) or SOURCE, START + later)
            # Also by one that knows of no note.
            environment.note_heard(SOURCE, START + later)
        found = sources.find(SOURCE_ID)
        assert found == replace(SOURCE, last_heard_at=noted)


def test_what_could_not_be_used_is_noted_with_the_reason(sources: Sources) -> None:
    sources.note_unreadable(SOURCE, "no JSON", START)
    sources.note_untimed(SOURCE, "no time", START + 1)
    expected = replace(
        SOURCE,
        last_heard_at=START,
        last_unreadable=Problem(START, "no JSON"),
        last_untimed=Problem(START + 1, "no time"),
    )
    assert sources.find(SOURCE_ID) == expected


def test_a_source_that_is_gone_is_not_noted(sources: Sources) -> None:
    sources.remove(SOURCE_ID)
    sources.note_heard(SOURCE, START)
    assert sources.find(SOURCE_ID) is None

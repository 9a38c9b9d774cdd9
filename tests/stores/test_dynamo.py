"""What DynamoDB keeps and gives back, as our way to it spells it."""

from operator import itemgetter

import pytest

from globalconnect.store.dynamo import ConditionFailed, Expression, expression
from simulation.aws import Cloud

KEY = {"code": "tg"}
LARGEST = 2**53 - 1


@pytest.fixture
def table(tables: Cloud) -> str:
    return tables.env["SERVICES_TABLE"]


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        LARGEST,
        10**30,
        "",
        "\0é\N{GRINNING FACE}",
        b"",
        b"\0\xff",
        True,
        [],
        {},
        [None, "", {"a": [1]}],
        {"b", "a"},
    ],
)
def test_values_come_back_as_they_were_written(tables: Cloud, table: str, value: object) -> None:
    tables.db.put(table, {**KEY, "value": value})
    assert tables.db.get(table, KEY) == {**KEY, "value": value}
    tables.db.update(table, KEY, expression("SET #other = :value", value=value))
    assert tables.db.get(table, KEY, ["other"]) == {"other": value}


@pytest.mark.parametrize("value", [None, frozenset()])
def test_none_and_an_empty_set_are_absent(tables: Cloud, table: str, value: object) -> None:
    tables.db.put(table, {**KEY, "value": value})
    assert tables.db.get(table, KEY) == KEY


def test_a_condition_that_fails_writes_nothing(tables: Cloud, table: str) -> None:
    absent, one = expression("attribute_not_exists(#code)"), Expression("#number = :number", {"number": 1})
    tables.db.put(table, {**KEY, "number": 1}, absent)
    change = expression("SET #number = :next", next=2)
    with pytest.raises(ConditionFailed):
        tables.db.put(table, KEY, absent)
    tables.db.update_unseen(table, KEY, change, one)
    for refused in (
        lambda: tables.db.update(table, KEY, change, one),
        lambda: tables.db.update_unseen(table, KEY, change, one),
        lambda: tables.db.delete(table, KEY, one),
    ):
        with pytest.raises(ConditionFailed):
            refused()
    assert tables.db.get(table, KEY) == {**KEY, "number": 2}
    tables.db.delete(table, KEY, expression("#number = :number", number=2))
    assert tables.db.get(table, KEY) is None


def test_an_item_that_is_changed_is_given_as_it_is_then(tables: Cloud, table: str) -> None:
    change = Expression(
        "SET #map = :map, #set = :set REMOVE #old ADD #number :one", {"map": {"a": 1}, "set": {"a"}, "one": 1}
    )
    assert tables.db.update(table, KEY, change) == {**KEY, "map": {"a": 1}, "set": {"a"}, "number": 1}
    more = Expression(
        "SET #map.#name = :two ADD #set :set DELETE #other :set", {"two": 2, "set": {"b"}}, {"name": "b-c"}
    )
    assert tables.db.update(table, KEY, more)["map"] == {"a": 1, "b-c": 2}


def test_more_than_one_call_carries_is_written_and_read(tables: Cloud, table: str) -> None:
    items = [{"code": f"{number:04}", "text": "x" * 2_000} for number in range(1_203)]
    tables.db.put_many(table, items)
    assert sorted(tables.db.scan_all(table), key=itemgetter("code")) == items
    found = tables.db.get_many(table, [{"code": item["code"]} for item in [*items[:230], {"code": "none"}]])
    assert sorted(found, key=itemgetter("code")) == items[:230]
    assert tables.db.get_each((table, {"code": "none"}), (table, {"code": "0007"})) == [None, items[7]]


def test_a_query_gives_its_items_in_order_from_either_end_and_page_by_page(tables: Cloud) -> None:
    table = tables.env["STATISTICS_TABLE"]
    tables.db.put_many(table, [{"kind": "hour", "at": at, "odd": at % 2} for at in (-10, 9, 100, 1)])
    of_kind = expression("#kind = :kind", kind="hour")
    assert [item["at"] for item in tables.db.query_all(table, of_kind)] == [-10, 1, 9, 100]
    newest = tables.db.query(table, of_kind, limit=2, newest_first=True)
    assert [item["at"] for item in newest.items] == [100, 9]
    rest = tables.db.query(table, of_kind, after=newest.next_key, newest_first=True)
    assert ([item["at"] for item in rest.items], rest.next_key) == ([1, -10], None)
    odd = tables.db.query(table, of_kind, only=expression("#odd = :one", one=1), limit=2)
    assert ([item["at"] for item in odd.items], odd.next_key) == ([1], {"kind": "hour", "at": 1})

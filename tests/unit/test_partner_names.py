"""What a partner calls what we have: what it is shown under a name is what it gets for that name."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as some

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.partner import Partner
from globalconnect.domain.partner_names import EVERY_OPERATOR, PartnerNames
from globalconnect.domain.pool_counts import PoolCounts, on_sale
from globalconnect.domain.requests import GetNumber
from globalconnect.domain.service import Service
from globalconnect.hub_protocol.answers import services_body
from globalconnect.hub_protocol.dialect import COUNTRY_LIST, SPLIT_AND_ANY

# Few, so that they meet; two are stored as no names are any more.
OURS = ("a", "b", "o 2", "Ünï", "e\u0301", "x  y")
THEIRS = ("a", "b", "c d", "any", "Ünï", "日本")
CODES = ("tg", "wa", "vk")
POOLS = [PoolCounts(country, operator, 1, 1) for country, operator in product(OURS, OURS)]
CATALOGUE = {code: Service(code, code) for code in CODES}
PARTNER = Partner(PartnerId("p"), "Hub", "", None, None, "globalconnect", 0)

PARTNER_NAMES = some.builds(
    PartnerNames,
    countries=some.dictionaries(some.sampled_from(OURS), some.sampled_from([name for name in THEIRS if name != "any"])),
    operators=some.dictionaries(
        some.sampled_from(OURS),
        some.dictionaries(some.sampled_from((*OURS, EVERY_OPERATOR)), some.sampled_from(THEIRS)),
    ),
    services=some.lists(some.sampled_from((*CODES, "te", "w a")), unique=True).flatmap(
        lambda names: some.permutations(CODES).map(lambda codes: dict(zip(codes, names, strict=False)))
    ),
    hides_unmapped=some.booleans(),
)


@given(PARTNER_NAMES)
def test_what_is_counted_under_a_name_is_what_that_name_asks_for(names: PartnerNames) -> None:
    shown = on_sale(POOLS, CATALOGUE, PARTNER, 0, names=names)
    for country, operators in shown.countries.items():
        offered = [pool for some_pools in operators.values() for pool in some_pools]
        for operator, its_pools in [*operators.items(), (None, offered)]:
            for ours, service in shown.services.items():
                asked = GetNumber(country, None if operator == "any" else operator, service)
                wanted = names.wanted(asked)
                assert wanted is not None
                assert wanted.service == ours
                found = [
                    pool
                    for pool in POOLS
                    if any(pools.country == pool.country and pools.has(pool.operator) for pools in wanted.pools)
                ]
                counted = offered if operator == "any" else its_pools
                assert sorted(map(_name, found)) == sorted(map(_name, counted))


def test_any_is_written_once() -> None:
    shown = on_sale(POOLS, CATALOGUE, PARTNER, 0, names=PartnerNames(operators={"a": {"b": "any"}}))
    text = services_body(shown, COUNTRY_LIST, SPLIT_AND_ANY)
    assert text.count('"any"') == len(shown.countries)


@given(PARTNER_NAMES, some.sampled_from((*CODES, "te", "w a", "none")))
def test_a_service_is_shown_under_the_name_that_asks_for_it_or_not_at_all(names: PartnerNames, asked: str) -> None:
    called = names.named_services(CODES)
    wanted = names.wanted(GetNumber("a", None, asked))
    ours = [code for code, name in called.items() if name == asked]
    assert len(ours) <= 1
    assert ([] if wanted is None or wanted.service not in CODES else [wanted.service]) == ours


def _name(pool: PoolCounts) -> tuple[str, str]:
    return pool.country, pool.operator

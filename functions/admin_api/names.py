"""What partners call our countries, operators and services, and what they are shown of our stock by that (contract 5)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from admin_api.import_rows import CSV_TYPES, csv_lines, text_of
from admin_api.partners import partner_in
from admin_api.route import Call, Upload, route
from admin_api.schema import SERVICE_CODE, NoFields, NoQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.names import StoredNames, check_name, check_pool_name, folded
from globalconnect.domain.numerals import plain_number, read_json
from globalconnect.domain.partner_names import EVERY_OPERATOR, PartnerNames
from globalconnect.domain.pool_counts import PoolCounts, on_sale
from globalconnect.domain.service import Catalogue
from globalconnect.domain.staff import Role
from globalconnect.hub_protocol.answers import services_body
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.requests import check_operator

MOST_NAMES = 5_000
COLUMNS = ("kind", "country", "ours", "theirs")

_KINDS = {"countries": "country", "operators": "operator", "services": "service"}
_UNMAPPED = "unmapped"
_PASS, _HIDE = "pass", "hide"


class NamesView(View):
    """What a partner calls what we have, by our names: countries, the operators of each country (`*` is all that have no entry),
    and services. What has no entry is called as we call it (`unmapped` is `pass`) or not offered (`hide`).
    """

    countries: dict[str, str]
    operators: dict[str, dict[str, str]]
    services: dict[str, str]
    unmapped: Literal["pass", "hide"]

    @classmethod
    def of(cls, names: PartnerNames) -> Self:
        return cls(
            countries=dict(names.countries),
            operators={country: dict(operators) for country, operators in names.operators.items()},
            services=dict(names.services),
            unmapped=_HIDE if names.hides_unmapped else _PASS,
        )


class UnmappedView(View):
    """What is on sale and has no entry among a partner's names, by our names."""

    countries: list[str]
    operators: dict[str, list[str]]
    services: list[str]


class PreviewView(View):
    """What a partner is answered to `action` now, in its own dialect and names, and what has no entry among these."""

    action: str
    answer: dict[str, object]
    unmapped: UnmappedView


@dataclass(frozen=True, slots=True)
class _Entry:
    """A name as it was sent, and where."""

    place: str
    kind: str
    country: object
    ours: object
    theirs: object


@route(
    "GET",
    "/admin/partners/{partnerId}/names",
    Role.VIEW,
    "Read what a partner calls our countries, operators and services.",
    errors=(404,),
)
def read(parts: Parts, call: Call[NoQuery, NoFields]) -> NamesView:
    return NamesView.of(parts.names.of(partner_in(parts, call.path)))


@route(
    "PUT",
    "/admin/partners/{partnerId}/names",
    Role.OWNER,
    "Say what a partner calls our countries, operators and services, all of it: JSON as GET shows it (`unmapped` is `pass` if "
    "it is missing), or CSV with the header `kind,country,ours,theirs`, where kind is country, operator or service, and a row "
    "of the kind `unmapped` has pass or hide for theirs. At most 5,000 names. Several countries or operators may have one "
    "name, services may not. It holds within 60 s. A revoked partner can't be changed (409).",
    action="partner.names_replaced",
    errors=(404, 409, 413),
)
def replace(parts: Parts, call: Call[NoQuery, Upload]) -> NamesView:
    partner_id = partner_in(parts, call.path).partner_id
    names = read_names(call.body, parts.pool_counts.all(), parts.services.catalogue())
    call.log_change(
        countries=len(names.countries),
        operators=sum(map(len, names.operators.values())),
        services=len(names.services),
        unmapped=_HIDE if names.hides_unmapped else _PASS,
    )
    parts.names.replace(parts.partners, partner_id, names, parts.rng)
    return NamesView.of(names)


@route(
    "GET",
    "/admin/partners/{partnerId}/preview",
    Role.VIEW,
    "Show what a partner that asks for counts is answered now, and what of what is on sale has no entry among its names.",
    errors=(404, 413),
)
def preview(parts: Parts, call: Call[NoQuery, NoFields]) -> PreviewView:
    partner = partner_in(parts, call.path)
    dialect, names = dialect_of(partner), parts.names.of(partner)
    pools, catalogue = parts.pool_counts.all(), parts.services.catalogue()
    left = parts.holders.left(partner, parts.max_live, dialect.hold)
    action, form = next(iter(dialect.counts.items()))
    body = services_body(on_sale(pools, catalogue, partner, parts.now(), left, names), form, dialect.operators)
    answer = read_json(body.encode(), int)
    unmapped = _unmapped(
        names, pools, [code for code, service in catalogue.items() if service.enabled and partner.may_buy(code)]
    )
    return PreviewView(action=action, answer=answer if isinstance(answer, dict) else {}, unmapped=unmapped)


def read_names(upload: Upload, pools: list[PoolCounts], catalogue: Catalogue) -> PartnerNames:
    """Return the names that were sent, ours as they are stored. Raises InvalidInput, and TooLarge for more than MOST_NAMES."""
    if upload.media_type in CSV_TYPES:
        entries, unmapped = _of_csv(text_of(upload))
    else:
        entries, unmapped = _of_json(read_json(upload.content, plain_number))
    if len(entries) > MOST_NAMES:
        raise TooLarge(f"names: expected at most {MOST_NAMES}")
    if unmapped not in {_PASS, _HIDE}:
        raise InvalidInput(_UNMAPPED, f"expected {_PASS} or {_HIDE}")
    stored = StoredNames((pool.country, pool.operator) for pool in pools)
    countries: dict[str, str] = {}
    operators: dict[str, dict[str, str]] = {}
    services: dict[str, str] = {}
    services_by_name: dict[str, str] = {}
    for entry in entries:
        theirs = check_name(entry.theirs, entry.place)
        match entry.kind:
            case "country":
                _enter(countries, stored.country(_country(entry.ours, entry.place)), theirs, entry.place)
            case "operator":
                country = stored.country(_country(entry.country, entry.place))
                ours = check_operator(entry.ours, entry.place)
                own = operators.setdefault(country, {})
                _enter(own, ours if ours == EVERY_OPERATOR else stored.pool(country, ours)[1], theirs, entry.place)
            case "service":
                code = _service(entry.ours, entry.place)
                _enter(services, code, theirs, entry.place)
                first = services_by_name.setdefault(theirs, code)
                if first != code:
                    # Both would count the same numbers.
                    raise InvalidInput(entry.place, f"{first} and {code} would both be called {theirs}")
            case _:
                raise InvalidInput(entry.place, f"expected kind to be country, operator, service or {_UNMAPPED}")
    if unmapped == _PASS:
        _refuse_passing(services, catalogue)
    return PartnerNames(countries, operators, services, hides_unmapped=unmapped == _HIDE)


def _of_json(content: object) -> tuple[list[_Entry], object]:
    if not isinstance(content, dict):
        raise InvalidInput("body", "expected a JSON object of names, or CSV as text/csv")
    unknown = content.keys() - {*_KINDS, _UNMAPPED}
    if unknown:
        raise InvalidInput(min(unknown), f"expected only {', '.join(_KINDS)} and {_UNMAPPED}")
    entries = []
    for field, kind in _KINDS.items():
        for path, country, names in _groups(field, content.get(field, {})):
            entries += [_Entry(f"{path}.{ours}", kind, country, ours, theirs) for ours, theirs in names.items()]
    return entries, content.get(_UNMAPPED, _PASS)


def _groups(field: str, names: object) -> Iterator[tuple[str, object, Mapping[str, object]]]:
    """Return what a field holds, of operators by country: its path, country, and names."""
    if not isinstance(names, dict):
        raise InvalidInput(field, "expected an object of names")
    if field != "operators":
        yield field, None, names
        return
    for country, operators in names.items():
        if not isinstance(operators, dict):
            raise InvalidInput(f"{field}.{country}", "expected an object of names")
        yield f"{field}.{country}", country, operators


def _of_csv(text: str) -> tuple[list[_Entry], object]:
    header, *rows = csv_lines(text) or [[]]
    columns = [folded(cell.strip("\ufeff")).lower() for cell in header]
    if sorted(columns) != sorted(COLUMNS):
        raise InvalidInput("header", f"expected the columns {', '.join(COLUMNS)}")
    unmapped: object = _PASS
    entries = []
    for number, cells in enumerate(rows, start=1):
        place = f"row {number}"
        if len(cells) != len(columns):
            raise InvalidInput(place, f"expected {len(columns)} cells")
        row = dict(zip(columns, cells, strict=True))
        kind = folded(row["kind"]).lower()
        if kind == _UNMAPPED:
            unmapped = folded(row["theirs"]).lower()
        else:
            entries.append(_Entry(place, kind, row["country"], row["ours"], row["theirs"]))
    return entries, unmapped


def _country(value: object, place: str) -> str:
    country = check_pool_name(value, place)
    if country == EVERY_OPERATOR:
        raise InvalidInput(place, f"expected a country; {EVERY_OPERATOR} stands for operators alone")
    return country


def _service(value: object, place: str) -> str:
    code = folded(value) if isinstance(value, str) else ""
    if not SERVICE_CODE.fullmatch(code):
        raise InvalidInput(place, "expected the code of a service: 1 to 40 letters, digits and _ . -")
    return code


def _enter(names: dict[str, str], ours: str, theirs: str, place: str) -> None:
    if ours in names:
        raise InvalidInput(place, f"{ours} has a name already")
    names[ours] = theirs


def _refuse_passing(services: Mapping[str, str], catalogue: Catalogue) -> None:
    for ours, theirs in services.items():
        if theirs in catalogue and theirs not in services:
            raise InvalidInput(
                f"services.{ours}", f"{ours} would be called {theirs} and so would {theirs}, which has no entry"
            )


def _unmapped(names: PartnerNames, pools: list[PoolCounts], codes: list[str]) -> UnmappedView:
    countries, operators = set(), dict[str, set[str]]()
    for pool in pools:
        if pool.total == 0:
            continue
        if pool.country not in names.countries:
            countries.add(pool.country)
        if names.operators.get(pool.country, {}).keys().isdisjoint({pool.operator, EVERY_OPERATOR}):
            operators.setdefault(pool.country, set()).add(pool.operator)
    return UnmappedView(
        countries=sorted(countries),
        operators={country: sorted(operators[country]) for country in sorted(operators)},
        services=sorted(code for code in codes if code not in names.services),
    )

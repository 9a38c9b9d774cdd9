"""The dialects that a partner can have, as staff choose among them (contract 5)."""

from typing import Literal, Self

from admin_api.route import Call, route
from admin_api.schema import NoFields, NoQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.staff import Role
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect, Evidence
from globalconnect.hub_protocol.switches import switches_of


class TypesView(View):
    """Which numbers are JSON strings, and which JSON numbers."""

    number: Literal["string", "number"]
    phone: Literal["string", "number"]
    sms_id: Literal["string", "number"]


class SwitchesView(View):
    """What a dialect has of its own. `outcomes` are the codes of FINISH_ACTIVATION, and which of 1, 3, 4 and 5 each is; `hold` is
    what ends an activation that is not finished: the end of its lease, or that of the longest hold.
    """

    types: TypesView
    number_extras: dict[str, object]
    push_extras: dict[str, object]
    error_fields: list[str]
    error_http: Literal["mapped", 200]
    gzip_from: int
    counts: dict[str, Literal["countryList", "countMap"]]
    any: Literal["split", "split+any", "any"]
    cancel_limit: int | None
    hold: Literal["lease", "finish"]
    outcomes: dict[str, int]
    push_done: Literal["body", "http200"]
    push_stop_words: list[str]
    push_authorization: Literal["none", "bearer"]
    push_accept_gzip: bool
    push_gzip: bool


class DialectView(View):
    """A dialect. `evidence` is where what we know of the hub comes from, `uncertain` names the switches that a hub may turn
    out to have otherwise, and `pushUrl` is where most of its suppliers push to, null when only the hub can tell.
    """

    name: str
    title: str
    evidence: Evidence
    uncertain: list[str]
    push_url: str | None
    switches: SwitchesView

    @classmethod
    def of(cls, name: str, dialect: Dialect) -> Self:
        return cls(
            name=name,
            title=dialect.title,
            evidence=dialect.evidence,
            uncertain=list(dialect.uncertain),
            push_url=dialect.push_url,
            switches=SwitchesView.model_validate(switches_of(dialect)),
        )


class DialectList(View):
    """All dialects, the one first that a partner has if nothing is said."""

    dialects: list[DialectView]


@route("GET", "/admin/dialects", Role.VIEW, "List the dialects that a partner can have, with what each has of its own.")
def browse(_parts: Parts, _call: Call[NoQuery, NoFields]) -> DialectList:
    return DialectList(dialects=[DialectView.of(name, dialect) for name, dialect in DIALECTS.items()])

"""Every page of the console, for what must hold of each: axe, narrow windows, screenshots."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.life import Life


@dataclass(frozen=True, slots=True)
class At:
    """A page: its name in file names, and its route on a stack that holds some life."""

    name: str
    route: Callable[[Life], str]


# One line per page, in the order of the menu.
PAGES: tuple[At, ...] = (
    At("overview", lambda _: "/overview"),
    At("partners", lambda _: "/partners"),
    At("partner", lambda life: f"/partners/{life.partner_id}"),
    At("partner-names", lambda life: f"/partners/{life.partner_id}/names"),
    At("numbers", lambda _: "/numbers"),
    At("pool", lambda _: "/numbers?country=england"),
    At("offline", lambda _: "/numbers?online=false"),
    At("number", lambda life: f"/numbers/{life.phone}"),
    At("imports", lambda _: "/imports"),
    At("import", lambda life: f"/imports/{life.import_id}"),
    At("services", lambda _: "/services"),
    At("sources", lambda _: "/sources"),
    At("source", lambda life: f"/sources/{life.source_id}"),
    At("modems", lambda life: f"/sources/{life.modems_id}"),
    At("unclaimed", lambda _: "/unclaimed"),
    At("waiting", lambda _: "/unclaimed/waiting"),
    At("incomplete", lambda _: "/unclaimed/incomplete"),
    At("unreadable", lambda _: "/unclaimed/payloads"),
    At("activations", lambda _: "/activations"),
    At("activation", lambda life: f"/activations/{life.activation_id}"),
    At("audit", lambda _: "/audit"),
    At("staff", lambda _: "/staff"),
    At("try", lambda _: "/try"),
    At("account", lambda _: "/account"),
)

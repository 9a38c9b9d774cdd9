"""All the checks there are."""

from collections.abc import Sequence

from conformance.checks import counts, finish, getsms, numbers, pushes, refusals, requests, timing
from conformance.checks.check import Check
from conformance.hubs import Hub

# In the order in which they are made, but for those with pushes, which are made last and together.
_MODULES = (counts, requests, numbers, finish, refusals, getsms, pushes, timing)
CHECKS = {each.name: each for module in _MODULES for each in vars(module).values() if isinstance(each, Check)}


def checks_of(hub: Hub) -> Sequence[Check]:
    """Return the checks that a hub makes, in order."""
    return [each for name, each in CHECKS.items() if name in hub.rules]

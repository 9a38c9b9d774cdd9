"""`make encrypt-keys`: brings the keys and secrets that a stack holds into the form that its KeyEncryption says.

By the functions' own code, so only this command has that on its path.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.failure import DeploymentError
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption
from globalconnect.store.partners import Partners
from globalconnect.store.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from deployment.stacks import Resource, Stack


@dataclass(frozen=True)
class Keys:
    """The keys and secrets of a stack, through clients of its account and region."""

    stack: Stack
    resources: Sequence[Resource]
    client: Callable[[str], Any]
    # The command by which KeyEncryption is changed, up to its value.
    changed_by: str

    def write_again(self, say: Callable[[str], None]) -> None:
        """Encrypt or decrypt what is not yet as it is to be; may be broken off anywhere and done again.

        Raises DeploymentError when that is not wanted of this stack, or some of it was left.
        """
        state = self.stack.parameters.get("KeyEncryption", "off")
        if state == "off":
            raise DeploymentError(
                f"KeyEncryption of {self.stack.name} is off: there is no key to encrypt with.",
                how=f"First: {self.changed_by}on",
            )
        held = {each.logical_id: each.physical_id for each in self.resources}
        encrypts = state == "on"
        encryption = Encryption(lambda: self.client("kms"), held["SecretsKey"], 0, _now, encrypts=encrypts)
        db = Dynamo(self.client("dynamodb"))
        partners = Partners(db, held["PartnersTable"], 0, _now, encryption)
        sources = Sources(db, held["SourcesTable"], 0, _now, encryption)
        say(f"KeyEncryption of {self.stack.name} is {state}.")
        form, left = "encrypted" if encrypts else "in clear", Counter[str]()
        try:
            for line in (
                f"  partners  {_written_again(partners.every(), partners.write_again, form, left)}",
                f"  sources   {_written_again(sources.every(), sources.write_again, form, left)}",
            ):
                say(line)
        except (Busy, Unavailable) as error:
            left[_reason(error)] += 1
        if left:
            reasons = ", ".join(left)
            raise DeploymentError(
                f"Not all of them are {form}: {reasons}.", how="When that is put right: the same again."
            )


def _written_again[T](found: Iterable[T], write_again: Callable[[T], bool], form: str, left: Counter[str]) -> str:
    """Write each again, and tell what became of them; what could not be written is `left`, by the reason."""
    done: Counter[bool] = Counter()
    before = left.total()
    for one in found:
        try:
            done[write_again(one)] += 1
        except (Busy, Unavailable) as error:
            left[_reason(error)] += 1
    return f"{done[True]} changed, {done[False]} {form} already, {left.total() - before} left"


def _reason(error: Busy | Unavailable) -> str:
    return error.reason if isinstance(error, Unavailable) else str(error)


def _now() -> int:
    return time.time_ns() // 1_000_000

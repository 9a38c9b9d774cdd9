"""The user's command that has an SMS come to a number."""

import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable

type MakeSms = Callable[[str, str], object]

_SECONDS = 60.0


def sms_command(name: str, command: str) -> MakeSms:
    """Return what runs a command, in whose words {phone} and {text} are replaced. No shell reads it.

    It raises RuntimeError, without the command, when that fails or takes longer than a minute; the library's OSError and ValueError when
    it can't be run so. Raises ValueError where `command`, said in the variable of that name, is none.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"{name} is no command: {error}.") from None
    if not any("{phone}" in word for word in words):
        raise ValueError(f"{name} is a command with {{phone}} in it, and {{text}}.")

    def made(phone: str, text: str) -> None:
        # The supplier said it: nothing else of its belongs on a command line of the user's.
        if not re.fullmatch("[0-9]{1,20}", phone):
            raise RuntimeError("the number is not of digits")
        called = [word.replace("{phone}", phone).replace("{text}", text) for word in words]
        # No pipe: what the command leaves behind in the background would keep it open.
        with tempfile.TemporaryFile() as errors:
            try:
                done = subprocess.run(  # noqa: S603 - the user's own
                    called, stdout=subprocess.DEVNULL, stderr=errors, timeout=_SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                # What Python says of it has the whole command, whatever secrets are in it.
                raise RuntimeError(f"{words[0]} took more than {_SECONDS:g} s") from None
            errors.seek(0)
            # The last line, whole: of a key that is cut nobody would know it.
            said = errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        if done.returncode:
            raise RuntimeError(f"{words[0]} ended with {done.returncode} {said}".strip())

    return made

"""What stops a command, in words for the person who typed it."""

from pathlib import Path

TAIL_LINES = 15


class LocalError(Exception):
    """Something on this machine is not as it must be.

    ``what`` says what failed, ``how`` how to go on, ``log`` where the whole story is; its end is shown.
    """

    def __init__(self, what: str, *, how: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.how = how
        self.log = log

    def __str__(self) -> str:
        lines = [self.what]
        if self.log is not None and (tail := last_lines(self.log)):
            lines += [f"The last lines of {self.log}:", *(f"  | {line}" for line in tail)]
        if self.how:
            lines.append(self.how)
        return "\n".join(lines)


def last_lines(log: Path, count: int = TAIL_LINES) -> list[str]:
    """The last ``count`` lines of ``log``, none when there is no such file."""
    if not log.is_file():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]

"""Rows push.9 to push.12: what partners' servers can do to attempts, and what attempts cost.

Row push.9: whatever a partner's side does, an attempt ends in time, with flat memory, and never goes inside.
Row push.10: an answer that is not the contract's success is a failed attempt, and is retried.
Row push.11: how many pushes one worker process delivers in a second, beside a bare loop of the same POSTs.
Row push.12: answers that cost a partner nothing to give and us something to read delay nobody else's pushes.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from statistics import median

from bench.row import Row, Say
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from simulation.attempts.answers import ANSWERS, push_with
from simulation.attempts.harm import Scale, measure_harm
from simulation.attempts.isolation import MANY, compare, costly_partners
from simulation.attempts.speed import BATCH, BATCHES, measure, taking_all
from simulation.partner_server import SPELLINGS_INSIDE
from simulation.processes import in_a_process

ROUNDS = 45
AT_LEAST = 0.5
RUNS = 15
LATER_LIMIT_MS = 50
HELD_LIMIT_MS = 0.3


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure the rows that are wanted."""
    for row_id, measure_row in _ROWS.items():
        if row_id in wanted:
            yield measure_row(progress)


def _harm(progress: Say) -> Row:
    harm = measure_harm(Scale())
    slowest = max(harm.attempts, key=lambda end: end.seconds)
    progress(
        f"push.9: {len({end.situation.name for end in harm.attempts})} situations, {len(harm.attempts)} attempts; "
        f"longest {slowest.seconds:.2f} s ({slowest.situation.name}); memory {harm.grown / 1e6:+.1f} MB at most"
    )
    progress(
        f"push.9: {harm.reached} connections inside; {harm.leading_inside} of {len(SPELLINGS_INSIDE)} spellings lead to a "
        "listener there when nothing guards"
    )
    claim = "whatever a partner's side does, the attempt ends within 5.5 s, memory grows < 5 MB, nothing inside is connected"
    return _violations("push.9", claim, harm.wrong(ATTEMPT_TIMEOUT_SECONDS), progress)


def _retried(progress: Say) -> Row:
    pushed = {answer: asyncio.run(push_with(answer.bytes)) for answer in ANSWERS}
    wrong = [f"{answer.name}: {end}" for answer, end in pushed.items() if end != answer.expected]
    claim = (
        "an answer other than 2xx with status SUCCESS is a failed attempt, and the next one is due 10 s after its start"
    )
    return _violations("push.10", claim, wrong, progress)


def _violations(row_id: str, claim: str, wrong: list[str], progress: Say) -> Row:
    for line in wrong:
        progress(f"{row_id}: {line}")
    return Row(row_id, claim, len(wrong), "violations", 0, not wrong)


def _speed(progress: Say) -> Row:
    with taking_all() as url:
        figures = in_a_process(measure, url, ROUNDS)
    progress(
        f"push.11: the worker {median(figures.worker):.0f} SMS/s, the bare loop {median(figures.bare):.0f} POSTs/s (medians "
        f"of {ROUNDS} rounds of {BATCH * BATCHES}, {BATCH} at a time)"
    )
    ratio = round(figures.ratio, 3)
    claim = (
        "one worker process delivers at least half as many SMS per second as a bare aiohttp loop makes the same POSTs"
    )
    return Row("push.11", claim, ratio, "of the bare loop", AT_LEAST, ratio >= AT_LEAST)


def _isolated(progress: Say) -> Row:
    with costly_partners() as ports:
        compare(ports, "array")
        few, much = zip(*(compare(ports, "array") for _ in range(RUNS)), strict=True)
    for name, batches in (("18 bytes", few), ("64 KiB", much)):
        after = [batch.other_after for batch in batches]
        progress(
            f"push.12: A answers {name}: B's attempt ends after {median(after):.0f} ms ({min(after)} to {max(after)})"
        )
    later = median(batch.other_after for batch in much) - median(batch.other_after for batch in few)
    held = (median(batch.worked for batch in much) - median(batch.worked for batch in few)) / MANY
    progress(f"push.12: each long answer holds the loop {held:.2f} ms longer, at most {HELD_LIMIT_MS}")
    return Row(
        "push.12",
        f"beside 99 SMS of 4,000 codes of A, all answered with 64 KiB, B's push ends at most {LATER_LIMIT_MS} ms later than "
        f"beside short answers; an answer holds the loop <= {HELD_LIMIT_MS} ms",
        round(later, 1),
        "ms",
        LATER_LIMIT_MS,
        later <= LATER_LIMIT_MS and held <= HELD_LIMIT_MS,
    )


_ROWS: dict[str, Callable[[Say], Row]] = {
    "push.9": _harm,
    "push.10": _retried,
    "push.11": _speed,
    "push.12": _isolated,
}
IDS = tuple(_ROWS)

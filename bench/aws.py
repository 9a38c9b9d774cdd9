"""Rows aws.1 and on: what AWS does by itself, as it is documented, on the simulated cloud."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import product

from bench.row import Row, Say
from simulation.clouds import pretend_aws
from simulation.logs import log_to_nowhere
from simulation.pushes.measures import GROWN_AFTER, LATEST, LATEST_AT_FIRST
from simulation.pushes.outages import cadence, in_account, outages, play_outage, small_account
from simulation.pushes.parameters import Parameters
from simulation.restores import KILLED_AFTER, LOST, REHEARSALS, Site

# What a new account may have.
_QUOTA = 10

IDS = ("aws.1", "aws.2", "aws.3", "aws.4")


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; the value is how much of its limit the worst of its parts uses."""
    if "aws.1" in wanted:
        yield _lineage(progress)
    if "aws.2" in wanted:
        yield _growing(progress)
    if "aws.3" in wanted:
        yield _small_account(progress)
    if "aws.4" in wanted:
        yield _restored(progress)


def _lineage(progress: Say) -> Row:
    claim = (
        "200 SMS each for partners that fail in three ways, for 10 min: attempts 10 s apart, p99 +-1 s, no dead letter, none dropped as a loop; not so "
        "where Lambda may end what it takes for one"
    )
    allowed, ended = (
        cadence(replace(Parameters(), recursive_loop=choice), messages=200, arrive=10, failing=600)
        for choice in (Parameters().recursive_loop, "Terminate")
    )
    for part in (*allowed, *ended):
        progress(f"aws.1: {part}")
    is_kept = all(part.ok for part in allowed) and not all(part.ok for part in ended)
    return Row("aws.1", claim, round(max(part.used for part in allowed), 3), "of the limit", 1.0, is_kept)


def _growing(progress: Say) -> Row:
    parts = play_outage(outages(pending=5_000)[0], Parameters(), watch=120).beside
    for part in parts:
        progress(f"aws.2: {part}")
    latest = max(part.value for part in parts if part.limit == LATEST)
    claim = (
        f"5,000 SMS pending at once to a partner that times out, pollers growing from 5: its attempts up to "
        f"{LATEST_AT_FIRST:g} s late for {GROWN_AFTER:g} s, then p99 +-1 s and the latest of all {LATEST:g} s late at most "
        f"(it was {latest:.2f} s); from 10 s on a healthy partner's first push p99 <= 500 ms, its retries p99 +-1 s; until "
        "then at most 6 s"
    )
    used = max(part.used for part in parts)
    return Row("aws.2", claim, round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))


def _small_account(progress: Say) -> Row:
    parts = []
    for shards in (1, 4):
        played = small_account(in_account(_QUOTA, shards), pending=500, rate=5, failing=300)
        for part in played:
            progress(f"aws.3: {shards} shards: {part}")
        parts += played
    used = max(part.used for part in parts)
    off = max(part.value for part in parts if part.what.endswith("p99"))
    dead = max(part.value for part in parts if part.what == "dead letters")
    claim = (
        f"{_QUOTA} executions, streams of 1 and of 4 shards, 500 SMS pending to a partner that times out, 5 GET_NUMBER a "
        "second, cold starts of 2 s: at most 1 % refused, none after 15 s; nothing lost. Not the cadence, which so few can't "
        f"keep: p99 was {off:.1f} s off, with {dead:g} dead letters"
    )
    return Row("aws.3", claim, round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))


def _restored(progress: Say) -> Row:
    claim = (
        "Numbers, Activations or Partners deleted, or damaged after a point in time, and restored, the command killed on its "
        "way or not: running sales go on, nothing is sold or pushed twice, no key that was taken away works, counts are right "
        "after a recount"
    )
    found: list[str] = []
    with pretend_aws() as aws, log_to_nowhere():
        for rehearsal, how, killed in product(REHEARSALS, LOST, (None, *KILLED_AFTER)):
            differences = rehearsal(Site.build(aws), how, killed)
            progress(
                f"aws.4: {rehearsal.__name__}, {how}, killed after {killed} writes: {len(differences)} differences"
            )
            for difference in differences:
                progress(f"aws.4:   {difference}")
            found += differences
    return Row("aws.4", claim, len(found), "differences", 0, not found)

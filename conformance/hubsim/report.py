"""The report of a play: as text, as JSON, and as a page of its own with plots."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from html import escape
from math import ceil
from typing import Any

from conformance.hubs import Level
from conformance.hubsim import plots
from conformance.hubsim.events import (
    Action,
    Arrived,
    Down,
    Event,
    Finished,
    Happening,
    Pushed,
    Refused,
    Request,
    Sold,
    Unanswered,
)
from conformance.hubsim.ledger import Finding, Kind
from conformance.hubsim.play import Outcome, Settings

# Differences of a kind that the text shows; all are in the other reports.
_SHOWN = 5
_BUCKET = 10.0

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .35rem; border-bottom: 1px solid #d5d9de; text-align: right }
th:first-child, td:first-child, .text th, .text td { text-align: left } td:first-child { white-space: nowrap }
svg { width: 100%; margin: .6rem 0; font: 11px system-ui, sans-serif }
.title { font-weight: 600; font-size: 13px } .grid { stroke: #e4e7eb } .shaded { fill: #f3e3d3 }
.limit { stroke: #b3261e; stroke-dasharray: 5 4 } .good { color: #2f6f2a } .bad { color: #b3261e }
"""


def as_json(outcome: Outcome, settings: Settings) -> dict[str, Any]:
    """Return the report as JSON: figures and all findings."""
    account = outcome.account
    return {
        "url": settings.masking.text(settings.url),
        "seconds": outcome.seconds,
        "seed": settings.seed,
        "brokenOffSeconds": outcome.broken_off,
        "passed": outcome.broken_off is None and not outcome.fails,
        "nothing": outcome.nothing,
        "differences": len(account.findings),
        "decisive": sum(one.decides for one in account.findings),
        "kinds": {kind.name: count for kind, count in account.counted.items()},
        "wholeSales": len(account.whole),
        "wholeSalesPerSecond": round(outcome.sales_a_second, 3),
        "totals": _totals(outcome),
        "partners": {name: dict(zip(_COLUMNS, row, strict=True)) for name, *row in _rows(outcome)},
        "answerSeconds": {action.value: _spread(_answers(outcome, action)) for action in Action},
        "firstPushSeconds": _spread([delay for _, delay in account.firsts]),
        "secondsBetweenPushes": _spread([gap for _, gap in account.gaps]),
        "limits": asdict(settings.limits) | {"reusable": sorted(settings.limits.reusable)},
        "unfinished": [settings.masking.text(one) for one in account.unfinished],
        "findings": [
            {
                "kind": one.kind.name,
                "at": round(one.at, 3),
                "partner": one.partner,
                "text": one.text,
                "level": one.basis.level,
                "clause": one.basis.clause,
                "decides": one.decides,
            }
            for one in _findings(outcome, settings)
        ],
    }


def as_text(outcome: Outcome, settings: Settings) -> str:
    """Return the report for a terminal: figures, the verdict, then the first differences of each kind, those that decide before."""
    rows = [("partner", *_COLUMNS), *([str(value) for value in row] for row in _rows(outcome))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    table = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    groups: defaultdict[tuple[bool, Kind], list[Finding]] = defaultdict(list)
    for one in _findings(outcome, settings):
        groups[not one.decides, one.kind].append(one)
    found = []
    for (_, kind), group in sorted(groups.items(), key=lambda each: each[0][0]):
        found += [
            f"  {one.at:7.1f} s  {one.partner or '-'}: {kind}: {one.text} [{_level(one)}]" for one in group[:_SHOWN]
        ]
        found += [f"  … {len(group) - _SHOWN} more: {kind}"] if len(group) > _SHOWN else []
    return "\n".join([*table, "", *_figures(outcome, settings), "", _verdict(outcome), *found])


def as_html(outcome: Outcome, settings: Settings) -> str:
    """Return the report as one page that needs nothing else."""
    account = outcome.account
    counted = [(kind.value, str(count)) for kind, count in account.counted.items()]
    found = [
        (
            f"{one.at:.1f}",
            one.partner,
            one.kind.value,
            one.text,
            _level(one),
            one.basis.clause,
        )
        for one in _findings(outcome, settings)
    ]
    url = escape(settings.masking.text(settings.url))
    parts = [
        "<!doctype html>",
        f'<html lang="en"><meta charset="utf-8"><title>Simulated hubs: {url}</title><style>{_STYLE}</style>',
        f"<h1>Simulated hubs against {url}</h1>",
        f'<p class="{"good" if _is_clean(outcome) else "bad"}"><strong>{escape(_verdict(outcome))}</strong></p>',
        *(f"<p>{escape(line)}</p>" for line in _figures(outcome, settings)),
        _table(("partner", *_COLUMNS), ([str(value) for value in row] for row in _rows(outcome))),
        *_plots(outcome),
        "<h2>What was looked for, and how often it was found</h2>",
        _table(("difference", "found"), counted),
    ]
    if found:
        heads = ("at (s)", "partner", "difference", "what", "basis", "clause")
        parts += ["<h2>Differences</h2>", _table(heads, found, "text")]
    return "\n".join([*parts, "</html>"])


# ---------------------------------------------------------------- figures

_COLUMNS = (
    *("hub", "polls", "sold", "refused", "whole", "1", "3", "4", "5", "unfinished", "again"),
    *("sms", "taken", "unjudged", "pushes", "overstated"),
)


def _rows(outcome: Outcome) -> Iterable[tuple[Any, ...]]:
    for name, one in outcome.account.tallies.items():
        codes = (one.outcomes[code] for code in (1, 3, 4, 5))
        yield (
            *(name, one.hub, one.polls, one.sold, one.refused, one.whole, *codes, one.unfinished, one.repeats),
            *(one.sms, one.taken, one.unjudged, one.attempts, f"{one.score.overstated:.1%}"),
        )


def _totals(outcome: Outcome) -> dict[str, int]:
    tallies = outcome.account.tallies.values()
    failed = {one.text for one in outcome.events if isinstance(one, Arrived) and not one.accepted}
    pushed = {one.text for one in outcome.events if isinstance(one, Pushed)}
    finishes: defaultdict[tuple[str, str], list[Request]] = defaultdict(list)
    for one in outcome.events:
        if isinstance(one, Finished):
            finishes[one.partner, one.activation].append(one)
    return {
        "sold": sum(one.sold for one in tallies),
        "refused": sum(one.refused for one in tallies),
        "unfinished": sum(one.unfinished for one in tallies),
        "numbersAskedForAtOnce": _at_once(one for one in outcome.events if _asks_for_a_number(one)),
        "finishedAtOnce": sum(map(_at_once, finishes.values())),
        "smsArrived": sum(isinstance(one, Arrived) and one.accepted for one in outcome.events),
        "smsNotAccepted": len(failed),
        "smsPushedAllTheSame": len(failed & pushed),
        "smsOfActivations": sum(one.sms for one in tallies),
        "smsTaken": sum(one.taken for one in tallies),
        "smsUnjudged": sum(one.unjudged for one in tallies),
        "pushes": sum(one.attempts for one in tallies),
    }


def _asks_for_a_number(event: Event) -> bool:
    return isinstance(event, Sold | Refused) or (isinstance(event, Unanswered) and event.action is Action.NUMBER)


def _at_once(happenings: Iterable[Happening]) -> int:
    """Return how many of them were under way together with another."""
    ordered = sorted(happenings, key=lambda one: one.began)
    found = set[int]()
    longest = 0
    for place, one in enumerate(ordered[1:], start=1):
        if one.began < ordered[longest].ended:
            found |= {longest, place}
        longest = max(longest, place, key=lambda each: ordered[each].ended)
    return len(found)


def _figures(outcome: Outcome, settings: Settings) -> list[str]:
    account, totals = outcome.account, _totals(outcome)
    scripts = Counter(one.script for one in outcome.events if isinstance(one, Pushed))
    sales = (
        f"{len(account.whole)} whole sales (bought, SMS, push, success), {outcome.sales_a_second:.2f} a second for "
        f"{outcome.seconds:.0f} s; {totals['sold']} sold, {totals['refused']} refused"
    )
    came = f"SMS came by themselves: {totals['smsOfActivations']} pushed of activations, {totals['smsTaken']} of these taken"
    sms = (
        f"{totals['smsArrived']} SMS made arrive, {totals['smsOfActivations']} of them certainly an activation's, "
        f"{totals['smsTaken']} of these taken, {totals['smsUnjudged']} unjudged (ended or unsure before they could be); "
        f"{totals['smsNotAccepted']} could not be made arrive, {totals['smsPushedAllTheSame']} of them came all the same"
    )
    at_once = f"at once with another: {totals['numbersAskedForAtOnce']} GET_NUMBER, {totals['finishedAtOnce']} FINISH of one activation"
    return [
        sales,
        at_once,
        *([settings.masking.text(f"not finished: {', '.join(account.unfinished)}")] if account.unfinished else []),
        sms if settings.send else came,
        "pushes answered: " + ", ".join(f"{script} {count}" for script, count in scripts.most_common()),
        *(f"{action.value} answered in {_said(_answers(outcome, action))}" for action in Action),
        f"first push after {_said([delay for _, delay in account.firsts])}",
        f"pushes again after {_said([gap for _, gap in account.gaps])}",
        f"limits: {settings.limits}",
    ]


def _is_clean(outcome: Outcome) -> bool:
    return not outcome.account.findings and not outcome.nothing and outcome.broken_off is None


def _verdict(outcome: Outcome) -> str:
    found = {kind.value: count for kind, count in outcome.account.counted.items() if count}
    said = ["failed" if outcome.fails else "passed"]
    if outcome.broken_off is not None:
        said = [f"broken off after {outcome.broken_off:.0f} s"]
    if outcome.nothing:
        said.append(f"{outcome.nothing}: this account says nothing")
    count = sum(found.values())
    differences = f"{count} difference{'' if count == 1 else 's'} in the account"
    if found:
        told = ", ".join(f"{kind}: {count}" for kind, count in found.items())
        differences += f" ({told}), {sum(one.decides for one in outcome.account.findings)} of them decisive"
    return "; ".join([*said, differences])


def _level(finding: Finding) -> str:
    """Return how sure the rule is, and whether it decides though no document says it."""
    is_worthless = finding.decides and finding.basis.level is not Level.REQUIRED
    return f"{finding.basis.level}, decisive" if is_worthless else finding.basis.level


def _findings(outcome: Outcome, settings: Settings) -> list[Finding]:
    """Return the findings as they may be told."""
    return [replace(one, text=settings.masking.text(one.text)) for one in outcome.account.findings]


def _answers(outcome: Outcome, action: Action) -> list[float]:
    return [seconds for one in outcome.account.tallies.values() for seconds in one.answers[action]]


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        "count": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "most": round(ordered[-1], 3),
    }


def _said(values: Sequence[float]) -> str:
    spread = _spread(values)
    if not spread:
        return "- (never)"
    return (
        f"{spread['p50']:.2f} s (p50), {spread['p99']:.2f} s (p99), {spread['most']:.2f} s at most ({spread['count']})"
    )


# ---------------------------------------------------------------- the page


def _plots(outcome: Outcome) -> list[str]:
    account, events = outcome.account, outcome.events
    down = [(one.began, one.ended) for one in events if isinstance(one, Down)]
    whole = rates(account.whole, account.until)
    sold = rates([one.ended for one in events if isinstance(one, Sold)], account.until)
    answers = [(one.began, one.ended - one.began) for one in events if isinstance(one, Sold | Finished)]
    limits = sorted({3.0, 10.0}) if max((seconds for _, seconds in answers), default=0.0) > 1.0 else []
    scores = {name: round(one.score.overstated * 100, 2) for name, one in account.tallies.items()}
    return [
        plots.lines("Sales a second (shaded: a hub is down)", {"sold": sold, "whole": whole}, shaded=down),
        plots.lines("Live activations", {"live": _live(events)}, shaded=down),
        plots.lines(
            "GET_NUMBER and FINISH answered (s; dashed: 3, 10)",
            {"half of them": _buckets(answers, _median), "slowest": _buckets(answers, max)},
            limits=limits,
            shaded=down,
        ),
        plots.lines(
            "From an SMS to its first push (s)",
            {"half of them": _buckets(account.firsts, _median), "slowest": _buckets(account.firsts, max)},
            shaded=down,
        ),
        plots.histogram(
            "From the beginning of a push to that of the next for the same SMS", "s", [gap for _, gap in account.gaps]
        ),
        plots.bars("Overstated: shown, asked for and not to be had (%)", scores),
    ]


def _buckets(
    points: Iterable[tuple[float, float]], figure: Callable[[list[float]], float]
) -> list[tuple[float, float]]:
    """Return a figure for every 10 s in which there are points."""
    groups: dict[int, list[float]] = {}
    for at, value in points:
        groups.setdefault(int(at // _BUCKET), []).append(value)
    return [(place * _BUCKET, round(figure(values), 3)) for place, values in sorted(groups.items())]


def rates(times: Iterable[float], until: float) -> list[tuple[float, float]]:
    """Return for every 10 s until a time, the last ones maybe fewer, how many there are a second."""
    counts = Counter(int(at // _BUCKET) for at in times)
    return [
        (place * _BUCKET, round(counts[place] / min(_BUCKET, until - place * _BUCKET), 3))
        for place in range(ceil(until / _BUCKET))
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _live(events: Iterable[Any]) -> list[tuple[float, float]]:
    """Return how many activations were live after every change."""
    changes: list[tuple[float, int]] = []
    ended = set[tuple[str, str]]()
    for one in events:
        match one:
            case Sold():
                changes.append((one.ended, 1))
            case Finished(accepted=True) if (one.partner, one.activation) not in ended:
                ended.add((one.partner, one.activation))
                changes.append((one.ended, -1))
    live, points = 0, []
    for at, change in sorted(changes):
        live += change
        points.append((round(at, 1), float(live)))
    return points


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><tr>{"".join(f"<th>{escape(head)}</th>" for head in heads)}</tr>\n{body}</table>'

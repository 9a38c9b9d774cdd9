"""What the checks found, for a person (text, HTML) and for machines (JSON, JUnit). Keys are masked."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from xml.sax.saxutils import quoteattr

from conformance.checks.check import Outcome, Result
from conformance.exchange import Shown
from conformance.hubs import ENOUGH, Hub, Level
from conformance.masking import Masking

# What of a body is shown in text; the rest is in JSON.
_SHOWN = 2_000
_DISCLAIMER = "No hub endorses these checks, and no real hub was called: see conformance/README.md."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the checks of a hub ended. Only required ones decide, and too few of them certify nothing."""

    hub: Hub
    results: Sequence[Result]

    def count(self, level: Level, outcome: Outcome) -> int:
        return sum(result.basis.level is level and result.outcome is outcome for result in self.results)

    @property
    def required(self) -> int:
        """How many checks the hub requires, whether they were asked for or not."""
        return sum(rule.level is Level.REQUIRED for rule in self.hub.rules.values())

    @property
    def prevented(self) -> int:
        """How many required checks could not be made, though all that they need was given."""
        return sum(_is_error(result) for result in self.results)

    @property
    def word(self) -> str:
        """`passed`, `passed in part` (some of what is required was not asked for), `failed` or `not certified`."""
        passed = self.count(Level.REQUIRED, Outcome.PASSED)
        if self.count(Level.REQUIRED, Outcome.FAILED):
            return "failed"
        if passed < ENOUGH or self.prevented:
            return "not certified"
        return "passed" if passed == self.required else "passed in part"

    @property
    def why(self) -> str:
        passed, failed = (self.count(Level.REQUIRED, outcome) for outcome in (Outcome.PASSED, Outcome.FAILED))
        if failed:
            return f"{failed} of {passed + failed} required checks failed"
        if not self.holds:
            prevented = (
                f"{self.prevented} of {self.required} required checks could not be made for want of stock or SMS"
            )
            return f"{prevented}, {passed} passed" if self.prevented else "no check passed"
        if passed == self.required >= ENOUGH:
            return f"all {passed} required checks passed"
        if passed >= ENOUGH:
            return f"{passed} of {self.required} required checks passed, the others were not run"
        few = (
            f"{self.required} of its rules are required"
            if self.required < ENOUGH
            else f"{passed} required checks passed"
        )
        return f"{few}, {ENOUGH} are the fewest that certify anything"

    @property
    def holds(self) -> bool:
        """Whether any check passed, and no required one failed or was prevented."""
        return (
            not self.count(Level.REQUIRED, Outcome.FAILED)
            and not self.prevented
            and any(result.outcome is Outcome.PASSED for result in self.results)
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts on a supplier. `at` is when, as text; `masking` is of what may not be told."""

    supplier: str = field(repr=False)
    at: str
    verdicts: Sequence[Verdict]
    masking: Masking

    @property
    def url(self) -> str:
        return self.masking.text(self.supplier)

    def left(self, result: Result) -> Sequence[str]:
        """Return what is to be said of what could not be given back."""
        left = self.masking.text(", ".join(map(str, result.left)))
        return [f"Left open, could not be finished: {left}."] if left else []

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)


def line(result: Result) -> str:
    """Return a result in a line of text."""
    why = f": {result.why}" if result.why else ""
    return _printable(f"{result.outcome:7}  {result.basis.level:8}  {result.check.name}{why}")


def text(report: Report, *, lists: bool = True) -> str:
    """Return the report as text; of failures all that went over the wire. Where each result was said already, it lists none."""
    lines = [f"{report.url}, {report.at}", _DISCLAIMER]
    for verdict in report.verdicts:
        lines += ["", f"== {verdict.hub.title}: {verdict.word} ({verdict.why})"]
        lines += [line(result) for result in verdict.results if lists]
        for result in verdict.results:
            if result.outcome is Outcome.FAILED:
                lines += ["", f"-- {result.check.name}: {result.check.title}", f"   {_ground(verdict.hub, result)}"]
                lines += [f"   {result.why}", *(f"   {each}" for one in _last(result) for each in _wire(one))]
                lines += [f"   again: {result.asked.curl()}"] if result.asked else []
            lines += [f"   {result.check.name}: {left}" for left in report.left(result)]
    return _printable("\n".join(lines) + "\n")


def as_json(report: Report) -> str:
    """Return the whole report as JSON."""
    content = {
        "url": report.url,
        "at": report.at,
        "note": _DISCLAIMER,
        "holds": report.holds,
        "hubs": [
            {
                "hub": verdict.hub.name,
                "title": verdict.hub.title,
                "document": verdict.hub.document,
                "verdict": verdict.word,
                "why": verdict.why,
                "checks": [_result(report, result) for result in verdict.results],
            }
            for verdict in report.verdicts
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def junit(report: Report) -> str:
    """Return the report in JUnit's XML. What is required and could not be made is an error there; what isn't required and failed is
    skipped: it decides nothing.
    """
    suites = []
    for verdict in report.verdicts:
        cases = [_case(report, verdict.hub, result) for result in verdict.results]
        failures = verdict.count(Level.REQUIRED, Outcome.FAILED)
        skipped = sum("<skipped" in case for case in cases)
        counts = f"tests='{len(cases)}' failures='{failures}' errors='{verdict.prevented}' skipped='{skipped}'"
        suites += [f"<testsuite name={_attribute(verdict.hub.name)} {counts}>", *cases, "</testsuite>"]
    return "\n".join(["<?xml version='1.0' encoding='utf-8'?>", "<testsuites>", *suites, "</testsuites>", ""])


def html(report: Report) -> str:
    """Return the report as one page that needs nothing else."""
    parts = [f"<h1>Conformance of {_escaped(report.url)}</h1><p>{escape(report.at)}. {escape(_DISCLAIMER)}</p>"]
    for verdict in report.verdicts:
        parts.append(
            f"<h2>{escape(verdict.hub.title)}: <span class='{verdict.word.replace(' ', '-')}'>{verdict.word}</span></h2>"
            f"<p>{escape(verdict.why)}. Rules from: {escape(verdict.hub.document)}.</p>"
            "<table><tr><th>Outcome<th>Level<th>Check<th>Why"
        )
        parts += [
            f"<tr><td class='{result.outcome.replace(' ', '-')}'>{result.outcome}<td>{result.basis.level}"
            f"<td><details><summary>{escape(result.check.title)}</summary><p>{escape(result.check.name)}. "
            f"{escape(_ground(verdict.hub, result))}.</p>{_html_wire(result)}</details>"
            f"<td>{_escaped(' '.join([result.why, *report.left(result)]))}"
            for result in verdict.results
        ]
        parts.append("</table>")
    body = "\n".join(parts)
    return f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Conformance</title><style>{_STYLE}</style>{body}</html>\n"


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "report.txt": text,
    "report.json": as_json,
    "report.xml": junit,
    "report.html": html,
}

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top}pre{background:#f4f4f4;padding:.5rem;white-space:pre-wrap;overflow-wrap:anywhere}"
    "summary{cursor:pointer}.passed{color:#086a2b}.passed-in-part{color:#7a5b00}.failed{color:#b00020;font-weight:bold}"
    ".not-run,.not-certified{color:#666}"
)


def _is_error(result: Result) -> bool:
    """Whether it is required and could not be made."""
    return result.is_prevented and result.basis.level is Level.REQUIRED


def _ground(hub: Hub, result: Result) -> str:
    return f"{hub.title}, {result.basis.level}: {result.basis.clause}"


def _last(result: Result) -> Iterable[Shown]:
    """Return what a person needs first: the request that failed, and the pushes."""
    asked = [result.asked] if result.asked else []
    return [each.shown for each in (*asked, *(exchange for exchange in result.exchanges if exchange.incoming))]


def _wire(exchange: Shown) -> Sequence[str]:
    out, back = ("< push", "> ") if exchange.incoming else ("> ", "< ")
    status = f"HTTP {exchange.status}" if exchange.status is not None else f"nothing: {exchange.error}"
    took = "" if exchange.incoming else f" ({exchange.seconds:.2f} s)"
    return [
        f"{out} {exchange.method} {exchange.url}",
        *(f"{out} {name}: {value}" for name, value in exchange.headers.items()),
        *([f"{out} {exchange.body[:_SHOWN]}"] if exchange.body else []),
        f"{back} {status}{took}",
        *(f"{back} {name}: {value}" for name, value in exchange.answer_headers.items()),
        *([f"{back} {exchange.answer[:_SHOWN]}"] if exchange.answer else []),
    ]


def _html_wire(result: Result) -> str:
    wires = "\n".join(f"<pre>{_escaped(chr(10).join(_wire(exchange.shown)))}</pre>" for exchange in result.exchanges)
    again = f"<p>Again:</p><pre>{_escaped(result.asked.curl())}</pre>" if result.asked else ""
    return wires + again


def _result(report: Report, result: Result) -> Mapping[str, Any]:
    return {
        "check": result.check.name,
        "title": result.check.title,
        "level": result.basis.level,
        "clause": result.basis.clause,
        "outcome": result.outcome,
        "why": result.why,
        "curl": result.asked.curl() if result.asked else None,
        "leftOpen": [report.masking.text(str(each)) for each in result.left],
        "exchanges": [_exchange(exchange.shown) for exchange in result.exchanges],
    }


def _exchange(exchange: Shown) -> Mapping[str, Any]:
    return {
        "push": exchange.incoming,
        "method": exchange.method,
        "url": exchange.url,
        "headers": dict(exchange.headers),
        "body": exchange.body,
        "status": exchange.status,
        "answerHeaders": dict(exchange.answer_headers),
        "answer": exchange.answer,
        "seconds": round(exchange.seconds, 3),
        "error": exchange.error,
    }


def _case(report: Report, hub: Hub, result: Result) -> str:
    head = f"<testcase classname={_attribute(hub.name)} name={_attribute(result.check.name)}>"
    said = _attribute(f"{result.basis.level}: {result.why}")
    match result.outcome:
        case Outcome.PASSED:
            inside = ""
        case Outcome.FAILED if result.basis.level is Level.REQUIRED:
            wire = "\n".join(each for one in _last(result) for each in _wire(one))
            inside = f"<failure message={said}>{_escaped(wire)}</failure>"
        case Outcome.FAILED:
            inside = f"<skipped message={_attribute(f'failed, but only {result.basis.level}: {result.why}')}/>"
        case _:
            inside = f"<{'error' if _is_error(result) else 'skipped'} message={said}/>"
    left = "".join(f"<system-out>{_escaped(each)}</system-out>" for each in report.left(result))
    return f"{head}{inside}{left}</testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _escaped(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    """Return a text without what XML can't hold and a terminal would obey."""
    return "".join(each if each in "\n\t" or (each.isprintable()) else "\N{REPLACEMENT CHARACTER}" for each in text)

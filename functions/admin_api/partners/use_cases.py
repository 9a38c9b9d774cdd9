"""Partners, their keys and signing secrets: issue, list, read, change, rotate, revoke, try out (contract 5)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from admin_api.outcomes import OutcomesView, outcomes_by_partner
from admin_api.partners.push_once import push_once
from admin_api.partners.views import (
    ActivityQuery,
    FailedAttempt,
    NewPartner,
    PartnerActivity,
    PartnerChange,
    PartnerPage,
    PartnerView,
    PartnerWithKey,
    PauseReason,
    SigningSecretView,
    TestPushResult,
)
from admin_api.route import PAGE, Call, id_in
from admin_api.schema import NoFields, NoQuery, PageQuery
from admin_api.wiring import Parts
from globalconnect.domain.activation import Activation
from globalconnect.domain.errors import Conflict, InvalidInput
from globalconnect.domain.outcomes import Outcomes
from globalconnect.domain.partner import Partner, new_key, new_partner_id, new_signing_secret
from globalconnect.domain.push_attempt import AttemptOutcome
from globalconnect.domain.push_url import check_push_url
from globalconnect.domain.times import to_iso

if TYPE_CHECKING:
    from globalconnect.store.partners import PartnerUpdate

# How far back a partner's activity is looked for, in activations, how many are read at once, and what is shown of it.
_LOOKED_AT = 25
_READERS = 8
_MOST_FAILURES = 20


def issue(parts: Parts, call: Call[NoQuery, NewPartner]) -> PartnerWithKey:
    wanted = call.body
    partner_id = new_partner_id(parts.rng)
    partner = Partner(
        partner_id=partner_id,
        name=wanted.name,
        key=new_key(partner_id, parts.rng),
        push_url=_checked(parts, wanted.push_url),
        services=None if wanted.services is None else frozenset(wanted.services),
        dialect=wanted.dialect,
        max_live=wanted.max_live,
        created_at=parts.now(),
    )
    parts.partners.add(partner)
    call.log_change(changed_id=partner_id)
    # Nothing can wait for it yet.
    return PartnerWithKey.of(partner, parts.now(), None, key=partner.key)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> PartnerPage:
    page = parts.partners.page(PAGE, call.query.get("cursor"))
    now, note = parts.now(), parts.statistics.pending()
    return PartnerPage(partners=[PartnerView.of(partner, now, note) for partner in page.items], cursor=page.cursor)


def read(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    partner = parts.partners.get(_id(call.path))
    return PartnerView.of(partner, parts.now(), parts.statistics.pending())


def activity(parts: Parts, call: Call[ActivityQuery, NoFields]) -> PartnerActivity:
    """Show how pushing to a partner goes: what waits, as the sweep found it last, what failed last, and its
    outcomes.

    A look at what the partner answered is entered in the audit log first.
    """
    partner = parts.partners.get(_id(call.path))
    found = parts.activations.last_of_partner(partner.partner_id, _LOOKED_AT)
    with ThreadPoolExecutor(_READERS) as threads:
        failures = [failure for failed in threads.map(partial(_failures, parts), found) for failure in failed]
    failures.sort(key=lambda failure: failure[0], reverse=True)
    newest = [failure for _, failure in failures[:_MOST_FAILURES]]
    answers = sum(bool(failure.answer) for failure in newest)
    if call.query.get("texts") == "hidden":
        newest = [failure.model_copy(update={"answer": None}) for failure in newest]
    elif answers:
        call.log_look(parts, "partner.answers_read", partner.partner_id, answers=answers)
    note = parts.statistics.pending()
    pending = None if note is None else note.partners.get(partner.partner_id)
    return PartnerActivity(
        waiting=0 if pending is None else pending.waiting,
        oldest_pending_at=None if pending is None else to_iso(pending.oldest_at),
        measured_at=None if note is None else to_iso(note.measured_at),
        failures=newest,
        outcomes=OutcomesView.of(outcomes_by_partner(parts).get(partner.partner_id, Outcomes()), parts.outcome_limits),
    )


def _failures(parts: Parts, activation: Activation) -> list[tuple[int, FailedAttempt]]:
    """Return the failed push attempts of an activation that are kept, each with when it began (ms)."""
    attempts = parts.pushes.attempts(activation.activation_id)
    return [
        (
            attempt.started_at,
            FailedAttempt(
                at=to_iso(attempt.started_at),
                activation_id=activation.activation_id,
                sms_id=str(sms_id),
                number=attempt.number,
                outcome=attempt.outcome,
                http_status=attempt.http_status,
                duration_ms=attempt.duration_ms,
                answer=attempt.answer,
            ),
        )
        for sms_id, made in attempts.items()
        for attempt in made
        if attempt.outcome != AttemptOutcome.DELIVERED
    ]


def change(parts: Parts, call: Call[NoQuery, PartnerChange]) -> PartnerView:
    """Change what is given and nothing else, so that two people who change different things both succeed.

    Who gives the version that was read is refused when there has been another change since.
    """
    asked = call.body
    fields = [name for name in asked if name != "version"]
    if not fields:
        raise InvalidInput("body", "expected at least one of name, pushUrl, services, dialect and maxLive")
    call.log_change(fields=sorted(map(to_camel, fields)))
    changed: PartnerUpdate = {}
    if "name" in asked:
        changed["name"] = asked["name"]
    if "push_url" in asked:
        changed["push_url"] = _checked(parts, asked["push_url"])
    if "services" in asked:
        services = asked["services"]
        changed["services"] = None if services is None else frozenset(services)
    if "dialect" in asked:
        changed["dialect"] = asked["dialect"]
    if "max_live" in asked:
        changed["max_live"] = asked["max_live"]
    note = parts.statistics.pending()
    partner = parts.partners.change(_id(call.path), changed, asked.get("version"))
    return PartnerView.of(partner, parts.now(), note)


def rotate_key(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerWithKey:
    partner_id = _id(call.path)
    # Read first: once there is a new key, nothing must keep its only copy from being shown.
    note = parts.statistics.pending()
    partner = parts.partners.rotate_key(partner_id, new_key(partner_id, parts.rng))
    return PartnerWithKey.of(partner, parts.now(), note, key=partner.key)


def rotate_signing_secret(parts: Parts, call: Call[NoQuery, NoFields]) -> SigningSecretView:
    """Sign pushes with a new secret; one that did so before goes on beside it for a while."""
    partner_id = _id(call.path)
    secret = new_signing_secret(parts.rng)
    parts.partners.rotate_signing_secret(partner_id, secret, parts.now())
    return SigningSecretView(signing_secret=secret)


def remove_signing_secrets(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    """Sign no more pushes, with no secret; a second time changes nothing."""
    note = parts.statistics.pending()
    partner = parts.partners.remove_signing_secrets(_id(call.path))
    return PartnerView.of(partner, parts.now(), note)


def test_push(parts: Parts, call: Call[NoQuery, NoFields]) -> TestPushResult:
    """Push a made-up SMS to the partner once, and tell how that ended."""
    partner = parts.partners.get(_id(call.path))
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    if partner.push_url is None:
        raise Conflict("partner: has no Push URL")
    result = push_once(parts, partner, partner.push_url)
    call.log_change(outcome=result.outcome.value)
    return TestPushResult(
        delivered=result.delivered,
        outcome=result.outcome.value,
        http_status=result.http_status,
        duration_ms=result.duration_ms,
        answer=result.answer,
    )


def pause(parts: Parts, call: Call[NoQuery, PauseReason]) -> PartnerView:
    """Sell nothing to a partner until it is resumed; one that is paused already is so for another reason."""
    now, note = parts.now(), parts.statistics.pending()
    call.log_change(fields=["reason"])
    return PartnerView.of(parts.partners.pause(_id(call.path), call.body.reason, now), now, note)


def resume(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    """Sell to a partner again; a second time changes nothing."""
    note = parts.statistics.pending()
    return PartnerView.of(parts.partners.resume(_id(call.path)), parts.now(), note)


def revoke(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    """Make the key stop working for good; a second time changes nothing."""
    now, note = parts.now(), parts.statistics.pending()
    return PartnerView.of(parts.partners.revoke(_id(call.path), now), now, note)


def _id(path: Mapping[str, str]) -> str:
    return id_in(path, "partnerId", "partner")


def _checked(parts: Parts, push_url: str | None) -> str | None:
    if push_url is None:
        return None
    return check_push_url(push_url, "pushUrl", loopback=parts.push_loopback, https_only=parts.push_https_only)

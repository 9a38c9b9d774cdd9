"""Partners, their keys and signing secrets: issue, list, read, change, rotate, revoke, try out (contract 5)."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from admin_api.cursors import PAGE, Listing, has
from admin_api.models import (
    NewPartner,
    NoFields,
    NoQuery,
    PageQuery,
    PartnerChange,
    PartnerShown,
    PartnersShown,
    PartnerWithKey,
    PushTried,
    SigningSecretShown,
)
from admin_api.push_once import push_once
from admin_api.routes import Call, Route, id_in
from admin_api.wiring import Admin
from globalconnect.domain.errors import Conflict, InvalidInput
from globalconnect.domain.partner import Partner, new_key, new_partner_id, new_signing_secret
from globalconnect.domain.push_url import check_push_url
from globalconnect.domain.times import to_iso

if TYPE_CHECKING:
    from globalconnect.store.partners import Change

_LISTING = Listing("partners", partial(has, partner_id=str))


def issue(admin: Admin, call: Call[NoQuery, NewPartner]) -> PartnerWithKey:
    """Issue a key."""
    wanted = call.body
    partner_id = new_partner_id(admin.dice)
    partner = Partner(
        partner_id=partner_id,
        name=wanted.name,
        key=new_key(partner_id, admin.dice),
        push_url=_checked(admin, wanted.push_url),
        services=None if wanted.services is None else frozenset(wanted.services),
        dialect=wanted.dialect,
        created_at=admin.now(),
    )
    admin.partners.add(partner)
    call.log_change("partner.issued", partner_id)
    return _with_key(partner)


def browse(admin: Admin, call: Call[PageQuery, NoFields]) -> PartnersShown:
    """List partners."""
    found, next_key = admin.partners.page(PAGE, _LISTING.key(call.query.get("cursor")))
    return PartnersShown(partners=[_shown(partner) for partner in found], cursor=_LISTING.cursor(next_key))


def read(admin: Admin, call: Call[NoQuery, NoFields]) -> PartnerShown:
    """Read a partner."""
    return _shown(admin.partners.get(_id(call.path)))


def change(admin: Admin, call: Call[NoQuery, PartnerChange]) -> PartnerShown:
    """Change what is given and nothing else, so that two operators who change different things both succeed."""
    asked = call.body
    if not asked:
        raise InvalidInput("body", "expected at least one of name, pushUrl, services and dialect")
    changed: Change = {}
    if "name" in asked:
        changed["name"] = asked["name"]
    if "push_url" in asked:
        changed["push_url"] = _checked(admin, asked["push_url"])
    if "services" in asked:
        services = asked["services"]
        changed["services"] = None if services is None else frozenset(services)
    if "dialect" in asked:
        changed["dialect"] = asked["dialect"]
    partner = admin.partners.change(_id(call.path), changed)
    call.log_change("partner.changed", partner.partner_id)
    return _shown(partner)


def rotate_key(admin: Admin, call: Call[NoQuery, NoFields]) -> PartnerWithKey:
    """Replace the key."""
    partner_id = _id(call.path)
    partner = admin.partners.rotate_key(partner_id, new_key(partner_id, admin.dice))
    call.log_change("partner.key_rotated", partner_id)
    return _with_key(partner)


def rotate_signing_secret(admin: Admin, call: Call[NoQuery, NoFields]) -> SigningSecretShown:
    """Sign pushes with a new secret; one that did so before goes on beside it for a while."""
    partner_id = _id(call.path)
    secret = new_signing_secret(admin.dice)
    admin.partners.rotate_signing_secret(partner_id, secret, admin.now())
    call.log_change("partner.signing_secret_rotated", partner_id)
    return SigningSecretShown(signing_secret=secret)


def remove_signing_secrets(admin: Admin, call: Call[NoQuery, NoFields]) -> PartnerShown:
    """Sign no more pushes, with no secret; a second time changes nothing."""
    partner = admin.partners.remove_signing_secrets(_id(call.path))
    call.log_change("partner.signing_secrets_removed", partner.partner_id)
    return _shown(partner)


def test_push(admin: Admin, call: Call[NoQuery, NoFields]) -> PushTried:
    """Push a made-up SMS to the partner once, and tell how that ended."""
    partner = admin.partners.get(_id(call.path))
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    if partner.push_url is None:
        raise Conflict("partner: has no Push URL")
    result = push_once(admin, partner, partner.push_url)
    call.log_change("partner.push_tested", partner.partner_id)
    return PushTried(
        delivered=result.delivered,
        outcome=result.outcome.value,
        http_status=result.http_status,
        duration_ms=result.duration_ms,
        answer=result.answer,
    )


def revoke(admin: Admin, call: Call[NoQuery, NoFields]) -> PartnerShown:
    """Make the key stop working for good; a second time changes nothing."""
    partner = admin.partners.revoke(_id(call.path), admin.now())
    call.log_change("partner.revoked", partner.partner_id)
    return _shown(partner)


def _id(path: Mapping[str, str]) -> str:
    return id_in(path, "partnerId", "partner")


def _checked(admin: Admin, push_url: str | None) -> str | None:
    return None if push_url is None else check_push_url(push_url, loopback=admin.push_loopback)


def _fields(partner: Partner) -> dict[str, Any]:
    return {
        "partner_id": partner.partner_id,
        "name": partner.name,
        "push_url": partner.push_url,
        "services": None if partner.services is None else sorted(partner.services),
        "dialect": partner.dialect,
        "created_at": to_iso(partner.created_at),
        "revoked": partner.revoked_at is not None,
        "signed": partner.is_signed,
    }


def _shown(partner: Partner) -> PartnerShown:
    return PartnerShown(**_fields(partner))


def _with_key(partner: Partner) -> PartnerWithKey:
    return PartnerWithKey(**_fields(partner), key=partner.key)


ROUTES = (
    Route(
        method="POST",
        path="/admin/partners",
        use=issue,
        body=NewPartner,
        answer=PartnerWithKey,
        status=201,
        summary="Issue a key to a new partner. The key is shown in this answer only.",
    ),
    Route(
        method="GET",
        path="/admin/partners",
        use=browse,
        query=PageQuery,
        answer=PartnersShown,
        summary="List partners, in no particular order.",
    ),
    Route(
        method="GET",
        path="/admin/partners/{partnerId}",
        use=read,
        answer=PartnerShown,
        errors=(404,),
        summary="Read a partner.",
    ),
    Route(
        method="PATCH",
        path="/admin/partners/{partnerId}",
        use=change,
        body=PartnerChange,
        answer=PartnerShown,
        errors=(404, 409),
        summary="Change the fields that are given. A revoked partner can't be changed (409).",
    ),
    Route(
        method="DELETE",
        path="/admin/partners/{partnerId}",
        use=revoke,
        answer=PartnerShown,
        errors=(404,),
        summary="Revoke a partner: its key stops working within 60 s, for good. Repeating it changes nothing.",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/rotate-key",
        use=rotate_key,
        answer=PartnerWithKey,
        errors=(404, 409),
        summary="Give a partner a new key, shown in this answer only. The old one stops working within 60 s.",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/signing-secret",
        use=rotate_signing_secret,
        answer=SigningSecretShown,
        status=201,
        errors=(404, 409),
        summary="Sign the partner's pushes with a new secret, shown in this answer only. A former one goes on signing "
        "beside it for 24 hours. 409 when the partner is revoked, or was given another secret at the same moment.",
    ),
    Route(
        method="DELETE",
        path="/admin/partners/{partnerId}/signing-secret",
        use=remove_signing_secrets,
        answer=PartnerShown,
        errors=(404, 409),
        summary="Stop signing the partner's pushes, at once. Repeating it changes nothing. A revoked partner can't be "
        "changed (409).",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/test-push",
        use=test_push,
        answer=PushTried,
        errors=(404, 409),
        summary="Push a made-up SMS to the partner's Push URL: once, now, in the form of every push and signed if they "
        "are. The phone is 447700900000, which nobody has; the smsId is at most 2^32, as no real one is. Nothing is "
        "tried again or kept. 409 when the partner is revoked or has no Push URL.",
    ),
)

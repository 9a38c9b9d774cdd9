"""The routes of partners (contract 5)."""

from admin_api.partners import use_cases
from admin_api.partners.views import (
    ActivityQuery,
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
from admin_api.route import Route
from admin_api.schema import PageQuery
from globalconnect.domain.staff import Role

ROUTES = (
    Route(
        method="POST",
        path="/admin/partners",
        role=Role.ADMINISTRATOR,
        action="partner.issued",
        use=use_cases.issue,
        body=NewPartner,
        answer=PartnerWithKey,
        status=201,
        summary="Issue a key to a new partner. The key is shown in this answer only.",
    ),
    Route(
        method="GET",
        path="/admin/partners",
        role=Role.ADMINISTRATOR,
        use=use_cases.browse,
        query=PageQuery,
        answer=PartnerPage,
        summary="List partners, in no particular order.",
    ),
    Route(
        method="GET",
        path="/admin/partners/{partnerId}",
        role=Role.ADMINISTRATOR,
        use=use_cases.read,
        answer=PartnerView,
        errors=(404,),
        summary="Read a partner.",
    ),
    Route(
        method="GET",
        path="/admin/partners/{partnerId}/activity",
        role=Role.ADMINISTRATOR,
        use=use_cases.activity,
        query=ActivityQuery,
        answer=PartnerActivity,
        errors=(404,),
        summary="Show how pushing to a partner goes: how many SMS wait, as last measured (once a minute), and the newest "
        "failed push attempts (at most 20) among its last 25 activations; and its outcomes of 24 hours.",
    ),
    Route(
        method="PATCH",
        path="/admin/partners/{partnerId}",
        role=Role.ADMINISTRATOR,
        action="partner.changed",
        use=use_cases.change,
        body=PartnerChange,
        answer=PartnerView,
        errors=(404, 409),
        summary="Change the fields that are given. With a `version`, only if the partner still has it (409). A revoked "
        "partner can't be changed (409).",
    ),
    Route(
        method="DELETE",
        path="/admin/partners/{partnerId}",
        role=Role.ADMINISTRATOR,
        action="partner.revoked",
        use=use_cases.revoke,
        answer=PartnerView,
        errors=(404,),
        summary="Revoke a partner: its key stops working within 60 s, for good. Repeating it changes nothing.",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/pause",
        role=Role.ADMINISTRATOR,
        action="partner.paused",
        use=use_cases.pause,
        body=PauseReason,
        answer=PartnerView,
        errors=(404, 409),
        summary="Sell nothing to a partner: within 60 s its counts are 0 and its GET_NUMBER is NO_NUMBERS. All else goes "
        "on. One that is paused already is given the new reason. A revoked partner can't be changed (409).",
    ),
    Route(
        method="DELETE",
        path="/admin/partners/{partnerId}/pause",
        role=Role.ADMINISTRATOR,
        action="partner.resumed",
        use=use_cases.resume,
        answer=PartnerView,
        errors=(404, 409),
        summary="Sell to a paused partner again, within 60 s. Repeating it changes nothing. A revoked partner can't be "
        "changed (409).",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/rotate-key",
        role=Role.ADMINISTRATOR,
        action="partner.key_rotated",
        use=use_cases.rotate_key,
        answer=PartnerWithKey,
        errors=(404, 409),
        summary="Give a partner a new key, shown in this answer only. The old one stops working within 60 s.",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/signing-secret",
        role=Role.ADMINISTRATOR,
        action="partner.signing_secret_rotated",
        use=use_cases.rotate_signing_secret,
        answer=SigningSecretView,
        status=201,
        errors=(404, 409),
        summary="Sign the partner's pushes with a new secret, shown in this answer only. A former one goes on signing "
        "beside it for 24 hours. 409 when the partner is revoked, or was given another secret at the same moment.",
    ),
    Route(
        method="DELETE",
        path="/admin/partners/{partnerId}/signing-secret",
        role=Role.ADMINISTRATOR,
        action="partner.signing_secrets_removed",
        use=use_cases.remove_signing_secrets,
        answer=PartnerView,
        errors=(404, 409),
        summary="Stop signing the partner's pushes, at once. Repeating it changes nothing. A revoked partner can't be "
        "changed (409).",
    ),
    Route(
        method="POST",
        path="/admin/partners/{partnerId}/test-push",
        role=Role.ADMINISTRATOR,
        action="partner.push_tested",
        use=use_cases.test_push,
        answer=TestPushResult,
        errors=(404, 409),
        summary="Push a made-up SMS to the partner's Push URL: once, now, in the form of every push and signed if they "
        "are. The phone is 447700900000, which nobody has; the smsId is at most 2^32, as no real one is. Nothing is "
        "tried again or kept. 409 when the partner is revoked or has no Push URL.",
    ),
)

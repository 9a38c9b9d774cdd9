"""The routes of activations (contract 5)."""

from admin_api.activations import use_cases
from admin_api.activations.views import (
    ActivationDetails,
    ActivationDetailsQuery,
    ActivationPage,
    ActivationsQuery,
    PushDueView,
)
from admin_api.route import Route
from globalconnect.domain.staff import Role

ROUTES = (
    Route(
        method="GET",
        path="/admin/activations",
        role=Role.ADMINISTRATOR,
        use=use_cases.browse,
        query=ActivationsQuery,
        answer=ActivationPage,
        summary="List activations, newest first. With several filters, or by service or state, a page may hold fewer "
        "than there are to come, or none: only a null cursor is the end.",
    ),
    Route(
        method="GET",
        path="/admin/activations/{activationId}",
        role=Role.ADMINISTRATOR,
        use=use_cases.read,
        query=ActivationDetailsQuery,
        answer=ActivationDetails,
        shortened="messages",
        errors=(404,),
        summary="Read an activation with its messages and their push attempts (the first and the last 20 of each). That its texts, "
        "and what was answered to their pushes, were looked at is entered in the audit log, unless they are hidden; with an "
        "smsId, only those of that one are shown.",
    ),
    Route(
        method="POST",
        path="/admin/activations/{activationId}/messages/{smsId}/push",
        role=Role.ADMINISTRATOR,
        action="message.pushed_again",
        use=use_cases.push,
        answer=PushDueView,
        status=202,
        errors=(404, 409),
        summary="Push an SMS once more, also one that was delivered: now, or when the attempt under way has ended. "
        "409 when the activation is finished, or its partner is revoked or has no Push URL.",
    ),
)

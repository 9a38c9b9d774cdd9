"""The routes of import jobs (contract 5)."""

from admin_api.import_jobs import use_cases
from admin_api.import_jobs.views import ImportJobPage, ImportJobView, ImportPartView, NewImport, RejectedRowPage
from admin_api.route import Route, Upload
from admin_api.schema import PageQuery
from globalconnect.domain.staff import Role

ROUTES = (
    Route(
        method="POST",
        path="/admin/imports",
        role=Role.ADMINISTRATOR,
        action="import.started",
        use=use_cases.start,
        body=NewImport,
        answer=ImportJobView,
        status=201,
        summary="Begin an import that is sent in parts. A dry run enters nothing and tells what would be.",
    ),
    Route(
        method="GET",
        path="/admin/imports",
        role=Role.ADMINISTRATOR,
        use=use_cases.browse,
        query=PageQuery,
        answer=ImportJobPage,
        summary="List imports that were sent in parts, newest first.",
    ),
    Route(
        method="GET",
        path="/admin/imports/{importId}",
        role=Role.ADMINISTRATOR,
        use=use_cases.read,
        answer=ImportJobView,
        errors=(404,),
        summary="Read an import, and what its parts did so far.",
    ),
    Route(
        method="PUT",
        path="/admin/imports/{importId}/parts/{part}",
        role=Role.ADMINISTRATOR,
        action="import.part_sent",
        use=use_cases.take_part,
        body=Upload,
        answer=ImportPartView,
        errors=(404, 409, 413),
        summary="Send the next part of an import, with a header of its own, imported as POST /admin/numbers does. The same "
        "part again, with the same content, has no effect and the same answer; with other content, or after a gap, "
        "it is 409.",
    ),
    Route(
        method="POST",
        path="/admin/imports/{importId}/finish",
        role=Role.ADMINISTRATOR,
        action="import.finished",
        use=use_cases.finish,
        answer=ImportJobView,
        errors=(404,),
        summary="End an import: it takes no more parts. A second time changes nothing.",
    ),
    Route(
        method="GET",
        path="/admin/imports/{importId}/rejected",
        role=Role.ADMINISTRATOR,
        use=use_cases.rejected,
        query=PageQuery,
        answer=RejectedRowPage,
        errors=(404,),
        summary="List the rows of an import that were not imported, in the order of the file.",
    ),
)

"""The routes of numbers (contract 5)."""

from admin_api.numbers import use_cases
from admin_api.numbers.views import (
    ImportResult,
    NumberChange,
    NumberPage,
    NumbersChange,
    NumbersChangeResult,
    NumbersQuery,
    NumberView,
    NumberWithHistory,
)
from admin_api.route import Route, Upload
from globalconnect.domain.staff import Role

ROUTES = (
    Route(
        method="POST",
        path="/admin/numbers",
        role=Role.ADMINISTRATOR,
        action="numbers.imported",
        use=use_cases.import_numbers,
        body=Upload,
        answer=ImportResult,
        errors=(413,),
        summary="Import up to 5,000 numbers. A known number only changes its pool: its lease, history and withdrawal "
        "stay. Good rows are imported whatever is wrong with others.",
    ),
    Route(
        method="GET",
        path="/admin/numbers",
        role=Role.ADMINISTRATOR,
        use=use_cases.browse,
        query=NumbersQuery,
        answer=NumberPage,
        summary="List numbers: all of them, of a country, or of an operator in it.",
    ),
    Route(
        method="PATCH",
        path="/admin/numbers",
        role=Role.ADMINISTRATOR,
        action="numbers.changed",
        use=use_cases.change_many,
        body=NumbersChange,
        answer=NumbersChangeResult,
        summary="Withdraw up to 500 numbers from sale, or restore them. Numbers that we don't have are named, the others "
        "are changed all the same. Live activations go on to their end.",
    ),
    Route(
        method="GET",
        path="/admin/numbers/{phone}",
        role=Role.ADMINISTRATOR,
        use=use_cases.read,
        answer=NumberWithHistory,
        errors=(404,),
        summary="Read a number as it is now, with its marks and their causes, and its last activations (the newest 50) and their outcomes. "
        "GET /admin/activations?phone= lists all that are kept.",
    ),
    Route(
        method="PATCH",
        path="/admin/numbers/{phone}",
        role=Role.ADMINISTRATOR,
        action="number.changed",
        use=use_cases.change,
        body=NumberChange,
        answer=NumberView,
        errors=(404,),
        summary="Withdraw a number from sale, or restore it. A live activation goes on to its end.",
    ),
)

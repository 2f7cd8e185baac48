"""The dossier of an archived case, to be taken out and checked elsewhere."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.views.decorators.http import require_http_methods

from huying.cases.dossier import ROLES, CannotExport, dossier_bytes
from huying.cases.queries.completeness import gaps_of
from huying.cases.queries.identity import may_reveal
from huying.cases.queries.record import find_case
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show

PURPOSES = {"supervision": "督查、监察", "check": "核对、复议诉讼举证"}
"""What the requester's identity may be taken out for, by purpose of the vault."""


@require_http_methods(["GET", "POST"])
@staff
def dossier(request: DeskRequest, number: str) -> HttpResponse:
    """GET tells what there is and what is missing; POST gives the ZIP, which leaves a trace in the journal."""
    case = find_case(request.actor, number) if request.actor.role in ROLES else None
    if case is None:
        return not_found(request)
    if request.method == "POST":
        return _given(request, case)
    return _asked(request, case)


def _asked(request: DeskRequest, case: Any, problem: str = "", *, status: int = 200) -> HttpResponse:
    context = {
        "case": case, "gaps": gaps_of(case), "problem": problem,
        "purposes": PURPOSES.items() if may_reveal(case, request.actor) else (),
    }  # fmt: skip
    return show(request, "desk/dossier/page.html", context, status=status)


def _given(request: DeskRequest, case: Any) -> HttpResponse:
    purpose = request.POST.get("identity", "")
    try:
        if purpose and purpose not in PURPOSES:
            raise CannotExport("请从列表中选择用途。")
        _made, file = dossier_bytes(case, actor=request.actor, now=request.now, identity=purpose)
    except CannotExport as cannot:
        return _asked(request, case, str(cannot), status=422)
    response = FileResponse(file, as_attachment=True, filename=f"{case.number}.zip", content_type="application/zip")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response

"""The page of a case, its files, and who asked."""

from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from huying.cases import attachments
from huying.cases.queries.identity import reveal
from huying.cases.queries.record import find_case
from huying.cases.targets import find_attachment
from huying.desk.actor import DeskRequest, staff
from huying.desk.case_page import case_context
from huying.desk.page import not_found, show


@require_GET
@staff
def case(request: DeskRequest, number: str) -> HttpResponse:
    """Everything of the case that the actor may see, and what they may do with it."""
    found = find_case(request.actor, number)
    if found is None:
        return not_found(request)
    return show(request, "desk/case/page.html", case_context(request, found))


@require_POST
@staff
def identity(request: DeskRequest, number: str) -> HttpResponse:
    """Name and phone in clear, for who may; the reading is logged. A POST, for it leaves a trace."""
    found = find_case(request.actor, number)
    fields = reveal(found, request.actor, now=request.now) if found else None
    if found is None or fields is None:
        return not_found(request)
    if request.htmx:
        return render(request, "desk/case/identity.html", {"fields": fields})
    return show(request, "desk/case/page.html", case_context(request, found) | {"fields": fields})


@require_GET
@staff
def file(request: DeskRequest, number: str, key: str) -> HttpResponse:
    """One file of the case, as a download that no browser runs."""
    found = find_case(request.actor, number)
    attachment = find_attachment(found, key, request.actor) if found else None
    if attachment is None:
        return not_found(request)
    served = attachments.open_for(request.actor, attachment)
    response = FileResponse(
        served.path.open("rb"), as_attachment=True, filename=served.name, content_type=served.content_type
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response

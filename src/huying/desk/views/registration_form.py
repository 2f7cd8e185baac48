"""投诉受理登记表: the paper form of a case taken in at a desk, to be printed, signed and filed."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from huying.cases.policies import rules_of
from huying.cases.queries.identity import may_reveal, reveal
from huying.cases.queries.receiver import receiver_of
from huying.cases.queries.record import case_record, find_case
from huying.cases.queries.time_limits import facts_of
from huying.core.form_fields import printed_form
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show


@require_http_methods(["GET", "POST"])
@staff
def registration_form(request: DeskRequest, number: str) -> HttpResponse:
    """GET shows the requester as the case's page does; POST in clear, for who may, and the reading is logged."""
    case = find_case(request.actor, number)
    rule = printed_form(rules_of(case), facts_of(case)) if case else None
    if case is None or rule is None:
        return not_found(request)
    fields: dict[str, str] | None = None
    if request.method == "POST":
        fields = reveal(case, request.actor, now=request.now)
        if fields is None:
            return not_found(request)
    context: dict[str, Any] = {
        "case": case, "record": case_record(case, request.actor, now=request.now), "rule": rule, "fields": fields,
        "policy": rules_of(case), "receiver": receiver_of(case), "may_reveal": may_reveal(case, request.actor),
        "files": case.attachments.filter(action="case.submit").order_by("uploaded_at", "label"),
    }  # fmt: skip
    return show(request, "desk/registration_form/page.html", context)

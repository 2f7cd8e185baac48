"""Taking an action on a case: one view for all of them. `perform` decides; the page asks and shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huying.cases.commands import ACTIONS, perform
from huying.cases.offers import Offer
from huying.cases.policies import rules_of
from huying.cases.queries.record import find_case
from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.cases.targets import find_target
from huying.core.form_fields import asked
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.case_page import Button, about, case_context, find_button, form_of, open_form
from huying.desk.page import frame, not_found, show
from huying.policy.model import Regulation
from huying.ui.form_fields import judge_asked, judge_category
from huying.ui.forms import show_refusal, to_data


@require_http_methods(["GET", "POST"])
@staff
def do(request: DeskRequest, number: str, action_id: str) -> HttpResponse:
    """GET opens the form of an action; POST takes it. The target's id and the case's version stand in the body."""
    case, action = find_case(request.actor, number), ACTIONS.get(action_id)
    if case is None or action is None or action.on == "platform":
        return not_found(request)
    sent = request.POST if request.method == "POST" else request.GET
    target_id = _whole(sent.get("target"))
    if request.method == "GET":
        button = find_button(request, case, action_id, target_id)
        return _shown(request, case, open_form(request, case, button)) if button else not_found(request)
    target = find_target(action, case, target_id) if target_id is not None else None
    if target_id is not None and target is None:
        return not_found(request)
    rule = rules_of(case).action_rules.get(action_id)
    return _take(request, case, Offer(action, rule.label if rule else action.label, "", target, None))


def _take(request: DeskRequest, case: Any, offer: Offer) -> HttpResponse:
    data, files = to_data(offer.action.input, request.POST, request.FILES)
    lacking = _lacking(request, case, offer, data)
    if lacking:
        return _refused(request, case, offer, lacking[0], data, lacking[1:])
    outcome = perform(
        offer.action.id, actor=request.actor, now=request.now, case=case, target=offer.target, data=data,
        version=_whole(request.POST.get("version")), files=files,
    )  # fmt: skip
    if isinstance(outcome, Refused) and outcome.code == "not_found":
        return not_found(request)
    if isinstance(outcome, Refused):
        return _refused(request, case, offer, outcome, data)
    if outcome.extra.get("requester"):
        return _told(request, case, outcome.extra["requester"])
    messages.success(request, f"{case.number}：“{offer.label}”已办理。")
    return _go_on(request, case)


def _lacking(request: DeskRequest, case: Any, offer: Offer, data: Any) -> list[Refused]:
    """What the form asks for beyond the action, of whoever may take it: nobody else learns of it."""
    policy, facts = rules_of(case), facts_of(case, lead_assignment(case))
    found = judge_asked(offer.action.id, policy, facts, data, anonymous=case.anonymous)
    found += judge_category(offer.action.id, policy, data)
    if offer.action.id == "case.dispatch" and case.accepted_at is None:
        found += _unexplained(policy, facts)
    if not found:
        return []
    button = find_button(request, case, offer.action.id, offer.target_id)
    return found if button is not None and button.offer.enabled else []


def _unexplained(policy: Regulation, facts: Mapping[str, str]) -> list[Refused]:
    """Dispatching also accepts: where accepting would ask for a reason, it is given first."""
    rows = [rule for rule in asked(policy, "case.accept", facts) if rule.field == "reason"]
    reason = "这件诉求标注为原则上不受理。请先办理“受理”并写明理由，再派单。"
    return [Refused("missing:reason", reason, rule) for rule in rows]


def _told(request: DeskRequest, case: Any, fields: Any) -> HttpResponse:
    """The page with who asked, as the action gave it: shown once, kept nowhere."""
    case.refresh_from_db()
    response = show(request, "desk/case/page.html", case_context(request, case) | {"fields": fields})
    if request.htmx:
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response


def _go_on(request: DeskRequest, case: Any) -> HttpResponse:
    """To the case, or to the work lists when it has left the actor's sight."""
    still = find_case(request.actor, case.number)
    address = reverse("desk_case", args=[case.number]) if still else reverse("desk_home")
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else redirect(address)


def _refused(
    request: DeskRequest, case: Any, offer: Offer, refused: Refused, data: Any, also: Iterable[Refused] = ()
) -> HttpResponse:
    """What was typed stays. A stale case is shown as it is now, with the form still open."""
    known = find_button(request, case, offer.action.id, offer.target_id)
    button = Button(known.offer if known else offer, about(offer), stale=refused.code == "stale")
    button.form = form_of(case, offer)(request.POST, request.FILES, auto_id=f"{button.key}-%s")
    button.refused = None if show_refusal(button.form, refused, model=offer.action.input, data=data) else refused
    for one in also:
        show_refusal(button.form, one)
    return _shown(request, case, button, status=422)


def _shown(request: DeskRequest, case: Any, button: Button, *, status: int = 200) -> HttpResponse:
    """The form alone for htmx; the whole page otherwise, and when the case has changed under the reader."""
    if request.htmx and not button.stale:
        context = frame(request) | {"case": case, "button": button, "policy": rules_of(case)}
        return render(request, "desk/case/form.html", context, status=status)
    case.refresh_from_db()
    response = show(request, "desk/case/page.html", case_context(request, case, button), status=status)
    if request.htmx:
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None

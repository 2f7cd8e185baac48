"""The case as its citizen sees it, what they may do about it, and the files they sent."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from huying.base import clock
from huying.cases.attachments import open_for
from huying.cases.commands import ACTIONS, perform
from huying.cases.offers import Offer, offers
from huying.cases.policies import calendar_of, rules_of
from huying.cases.queries.explain import Explained, explain
from huying.cases.queries.record import case_record
from huying.cases.queries.rows import rows_of
from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.core.verdict import Refused
from huying.people.models import Platform
from huying.people.units import UnknownUnit, find_unit, full_name
from huying.policy.model import Regulation
from huying.policy.words import Words
from huying.portal import session
from huying.portal.next_steps import next_steps
from huying.portal.pages import page, platform_of
from huying.ui.forms import form_for, show_refusal, to_data
from huying.ui.words import application_word

STEPS = (("received", "已接收"), ("handling", "办理"), ("checking", "审核"), ("feedback", "已答复"), ("closed", "办结"))
DONE = {
    "case.supplement": "补充材料已收到，承办单位可以看到。",
    "case.urge": "催办已记录，承办单位可以看到。",
    "case.withdraw": "诉求已撤回。",
    "case.evaluate": "感谢您的评价。",
    "case.consent": "已记录，您可以随时改变。",
    "case.request_review": "申请已提交，有了决定会告诉您。",
    "case.request_re_review": "申请已提交，有了决定会告诉您。",
}
TOLD = ("progress", "refused", "redirected", "ledger", "extension_granted", "merged", "date_moved", "published")
HINTS = {
    "case.supplement": {"content": "新的情况、时间、地点或者材料说明。办理期限不变。"},
    "case.urge": {"content": "可以说明为什么着急，也可以不写。"},
    "case.withdraw": {"reason": "可以不写。"},
    "case.consent": {"agrees": "不勾选表示不同意。没有您的同意，不会向被反映的单位说明您是谁。"},
}


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """State, promised date, timeline, replies and what may be done now."""
    platform, now = platform_of(slug), clock.now()
    opened = session.opened(request, platform, now)
    if opened is None:
        return redirect("portal:follow", slug=slug)
    buttons = [one for one in offers(opened.case, opened.actor, now=now) if _is_meant(one, opened.case)]
    rating = next((one for one in buttons if one.action.id == "case.evaluate" and one.enabled), None)
    context = _context(platform, opened, now)
    context |= {
        "offers": sorted((one for one in buttons if one is not rating), key=_place),
        "may_rate": rating is not None,
        "rating": _form(rating) if rating and not context["rated"] and not opened.case.anonymous else None,
        "version": opened.case.version,
    }
    return page(request, platform, "case/case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, slug: str, action_id: str) -> HttpResponse:
    """One action on its own page: the form, and taking it."""
    platform, now = platform_of(slug), clock.now()
    opened = session.opened(request, platform, now)
    if opened is None:
        return redirect("portal:follow", slug=slug)
    offer = next((one for one in offers(opened.case, opened.actor, now=now) if one.action.id == action_id), None)
    if offer is None:
        raise Http404
    form = _form(offer)
    context: dict[str, Any] = {
        "case": opened.case, "policy": rules_of(opened.case), "offer": offer, "form": form, "refused": offer.refused,
    }  # fmt: skip
    if request.method != "POST":
        return page(request, platform, "case/act.html", context)
    data, files = to_data(ACTIONS[action_id].input, request.POST, request.FILES)
    outcome = perform(
        action_id,
        actor=opened.actor,
        now=now,
        case=opened.case,
        data=data,
        version=_version(request),
        files=files,
    )
    if not isinstance(outcome, Refused):
        messages.success(request, DONE.get(action_id, f"“{offer.label}”已完成。"))
        return redirect("portal:case", slug=slug)
    form = _form(offer, request.POST)
    context["refused"] = None if show_refusal(form, outcome) else outcome
    context["form"] = form
    return page(request, platform, "case/act.html", context, status=409 if outcome.code == "stale" else 422)


@require_safe
def download(request: HttpRequest, slug: str, label: str) -> HttpResponse:
    """A file of the case, always as a download that no browser runs. Only what the citizen's record lists."""
    platform, now = platform_of(slug), clock.now()
    opened = session.opened(request, platform, now)
    if opened is None:
        raise Http404
    record = case_record(opened.case, opened.actor, now=now)
    listed = next((one for one in record["attachments"] if one["label"] == label), None)
    if listed is None:
        raise Http404
    served = open_for(opened.actor, opened.case.attachments.get(label=label))
    response = FileResponse(
        served.path.open("rb"), as_attachment=True, filename=served.name, content_type=served.content_type
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _place(offer: Offer) -> tuple[bool, bool]:
    """What may be taken first, and withdrawing last."""
    return (not offer.enabled, offer.action.id == "case.withdraw")


def _is_meant(offer: Offer, case: Any) -> bool:
    """Whether a button makes sense here: nobody is named to a unit where no unit is complained about."""
    return offer.action.id != "case.consent" or case.subjects.exists()


def _form(offer: Offer, post: Any = None) -> Any:
    action = offer.action
    return form_for(action.input, action_id=action.id, hints=HINTS.get(action.id))(post)


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _context(platform: Platform, opened: session.Opened, now: Any) -> dict[str, Any]:
    record = case_record(opened.case, opened.actor, now=now)
    policy, years = rules_of(opened.case), calendar_of(platform).years
    steps = [one for one in STEPS if one[0] != "checking" or _is_looked_at(opened.case, policy)]
    states = [key for key, _label in steps]
    at = states.index(record["state"]) if record["state"] in states else None
    explained = _promise(opened.case)
    return {
        "case": opened.case,
        "policy": policy,
        "record": record,
        "claim": Words(policy).claim(),
        "lead": _unit_name(platform, record["lead"]),
        "co": [_unit_name(platform, path) for path in record["co"]],
        "steps": None
        if at is None
        else [(label, "done" if i < at else "now" if i == at else "") for i, (_key, label) in enumerate(steps)],
        "rated": any(one["round"] == record["round"] for one in record["evaluations"]),
        "promised": record["due"].get("handle"),
        "explained": explained,
        "days_left": _days_left(opened, record["due"].get("handle"), now),
        "next": list(next_steps(opened.case, policy)) if record["state"] == "received" else [],
        "events": [{**one, "unit_name": _unit_name(platform, one["unit"])} for one in reversed(record["events"])],
        "replies": [{**one, "unit_name": _unit_name(platform, one["unit"])} for one in record["replies"]],
        "reviews": [
            {"label": application_word(policy, one.type), "state": one.state, "opinion": one.opinion, "at": one.at,
             "decider": full_name(one.decider)}
            for one in opened.case.applications.filter(by_unit=None).select_related("decider").order_by("pk")
        ],
        "notices": [
            {**one, "provisional": _year(one["data"].get("due_on")) not in years}
            for one in record["notices"]
            if one["template"] in TOLD
        ],
    }  # fmt: skip


def _is_looked_at(case: Any, policy: Regulation) -> bool:
    """Whether somebody looks at the answer before the requester does; a case that is there already shows it."""
    rule = policy.reply_rule(facts_of(case, lead_assignment(case)))
    return rule.unit_review or rule.central_check or case.state == "checking"


def _year(day: Any) -> int:
    text = str(day or "")[:4]
    return int(text) if text.isdigit() else 0


def _days_left(opened: session.Opened, promised: str | None, now: Any) -> int | None:
    """Working days up to the promised date; None when there is none, when it has passed, or when it does not run."""
    row = rows_of([opened.case], opened.actor, now=now)[0]
    if row.due_on is None or row.due_on.isoformat() != promised or row.days_left is None or row.days_left < 0:
        return None
    return row.days_left


def _promise(case: Any) -> Explained | None:
    """How the date promised by the leading unit came about; before it signed, how its time to sign did."""
    mine = [
        one
        for one in explain(case)
        if one.limit.assignment is not None
        and one.limit.assignment.role == "lead"
        and one.limit.name in ("handle", "claim")
    ]
    handles = [one for one in mine if one.limit.name == "handle"]
    last = max(mine, key=lambda one: one.limit.assignment_id, default=None)
    same = [one for one in handles if last is not None and one.limit.assignment_id == last.limit.assignment_id]
    return same[0] if same else last


def _unit_name(platform: Platform, path: str | None) -> str:
    if not path:
        return ""
    try:
        return full_name(find_unit(platform, path))
    except UnknownUnit:
        return path

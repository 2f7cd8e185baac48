"""What the page of a case shows: the record, its limits, and a button for each action of the registry."""

from dataclasses import dataclass
from typing import Any

from django.forms import Form

from huying.base.clock import local_date
from huying.cases.dossier import ROLES as DOSSIER_ROLES
from huying.cases.offers import Offer, offers
from huying.cases.policies import rules_of
from huying.cases.queries.hops import hops_of, went_through_hands
from huying.cases.queries.identity import may_reveal
from huying.cases.queries.limits import shown_limits
from huying.cases.queries.record import case_record
from huying.cases.queries.rows import rows_of
from huying.cases.queries.same_requester import open_cases_of_requester
from huying.cases.queries.sessions import sessions_with
from huying.cases.queries.time_limits import beside_source, facts_of, lead_assignment
from huying.cases.queries.who_saw import named, who_saw
from huying.core.form_fields import printed_form
from huying.desk.actor import DeskRequest
from huying.desk.forms import FIND_A_UNIT, action_form, initial_of
from huying.desk.hints import filled_in, hints_of
from huying.policy.words import Words
from huying.ui.forms import Options
from huying.ui.words import application_word, word

USUAL = (
    "case.claim", "case.contact", "case.verify", "case.reply", "case.request_closure", "case.transfer_up",
    "case.co_feedback", "application.approve", "application.reject", "reply.approve", "reply.reject", "check.pass",
    "check.fail", "case.call_back", "panel.conclude", "case.close", "case.answer", "case.dispatch", "case.accept",
    "supervision.respond", "supervision.open", "clue.conclude", "report.instruct",
)  # fmt: skip
"""In which order a page shows what may be done: the usual next step first, the rest as the registry has it."""


@dataclass
class Button:
    """One offer on the page; `form` once it is opened, with what was typed when it was refused."""

    offer: Offer
    about: str
    form: Form | None = None
    refused: Any = None
    stale: bool = False

    @property
    def key(self) -> str:
        return f"{self.offer.action.id}-{self.offer.target_id or 0}".replace(".", "-")


def case_context(request: DeskRequest, case: Any, opened: Button | None = None) -> dict[str, Any]:
    """Everything that the page of `case` shows its reader; `opened` is a form that is open already."""
    record = case_record(case, request.actor, now=request.now)
    buttons = sorted((Button(one, about(one)) for one in offers(case, request.actor, now=request.now)), key=_usual)
    limits = list(shown_limits(case, request.actor, now=request.now))
    if opened:
        buttons = [opened if one.key == opened.key else one for one in buttons]
        if opened not in buttons:
            buttons.insert(0, opened)
    return {
        "case": case,
        "policy": rules_of(case),
        "record": record,
        "row": rows_of([case], request.actor, now=request.now)[0],
        "limits": limits,
        "hops": hops_of(case, request.actor, now=request.now) if went_through_hands(record) else None,
        "ended": sum(not one.is_running for one in limits),
        "buttons": [one for one in buttons if one.offer.enabled or one is opened],
        "greyed": [one for one in buttons if not one.offer.enabled and one is not opened],
        "may_reveal": may_reveal(case, request.actor),
        "fields": None,
        "printed": printed_form(rules_of(case), facts_of(case)),
        "takes_out": request.actor.role in DOSSIER_ROLES,
        "sessions": sessions_with(case, request.actor),
        "hints": list(hints_of(request, case, _labels(buttons))),
        "also": open_cases_of_requester(case, request.actor) if case.state == "received" else [],
        "seen": named(who_saw(case, before=request.now)) if request.actor.role == "auditor" else None,
    }


def next_steps(request: DeskRequest, case: Any) -> dict[str, Any]:
    """What a page that only confirms a case needs: what may be done at once, the hints, the requester's other cases."""
    found = [Button(one, about(one)) for one in offers(case, request.actor, now=request.now) if one.enabled]
    buttons = sorted(found, key=_usual)
    return {
        "buttons": buttons,
        "hints": list(hints_of(request, case, _labels(buttons))),
        "also": open_cases_of_requester(case, request.actor),
    }


def _labels(buttons: list[Button]) -> dict[str, str]:
    return {one.offer.action.id: one.offer.label for one in buttons if one.offer.enabled}


def find_button(request: DeskRequest, case: Any, action_id: str, target_id: int | None) -> Button | None:
    """The offer that an address or a form names, greyed or not."""
    for one in offers(case, request.actor, now=request.now):
        if one.action.id == action_id and (target_id is None or one.target_id == target_id):
            return Button(one, about(one))
    return None


def open_form(request: DeskRequest, case: Any, button: Button) -> Button:
    """Give the button its empty form."""
    offer = button.offer
    record = {
        "kind": case.kind, "category": case.category, "urgency": case.urgency, "complexity": case.complexity,
        "flags": [name for name, on in case.flags.items() if on], "supervisions": [], "clues": [],
    }  # fmt: skip
    if offer.action.id in ("supervision.open", "clue.transfer", "case.publish"):
        record = case_record(case, request.actor, now=request.now)
    initial = initial_of(offer.action.id, record, offer.target) | filled_in(request, offer.action.id)
    if offer.action.id == "case.close":
        initial["told_on"] = local_date(request.now)
    make = form_of(case, offer)
    button.form = make(initial=initial, auto_id=f"{button.key}-%s")
    return button


def form_of(case: Any, offer: Offer) -> type[Form]:
    """The form class of an offer, by the rules that the case keeps."""
    target = getattr(offer.target, "type", "") if offer.action.on == "application" else ""
    return action_form(
        offer.action.id, case.platform, policy=rules_of(case), facts=facts_of(case, lead_assignment(case)),
        more=_narrowed(case, offer), hints=hints_for(case, offer), labels=LABELS.get((offer.action.id, target)),
        leave_out=_beside(case, offer, target), needed=offer.needed,
    )  # fmt: skip


LABELS = {
    ("application.approve", "extension"): {"workdays": "同意延长的工作日数"},
    ("application.approve", "return"): {"workdays": "交办时限（工作日）"},
    ("application.approve", "transfer_up"): {"workdays": "交办时限（工作日）"},
}
"""What a field is called by the type of the application that is decided."""


def _beside(case: Any, offer: Offer, target: str) -> tuple[str, ...]:
    """Fields of an action that this case has no use for."""
    match offer.action.id:
        case "application.approve":
            moves = target in ("return", "transfer_up")
            left_out = () if moves else ("unit", "co")
            if target != "extension" or beside_source(case) is None:
                left_out += ("source_due",)
            return left_out if moves or target == "extension" else (*left_out, "workdays")
        case "application.reject" if target != "refusal":
            return ("unit",)
        case "case.reply" if case.kind != "suggestion":
            return ("adoption",)
        case "case.close" if case.anonymous:
            return ("told_by", "told_on")
        case _:
            return ()


def _narrowed(case: Any, offer: Offer) -> dict[str, Options]:
    """Choices that depend on the very case."""
    policy = rules_of(case)
    if offer.action.id == "case.dispatch" and policy.procedures:
        facts = facts_of(case)
        known = [(one.key, one.label) for one in policy.procedures if one.when.holds({**facts, "procedure": one.key})]
        return {"procedure": Options(known, "radio")}
    return {}


def hints_for(case: Any, offer: Offer) -> dict[str, str]:
    """Hints of fields that speak of this very case."""
    if offer.action.id == "case.dispatch" and (town := _handling_at(case)):
        return {"lead": f"{FIND_A_UNIT}属地办理的，填“{town}”。"}
    if offer.action.id == "case.publish":
        return {"content": "已隐去疑似个人信息，请逐字核对后再公开。"}
    if offer.action.id == "supervision.open":
        return {"cases": "还有别的工单一并督办的，每行写一个编号。"}
    policy = rules_of(case)
    if offer.action.id == "case.call_back" and policy.callback_rule(facts_of(case, lead_assignment(case))).items:
        return {"result": "已接通的，下面每一项都要问到并记录。"}
    if offer.action.id == "case.transfer_up" and policy.transfer and policy.transfer.preliminary_check_levels:
        levels = Words(policy).levels(policy.transfer.preliminary_check_levels)
        return {"preliminary_check": f"{levels}转请的必须填写。"}
    if offer.action.id == "case.request_extension":
        rule = policy.extension_rule(facts_of(case, lead_assignment(case)))
        if rule is not None and rule.progress_required:
            return {"progress": "必须填写，同意延期后会一并告知。"}
    return {}


def _handling_at(case: Any) -> str:
    """The nearest unit at or above the place that takes cases; "" where there is none or it is complained of."""
    place = case.place_unit
    while place is not None and not place.handles:
        place = place.parent
    if place is None or case.subjects.filter(unit_left__lte=place.left, unit_right__gte=place.left).exists():
        return ""
    return str(place.path)


def _usual(button: Button) -> int:
    action_id = button.offer.action.id
    return USUAL.index(action_id) if action_id in USUAL else len(USUAL)


def about(offer: Offer) -> str:
    """Which application, supervision, clue or report the button is about."""
    target: Any = offer.target
    if target is None:  # taken without saying on which one, and refused for that
        return ""
    match offer.action.on:
        case "application":
            return application_word(rules_of(target.case), target.type)
        case "supervision":
            method = rules_of(target.case).methods.get(target.method)
            return method.label if method else word(target.method, "supervision_method")
        case "report":
            return word(target.kind, "report_kind")
        case _:
            return ""

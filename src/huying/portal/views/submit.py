"""提交诉求: one page, one form, one case however often it is pressed."""

import secrets
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from huying.base import clock
from huying.cases.commands import ACTIONS
from huying.cases.commands.submission import submit_once
from huying.cases.policies import policy_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform, Unit
from huying.policy.model import Regulation
from huying.portal import session
from huying.portal.pages import page, platform_of
from huying.portal.places import LONGEST, VILLAGES, Places, in_full, places_of, search
from huying.portal.views.receipt import hand_receipt
from huying.ui.form_fields import asked_of, judge_asked
from huying.ui.forms import Options, form_for, show_refusal, to_data

CHANNEL = "portal"
KINDS = {
    "consult": "想了解政策、办事条件、流程和材料",
    "help": "遇到困难，需要政府部门帮助解决（不是紧急救助）",
    "complaint": "对服务、管理、消费等有不满，要求处理",
    "report": "检举违法违规的单位或个人",
    "suggestion": "对城市管理和公共服务提出意见、建议",
}
PHONE_REQUIRED = "承办单位在答复前会打这个电话联系您。"
SUBJECTS = 1500
"""So many units are proposed at most."""
LEFT_OUT = (
    "channel", "urgency", "mode", "external_no", "source", "due", "retaliation_over", "place", "confidential",
    "requester__address", "requester__id_number", "outside_hours", "session",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; posted, it makes the case once and leads to its receipt."""
    platform = platform_of(slug)
    policy = policy_of(platform)
    places = places_of(platform, policy, (request.POST.get("place_unit") or request.GET.get("place", "")).strip())
    if places is None:
        return _look_for_place(request, platform)
    if request.method != "POST":
        first = {"place_unit": request.GET.get("place", ""), "requester__kind": "individual"}
        form = _form_class(platform, policy, places)(initial=first)
        context = {
            "form": form, "key": secrets.token_urlsafe(32), "places": places,
            "before": session.opened(request, platform, clock.now()),
        }  # fmt: skip
        return page(request, platform, "submit/form.html", context)
    key = request.POST.get("key", "")
    data, files = to_data(ACTIONS["case.submit"].input, request.POST, request.FILES)
    before = session.opened(request, platform, clock.now())
    completed = _completed(data, request, before)
    lacking = judge_asked("case.submit", policy, {"channel": CHANNEL, "kind": str(data.get("kind", ""))}, completed)
    actor = Actor(
        id="citizen:portal", role="citizen", platform=platform,
        case_ids=frozenset({before.case.pk}) if before else frozenset(),
    )  # fmt: skip
    outcome = lacking[0] if lacking else submit_once(key, actor=actor, now=clock.now(), data=completed, files=files)
    if not isinstance(outcome, Refused):
        return hand_receipt(redirect("portal:receipt", slug=slug), platform, key)
    form = _form_class(platform, policy, places)(request.POST)
    at_field = show_refusal(form, _at_place(outcome), model=ACTIONS["case.submit"].input, data=data)
    for one in lacking[1:]:
        show_refusal(form, one)
    context = {
        "form": form,
        "places": places,
        "before": before,
        "key": key if outcome.code != "invalid:key" else secrets.token_urlsafe(32),
        "refused": None if at_field else outcome,
        "had_files": bool(request.FILES),
    }
    return page(request, platform, "submit/form.html", context, status=422)


def _look_for_place(request: HttpRequest, platform: Platform) -> HttpResponse:
    """The page before the form, where a platform has more places than a list can hold."""
    q = request.GET.get("q", "").strip()[:LONGEST]
    found = [{"path": one.path, "name": in_full(one)} for one in search(platform, q)]
    return page(request, platform, "submit/place.html", {"q": q, "found": found})


OF_OTHERS = (
    "urgency",
    "mode",
    "external_no",
    "source",
    "due",
    "retaliation_over",
    "confidential",
    "session",
    "outside_hours",
)
"""What a citizen does not say of their own accord, or not in this way."""


def _completed(data: dict[str, Any], request: HttpRequest, before: session.Opened | None) -> dict[str, Any]:
    """What the page itself knows: the channel, the place put together, and a wish for secrecy only when ticked.

    Retaliation is suffered over the very case that this browser has open.
    """
    place = " ".join(
        filter(None, (request.POST.get("place_unit", "").strip(), request.POST.get("place_text", "").strip()))
    )
    data = {name: value for name, value in data.items() if name not in OF_OTHERS}
    if before is not None and request.POST.get("retaliated"):
        data["retaliation_over"] = before.case.number
    if request.POST.get("confidential"):
        data["confidential"] = True
    return {**data, "channel": CHANNEL, "place": place}


def _at_place(refused: Refused) -> Refused:
    """The place is two fields on the page and one in the action."""
    if refused.code in ("missing:place", "invalid:place"):
        return Refused(refused.code.replace("place", "place_unit"), refused.reason, refused.rule)
    return refused


def _form_class(platform: Platform, policy: Regulation, places: Places) -> type[forms.Form]:
    kinds = [(kind.key, kind.label) for kind in policy.kinds]
    categories = [(one.label, [(child, child) for child in one.children]) for one in policy.categories]
    wanted = asked_of("case.submit", policy, {}, {})
    made = form_for(
        ACTIONS["case.submit"].input,
        action_id="case.submit",
        choices={
            "kind": Options(kinds, "radio"),
            "category": Options(categories),
            "subject_unit": Options(_subjects(platform, places), "suggest"),
        },
        labels={
            "requester__name": "您的姓名",
            "requester__phone": "联系电话",
            "requester__kind": "您代表",
            "anonymous": "匿名提交",
            "title": "一句话说明",
            "content": "详细情况",
        },
        hints={
            "title": "例如：小区门口路灯不亮已经一周。",
            "content": "请写清时间、地点、经过和您的要求。请不要在这里写姓名、电话、身份证号。",
            "subject_unit": "反映的就是某个单位时，请从列表中选择。该单位和它的下属单位看不到这件诉求，也不参与办理。",
            "requester__phone": PHONE_REQUIRED if policy.contact.required else "需要了解情况时，会打这个电话联系您。",
            "requester__email": "填写后，进展会用邮件通知您。",
            "anonymous": "不保存您的姓名和电话，办理中无法联系您；您只能凭编号和查询码查看结果。",
            "category": "不确定可以不选，由工作人员填写。",
            "requester__organisation": "以企业名义反映的填写。",
        },
        leave_out=(*LEFT_OUT, *wanted.leave_out),
        needed=wanted.needed,
    )  # fmt: skip
    always = "、".join(kind.label for kind in policy.kinds if kind.confidential)
    secret = f"{always}不勾选也默认保密。" if always else ""
    where = "所在村、社区" if places.has_villages else "所在乡镇、街道"

    class SubmitForm(made):  # type: ignore[misc, valid-type]  # the parent is made from the action's input
        place_unit = forms.Field(
            required=False, label=where, widget=forms.Select(choices=[("", "请选择"), *places.pairs])
        )
        place_text = forms.Field(
            required=False,
            label="详细地址",
            help_text="例如：路名和门牌号、小区、村组、附近的标志建筑。",
            widget=forms.TextInput({"maxlength": 150, "autocomplete": "off"}),
        )
        confidential = forms.Field(
            required=False,
            label="为我保密",
            help_text=f"姓名和电话只有受理人员能看到，承办单位看不到。{secret}",
            widget=forms.CheckboxInput(),
        )

    SubmitForm.base_fields["place_unit"].is_needed = True  # type: ignore[attr-defined]
    for name, kind, complete in (("name", "text", "name"), ("phone", "tel", "tel"), ("email", "email", "email")):
        widget = SubmitForm.base_fields[f"requester__{name}"].widget
        widget.input_type = kind
        widget.attrs["autocomplete"] = complete
    return SubmitForm


def _subjects(platform: Platform, places: Places) -> list[tuple[str, str]]:
    """The units that may be complained about: all but villages, of those the ones of the chosen place.

    Where the territory is too large for one list, the city's own and those around the chosen place.
    """
    units = Unit.objects.filter(platform=platform).exclude(path="").exclude(kind__in=("government", *VILLAGES))
    villages: list[tuple[str, str]] = []
    if places.within is not None:
        top = places.within.path.partition("/")[0]
        units = units.filter(Q(path__startswith=f"{top}/") | Q(parent__parent=None))
        villages = [(path, name) for path, name in places.pairs if path != places.within.path]
    named = list(units.order_by("left").values_list("path", "name")[:SUBJECTS])
    return [(path, "" if path.endswith(name) else name) for path, name in (*named, *villages)]


def kind_hint(policy: Regulation, kind: str) -> str:
    """What a kind of request is meant for, and whether it is kept secret."""
    rule = policy.kind_rules.get(kind)
    said = [KINDS.get(kind, ""), "身份默认保密" if rule is not None and rule.confidential else ""]
    return "，".join(one for one in said if one)

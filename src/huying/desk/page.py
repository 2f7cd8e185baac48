"""What every page of the desk shows around its own matter: roles, work lists, words."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from huying.cases.commands import ACTIONS
from huying.cases.policies import policy_of
from huying.cases.queries.assessments import reads_assessments
from huying.cases.queries.concentrations import reads_concentrations
from huying.cases.queries.indicators import OWN_UNIT, reads_figures
from huying.cases.queries.operations import reads_operations
from huying.cases.queries.progress import TRACKING
from huying.cases.queries.queues import queues_of
from huying.cases.queries.registers import READERS, reads
from huying.cases.queries.sample import SAMPLING
from huying.cases.queries.sessions import reads_sessions
from huying.cases.queries.settings import changes_settings
from huying.cases.queries.supervisions import SUPERVISING
from huying.cases.queries.surveys import reads_surveys
from huying.cases.queries.tasks import reads_material, reads_tasks
from huying.desk.actor import DeskRequest, key_of, role_label
from huying.people.actors import Actor
from huying.policy.model import Regulation

MAIN = 5
"""So many links stand open on the bar; the others are in its menu."""


@dataclass(frozen=True)
class Link:
    """A page on the bar at the top: `key` is what the page calls itself, `url` the name of its address."""

    key: str
    label: str
    url: str


def show(
    request: DeskRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page of the desk with its frame."""
    return render(request, template, frame(request) | (context or {}), status=status)


def frame(request: DeskRequest) -> dict[str, Any]:
    """The frame of a page: nothing in it is asked of the database."""
    actor, policy = request.actor, policy_of(request.actor.platform)
    links = _links(actor)
    roles = [{"key": key_of(one), "label": role_label(one), "unit": one.unit} for one in request.actors]
    return {
        "actor": actor,
        "policy": policy,
        "platform": actor.platform,
        "role_label": role_label(actor),
        "role_key": key_of(actor),
        "roles": roles,
        "queues": queues_of(actor),
        "links": links[:MAIN],
        "more_links": links[MAIN:],
        "has_tasks": reads_tasks(actor),
        "has_material": reads_material(actor),
        "claim": _claim(policy),
        "now": request.now,
    }


def _links(actor: Actor) -> list[Link]:
    """The pages that the actor may use, those used most first."""
    figures = reads_figures(actor)
    topics = figures and actor.role not in OWN_UNIT
    intake = "上报问题" if actor.role == "grid_worker" else "登记诉求"
    found = (
        (True, Link("home", "工作台", "desk_home")),
        (actor.role in ACTIONS["case.submit"].parties, Link("intake", intake, "desk_intake")),
        (actor.role in SUPERVISING, Link("supervision", "督办与线索", "desk_supervision")),
        (reads_tasks(actor), Link("tasks", "任务", "desk_tasks")),
        (reads_material(actor) and not reads_tasks(actor), Link("tasks", "任务", "desk_materials")),
        (figures, Link("figures", "统计", "desk_figures")),
        (actor.role in TRACKING, Link("progress", "每日进度", "desk_progress")),
        (topics, Link("hot_topics", "热点", "desk_hot_topics")),
        (reads_operations(actor), Link("operations", "运行", "desk_operations")),
        (reads_surveys(actor), Link("surveys", "调查", "desk_surveys")),
        (any(reads(actor, name) for name in READERS), Link("registers", "台账", "desk_registers")),
        (reads_assessments(actor), Link("assessments", "考核", "desk_assessments")),
        (actor.role in SAMPLING, Link("sample", "抽查", "desk_sample")),
        (reads_concentrations(actor) and not topics, Link("concentrations", "集中反映", "desk_concentrations")),
        (reads_sessions(actor), Link("sessions", "领导接听", "desk_sessions")),
        (changes_settings(actor), Link("settings", "平台设置", "desk_settings")),
    )
    return [link for is_shown, link in found if is_shown]


def not_found(request: DeskRequest) -> HttpResponse:
    """The same page, byte for byte, for what is not there and for what the actor may not know of."""
    return render(request, "desk/not_found.html", status=404)


def _claim(policy: Regulation) -> str:
    """What this regulation calls taking a task on; empty where it asks for no such step."""
    rule = policy.action_rules.get("case.claim")
    return rule.label if rule and policy.claim.required else ""

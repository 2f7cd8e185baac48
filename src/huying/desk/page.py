"""What every page of the desk shows around its own matter: roles, work lists, words."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from huying.cases.commands import ACTIONS
from huying.cases.policies import policy_of
from huying.cases.queries.indicators import OWN_UNIT, reads_figures
from huying.cases.queries.progress import TRACKING
from huying.cases.queries.queues import queues_of
from huying.cases.queries.registers import READERS, reads
from huying.cases.queries.sample import SAMPLING
from huying.cases.queries.supervisions import SUPERVISING
from huying.desk.actor import DeskRequest, key_of, role_label
from huying.policy.model import Regulation


def show(
    request: DeskRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page of the desk with its frame."""
    return render(request, template, frame(request) | (context or {}), status=status)


def frame(request: DeskRequest) -> dict[str, Any]:
    """The frame of a page: nothing in it is asked of the database."""
    actor, policy = request.actor, policy_of(request.actor.platform)
    roles = [{"key": key_of(one), "label": role_label(one), "unit": one.unit} for one in request.actors]
    return {
        "actor": actor,
        "policy": policy,
        "platform": actor.platform,
        "role_label": role_label(actor),
        "role_key": key_of(actor),
        "roles": roles,
        "queues": queues_of(actor),
        "takes_in": actor.role in ACTIONS["case.submit"].parties,
        "supervises": actor.role in SUPERVISING,
        "figures": reads_figures(actor),
        "topics": reads_figures(actor) and actor.role not in OWN_UNIT,
        "tracks": actor.role in TRACKING,
        "samples": actor.role in SAMPLING,
        "registers": any(reads(actor, name) for name in READERS),
        "claim": _claim(policy),
        "now": request.now,
    }


def not_found(request: DeskRequest) -> HttpResponse:
    """The same page, byte for byte, for what is not there and for what the actor may not know of."""
    return render(request, "desk/not_found.html", status=404)


def _claim(policy: Regulation) -> str:
    """What this regulation calls taking a task on; empty where it asks for no such step."""
    rule = policy.action_rules.get("case.claim")
    return rule.label if rule and policy.claim.required else ""

"""Words that only the portal needs: `{% load portal %}`."""

from django import template

from huying.policy.model import Regulation
from huying.portal.views.submit import kind_hint
from huying.ui.words import word

register = template.Library()
register.simple_tag(kind_hint, name="kind_hint")


@register.simple_tag
def citizen_event(policy: Regulation, action_id: str) -> str:
    """What happened, in the words for the citizen; where there are none, as the regulation calls the action."""
    if action_id == "case.claim":
        rule = policy.action_rules.get(action_id)
        return f"承办单位{rule.label}" if rule else word(action_id, "citizen_event")
    said = word(action_id, "citizen_event")
    rule = policy.action_rules.get(action_id)
    return rule.label if said == action_id and rule else said

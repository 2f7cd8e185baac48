"""Answers that are not the thing asked for: one shape for every refusal, with the article's own words."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Schema

from huying.cases.commands.perform import NOT_FOUND
from huying.cases.policies import policy_of
from huying.core.verdict import Refused
from huying.people.models import Platform

STATUS = {
    "not_found": 404, "too_many_tries": 429,
    "not_permitted": 403, "recusal": 403, "not_my_decision": 403,
    "stale": 409, "already_done": 409, "wrong_state": 409,
}  # fmt: skip
OTHER = 422


class RefusalOut(Schema):
    """Why something was not done. `rule` and `cite` are empty when no rule of the regulation is the reason."""

    code: str
    reason: str
    rule: str = ""
    cite: str = ""
    text: str = ""


class NotDone(Exception):
    """Raised by a route to answer with a refusal."""

    def __init__(self, refused: Refused, platform: Platform | None = None, status: int | None = None) -> None:
        super().__init__(refused.code)
        self.refused, self.platform, self.status = refused, platform, status


def refusal(refused: Refused, platform: Platform | None = None, status: int | None = None) -> HttpResponse:
    """The refusal as JSON; the status follows from its code."""
    article = policy_of(platform).article(refused.cite) if platform and refused.cite else None
    body: dict[str, Any] = {
        "code": refused.code,
        "reason": refused.reason,
        "rule": refused.rule.key if refused.rule else "",
        "cite": refused.cite,
        "text": article.text if article else "",
    }
    status = status or STATUS.get(refused.code.partition(":")[0], OTHER)
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})


def not_found() -> NotDone:
    """The same answer for what does not exist and for what the asker may not know of."""
    return NotDone(NOT_FOUND)


def on_not_done(request: HttpRequest, exc: NotDone) -> HttpResponse:
    return refusal(exc.refused, exc.platform, exc.status)

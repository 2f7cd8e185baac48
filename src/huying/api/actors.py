"""Who asks: a member of staff by session, an app by its key, a citizen by number and query code."""

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from huying.api.answers import NotDone
from huying.base import clock
from huying.base.text import is_storable
from huying.cases.commands.api_keys import actor_of_key
from huying.cases.follow import NO_MATCH, citizen_of, open_by_code
from huying.core.verdict import Refused
from huying.people.actors import Actor, actors_of
from huying.people.models import Platform
from huying.ui.second_factor import lacks_second_factor
from huying.ui.source import source_of

NOT_STAFF = ("citizen", "channel", "system")
SIGN_IN = Refused("not_signed_in", "请先登录。")
SECOND_FACTOR = Refused("not_permitted", "这个身份须先在工作台启用动态口令。")


class StaffSession(SessionAuth):
    """The desk's session cookie. Anything but GET also needs the CSRF token in the header `X-CSRFToken`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return request.user if request.user.is_authenticated and request.user.is_active else None


class ApiKeyBearer(HttpBearer):
    """`Authorization: Bearer KEY`: the key of an app or another platform."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        return actor_of_key(token)


def staff_actor(request: HttpRequest, role: str, unit: str) -> Actor:
    """The role that a member of staff acts in: the named one, or the only one they hold."""
    held = [one for one in actors_of(request.user, clock.now()) if one.role not in NOT_STAFF]
    if not held:
        raise NotDone(Refused("not_permitted", "您没有有效的岗位身份。"))
    fitting = [one for one in held if role in ("", one.role) and unit in ("", one.unit_path)]
    if not fitting:
        raise NotDone(Refused("not_permitted", "您没有这个身份，请核对 role 和 unit。"))
    if len(fitting) > 1:
        field = "unit" if role else "role"
        raise NotDone(Refused(f"missing:{field}", f"您有多个身份，请用 {field} 说明以哪一个办理。"))
    if lacks_second_factor(request.user, fitting[0]):
        raise NotDone(SECOND_FACTOR)
    return fitting[0]


def citizen_case(request: HttpRequest, platform: str, number: Any, code: Any) -> tuple[Any, Actor]:
    """The case that number and query code open, and its requester as an actor.

    The same answer for a wrong code and for a case that does not exist; tries are limited as on the pages.
    """
    where = platform_of(platform)
    if not isinstance(number, str) or not isinstance(code, str) or not is_storable(number + code):
        raise NotDone(NO_MATCH)
    case = open_by_code(where, number=number, code=code, source=source_of(request), now=clock.now())
    if isinstance(case, Refused):
        raise NotDone(case)
    return case, citizen_of(case)


def platform_of(slug: str) -> Platform:
    """The platform by its short name, or the only one."""
    if slug:
        found = Platform.objects.filter(slug=slug).first() if is_storable(slug) else None
        if found is None:
            raise NotDone(Refused("invalid:platform", "没有这个平台。"))
        return found
    platforms = list(Platform.objects.order_by("pk")[:2])
    if len(platforms) != 1:
        raise NotDone(Refused("missing:platform", "请用 platform 说明向哪个平台提交。"))
    return platforms[0]

"""Who is at the desk: the account's chosen role, looked up anew on every request: a role that ended ends at once."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.policies import policy_of
from huying.people.actors import Actor, actors_of
from huying.people.registers import note_sign_in
from huying.ui.second_factor import lacks_second_factor

CHOSEN = "desk_role"
SEEN = "desk_seen_on"
NOT_AT_THE_DESK = ("citizen", "channel", "system")


class DeskRequest(HttpRequest):
    """A request of somebody signed in, in one of their roles, at one instant."""

    actor: Actor
    actors: list[Actor]
    now: datetime


View = Callable[..., HttpResponse]


def key_of(actor: Actor) -> str:
    """How the session names a role: a role may be held in several units."""
    return f"{actor.role}@{actor.unit.pk if actor.unit else ''}"


def role_label(actor: Actor) -> str:
    """The role in the regulation's words."""
    rule = policy_of(actor.platform).role_rules.get(actor.role)
    return rule.label if rule else actor.role


def staff(view: View) -> View:
    """Only for who is signed in and holds a role now: sets `request.actor`, `request.actors` and `request.now`.

    Nobody else sees more than the sign-in page. A chosen role that has ended is never silently replaced: the request
    is not carried out, and the person is told and asked to go on in another.
    """

    @wraps(view)
    def guarded(request: DeskRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        request.now = clock.now()
        request.actors = [one for one in actors_of(request.user, request.now) if one.role not in NOT_AT_THE_DESK]
        if not request.actors:
            return _without_role(request)
        by_key = {key_of(one): one for one in request.actors}
        chosen = request.session.get(CHOSEN)
        if chosen is None:
            chosen = request.session[CHOSEN] = key_of(request.actors[0])
        if chosen not in by_key:
            return _role_ended(request)
        request.actor = by_key[chosen]
        if lacks_second_factor(request.user, request.actor):
            return _to_enrolment(request)
        _note_presence(request)
        return view(request, *args, **kwargs)

    return guarded


def _note_presence(request: DeskRequest) -> None:
    """The first page of a day counts as having signed in that day; the session says whether it was noted."""
    today = local_date(request.now).isoformat()
    if request.session.get(SEEN) != today:
        note_sign_in(request.user.pk, now=request.now)
        request.session[SEEN] = today


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": settings.LOGIN_URL})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else settings.LOGIN_REDIRECT_URL)


def _to_enrolment(request: HttpRequest) -> HttpResponse:
    messages.warning(request, "您的身份可以督办、管理或者查看诉求人信息，须先启用动态口令。")
    address = reverse("mfa_activate_totp")
    return HttpResponse(headers={"HX-Redirect": address}) if request.headers.get("HX-Request") else redirect(address)


def _without_role(request: HttpRequest) -> HttpResponse:
    logout(request)
    return render(request, "desk/sign_in/no_role.html", status=403)


def _role_ended(request: HttpRequest) -> HttpResponse:
    del request.session[CHOSEN]
    messages.warning(request, "您刚才使用的身份已经停用，已换到您的另一个身份。刚才的操作没有执行。")
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": settings.LOGIN_REDIRECT_URL})
    return redirect(settings.LOGIN_REDIRECT_URL)

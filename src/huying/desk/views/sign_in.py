"""Signing in and out, and which of one's roles one works in."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from huying.desk.actor import CHOSEN, DeskRequest, key_of, role_label, staff
from huying.people.models import Platform


class SignInForm(AuthenticationForm):
    """Name and password; the same words whatever was wrong."""

    error_messages = {
        "invalid_login": "用户名或密码不正确，请重新输入。",
        "inactive": "用户名或密码不正确，请重新输入。",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label, self.fields["password"].label = "用户名", "密码"
        for field in self.fields.values():
            field.is_needed = True  # read by ui/_field.html
        self.label_suffix = ""


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; an account with a second factor is asked for it next (allauth's stages)."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect("desk_home")
    form = SignInForm(request, request.POST or None)
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if request.method == "POST" and form.is_valid():
        own = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
        return perform_login(request, form.get_user(), redirect_url=wanted if own and wanted else None)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "next": wanted, "platforms": list(Platform.objects.order_by("name"))}
    return render(request, "desk/sign_in/page.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The session ends, and a sign-in that waits for its second factor with it."""
    logout(request)
    return redirect("desk_sign_in")


@require_POST
@staff
def change_role(request: DeskRequest) -> HttpResponse:
    """Go on in another role that the account holds."""
    for one in request.actors:
        if key_of(one) == request.POST.get("role"):
            request.session[CHOSEN] = key_of(one)
            messages.info(request, f"现在的身份：{one.unit}，{role_label(one)}。")
    return redirect("desk_home")

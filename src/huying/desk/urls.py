"""Addresses of the desk. Every one but signing in asks for a role held now (`desk.actor.staff`)."""

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.base.views import ReauthenticateView as MfaReauthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.urls import URLPattern, URLResolver, path

from huying.desk.views import (
    actions,
    case,
    dossier,
    figures,
    home,
    hot_topics,
    intake,
    progress,
    queue,
    registers,
    sample,
    search,
    sign_in,
    supervision,
    units,
)

CODE = "desk/account/code.html"

account: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.sign_in, name="desk_sign_in"),
    path("sign-in/", sign_in.sign_in, name="account_login"),
    path("sign-out/", sign_in.sign_out, name="desk_sign_out"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
    path("role/", sign_in.change_role, name="desk_role"),
    path("account/2fa/code/", AuthenticateView.as_view(template_name=CODE), name="mfa_authenticate"),
    path("account/2fa/", IndexView.as_view(template_name="desk/account/index.html"), name="mfa_index"),
    path(
        "account/2fa/totp/activate/",
        ActivateTOTPView.as_view(template_name="desk/account/totp.html"),
        name="mfa_activate_totp",
    ),
    path(
        "account/2fa/totp/deactivate/",
        DeactivateTOTPView.as_view(template_name="desk/account/totp_off.html"),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/2fa/recovery-codes/",
        ViewRecoveryCodesView.as_view(template_name="desk/account/recovery_codes.html"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/2fa/recovery-codes/generate/",
        GenerateRecoveryCodesView.as_view(template_name="desk/account/recovery_codes_new.html"),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/again/",
        ReauthenticateView.as_view(template_name="desk/account/again.html"),
        name="account_reauthenticate",
    ),
    path("account/2fa/again/", MfaReauthenticateView.as_view(template_name=CODE), name="mfa_reauthenticate"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *account,
    path("", home.home, name="desk_home"),
    path("counts/", home.counts, name="desk_counts"),
    path("notices/", home.notices_read, name="desk_notices_read"),
    path("queue/<slug:key>/", queue.queue, name="desk_queue"),
    path("figures/", figures.page, name="desk_figures"),
    path("figures/cases/", figures.cases, name="desk_figures_cases"),
    path("figures/scores/", figures.scores, name="desk_scores"),
    path("figures/circular/", figures.circular, name="desk_circular"),
    path("figures/export/<slug:what>/", figures.export, name="desk_figures_export"),
    path("hot-topics/", hot_topics.page, name="desk_hot_topics"),
    path("progress/", progress.page, name="desk_progress"),
    path("search/", search.search, name="desk_search"),
    path("supervision/", supervision.supervision, name="desk_supervision"),
    path("intake/", intake.intake, name="desk_intake"),
    path("units/", units.units, name="desk_units"),
    path("sample/", sample.sample, name="desk_sample"),
    path("sample/start/", sample.start, name="desk_sample_start"),
    path("sample/checks/", sample.checks, name="desk_checks"),
    path("sample/checks/<int:key>/", sample.check, name="desk_check"),
    path("registers/", registers.page, name="desk_registers"),
    path("registers/<str:entry_id>/", registers.enter_one, name="desk_register_entry"),
    path("case/<str:number>/", case.case, name="desk_case"),
    path("case/<str:number>/dossier/", dossier.dossier, name="desk_dossier"),
    path("case/<str:number>/identity/", case.identity, name="desk_identity"),
    path("case/<str:number>/file/<str:key>/", case.file, name="desk_file"),
    path("case/<str:number>/do/<str:action_id>/", actions.do, name="desk_do"),
]

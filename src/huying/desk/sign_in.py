"""Staff sign-in: accounts are made by an administrator, never by oneself."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from huying.ui.source import source_of


class NoSelfSignUp(DefaultAccountAdapter):
    """Nobody signs up: an account is given with its roles."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere else: behind a proxy, tries are counted by the source and not by the proxy."""
        return source_of(request) or super().get_client_ip(request)

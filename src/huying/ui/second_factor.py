"""Who must show a second factor: who supervises, inspects or administers, and who may read who asked."""

from allauth.mfa.adapter import get_adapter
from django.conf import settings

from huying.cases.policies import policy_of
from huying.people.actors import Actor
from huying.people.models import Account

ALWAYS = ("supervisor", "inspector", "unit_admin", "admin")
READS_IDENTITY = ("full", "intake")


def lacks_second_factor(account: Account, actor: Actor) -> bool:
    """Whether `account` may not work as `actor` before it has a second factor (`HUYING_REQUIRE_MFA`).

    Who has one was asked for it at sign-in, so having it is enough. Costs a question to the database only for the
    roles that need one.
    """
    if not settings.HUYING_REQUIRE_MFA or not _needs(actor):
        return False
    return not get_adapter().is_mfa_enabled(account, types=["totp", "webauthn"])


def _needs(actor: Actor) -> bool:
    rule = policy_of(actor.platform).role_rules.get(actor.role)
    return actor.role in ALWAYS or (rule is not None and rule.identity in READS_IDENTITY)

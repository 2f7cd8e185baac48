"""What a decision says: refused, by which rule, and why in the words of a public servant."""

from dataclasses import dataclass

from huying.policy.model import Rule


@dataclass(frozen=True)
class Refused:
    """An action that may not be taken. Nothing changes.

    `code` is one of the public error codes, with the field after a colon (`missing:trust`). `rule` is the rule that
    refuses, when one does; `reason` says what, why and what to do.
    """

    code: str
    reason: str
    rule: Rule | None = None

    @property
    def cite(self) -> str:
        return self.rule.cite if self.rule else ""

"""筛查: what the platform suggests at intake. Always a suggestion with its rule; a person decides."""

from dataclasses import dataclass

from huying.policy.model import Regulation, Rule


@dataclass(frozen=True)
class Suggestion:
    """What is suggested (a ground of refusal, `redirect`, `outside_area`), where to, on which words, by which rule."""

    what: str
    to: str
    words: tuple[str, ...]
    rule: Rule | None


def suggest(text: str, *, place_known: bool, policy: Regulation) -> list[Suggestion]:
    """What the operator should consider for a matter with these words: emergency lines first of all.

    `place_known`: whether the place is a unit of the platform's own territory.
    """
    found: list[Suggestion] = []
    for ground in policy.refusal_grounds:
        if words := _words_in(text, ground.words):
            found.append(Suggestion(ground.key, ground.to, words, ground))
    for redirect in policy.redirects:
        if words := _words_in(text, redirect.words):
            found.append(Suggestion("redirect", redirect.to, words, redirect))
    if not place_known:
        found.append(Suggestion("outside_area", "", (), policy.action_rules.get("case.accept")))
    return found


def _words_in(text: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word in text)

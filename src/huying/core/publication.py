"""公示公开: whether a text still tells who asked, and a first draft with what can be recognised left out.

A person redacts and decides. What stands here only finds what must never be left in: the values that the vault holds,
and whatever looks like a telephone, identity or bank card number, an e-mail address, a plate or the number of a room.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from huying.core.verdict import Refused
from huying.policy.model import Rule

SENSITIVE_FLAGS = ("sensitive", "opinion_sensitive")
"""Flags of a case that is never published."""
CRITERIA: Mapping[str, str] = {"representative": "代表性广", "guiding": "引导性强", "standard_reply": "答复规范"}
"""What a case is chosen for."""

PRIVATE: Mapping[str, str] = {
    "name": "姓名", "phone": "电话", "email": "电子邮箱", "address": "住址", "id_number": "证件号码",
    "organisation": "企业名称", "other": "个人信息",
}  # fmt: skip
GAP = r"[\s\-—–_·•.]{0,2}"
"""What people put between the groups of a number."""
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
LOOKS_LIKE: Mapping[str, re.Pattern[str]] = {
    "电子邮箱": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "证件、银行卡等号码": re.compile(
        rf"(?<![\da-z])(?:\d{{14,18}}[\dx]|\d{{6}}{GAP}\d{{8}}{GAP}\d{{3}}[\dx]|\d{{4}}(?:[\s-]\d{{4}}){{3}}[\s\d]*)(?![\da-z])",
        re.IGNORECASE,
    ),
    "手机号码": re.compile(
        rf"(?<!\d)(?:\+?86{GAP})?1(?:[3-9]\d{GAP}\d{{4}}{GAP}\d{{4}}|[3-9]\d{GAP}\d{{3}}{GAP}\d{{5}}|\s[3-9](?:\s\d){{9}})(?!\d)"
    ),
    "电话号码": re.compile(r"(?<!\d)[(]?0\d{2,3}[)]?[\s\-—–]*[2-9]\d{6,7}(?!\d)"),
    "车牌号码": re.compile(
        rf"[{PROVINCES}]\s?[A-HJ-NP-Z]{GAP}(?=[A-Z0-9]*\d)[A-HJ-NP-Z0-9]{{4,6}}[挂学警港澳]?(?![A-Z0-9])", re.IGNORECASE
    ),
    "门牌房号": re.compile(r"\d+\s*单元\s*\d+|(?<!\d)\d{3,4}\s*(?:室|户)(?!外)"),
}  # fmt: skip
"""What must not be left in a text that everybody reads, whoever it belongs to."""
NUMERALS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")
LEAST_ADDRESS = 8
"""So many characters of an address in a row, a digit among them, give it away as the whole does."""


def judge_redaction(
    texts: Mapping[str, str], private: Mapping[str, Iterable[str]], rule: Rule | None
) -> Refused | None:
    """Refuse `not_redacted` while a text holds one of the `private` values or anything that looks like one.

    `texts` by the words for them, `private` by the kind of the value. The answer names the text and the kind, never
    the value.
    """
    for label, text in texts.items():
        found = found_in(text, private)
        if found:
            reason = f"“{label}”中仍有{'、'.join(found)}，公开之前必须隐去，请改好再公开。"
            return Refused("not_redacted", reason, rule)
    return None


def found_in(text: str, private: Mapping[str, Iterable[str]]) -> list[str]:
    """The kinds of personal data that `text` still holds, in words; those of the requester first."""
    plain = unicodedata.normalize("NFKC", text)
    squeezed = _squeeze(plain)
    found = [
        f"诉求人的{PRIVATE.get(kind, PRIVATE['other'])}"
        for kind, values in private.items()
        if any(_holds(squeezed, kind, value) for value in values)
    ]
    digits = _digits(plain)
    looks = [label for label, pattern in LOOKS_LIKE.items() if pattern.search(plain) or pattern.search(digits)]
    return found + looks


def draft(text: str) -> str:
    """The text with everything that looks like personal data left out: a draft for who redacts it, no more."""
    text = unicodedata.normalize("NFKC", text) if _looks(text) else text
    for pattern in LOOKS_LIKE.values():
        text = pattern.sub("***", text)
    return text


def _looks(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text)
    return any(pattern.search(plain) for pattern in LOOKS_LIKE.values())


def _digits(text: str) -> str:
    """The text with Chinese numerals as digits where several stand together, as numbers are read out."""
    return re.sub(r"[〇零一二三四五六七八九幺]{6,}", lambda run: run[0].translate(NUMERALS), text)


def _squeeze(text: str) -> str:
    """Letters, digits and characters alone, so that blanks and hyphens hide nothing."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def _holds(squeezed: str, kind: str, value: str) -> bool:
    """Whether the squeezed text holds the value. A value of one character tells nothing."""
    wanted = _squeeze(value)
    if kind == "phone":
        wanted = wanted.removeprefix("86") if len(wanted) > 11 else wanted
    if len(wanted) < 2:
        return False
    if kind == "address" and len(wanted) > LEAST_ADDRESS:
        pieces = (wanted[start : start + LEAST_ADDRESS] for start in range(len(wanted) - LEAST_ADDRESS + 1))
        return any(piece in squeezed for piece in pieces if any(char.isdigit() for char in piece)) or wanted in squeezed
    return wanted in squeezed

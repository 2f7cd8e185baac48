"""Case numbers, query codes and masks: what may be seen, said on the phone and typed back."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from datetime import date

from huying.base.crypto import normalise_phone

RandBelow = Callable[[int], int]
"""`secrets.randbelow` or, in a replayed scenario, a seeded stand-in: 0 <= result < argument."""

_CASE_NUMBER = re.compile(r"[0-9]{17}")
_QUERY_CODE = re.compile(r"[0-9]{16}")


# ---- case number -------------------------------------------------------------------


def new_case_number(on: date, randbelow: RandBelow = secrets.randbelow) -> str:
    """Give a number such as `20260105` + `48210937` + check digit: 17 digits.

    Eight random digits say nothing about how many cases there are, so numbers can collide:
    the caller stores it under a unique constraint and takes another when it is taken.
    """
    body = f"{on:%Y%m%d}{randbelow(10**8):08d}"
    return body + check_digit(body)


def check_digit(digits: str) -> str:
    """Give the ISO 7064 MOD 11,10 check digit: finds every mistyped digit and nearly every swap."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def clean_case_number(text: str) -> str | None:
    """Read a case number as people type it; None if it cannot be one (length or check digit)."""
    digits = _only_digits(text)
    if not _CASE_NUMBER.fullmatch(digits) or check_digit(digits[:-1]) != digits[-1]:
        return None
    return digits


# ---- query code --------------------------------------------------------------------


def new_query_code(randbelow: RandBelow = secrets.randbelow) -> str:
    """Give 16 random digits as people are shown them: `1234-5678-9012-3456`."""
    return show_query_code(f"{randbelow(10**16):016d}")


def show_query_code(digits: str) -> str:
    """Write 16 digits in four groups, as they are read out on the phone."""
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def clean_query_code(text: str) -> str | None:
    """Read a query code as people type it (full-width digits, spaces, hyphens): 16 digits, or None.

    Hash and verify what this returns, never what was shown.
    """
    digits = _only_digits(text)
    return digits if _QUERY_CODE.fullmatch(digits) else None


def _only_digits(text: str) -> str:
    return re.sub(r"[\s\-\u00ad\u2010-\u2015\u2212_]+", "", unicodedata.normalize("NFKC", text[:80]))


# ---- masks -------------------------------------------------------------------------


def mask_phone(text: str) -> str:
    """Hide a phone number so that its owner would know it and nobody else: `139****0001`.

    From 11 digits on the first three and last four stay; shorter numbers keep a quarter at
    either end, and up to four digits nothing.
    """
    number = normalise_phone(text)
    if len(number) >= 11:
        return number[:3] + "*" * (len(number) - 7) + number[-4:]
    return _keep_ends(number, len(number) // 4 if len(number) > 4 else 0)


def mask_name(text: str) -> str:
    """Hide all but the first character of a name: `王**`. A name of one character is hidden whole.

    At most three stars, so that a long name is not known by its length.
    """
    name = unicodedata.normalize("NFKC", text).strip()
    if len(name) <= 1:
        return "*" * len(name)
    return name[0] + "*" * min(len(name) - 1, 3)


def mask_email(text: str) -> str:
    """Hide the part before the @ but for its first character: `w***@example.cn`."""
    name, at, host = text.strip().rpartition("@")
    return f"{name[0]}***@{host}" if at and name else "***"


def mask_id_number(text: str) -> str:
    """Hide an identity number but for its first and last character."""
    return _keep_ends(text.strip(), 1)


def mask_rest(text: str) -> str:
    """Hide a text whole, its length too."""
    return "***" if text.strip() else ""


MASKS: dict[str, Callable[[str], str]] = {
    "phone": mask_phone,
    "name": mask_name,
    "email": mask_email,
    "id_number": mask_id_number,
}


def mask(kind: str, text: str) -> str:
    """Hide a value in the way of its kind; kinds without a way of their own are hidden whole."""
    return MASKS.get(kind, mask_rest)(text)


def _keep_ends(text: str, kept: int) -> str:
    if kept == 0 or len(text) <= 2 * kept:
        return "*" * len(text)
    return text[:kept] + "*" * (len(text) - 2 * kept) + text[-kept:]

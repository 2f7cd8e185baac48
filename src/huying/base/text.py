"""Cutting Chinese text for search: one function for the index and for the query."""

import re
import unicodedata

WORD = re.compile(r"[0-9a-z]+|[㐀-鿿豈-﫿]+")


def is_storable(text: str) -> bool:
    """Whether the database can keep `text`: no NUL and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def cut(text: str) -> list[str]:
    """The search marks of `text`: each Chinese character, each pair of neighbours, each latin or digit word.

    Distinct, in order of appearance. Words are cut to 8 characters and longer ones into overlapping pieces, so that
    a part of a number is found too.
    """
    marks: dict[str, None] = {}
    for run in WORD.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0].isascii():
            marks.update(dict.fromkeys([run] if len(run) <= 8 else _pieces(run, 8)))
        else:
            marks.update(dict.fromkeys(run))
            marks.update(dict.fromkeys(_pieces(run, 2)))
    return list(marks)


def cut_query(text: str) -> list[str]:
    """The marks that a text must all have to match `text`: pairs, and single characters only where they stand alone."""
    marks: dict[str, None] = {}
    for run in WORD.findall(unicodedata.normalize("NFKC", text).lower()):
        size = 8 if run[0].isascii() else 2
        marks.update(dict.fromkeys([run] if len(run) <= size else _pieces(run, size)))
    return list(marks)


def _pieces(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(max(len(run) - size + 1, 1))]

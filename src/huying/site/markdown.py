"""Tables of Markdown, for the generated pages."""

from collections.abc import Iterable


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A table of cells that are already safe (`escape`)."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def escape(text: str) -> str:
    """Text as it may stand in a cell."""
    return text.replace("|", "\\|").replace("\n", " ")

"""What people do on a page, for all who play them."""

from __future__ import annotations

from typing import Any


def fill(form: Any, **values: Any) -> None:
    """Fill a form's fields by their names, as what they are."""
    for name, value in values.items():
        field = form.locator(f'[name="{name}"]').first
        kind = field.evaluate("one => one.tagName === 'SELECT' ? 'select' : one.type")
        if kind == "select":
            field.select_option(value)
        elif kind in ("radio", "checkbox"):
            for one in value if isinstance(value, list) else [value]:
                box = form.locator(f'[name="{name}"]' + ("" if one is True else f'[value="{one}"]'))
                box.check()
        elif kind == "file":
            field.set_input_files(value)
        else:
            field.fill(value)

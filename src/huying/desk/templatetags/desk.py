"""Names of units for templates of the desk: `{% load desk %}`."""

from django import template

from huying.people.models import Platform
from huying.people.units import UnknownUnit, find_unit

register = template.Library()


@register.filter
def unit_name(path: str | None, platform: Platform) -> str:
    """The unit at `path` as people call it, with the units above it but not the root."""
    if not path:
        return ""
    try:
        unit = find_unit(platform, path)
    except UnknownUnit:
        return path
    above, _, _ = unit.path.rpartition("/")
    return f"{unit_name(above, platform)} {unit.name}" if above else unit.name

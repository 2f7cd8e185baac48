"""Words that only the portal needs: `{% load portal %}`."""

from django import template

from huying.portal.views.submit import kind_hint

register = template.Library()
register.filter("kind_hint", kind_hint)

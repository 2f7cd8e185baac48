"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from huying.site.checks import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huying.site.settings")
application = get_wsgi_application()
refuse_unsafe_start()

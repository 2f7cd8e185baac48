"""`/api/v1/`: the JSON API, its description and a page that shows it."""

from django.urls import URLPattern, URLResolver, path

from huying.api.routes import api
from huying.api.views.docs import docs

urlpatterns: list[URLPattern | URLResolver] = [path("v1/docs", docs, name="api_docs"), path("v1/", api.urls)]

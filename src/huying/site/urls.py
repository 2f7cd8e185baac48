"""All addresses: the portal at the root, the desk, the API."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", include("huying.desk.urls")),
    path("api/", include("huying.api.urls")),
    path("", include("huying.portal.urls")),
]

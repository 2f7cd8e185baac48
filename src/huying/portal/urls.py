"""The citizens' addresses. Number and query code never stand in one."""

from django.urls import URLPattern, path

from huying.portal.views import case, compare, follow, home, published, receipt, regulation, submit

app_name = "portal"
urlpatterns: list[URLPattern] = [
    path("", home.front, name="front"),
    path("compare/", compare.compare, name="compare"),
    path("p/<slug:slug>/", home.start, name="start"),
    path("p/<slug:slug>/submit/", submit.submit, name="submit"),
    path("p/<slug:slug>/receipt/", receipt.receipt, name="receipt"),
    path("p/<slug:slug>/follow/", follow.follow, name="follow"),
    path("p/<slug:slug>/case/", case.show, name="case"),
    path("p/<slug:slug>/case/leave/", follow.leave, name="leave"),
    path("p/<slug:slug>/case/file/<str:label>", case.download, name="file"),
    path("p/<slug:slug>/case/do/<str:action_id>/", case.act, name="act"),
    path("p/<slug:slug>/regulation/", regulation.regulation, name="regulation"),
    path("p/<slug:slug>/published/", published.published, name="published"),
    path("p/<slug:slug>/published/<int:key>/", published.one, name="published_one"),
]

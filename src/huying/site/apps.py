from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "huying.site"
    label = "huying_site"

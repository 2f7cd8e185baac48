from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "huying.portal"
    label = "huying_portal"

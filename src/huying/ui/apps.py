from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "huying.ui"
    label = "huying_ui"

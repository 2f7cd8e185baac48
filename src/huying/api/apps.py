from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "huying.api"
    label = "huying_api"

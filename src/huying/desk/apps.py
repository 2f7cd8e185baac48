from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "huying.desk"
    label = "huying_desk"

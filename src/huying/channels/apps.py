from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "huying.channels"
    label = "huying_channels"

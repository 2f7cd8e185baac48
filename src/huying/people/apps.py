from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "huying.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "单位与人员"

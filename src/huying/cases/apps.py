from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "huying.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "诉求件"

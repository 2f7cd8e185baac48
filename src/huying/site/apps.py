from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "huying.site"
    label = "huying_site"

    def ready(self) -> None:
        from huying.site.checks import register_checks

        register_checks()

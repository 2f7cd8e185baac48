"""Triggers: the journal's chain and its protection against change, and the wall against accused units."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def _run(name: str) -> migrations.RunSQL:
    forwards = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    backwards = (SQL / f"{name}_down.sql").read_text(encoding="utf-8")
    return migrations.RunSQL(forwards, backwards)


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial")]
    operations = [_run("journal"), _run("recusal")]

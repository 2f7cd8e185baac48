"""The embedded PostgreSQL, for real: first start, killed, stale pid file, stop, reset, refusals."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from huying.site import embedded

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("HUYING_ENV", raising=False)
    data = tmp_path / "postgres"
    yield data
    monkeypatch.delenv("HUYING_ENV", raising=False)
    embedded.reset(data)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def server_pid(data_dir: Path) -> int:
    pid = embedded._server_pid(embedded._place(data_dir))
    assert pid is not None
    return pid


def test_first_start_makes_our_role_and_database(data_dir: Path) -> None:
    assert not embedded.is_running(data_dir)

    url = embedded.ensure_running(data_dir)

    assert embedded.is_running(data_dir)
    assert ask(url, "SELECT current_user || '@' || current_database()") == "huying@huying"
    assert ask(url, "SELECT datlocale FROM pg_database WHERE datname = 'huying'") == "C.UTF-8"
    assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
    assert embedded.ensure_running(data_dir) == url
    assert embedded.url(data_dir, "other") == url.removesuffix("huying") + "other"


def test_passwords_are_private_and_needed(data_dir: Path) -> None:
    url = embedded.ensure_running(data_dir)

    passwords = data_dir.with_name("postgres.pgpass")
    password = passwords.read_text().splitlines()[0].split(":")[4]

    assert passwords.stat().st_mode & 0o777 == 0o600
    assert embedded._place(data_dir).data.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(password, "guessed"))


def test_killed_server_starts_again_with_what_was_committed(data_dir: Path) -> None:
    url = embedded.ensure_running(data_dir)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    for _ in range(3):
        os.kill(server_pid(data_dir), signal.SIGKILL)
        url = embedded.ensure_running(data_dir)

        assert ask(url, "SELECT number FROM kept") == 7


def test_pid_file_whose_number_another_program_has_now_does_not_stop_the_start(data_dir: Path) -> None:
    embedded.ensure_running(data_dir)
    embedded.stop(data_dir)
    place = embedded._place(data_dir)
    drop = {"user": place.uid} if os.geteuid() == 0 else {}
    other = subprocess.Popen(["sleep", "60"], **drop)  # the same system user, else PostgreSQL ignores it anyhow
    try:
        lines = [other.pid, place.data, 1, 5432, "", "127.0.0.1", "1 1", "ready"]
        (place.data / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))
        assert not embedded.is_running(data_dir)

        assert ask(embedded.ensure_running(data_dir), "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stop_twice_and_keep_the_data(data_dir: Path) -> None:
    url = embedded.ensure_running(data_dir, fast=True)
    assert ask(url, "SHOW fsync") == "off"

    embedded.stop(data_dir)
    embedded.stop(data_dir)

    assert not embedded.is_running(data_dir)
    assert embedded.ensure_running(data_dir) == url


def test_production_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUYING_ENV", "production")

    with pytest.raises(embedded.EmbeddedError, match="DATABASE_URL"):
        embedded.ensure_running(data_dir)


def test_a_folder_with_other_things_is_left_alone(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "letters.txt").write_text("mine")

    with pytest.raises(embedded.EmbeddedError, match="nothing was changed"):
        embedded.ensure_running(data_dir)
    with pytest.raises(embedded.EmbeddedError, match="not deleted"):
        embedded.reset(data_dir)

    assert (data_dir / "letters.txt").read_text() == "mine"
    (data_dir / "letters.txt").unlink()

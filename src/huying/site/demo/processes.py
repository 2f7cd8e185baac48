"""The processes of the demo: started in groups of their own, watched, and all stopped at the end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

STOP_SECONDS = 10.0
MOST_RESTARTS = 3
RESTARTS_COUNT_FOR = 60.0


class Stopped(Exception):
    """Somebody asked the demo to stop (Ctrl-C, or the signal of a service manager)."""


class CannotGoOn(Exception):
    """A process that the demo needs does not stay up. The text says which and what to do."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn the signals that end a program into `Stopped`, once; more of them do not disturb the tidying up."""
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Child:
    """One process and what it is called."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    restarts: list[float] = field(default_factory=list)


class Children:
    """The processes that this demo started. Leaving the block stops them all, groups and all."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.stop()

    def start(self, name: str, command: list[str], **environment: str) -> Child:
        child = Child(name, command, environment, _spawn(command, environment))
        self.children.append(child)
        return child

    def watch(self) -> None:
        """Wait, and put back what falls over. Raises: CannotGoOn when it falls over again and again."""
        while True:
            time.sleep(0.5)
            for child in self.children:
                code = child.process.poll()
                if code is not None:
                    self._again(child, code)

    def _again(self, child: Child, code: int) -> None:
        moment = time.monotonic()
        child.restarts = [at for at in child.restarts if moment - at < RESTARTS_COUNT_FOR]
        if len(child.restarts) >= MOST_RESTARTS:
            raise CannotGoOn(f"{child.name}反复退出（代码 {code}），演示停止。请看上面的出错信息。")
        self.say(f"{child.name}意外退出（代码 {code}），正在重新启动。")
        _end_group(child.process.pid, signal.SIGKILL)  # what its group may have left behind
        child.restarts.append(moment)
        child.process = _spawn(child.command, child.environment)

    def stop(self) -> None:
        """Ask every group to end, then make it end."""
        for child in self.children:
            _end_group(child.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            _end_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
        self.children.clear()


def _spawn(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    # In a group of its own, so that Ctrl-C in the terminal comes to us alone and we stop things in order; the kernel
    # ends it if we are killed.
    setpriv = shutil.which("setpriv")
    bound = [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command
    return subprocess.Popen(
        bound, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip


def _end_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def web_command(port: int) -> list[str]:
    """The web server as in service, on this machine's own address only."""
    options = {"interface": "wsgi", "workers": 2, "blocking-threads": 2, "host": "127.0.0.1", "port": port}
    pairs = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    return [sys.executable, "-m", "granian", *pairs, "--no-access-log", "--log-level", "warning",
            "--workers-kill-timeout", "5", "huying.site.wsgi:application"]  # fmt: skip


def worker_command() -> list[str]:
    """The process that deals with what falls due."""
    return [sys.executable, "-m", "huying.site.cli", "worker"]


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that nobody holds. Raises: CannotGoOn."""
    for port in range(wanted, min(wanted + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotGoOn(f"从 {wanted} 起的 50 个端口都被占用，请用 --port 另选一个。")


def wait_until_it_answers(address: str, child: Child, *, seconds: float = 60.0) -> int:
    """The status with which the address answers. Raises: CannotGoOn when it does not, or its process ended."""
    deadline = time.monotonic() + seconds
    # No proxy of the environment stands between us and our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            with opener.open(address, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if child.process.poll() is not None:
                raise CannotGoOn(f"{child.name}没有启动成功，请看上面的出错信息。") from None
            time.sleep(0.2)
    raise CannotGoOn(f"{child.name}在 {seconds:.0f} 秒内没有应答（{address}）。")

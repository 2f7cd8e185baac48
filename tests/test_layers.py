"""The import contracts of pyproject.toml hold, and each of them really notices when it is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint_imports(clone: Path) -> subprocess.CompletedProcess[str]:
    """Run in `clone`, against the package that stands there and not the one that is installed."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src" / "huying", tmp_path / "src" / "huying", ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/broken.py", "import huying.cases", "A layer imports only from the layers below it"),
        ("portal/broken.py", "import huying.desk", "A layer imports only from the layers below it"),
        ("utils/__init__.py", "", "A layer imports only from the layers below it"),
        ("cases/access.py", "import huying.cases.commands", "Inside cases"),
        ("core/broken.py", "import django.conf", "base, policy and core know no framework"),
        ("policy/broken.py", "import psycopg", "base, policy and core know no framework"),
        ("desk/broken.py", "import huying.cases.models", "Only huying.cases touches the case records"),
    ],
)
def test_a_broken_contract_is_noticed(clone: Path, module: str, line: str, contract: str) -> None:
    broken = clone / "src" / "huying" / module
    broken.parent.mkdir(exist_ok=True)
    with broken.open("a") as file:
        file.write(f"\n{line}\n")

    result = lint_imports(clone)

    assert result.returncode != 0, result.stdout
    assert any(contract in text and "BROKEN" in text for text in result.stdout.splitlines()), result.stdout


@pytest.mark.slow
def test_the_contracts_hold(clone: Path) -> None:
    result = lint_imports(clone)

    assert result.returncode == 0, result.stdout

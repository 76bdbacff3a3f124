"""What the code may use where: Litestar in the web's modules, the clock through the kit, transactions through ``atomic``."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ("pages", "api", "webhooks", "app")
WEB_FOLDERS = ("marketplace/kit/web/", "billing/sandbox/", "marketplace/bench/", "marketplace/commands/serve.py")
CLOCKS = ("marketplace/kit/clock.py", "marketplace/doctor.py")  # the doctor compares clocks
TRANSACTIONS = ("marketplace/kit/db.py",)


@cache
def _sources() -> tuple[tuple[str, ast.Module], ...]:
    paths = [path for package in ("marketplace", "catalog", "billing") for path in (ROOT / package).rglob("*.py")]
    return tuple(
        (str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
        if "piccolo_migrations" not in path.parts
    )


def _is_web(name: str) -> bool:
    path = Path(name)
    return path.stem in WEB or "pages" in path.parts or name.startswith(WEB_FOLDERS)


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def _calls(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}


def test_litestar_stays_at_the_edge() -> None:
    guilty = [
        name for name, tree in _sources() if not _is_web(name) and any(module.split(".")[0] == "litestar" for module in _imports(tree))
    ]
    assert guilty == []


@pytest.mark.parametrize("call", ["datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"])
def test_only_the_kit_reads_the_clock(call: str) -> None:
    allowed = (*CLOCKS, "marketplace/bench/")
    guilty = [name for name, tree in _sources() if not name.startswith(allowed) and call in _calls(tree)]
    assert guilty == []


def test_only_atomic_opens_transactions() -> None:
    guilty = [name for name, tree in _sources() if name not in TRANSACTIONS and any(call.endswith(".transaction") for call in _calls(tree))]
    assert [name for name in guilty if not name.startswith("marketplace/bench/")] == []


def test_the_rules_see_what_they_forbid() -> None:
    """The control: a guilty source is found guilty."""
    tree = ast.parse("from litestar import get\nfrom datetime import datetime\nnow = datetime.now()\nDB.transaction()")
    assert "litestar" in _imports(tree)
    assert {"datetime.now", "DB.transaction"} <= _calls(tree)

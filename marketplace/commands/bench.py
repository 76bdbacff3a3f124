"""``marketplace bench``: measures what GATES.md names, in one run, and prints the figures."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from typing import Any

import click
import msgspec

# name → the module whose ``run()`` measures it and returns a Struct of figures
BENCHES = {
    "page": "marketplace.bench.page",
    "order": "marketplace.bench.order",
    "invoice": "billing.documents.bench",
    "webhook": "marketplace.bench.webhook",
    "run": "marketplace.bench.run",
}


def _there() -> list[str]:
    return [
        name for name, module in BENCHES.items() if importlib.util.find_spec(module.rpartition(".")[0]) and importlib.util.find_spec(module)
    ]


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(name: str, *, as_json: bool) -> None:
    """Measure on a database of its own, and print the figures beside the ones to reach.

    \b
    Example: marketplace bench invoice --json
    """
    there = _there()
    if name not in there:
        raise click.ClickException(f"There is no bench “{name}”: choose from {', '.join(there)}.")
    figures = asyncio.run(importlib.import_module(BENCHES[name]).run())
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    facts: dict[str, Any] = msgspec.to_builtins(figures)
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        click.echo(f"{key:<{width}}  {value}")

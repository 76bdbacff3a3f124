"""Brings the work of partners' money to the worker. What other packages ask for by name is here; the rest is in the modules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing.settlement import advance, issue, lines, papers, payees
from billing.settlement.payees import Owner
from marketplace.kit import work

__all__ = ["advance", "issue", "papers"]


@work.handler("settlement.partner_added")
async def partner_added(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Make the payee of a new partner: ``{partner, name, code, email}``."""
    owner = Owner(id=UUID(payload["partner"]), name=payload["name"], code=payload["code"], email=payload["email"])
    await payees.ensure([owner], now=now)


@work.handler("settlement.line_cancelled")
async def line_cancelled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Take back a cancelled seat: ``{charge_id, kept_cents}``, the net fee that the buyer still pays."""
    await lines.cancel(UUID(payload["charge_id"]), kept_cents=int(payload["kept_cents"]), now=now)


@work.handler("settlement.redated")
async def redated(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Move a seat's days: ``{charge_id, from_on, to_on}``."""
    days = (date.fromisoformat(payload[name]) for name in ("from_on", "to_on"))
    await lines.redate(UUID(payload["charge_id"]), from_on=next(days), to_on=next(days), now=now)

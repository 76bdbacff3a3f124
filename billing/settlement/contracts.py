"""Contracts with partners, as they are read: what ECL keeps of the price, from a day on, for one programme or for all.

Agreeing and ending them is in ``agreeing``. The most specific one that holds on the day of ordering is frozen on the line.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from billing.settlement import rules
from billing.settlement.rules import Terms
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _, fmt_number
from marketplace.kit.money import Money


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as it is kept; amounts in cents."""

    id: UUID
    payee_id: UUID
    programme: str | None
    percent: Decimal | None
    fixed_cents: int | None
    from_on: date
    until_on: date | None
    hold_days: int
    created_at: datetime

    @property
    def fixed(self) -> Money | None:
        """The fixed commission."""
        return None if self.fixed_cents is None else Money(self.fixed_cents)

    @property
    def percent_words(self) -> str:
        """The percentage as people write it; empty for a fixed amount."""
        return "" if self.percent is None else f"{fmt_number(self.percent.normalize())}%"

    @property
    def terms(self) -> Terms:
        """The commission."""
        return Terms(percent=self.percent, fixed_cents=self.fixed_cents)

    def holds(self, on: date) -> bool:
        """Tell whether it holds on a day."""
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)


_SELECT = f"SELECT {', '.join(Contract.__struct_fields__)} FROM partner_contract"  # noqa: S608 - field names


async def of(payee_id: UUID) -> list[Contract]:
    """Return a payee's contracts: the general ones first, the newest of each kind on top."""
    return await db.rows(Contract, f"{_SELECT} WHERE payee_id = $1 ORDER BY programme NULLS FIRST, from_on DESC, id", payee_id)


async def get(contract_id: UUID, *, lock: bool = False) -> Contract:
    """Return a contract; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Contract, f"{_SELECT} WHERE id = $1{' FOR UPDATE' if lock else ''}", contract_id)
    if found is None:
        raise NotFound("not_found", _("There is no such contract."))
    return found


async def for_line(payee_id: UUID, programme: str, on: date) -> Contract | None:
    """Return the contract that holds for a programme on a day, or None."""
    held = {one.id: one for one in await of(payee_id)}
    offered = [rules.Offered(id=one.id, programme=one.programme, from_on=one.from_on, until_on=one.until_on) for one in held.values()]
    best = rules.most_specific(offered, programme=programme, on=on)
    return None if best is None else held[UUID(str(best.id))]

"""Charges: what is to be billed. A charge is recorded with the business that it belongs to, and lands on one invoice line.

Its content is frozen when it is recorded: description in the debtor's language, price, VAT decision. It can only be
dropped, and only before it is invoiced; what is on an invoice is taken back by a credit note.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from billing.vat import VatDecision, line_net
from marketplace.kit import clock, db
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence


class NewCharge(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be billed. ``group_key`` says with what it shares an invoice (``order:<id>``); ``quantity`` > 0.

    ``description`` and ``detail`` are in the debtor's language. ``person_label`` is the participant's name where the
    company wants names, else a staff number, else None; whoever records the charge decides.
    """

    id: UUID
    debtor_id: UUID
    group_key: str
    description: str
    unit_price: Money
    vat: VatDecision
    supply_from_on: date
    supply_to_on: date
    detail: str = ""
    quantity: Decimal | int = 1
    order_number: str | None = None
    purchase_order: str | None = None
    cost_centre: str | None = None
    person_label: str | None = None
    ordered_by: str | None = None
    department: str | None = None
    kind: Literal["course", "cancellation_fee", "interest", "other"] = "course"


_INSERT = """
    INSERT INTO charge (id, debtor_id, group_key, position, description, detail, quantity, unit_price_cents, net_cents,
                        vat_category, vat_rate, exemption_code, exemption_text, trace, supply_from_on, supply_to_on,
                        order_number, purchase_order, cost_centre, person_label, ordered_by, department, kind, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, 'open', $24)
    ON CONFLICT (id) DO NOTHING
"""


async def record(new: Sequence[NewCharge], *, now: datetime, fresh: bool = False) -> None:
    """Record charges, in this order, in the caller's transaction. The same id again is the same charge: nothing happens.

    ``fresh`` says that this transaction made the group, so that nobody else can be invoicing it.
    Raises ``Conflict`` ``already_invoiced`` when the group has its invoice: late items need a group of their own.
    """
    async with db.joined():
        for group in () if fresh else sorted({charge.group_key for charge in new}):
            await _lock_group(group)
            if await db.value("SELECT 1 FROM charge WHERE group_key = $1 AND state = 'invoiced' LIMIT 1", group):
                raise Conflict("already_invoiced", _("The invoice for this has been issued already."))
        await db.soon_many(_INSERT, [_row(charge, position, now) for position, charge in enumerate(new)])


def _row(new: NewCharge, position: int, now: datetime) -> tuple[object, ...]:
    return (
        new.id, new.debtor_id, new.group_key, position, new.description, new.detail, Decimal(new.quantity),
        new.unit_price.cents, line_net(new.quantity, new.unit_price.cents),
        new.vat.category.value, new.vat.rate, new.vat.exemption_code, new.vat.text, msgspec.json.encode(new.vat.trace).decode(),
        new.supply_from_on, new.supply_to_on, new.order_number, new.purchase_order, new.cost_centre,
        new.person_label, new.ordered_by, new.department, new.kind, now,
    )  # fmt: skip


async def drop(charge_ids: Sequence[UUID], *, now: datetime) -> None:  # noqa: ARG001
    """Take back charges that are not on an invoice yet; dropping one twice is fine.

    Raises ``NotFound``, or ``Conflict`` ``already_invoiced`` and then drops none.
    """
    wanted = list(dict.fromkeys(charge_ids))
    async with db.atomic():
        found = await db.records("SELECT id, state FROM charge WHERE id = ANY($1) ORDER BY id FOR UPDATE", wanted)
        if len(found) < len(wanted):
            raise NotFound("not_found", _("There is no such item to bill."))
        if any(row["state"] == "invoiced" for row in found):
            raise Conflict(
                "already_invoiced",
                _("The invoice for this has been issued already."),
                next_step=_("Ask Expat Centre Leiden for a credit note."),
            )
        await db.execute("UPDATE charge SET state = 'dropped' WHERE id = ANY($1) AND state = 'open'", wanted)


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as it was recorded; ``trace`` is said by ``vat.explain``."""

    id: UUID
    debtor_id: UUID
    group_key: str
    description: str
    detail: str
    quantity: Decimal
    unit_price_cents: int
    net_cents: int
    vat_category: str
    vat_rate: Decimal
    exemption_code: str | None
    exemption_text: str | None
    trace: tuple[str, ...]
    supply_from_on: date
    supply_to_on: date
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    person_label: str | None
    ordered_by: str | None
    department: str | None
    kind: str
    ready_at: datetime | None
    billable_on: date | None
    state: str


_SELECT = f"SELECT {', '.join(Charge.__struct_fields__)} FROM charge"  # noqa: S608


async def of(charge_ids: Sequence[UUID]) -> list[Charge]:
    """Return charges by id, for pages that show what will be billed; unknown ids are left out."""
    return await db.rows(Charge, f"{_SELECT} WHERE id = ANY($1) ORDER BY created_at, position, id", list(charge_ids))


_READY = """
    UPDATE charge c SET ready_at = $2, billable_on = CASE d.billing_moment
        WHEN 'start' THEN greatest(c.supply_from_on, $3) WHEN 'delivery' THEN greatest(c.supply_to_on, $3) ELSE $3 END
    FROM debtor d WHERE d.id = c.debtor_id AND c.group_key = $1 AND c.state = 'open' AND c.ready_at IS NULL
"""


async def ready(group_key: str, *, now: datetime) -> None:
    """Say that what a group's charges are for stands: from the debtor's billing moment on they may be invoiced.

    Repeating it changes nothing; the moment is that of the day on which it is first said.
    """
    async with db.atomic():
        await _lock_group(group_key)
        await db.execute(_READY, group_key, now, clock.today(now))


async def redate(charge_id: UUID, *, from_on: date, to_on: date) -> bool:
    """Give an open charge other days of supply, because the dates moved; its billing moment follows. False when it isn't open."""
    sql = """
        UPDATE charge c SET supply_from_on = $2, supply_to_on = $3, billable_on = CASE
            WHEN c.ready_at IS NULL THEN NULL
            WHEN d.billing_moment = 'start' THEN greatest($2, (c.ready_at AT TIME ZONE 'Europe/Amsterdam')::date)
            WHEN d.billing_moment = 'delivery' THEN greatest($3, (c.ready_at AT TIME ZONE 'Europe/Amsterdam')::date)
            ELSE c.billable_on END
        FROM debtor d WHERE d.id = c.debtor_id AND c.id = $1 AND c.state = 'open'
    """
    return await db.execute(sql, charge_id, from_on, to_on) == 1


async def lock(charge_ids: Sequence[UUID]) -> list[Charge]:
    """Lock these charges by id until the transaction ends and return those that are still open, in their order."""
    wanted = list(dict.fromkeys(charge_ids))
    await db.execute("SELECT 1 FROM charge WHERE id = ANY($1) AND state = 'open' ORDER BY id FOR UPDATE", wanted)
    return await db.rows(Charge, f"{_SELECT} WHERE id = ANY($1) AND state = 'open' ORDER BY created_at, position, id", wanted)


async def lock_open(group_key: str) -> list[Charge]:
    """Return a group's open charges in their order; the group and its charges are locked until the transaction ends.

    Nothing can be added to the group meanwhile, so that no charge is left behind by its invoice.
    """
    await _lock_group(group_key)
    await db.execute("SELECT 1 FROM charge WHERE group_key = $1 AND state = 'open' ORDER BY id FOR UPDATE", group_key)
    return await db.rows(Charge, f"{_SELECT} WHERE group_key = $1 AND state = 'open' ORDER BY created_at, position, id", group_key)


async def _lock_group(group_key: str) -> None:
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('charges:' || $1, 0))", group_key)

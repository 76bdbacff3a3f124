"""Issuing: one transaction that gives the number and freezes everything, then work rows for all that follows.

Lock order: the group, its charges by id, then the counter of the series, as late as can be. After the commit each of PDF and
e-invoice, copy at Stripe and mail goes its own way; none of them can undo or repeat the invoice.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import charges, debtors, ledger, numbering, redecide, states, vat
from billing.ledger import Entry, Event
from billing.runs import holds
from billing.stripe_port import MAX_LINES
from billing.vies import checks
from marketplace.kit import audit, db, ids, work
from marketplace.kit.clock import today
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from billing.debtors import Debtor

_INVOICE = (
    "id", "kind", "series", "number", "debtor_id", "group_key", "dated_on", "due_on", "language", "currency", "seller", "buyer",
    "order_number", "purchase_order", "cost_centre", "ordered_by", "net_cents", "vat_cents", "total_cents",
    "issued_at", "state", "paid_cents", "state_at", "department", "run_id", "replaces_id",
)  # fmt: skip
_LINE = (
    "id", "invoice_id", "position", "charge_id", "description", "detail", "quantity", "unit_price_cents", "net_cents",
    "vat_category", "vat_rate", "exemption_code", "exemption_text", "trace", "supply_from_on", "supply_to_on",
    "order_number", "purchase_order", "cost_centre", "person_label", "department",
)  # fmt: skip
_VAT = ("id", "invoice_id", "vat_category", "vat_rate", "net_cents", "vat_cents", "exemption_code", "exemption_text")


@work.handler("billing.issue")
async def issue_group(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Do the work row of ``invoices.request``: the group may be billed, and is when its debtor's moment has come."""
    await charges.ready(payload["group"], now=now)
    async with db.atomic():
        due = [charge for charge in await charges.lock_open(payload["group"]) if _is_due(charge, today(now))]
        if not due or (debtor := await debtors.get(due[0].debtor_id)).rhythm != "order":
            return
        if not await holds.refuse(payload["group"], due, debtor, now=now):
            await _issue(payload["group"], due, now=now)


def _is_due(charge: charges.Charge, on: date) -> bool:
    return charge.billable_on is not None and charge.billable_on <= on


async def issue(group_key: str, *, now: datetime) -> UUID | None:
    """Issue the invoice of a group's open charges, whatever the debtor's moment, and return its id.

    Exactly once, however often it is asked. Where the debtor wants its invoices divided, or there are too many lines for
    one, it is the first of several. None when every charge was dropped before, and while it must wait for VIES.
    """
    async with db.atomic():
        found = await charges.lock_open(group_key)
        if found:
            return next(iter(await _issue(group_key, found, now=now)), None)
        existing = await db.value(
            "SELECT l.invoice_id FROM charge c JOIN invoice_line l ON l.charge_id = c.id JOIN invoice i ON i.id = l.invoice_id"
            " WHERE c.group_key = $1 ORDER BY i.number LIMIT 1",
            group_key,
        )
        return None if existing is None else UUID(str(existing))


async def issue_charges(
    charge_ids: Sequence[UUID], *, group_key: str, run_id: UUID | None = None, replaces_id: UUID | None = None, now: datetime
) -> UUID | None:
    """Issue one invoice of those of these charges that are open, for a run; None when there are none.

    ``group_key`` is the invoice's own and must be new. Raises ``ValueError`` for several debtors or too many lines, and
    ``Conflict`` ``vat_unknown`` while VIES has not answered for the buyer's VAT id.
    """
    async with db.atomic():
        found = await redecide.before_issue(await charges.lock(charge_ids), now=now)
        if not found:
            return None
        if len(found) > MAX_LINES:
            message = f"an invoice has at most {MAX_LINES} lines, not {len(found)}"
            raise ValueError(message)
        if redecide.relies_on_vat_id(found) and not (await checks.standing(found[0].debtor_id, now=now)).settled:
            raise Conflict(
                "vat_unknown", _("It is not known yet whether the buyer's VAT id is in use."), next_step=_("Ask again under VAT ids.")
            )
        return await _write(group_key, found, await _debtor_of(found), run_id=run_id, replaces_id=replaces_id, now=now)


async def _issue(group_key: str, found: Sequence[charges.Charge], *, now: datetime) -> list[UUID]:
    """Issue these charges of one group: one invoice, or one for each part of it; none while it must wait for VIES."""
    found = await redecide.before_issue(found, now=now)
    debtor = await _debtor_of(found)
    if redecide.relies_on_vat_id(found) and await checks.hold(group_key, debtor.id, now=now):
        return []
    before = int(await db.value("SELECT count(*) FROM invoice WHERE group_key = $1 OR group_key LIKE $1 || '/%'", group_key))
    keys = (group_key if at == 0 else f"{group_key}/{at + 1}" for at in itertools.count(before))
    return [await _write(key, part, debtor, now=now) for part, key in zip(parts(found, debtor.split_by), keys, strict=False)]


def parts(found: Sequence[charges.Charge], split_by: str) -> list[list[charges.Charge]]:
    """Return charges of one debtor as it wants them divided over invoices, each short enough for one. Pure."""
    divided: dict[str | None, list[charges.Charge]] = {}
    for charge in found:
        divided.setdefault(None if split_by == "none" else getattr(charge, split_by), []).append(charge)
    return [part[at : at + MAX_LINES] for part in divided.values() for at in range(0, len(part), MAX_LINES)]


async def _debtor_of(found: Sequence[charges.Charge]) -> Debtor:
    owners = {charge.debtor_id for charge in found}
    if len(owners) > 1:
        message = "the charges of one invoice have several debtors"
        raise ValueError(message)
    return await debtors.get(owners.pop())


async def _write(
    group_key: str,
    lines: Sequence[charges.Charge],
    debtor: Debtor,
    *,
    run_id: UUID | None = None,
    replaces_id: UUID | None = None,
    now: datetime,
) -> UUID:
    shares = vat.totals(lines)
    net, tax = sum(share.net_cents for share in shares), sum(share.vat_cents for share in shares)
    invoice_id = ids.new_id()
    number = await numbering.next_number(numbering.INVOICE, today(now))
    await _insert("invoice", _INVOICE, [(
        invoice_id, "invoice", number.series, number.number, debtor.id, group_key,
        number.dated_on, number.dated_on + timedelta(days=debtor.terms_days), debtor.language, "EUR", _json(settings().operator), _json(debtor),
        _shared(line.order_number for line in lines), _shared(line.purchase_order for line in lines),
        _shared(line.cost_centre for line in lines), _shared(line.ordered_by for line in lines),
        net, tax, net + tax, now, "issued", 0, now, _shared(line.department for line in lines), run_id, replaces_id,
    )])  # fmt: skip
    await _insert("invoice_line", _LINE, [_line(invoice_id, at, line, debtor.language) for at, line in enumerate(lines, 1)])
    await _insert("invoice_vat", _VAT, [
        (ids.new_id(), invoice_id, share.category.value, share.rate, share.net_cents, share.vat_cents,
         share.exemption_code, vat.note(share.category.value, share.exemption_code, debtor.language))
        for share in shares
    ])  # fmt: skip
    await db.execute("UPDATE charge SET state = 'invoiced' WHERE id = ANY($1)", [line.id for line in lines])
    entry = Entry(event=Event.INVOICE_ISSUED, source_id=invoice_id, on=number.dated_on, reference=number.number)
    await ledger.book(entry, ledger.invoice_postings(shares, debtor.id), now=now)
    data = {"number": number.number, "debtor": debtor.id, "group": group_key, "net_cents": net, "vat_cents": tax}
    await audit.record("invoice.issued", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
    await _follow(invoice_id, free=net + tax == 0, now=now)
    return invoice_id


async def _follow(invoice_id: UUID, *, free: bool, now: datetime) -> None:
    """Queue what comes after; an invoice of nothing is paid at once and never goes to Stripe."""
    names = {"invoice": str(invoice_id)}
    await work.enqueue("billing.render", names, run_at=now, dedupe_key=f"billing.render:{invoice_id}")
    if free:
        await states.settle(invoice_id, now=now)
        return
    await work.enqueue("billing.stripe_mirror", names, run_at=now, dedupe_key=f"billing.stripe_mirror:{invoice_id}")


def _line(invoice_id: UUID, position: int, charge: charges.Charge, language: str) -> tuple[object, ...]:
    return (
        ids.new_id(), invoice_id, position, charge.id, charge.description, charge.detail, charge.quantity, charge.unit_price_cents,
        charge.net_cents, charge.vat_category, charge.vat_rate, charge.exemption_code,
        vat.note(charge.vat_category, charge.exemption_code, language),
        _json(charge.trace), charge.supply_from_on, charge.supply_to_on, charge.order_number, charge.purchase_order,
        charge.cost_centre, charge.person_label, charge.department,
    )  # fmt: skip


def _shared(values: Iterable[str | None]) -> str | None:
    """Return the one value that all lines carry, or None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _insert(table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
    await db.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608

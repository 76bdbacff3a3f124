"""The money of a cancelled line: not billed at all, a fee billed by itself, or a credit note on what was billed.

A fee that is billed separately has the VAT of the course that it is for, unless the rules say otherwise (RULES §6).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from billing import charges, credit_lines, debtors, invoices, seller, states, vat
from billing.changes import corrections
from billing.charges import NewCharge
from billing.credits import Credit, credit
from billing.vat import VatBasis, VatCategory, VatDecision
from marketplace.kit import clock, db, ids, work
from marketplace.kit.i18n import _, fmt_date, fmt_money, use_locale
from marketplace.orders.pricing import fee_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from billing.charges import Charge
    from billing.credit_lines import Billed
    from marketplace.kit.identity import Actor
    from marketplace.kit.money import Money
    from marketplace.orders.cancel import Line


async def take_back(lines: Sequence[tuple[Line, Money]], *, reason: str | None, actor: Actor, now: datetime) -> None:
    """Take back what these lines were or would be billed for, each but for its fee, and tell the settlement what is kept."""
    standing, still_open, billed = await _where([line for line, _fee in lines])
    to_credit: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for line, fee in lines:
        charge_id, kept = standing[line.id], fee.cents
        if charge_id in still_open:
            await charges.drop([charge_id], now=now)
            if fee:
                await _bill_fee(line, still_open[charge_id], fee, now=now)
        elif charge_id in billed:
            one = billed[charge_id]
            kept = min(fee.cents, one.left_cents)
            if one.left_cents > kept:
                to_credit[one.invoice_id].append((one.line_id, one.left_cents - kept))
        await _tell_settlement(line, kept, now=now)
    for invoice_id in sorted(to_credit):
        await _credit(invoice_id, to_credit[invoice_id], reason=reason, key=f"cancel:{lines[0][0].id}:{invoice_id}", actor=actor, now=now)


async def _where(lines: Sequence[Line]) -> tuple[dict[UUID, UUID], dict[UUID, Charge], dict[UUID, Billed]]:
    """Return each line's charge as it stands today, those that are open (locked), and where the others were billed (locked).

    An invoice that was corrected just now sends us on to the new one: we look again once we hold the old one's row.
    """
    while True:
        standing = {line.id: await corrections.current(line.charge_id) for line in lines}
        still_open = {charge.id: charge for charge in await charges.lock(list(standing.values()))}
        for invoice_id in sorted({each.invoice_id for each in await credit_lines.of_charges(list(standing.values()))}):
            await states.standing(invoice_id, lock=True)
        if standing == {line.id: await corrections.current(line.charge_id) for line in lines}:
            billed = {each.charge_id: each for each in await credit_lines.of_charges(list(standing.values()))}
            return standing, still_open, billed


async def _credit(
    invoice_id: UUID, parts: Sequence[tuple[UUID, int]], *, reason: str | None, key: str, actor: Actor, now: datetime
) -> None:
    with use_locale(await credit_lines.language_of(invoice_id)):
        said = _("Cancelled on {date}", date=fmt_date(clock.today(now), "long")) + (f": {reason}" if reason else "")
    await credit(
        Credit(invoice_id=invoice_id, lines=[(line_id, cents) for line_id, cents in parts], reason=said, cause="cancellation", key=key),
        actor=actor,
        now=now,
    )


async def excuse(line: Line, *, reason: str, actor: Actor, now: datetime) -> None:
    """Take back the fee of a cancelled line, whether it was billed by itself, not yet, or stayed on the course's invoice."""
    charge_id = await corrections.current(line.fee_charge_id or line.charge_id)
    if await charges.lock([charge_id]):
        await charges.drop([charge_id], now=now)
    for one in await credit_lines.of_charges([charge_id]):
        if one.left_cents:
            await _credit(one.invoice_id, [(one.line_id, one.left_cents)], reason=reason, key=f"excuse:{line.id}", actor=actor, now=now)
    await _tell_settlement(line, 0, now=now)


async def _tell_settlement(line: Line, kept_cents: int, *, now: datetime) -> None:
    await work.enqueue(
        "settlement.line_cancelled",
        {"charge_id": line.charge_id, "kept_cents": kept_cents},
        run_at=now,
        dedupe_key=f"settlement:{line.id}:{kept_cents}",
    )


async def _bill_fee(line: Line, course: Charge, fee: Money, *, now: datetime) -> None:
    """Record the fee as a charge in a group of its own and ask for its invoice; the debtor's rhythm decides when."""
    debtor = await debtors.get(course.debtor_id)
    today = clock.today(now)
    with use_locale(debtor.language):
        description = _("Cancellation fee: {title}", title=course.description)
        detail = _("of {price}, cancelled on {date}", price=fmt_money(line.price), date=fmt_date(today, "long"))
    new = NewCharge(
        id=ids.new_id(),
        debtor_id=course.debtor_id,
        group_key=fee_group(line.id),
        description=description,
        detail=detail,
        unit_price=fee,
        vat=await _fee_vat(course, today),
        supply_from_on=today,
        supply_to_on=today,
        order_number=course.order_number,
        purchase_order=course.purchase_order,
        cost_centre=course.cost_centre,
        person_label=course.person_label,
        ordered_by=course.ordered_by,
        department=course.department,
        kind="cancellation_fee",
    )
    await charges.record([new], now=now, fresh=True)
    await db.execute("UPDATE order_line SET fee_charge_id = $2 WHERE id = $1", line.id, new.id)
    await invoices.request(new.group_key, now=now)


async def _fee_vat(course: Charge, today: date) -> VatDecision:
    """Return the fee's VAT, decided as the course's was; for a charge without its facts, the course's own decision."""
    facts = vat.facts_of(course.trace)
    if facts is not None:
        selling, buyer = await seller.and_buyer(course.debtor_id)
        of_fee = msgspec.structs.replace(facts, basis=VatBasis.CANCELLATION_FEE, course=facts.course or facts.basis, supply_on=today)
        return vat.decide(of_fee, selling, buyer)
    return VatDecision(
        category=VatCategory(course.vat_category),
        rate=course.vat_rate,
        exemption_code=course.exemption_code,
        text=course.exemption_text,
        trace=(vat.step("cancellation_fee"), *course.trace),
    )

"""VAT decided again for what is not invoiced yet, because something became known since: an answer of VIES, a certificate, other dates.

The facts of a line are in its trace (``vat.facts_of``), so that the same pure function decides. An invoiced line is never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing import charges, seller, vat
from marketplace.kit import audit, db
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from billing.charges import Charge
    from billing.vat import VatDecision

_UPDATE = """
    UPDATE charge SET vat_category = $2, vat_rate = $3, exemption_code = $4, exemption_text = $5, trace = $6
    WHERE id = $1 AND state = 'open'
"""


async def of_debtor(debtor_id: UUID, *, now: datetime) -> int:
    """Decide again for a debtor's open charges, in the caller's transaction; return how many changed."""
    found = await db.records("SELECT id FROM charge WHERE debtor_id = $1 AND state = 'open' ORDER BY id FOR UPDATE", debtor_id)
    return await of_charges(await charges.of([row["id"] for row in found]), now=now)


async def of_charges(open_charges: Sequence[Charge], *, now: datetime) -> int:
    """Decide again for these charges, which the caller has locked; return how many changed.

    Charges without facts in their trace (interest, what was recorded by an older version) stay as they are.
    """
    changed = 0
    for debtor_id in sorted({charge.debtor_id for charge in open_charges}):
        sells, buys = await seller.and_buyer(debtor_id)
        for charge in open_charges:
            if charge.debtor_id != debtor_id or (facts := vat.facts_of(charge.trace)) is None:
                continue
            facts = msgspec.structs.replace(facts, supply_on=charge.supply_to_on)
            changed += await _follow(charge, vat.decide(facts, sells, buys), now=now)
    return changed


async def _follow(charge: Charge, decision: VatDecision, *, now: datetime) -> int:
    if decision.trace == charge.trace:
        return 0
    trace = msgspec.json.encode(decision.trace).decode()
    await db.execute(_UPDATE, charge.id, decision.category.value, decision.rate, decision.exemption_code, decision.text, trace)
    before = f"{charge.vat_category} {charge.vat_rate.normalize():f}"
    after = f"{decision.category.value} {decision.rate.normalize():f}"
    if before != after:
        data = {"before": before, "after": after}
        await audit.record("charge.vat_decided_again", actor=SYSTEM, subject=("charge", charge.id), data=data, now=now)
    return 1


async def before_issue(locked: Sequence[Charge], *, now: datetime) -> list[Charge]:
    """Return these charges, which the caller has locked, with their VAT as it is to be invoiced today."""
    if await of_charges(locked, now=now) == 0:
        return list(locked)
    return await charges.lock([charge.id for charge in locked])


def relies_on_vat_id(found: Iterable[Charge]) -> bool:
    """Tell whether the VAT of any of these is charged on to the buyer: then its VAT id must be known to be in use."""
    return any(charge.vat_category == vat.VatCategory.REVERSE_CHARGE for charge in found)

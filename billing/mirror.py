"""The frozen invoice or credit note as Stripe gets it: read from the issued rows only, so a retry sends the same."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from billing.stripe_port import CreditLine, CreditMirror, InvoiceMirror, MirrorDebtor, MirrorLine, spread_vat
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from uuid import UUID


async def of(invoice_id: UUID) -> InvoiceMirror:
    """Return what is copied to Stripe of an issued invoice. Raises ``NotFound``."""
    found = next(iter(await db.records("SELECT * FROM invoice WHERE id = $1 AND kind = 'invoice'", invoice_id)), None)
    if found is None:
        raise NotFound("not_found", _("There is no such invoice."))
    buyer = found["buyer"]
    return InvoiceMirror(
        invoice_id=found["id"],
        number=found["number"],
        currency=found["currency"],
        lines=await _lines(invoice_id),
        net_cents=found["net_cents"],
        vat_cents=found["vat_cents"],
        total_cents=found["total_cents"],
        due_days=(found["due_on"] - found["dated_on"]).days,
        debtor=MirrorDebtor(
            id=found["debtor_id"],
            name=buyer["legal_name"],
            email=buyer["email"],
            street=buyer["street"],
            postcode=buyer["postcode"],
            city=buyer["city"],
            country=buyer["country"],
            language=found["language"],
            vat_id=buyer["vat_id"],
        ),
        purchase_order=found["purchase_order"],
    )


async def credit(note_id: UUID) -> CreditMirror:
    """Return what is copied to Stripe of an issued credit note. Raises ``NotFound``."""
    found = next(iter(await db.records("SELECT * FROM invoice WHERE id = $1 AND kind = 'credit_note'", note_id)), None)
    if found is None:
        raise NotFound("not_found", _("There is no such credit note."))
    lines = [
        CreditLine(
            description=f"{found['number']}: {line.description}"[:500],
            net_cents=line.net_cents,
            vat_cents=line.vat_cents,
            vat_category=line.vat_category,
            vat_rate=line.vat_rate,
        )
        for line in await _lines(note_id)
        if line.net_cents or line.vat_cents
    ]
    return CreditMirror(
        note_id=note_id,
        number=found["number"],
        invoice_id=found["credits_id"],
        cause=found["cause"],
        lines=tuple(lines),
        net_cents=found["net_cents"],
        vat_cents=found["vat_cents"],
        total_cents=found["total_cents"],
    )


async def _lines(invoice_id: UUID) -> tuple[MirrorLine, ...]:
    rows = await db.records(
        "SELECT position, description, person_label, net_cents, vat_category, vat_rate FROM invoice_line WHERE invoice_id = $1 ORDER BY vat_category, vat_rate, position",
        invoice_id,
    )
    shares = await db.records("SELECT vat_category, vat_rate, vat_cents FROM invoice_vat WHERE invoice_id = $1", invoice_id)
    vat_of = {(share["vat_category"], share["vat_rate"]): share["vat_cents"] for share in shares}
    made: list[tuple[int, MirrorLine]] = []
    for (category, rate), group in groupby(rows, key=lambda row: (row["vat_category"], row["vat_rate"])):
        lines = list(group)
        parts = spread_vat([line["net_cents"] for line in lines], vat_of[category, rate], rate)
        for line, part in zip(lines, parts, strict=True):
            mirrored = MirrorLine(
                description=", ".join(part for part in (line["description"], line["person_label"]) if part),
                net_cents=line["net_cents"],
                vat_cents=part,
                vat_category=category,
                vat_rate=rate.normalize(),
            )
            made.append((line["position"], mirrored))
    return tuple(line for _position, line in sorted(made, key=lambda pair: pair[0]))

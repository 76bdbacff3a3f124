"""What the rows become on paper: alike lines together, sums kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from billing import archive, paper
from billing import credits as credit_notes
from billing.changes import corrections
from billing.changes.corrections import Correction
from billing.credits import Credit
from billing.documents import cii, ubl
from billing.documents.model import DocumentLine, InvoiceReference, VatCategory
from billing.vat import VatBasis
from marketplace.kit import clock as kit_clock
from marketplace.kit import ids
from marketplace.kit.errors import NotFound
from marketplace.kit.identity import SYSTEM, Actor, Role
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.documents import rules

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock

_LINE = DocumentLine(
    title="Dutch for newcomers",
    detail="10 lessons, Leiden",
    quantity=Decimal(1),
    unit_price_cents=64_500,
    net_cents=64_500,
    vat_category=VatCategory("E"),
    vat_rate=Decimal(0),
    supply_from_on=date(2027, 1, 18),
    supply_to_on=date(2027, 4, 5),
    people=("RB-1",),
)


def test_people_in_one_course_are_one_line() -> None:
    other = msgspec.structs.replace(_LINE, title="Working with the Dutch", people=("RB-2",))
    dearer = msgspec.structs.replace(_LINE, unit_price_cents=70_000, net_cents=70_000)
    second = msgspec.structs.replace(_LINE, people=("RB-2",))
    found = paper.grouped([_LINE, other, second, dearer])
    assert [(line.title, line.quantity, line.net_cents, line.people) for line in found] == [
        ("Dutch for newcomers", Decimal(2), 129_000, ("RB-1", "RB-2")),
        ("Working with the Dutch", Decimal(1), 64_500, ("RB-2",)),
        ("Dutch for newcomers", Decimal(1), 70_000, ("RB-1",)),
    ]


def test_somebody_without_a_number_still_counts() -> None:
    nameless = msgspec.structs.replace(_LINE, people=())
    (line,) = paper.grouped([_LINE, nameless])
    assert (line.quantity, line.net_cents, line.people) == (Decimal(2), 129_000, ("RB-1",))


@pytest.mark.asyncio(loop_scope="session")
async def test_partial_credits_keep_the_official_rules_and_name_their_invoice_and_reason(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(33_333, 10_001), basis=VatBasis.COACHING)
    [first, second] = await credit_notes.creditable(invoice)
    for at, cents in enumerate((3, 3, 3, 33_324)):
        wanted = Credit(invoice_id=invoice, lines=[(first.id, cents)], reason=f"Part {at}", cause="goodwill", key=str(ids.new_id()))
        note = await paper.document(await credit_notes.credit(wanted, actor=SYSTEM, now=clock.now()))
        assert note.credits == (InvoiceReference(number=await number_of(invoice), dated_on=kit_clock.today(clock.now())),)
        assert note.reason == f"Part {at}"
        assert [*rules.findings(ubl.write(note)), *rules.findings(cii.write(note)), *rules.peppol_findings(ubl.write(note))] == []
    rest = Credit(invoice_id=invoice, lines=[(second.id, None)], reason="The rest", cause="goodwill", key=str(ids.new_id()))
    await credit_notes.credit(rest, actor=SYSTEM, now=clock.now())


@pytest.mark.asyncio(loop_scope="session")
async def test_a_corrected_invoice_names_the_one_it_replaces(db: None, clock: FakeClock) -> None:
    ecl = Actor(kind="member", roles=frozenset({Role.ECL}), name="Marit Desk")
    old = await an_invoice(await a_debtor(peppol_scheme="0190", peppol_id="00000001234567890000"))
    made = await corrections.correct(
        Correction(invoice_id=old, reason="Wrong PO", key="c1", purchase_order="45"), actor=ecl, now=clock.now()
    )
    document = await paper.document(made.invoice_id)
    assert document.replaces == InvoiceReference(number=await number_of(old), dated_on=kit_clock.today(clock.now()))
    assert (document.buyer.endpoint_id, document.buyer.endpoint_scheme) == ("00000001234567890000", "0190")
    xml = ubl.write(document)
    assert b"InvoiceDocumentReference" in xml
    assert rules.findings(xml) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_export_finds_invoices_and_partners_self_billed_invoices_by_their_number(db: None, clock: FakeClock) -> None:
    now, statement = clock.now(), ids.new_id()
    for kind, name in (("pdf", "SB-VLIET-2026-000001.pdf"), ("ubl", "SB-VLIET-2026-000001.xml"), ("xml", "SB-VLIET-2026-000001-cii.xml")):
        await archive.store_paper(("self_billed", statement), kind=kind, name=name, content=kind.encode(), now=now)
    await archive.store_paper(("partner_statement", statement), kind="pdf", name="2026-000001.pdf", content=b"statement", now=now)
    assert [await archive.exported("SB-VLIET-2026-000001", kind) for kind in ("pdf", "ubl-peppol", "cii")] == [b"pdf", b"ubl", b"xml"]
    for number, kind in (("SB-VLIET-2026-000001", "ubl-nlcius"), ("2026-000001", "pdf"), ("SB-VLIET-2026-000002", "pdf")):
        with pytest.raises(NotFound):
            await archive.exported(number, kind)
    invoice = await an_invoice()
    await archive.store(invoice, {archive.Format.PDF: b"ours"}, now=now)
    assert await archive.exported(await number_of(invoice), "pdf") == b"ours"

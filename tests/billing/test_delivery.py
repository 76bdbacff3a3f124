"""After issuing: documents once, mail once, with the payment link when it is there in time and never late without it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from billing import archive, delivery, invoices, paper, states, story
from billing.archive import Format
from billing.vat import BuyerFacts, VatBasis
from marketplace.kit import audit, work
from marketplace.kit import db as kit_db
from marketplace.kit.errors import NotFound
from tests.builders.billing import SUPPLY, a_debtor, a_decision, an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from tests.smtp import Box

pytestmark = pytest.mark.asyncio(loop_scope="session")
_CONTENTS = {Format.PDF: b"%PDF-1", Format.UBL_PEPPOL: b"<peppol/>", Format.UBL_NLCIUS: b"<nlcius/>", Format.CII: b"<cii/>"}


async def _made(invoice: UUID, now: datetime) -> None:
    """Do what ``billing.render`` does, without the layout."""
    await archive.store(invoice, _CONTENTS, now=now)
    await delivery.mail_when_ready(invoice, now=now)


async def _settle(now: datetime) -> None:
    """Do the due work of billing and mail; PDF and Stripe are not tried here."""
    await kit_db.execute("UPDATE due_work SET state = 'done' WHERE kind IN ('billing.render', 'billing.stripe_mirror')")
    await work.drain(now)


async def test_mail_goes_with_the_pdf_once_the_link_is_there(db: None, clock: FakeClock, mails: Box) -> None:
    debtor = await a_debtor(email="ap@rijnburg.example", language="nl")
    made = await an_invoice(debtor, purchase_order="4500")
    await _made(made, clock.now())
    await _settle(clock.now())
    assert mails.to("ap@rijnburg.example") == []
    await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/i/7", now=clock.now())
    await _settle(clock.now())
    [letter] = mails.to("ap@rijnburg.example")
    number = await number_of(made)
    assert letter["Subject"] == f"Factuur {number} van Expat Centre Leiden: € 645,00, te betalen uiterlijk 23 december 2026"
    assert letter["Reply-To"] == "welcome@ecl.example"
    body = letter.get_body(("plain",)).get_content()
    assert "https://pay.example/i/7" in body
    assert "4500" in body
    [file] = list(letter.iter_attachments())
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (f"{number}.pdf", "application/pdf", b"%PDF-1")
    assert [entry.event for entry in story.in_order(await audit.of("invoice", made))] == [
        "invoice.issued",
        "invoice.opened",
        "invoice.sent",
    ]


async def test_without_a_link_it_leaves_half_a_minute_later_and_once(db: None, clock: FakeClock, mails: Box) -> None:
    made = await an_invoice(await a_debtor(email="ap@rijnburg.example"))
    await _made(made, clock.now())
    await _settle(clock.move(delivery.PATIENCE - timedelta(seconds=1)))
    assert mails.messages == []
    await _settle(clock.move(timedelta(seconds=1)))
    [letter] = mails.messages
    assert "pay.example" not in letter.get_body(("plain",)).get_content()
    await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/i/7", now=clock.now())
    await _settle(clock.move(timedelta(minutes=5)))
    assert len(mails.messages) == 1


async def test_link_before_the_pdf_does_not_mail_without_it(db: None, clock: FakeClock, mails: Box) -> None:
    made = await an_invoice()
    await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/i/7", now=clock.now())
    await _settle(clock.move(timedelta(minutes=5)))
    assert mails.messages == []
    await _made(made, clock.now())
    await _settle(clock.now())
    assert len(mails.messages) == 1


@pytest.mark.parametrize(("profile", "content"), [("peppol", b"<peppol/>"), ("nlcius", b"<nlcius/>")])
async def test_ubl_goes_along_when_wanted(db: None, clock: FakeClock, mails: Box, profile: str, content: bytes) -> None:
    made = await an_invoice(await a_debtor(wants_ubl=True, ubl_profile=profile))
    await _made(made, clock.now())
    await _settle(clock.move(delivery.PATIENCE))
    files = {file.get_filename(): file.get_payload(decode=True) for file in mails.messages[0].iter_attachments()}
    number = await number_of(made)
    assert files == {f"{number}.pdf": b"%PDF-1", f"{number}.xml": content}


async def test_documents_are_made_once_and_kept(db: None, now: datetime) -> None:
    made = await an_invoice()
    await delivery.make_documents({"invoice": str(made)}, item=None, now=now)  # type: ignore[arg-type]
    number = await number_of(made)
    first = {kind: await invoices.stored_document(number, kind.value) for kind in Format}
    await delivery.make_documents({"invoice": str(made)}, item=None, now=now)  # type: ignore[arg-type]
    assert {kind: await invoices.stored_document(number, kind.value) for kind in Format} == first
    assert first[Format.PDF].startswith(b"%PDF")
    with pytest.raises(NotFound):
        await invoices.stored_document("2026-999999", "pdf")


async def test_meddled_bytes_are_noticed(db: None, now: datetime) -> None:
    made = await an_invoice()
    await archive.store(made, {Format.PDF: b"%PDF-1"}, now=now)
    await kit_db.execute("ALTER TABLE document DISABLE TRIGGER document_append_only")
    await kit_db.execute("UPDATE document SET content = '%PDF-2'")
    with pytest.raises(RuntimeError, match="SHA-256"):
        await invoices.stored_document(await number_of(made), "pdf")


async def test_paper_says_what_the_rows_say(db: None, now: datetime) -> None:
    debtor = await a_debtor(name="Erasmus Dingen", oin="00000001234567890000", buyer_reference="REF-9", attention="Crediteuren")
    made = await an_invoice(debtor, amounts=(10_001, 10_001, 10_001), basis=VatBasis.COACHING, person_label="RB-2207", cost_centre="3120")
    document = await paper.document(made)
    assert document.vat_cents == 6_301
    assert (document.buyer.legal_id, document.buyer.legal_scheme) == ("00000001234567890000", "0190")
    assert document.buyer.attention == "Crediteuren"
    assert document.buyer_reference == "REF-9"
    assert document.lines[0].people == ("RB-2207",) * 3
    assert document.lines[0].supply_from_on == SUPPLY
    assert document.payment_url.endswith(f"/invoices/{document.number}")


async def test_reverse_charge_names_both_vat_ids(db: None, now: datetime) -> None:
    debtor = await a_debtor(country="DE", city="Bonn", vat_id="DE136695976", kvk=None)
    buyer = BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True)
    document = await paper.document(await an_invoice(debtor, vat=a_decision(buyer=buyer)))
    assert (document.seller.vat_id, document.buyer.vat_id) == ("NL000099998B57", "DE136695976")
    assert document.vat[0].text == "Btw verlegd / VAT reverse charge"


async def test_documents_of_each_vat_case_can_be_made(db: None, now: datetime) -> None:
    for basis in (VatBasis.GENERAL_LANGUAGE, VatBasis.COACHING, VatBasis.REDUCED):
        made = await an_invoice(amounts=(12_345, 1), basis=basis)
        await delivery.make_documents({"invoice": str(made)}, item=None, now=now)  # type: ignore[arg-type]
        assert len(await archive.kinds(made)) == len(Format)


async def test_rounded_parts_that_do_not_multiply_stay_apart_on_paper(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(333, 333), quantity=Decimal("0.5"))
    document = await paper.document(made)
    assert [(line.quantity, line.net_cents) for line in document.lines] == [(Decimal("0.5"), 167), (Decimal("0.5"), 167)]
    assert document.net_cents == 334

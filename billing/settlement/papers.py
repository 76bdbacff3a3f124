"""The papers of a statement, written from its frozen rows: the statement itself, its CSV, and the self-billed invoice.

``make`` runs outside any transaction: it renders, keeps the bytes, and lets the mail go. Nothing of today goes in.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import archive, vat
from billing.documents import renderer
from billing.documents import settlement as sheets
from billing.documents.model import DocumentKind, InvoiceDocument
from billing.documents.parts import Address, DocumentError, DocumentLine, InvoiceReference, Seller, VatCategory, VatTotal
from billing.settlement import statements
from billing.settlement.statements import Row, Share, Statement
from marketplace.kit import calendar, db, mail, work
from marketplace.kit.i18n import _, fmt_money, use_locale
from marketplace.kit.money import Money, euros
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STATEMENT, SELF_BILLED = "partner_statement", "self_billed"
SMALL_BUSINESS = {
    "nl": "Factuur vrijgesteld van omzetbelasting op grond van artikel 25 van de Wet OB 1968 (kleineondernemersregeling)",
    "en": "Exempt from VAT under article 25 of the Dutch VAT Act 1968 (small businesses)",
}


class Alike(msgspec.Struct, frozen=True):
    """Lines that differ in nothing but the seat: one row on paper."""

    row: Row
    count: int

    @property
    def back(self) -> bool:
        """Tell whether it takes something back."""
        return self.row.earned_cents < 0 or self.row.net_cents < 0


def grouped(rows: Iterable[Row]) -> list[Alike]:
    """Return a statement's lines with those together that read the same. Pure."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        same = (
            row.key == "seat", row.title_nl, row.session, row.supply_from_on, row.supply_to_on, row.percent, row.fixed_cents,
            row.net_cents, row.commission_cents, row.vat_category, row.vat_rate, row.of_statement,
        )  # fmt: skip
        found.setdefault(same, []).append(row)
    return [Alike(same[0], len(same)) for same in found.values()]


def commission_words(row: Row) -> str:
    """Return the commission of a line in the current language: "15%", or "€25.00 each"."""
    if row.percent is not None:
        return row.percent_words
    return _("{amount} each", amount=fmt_money(row.fixed)) if row.fixed else ""


def back_words(row: Row) -> str:
    """Return what a line of its own is for: a cancellation or a correction, and of which statement. Empty for a seat."""
    if row.key == "seat":
        return ""
    what = _("Cancelled") if row.key.startswith("cancelled") else _("Correction")
    return f"{what}, {row.of_statement}" if row.of_statement else what


def pay_on(statement: Statement) -> date:
    """Return the day on which it can be paid out at the earliest: the first working day after the time to object."""
    return calendar.add_working_days(statement.objection_until_on, 1)


def _address(party: dict[str, Any]) -> Address:
    return Address(street=party["street"], postcode=party["postcode"], city=party["city"], country=party["country"])


def _partner(statement: Statement) -> Seller:
    who = statement.payee
    return Seller(
        name=who["legal_name"],
        address=_address(who),
        vat_id=who["vat_id"] or "",
        legal_id=who["kvk"] or "",
        legal_scheme="0106" if who["kvk"] else "",
        email=who["email"],
        iban=who["iban"] or "",
        bic=who["bic"] or "",
        account_name=who["holder_name"] or who["legal_name"],
    )


def _operator(statement: Statement) -> Seller:
    who = statement.operator
    return Seller(
        name=who["name"],
        address=_address(who),
        vat_id=who["vat_id"],
        legal_id=who["kvk"],
        legal_scheme="0106" if who["kvk"] else "",
        email=who["email"],
        phone=who["phone"],
        iban=who["iban"],
        bic=who["bic"],
        account_name=who["name"],
    )


def _vat(parts: Sequence[Share], language: str, sign: int = 1) -> tuple[VatTotal, ...]:
    return tuple(
        VatTotal(
            category=VatCategory(part.vat_category),
            rate=part.vat_rate,
            net_cents=sign * part.earned_cents,
            vat_cents=sign * part.vat_cents,
            exemption_code=part.exemption_code or "",
            text=ground(part, language),
        )
        for part in parts
    )


def ground(part: Share, language: str) -> str:
    """Return the law's sentence for a part without VAT; empty for a taxed one."""
    if part.vat_category == "E" and part.exemption_code is None:
        return SMALL_BUSINESS[language]
    return vat.legal_text(part.exemption_code, language) or ""


def sheet(statement: Statement, rows: Sequence[Row], parts: Sequence[Share]) -> sheets.SettlementStatement:
    """Return the statement as the paper says it, in its language. Raises ``DocumentError`` when its sums don't hold."""
    with use_locale(statement.language):
        lines = tuple(_sheet_line(alike, statement.language) for alike in grouped(rows))
    total = statement.earned_cents + statement.vat_cents
    payout = max(0, statement.total_cents) if statement.payee["iban"] else 0
    return sheets.SettlementStatement(
        language=statement.language,
        dated_on=statement.dated_on,
        sender=_operator(statement),
        number=statement.number,
        addressee=_partner(statement),
        from_on=statement.period_from_on,
        to_on=statement.period_to_on,
        lines=lines,
        vat=_vat(parts, statement.language),
        net_cents=statement.earned_cents,
        vat_cents=statement.vat_cents,
        total_cents=total,
        opening_cents=statement.carried_cents,
        payout_cents=payout,
        closing_cents=statement.carried_cents + total - payout,
        payout_on=pay_on(statement) if payout else None,
        payout_iban=statement.payee["iban"] or "",
        objection_until_on=statement.objection_until_on,
        self_billed_number=(statement.invoice_number or "") if statement.self_billed else "",
        invoice_wanted=not statement.self_billed and statement.earned_cents != 0,
        objection_email=statement.operator["email"],
    )


def _sheet_line(alike: Alike, language: str) -> sheets.SettlementLine:
    row, count = alike.row, alike.count
    return sheets.SettlementLine(
        title=row.title(language),
        price_cents=row.net_cents * count,
        commission_cents=row.commission_cents * count,
        share_cents=row.earned_cents * count,
        vat_category=VatCategory(row.vat_category),
        vat_rate=row.vat_rate,
        people=count,
        from_on=row.supply_from_on,
        to_on=row.supply_to_on,
        session=row.session,
        commission_text=commission_words(row),
        detail=back_words(row),
        reversal=alike.back,
    )


def invoice(
    statement: Statement, rows: Sequence[Row], parts: Sequence[Share], takes_back: Sequence[InvoiceReference] = ()
) -> InvoiceDocument:
    """Return the self-billed invoice of a statement, or the credit note when more is taken back than earned.

    ``takes_back`` are the earlier self-billed invoices of the lines that are taken back. Raises ``DocumentError``.
    """
    credit = statement.earned_cents < 0
    sign = -1 if credit else 1
    with use_locale(statement.language):
        lines = tuple(_invoice_line(alike, statement.language, sign) for alike in grouped(rows))
    tax = sign * statement.vat_cents
    return InvoiceDocument(
        kind=DocumentKind.SELF_BILLED_CREDIT if credit else DocumentKind.SELF_BILLED,
        number=statement.invoice_number or "",
        language=statement.language,
        dated_on=statement.invoice_on or statement.dated_on,
        due_on=None if credit else pay_on(statement),
        seller=_partner(statement),
        buyer=_operator(statement),
        lines=lines,
        vat=_vat(parts, statement.language, sign),
        net_cents=sign * statement.earned_cents,
        vat_cents=tax,
        total_cents=sign * statement.earned_cents + tax,
        agreement_on=date.fromisoformat(statement.payee["self_billing_from_on"]) if statement.payee["self_billing_from_on"] else None,
        objection_until_on=statement.objection_until_on,
        statement_number=statement.number,
        credits=tuple(takes_back) if credit else (),
    )


def _invoice_line(alike: Alike, language: str, sign: int) -> DocumentLine:
    row = alike.row
    quantity = sign * alike.count * (1 if row.earned_cents >= 0 else -1)
    words = (row.session, back_words(row), _("after commission of {commission}", commission=commission_words(row)))
    return DocumentLine(
        title=row.title(language),
        detail=", ".join(word for word in words if word),
        quantity=Decimal(quantity),
        unit_price_cents=abs(row.earned_cents),
        net_cents=quantity * abs(row.earned_cents),
        vat_category=VatCategory(row.vat_category),
        vat_rate=row.vat_rate,
        supply_from_on=row.supply_from_on,
        supply_to_on=row.supply_to_on,
    )


def csv_header() -> list[str]:
    """Return the headings of the CSV in the current language."""
    return [
        _("Statement"), _("What"), _("Dates"), _("First day"), _("Last day"), _("Order"), _("Price without VAT"), _("Commission"),
        _("Your share"), _("VAT category"), _("VAT rate"), _("Kind"),
    ]  # fmt: skip


def csv_rows(statement: Statement, rows: Iterable[Row]) -> list[list[object]]:
    """Return one row a line, in the statement's language."""
    return [
        [
            statement.number, row.title(statement.language), row.session, row.supply_from_on.isoformat(), row.supply_to_on.isoformat(),
            row.order_number, euros(row.net_cents), euros(row.commission_cents), euros(row.earned_cents), row.vat_category,
            row.vat_rate, back_words(row) or _("Seat"),
        ]
        for row in rows
    ]  # fmt: skip


@work.handler("settlement.render", outside=True)
async def make(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Make a statement's papers once and keep them; then the mail goes."""
    statement = await statements.by_id(UUID(payload["statement"]))
    rows, parts = await statements.rows(statement.id), await statements.shares(statement.id)
    try:
        made = await _rendered(statement, rows, parts)
    except (DocumentError, renderer.RenderError) as error:
        message = f"The papers of statement {statement.number} can't be made: {error}"
        raise work.GiveUp(message) from error
    async with db.atomic():
        kept = [
            (
                name,
                media_type,
                await archive.store_paper((subject, statement.id), kind=kind, name=name, content=content, media_type=media_type, now=now),
            )
            for subject, kind, name, media_type, content in made
        ]
        await _mail(statement, kept, now=now)


async def _rendered(statement: Statement, rows: Sequence[Row], parts: Sequence[Share]) -> list[tuple[str, str, str, str, bytes]]:
    from marketplace.kit.web import spreadsheet

    with use_locale(statement.language):
        listed = spreadsheet.answer(f"{statement.number}.csv", csv_header(), csv_rows(statement, rows)).content
    made = [
        (STATEMENT, "pdf", f"{statement.number}.pdf", "application/pdf", await renderer.paper(sheet(statement, rows, parts))),
        (STATEMENT, "csv", f"{statement.number}.csv", "text/csv", listed),
    ]
    if statement.self_billed:
        done = await renderer.render(invoice(statement, rows, parts, await _taken_back(rows)))
        number = statement.invoice_number
        made += [
            (SELF_BILLED, "pdf", f"{number}.pdf", "application/pdf", done.pdf),
            (SELF_BILLED, "ubl", f"{number}.xml", "application/xml", done.ubl),
            (SELF_BILLED, "xml", f"{number}-cii.xml", "application/xml", done.cii),
        ]
    return made


async def _taken_back(rows: Sequence[Row]) -> list[InvoiceReference]:
    numbers = sorted({row.of_statement for row in rows if row.of_statement})
    sql = "SELECT invoice_number AS number, invoice_on AS dated_on FROM partner_statement WHERE number = ANY($1) AND invoice_number IS NOT NULL"
    return await db.rows(InvoiceReference, f"{sql} ORDER BY number", numbers)


async def _mail(statement: Statement, kept: Sequence[tuple[str, str, UUID]], *, now: datetime) -> None:
    files = [mail.Attachment(source="billing.paper", id=str(made), name=name, media_type=kind) for name, kind, made in kept]
    await mail.send(
        template="settlement/statement",
        to=statement.payee["email"],
        locale=statement.language,
        context={
            "statement": statement,
            "total": Money(statement.total_cents),
            "due": Money(abs(statement.earned_cents + statement.vat_cents)),
            "url": f"{settings().base_url}/statements/{statement.number}",
        },
        dedupe_key=f"settlement.statement:{statement.id}",
        attachments=files,
        now=now,
    )

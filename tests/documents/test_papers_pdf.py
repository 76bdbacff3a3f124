"""Every kind as PDF: lawful for archives, tagged, readable in both languages, with all names, and whole over many pages."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import page
import pytest

from billing.documents import finished, renderer
from billing.documents.parts import VatCategory
from billing.documents.renderer import Renderer
from tests.builders.documents import BUYER, NAMES, PARTNER, a_document, a_line, a_self_billed, taxed
from tests.builders.papers import TEACHER, a_certificate, a_last_reminder, a_quote, a_reminder, a_settlement, a_share, an_account
from tests.documents.kinds import EVERY_KIND, printed
from tests.documents.test_pdf import read, words

if TYPE_CHECKING:
    from pathlib import Path

    from billing.documents.papers import AnyDocument

ALL_NAMES = " ".join(NAMES)
KINDS = pytest.mark.parametrize("kind", EVERY_KIND)


@cache
def made(kind: str, language: str = "en") -> bytes:
    return printed(finished.press(), EVERY_KIND[kind](language=language))


def text_of(document: AnyDocument) -> str:
    return words(printed(finished.press(), document))


@KINDS
def test_an_independent_checker_agrees_that_every_kind_is_pdf_a_3a_and_pdf_ua_1(kind: str) -> None:
    for profile in ("3a", "ua1"):
        report = page.validate_pdf_bytes(made(kind), profile=page.ValidationProfile(profile))
        assert [(found.rule_id, found.message) for found in report.failures] == []


def test_qpdf_finds_nothing_wrong_in_any_kind(tmp_path: Path) -> None:
    for kind in EVERY_KIND:
        path = tmp_path / f"{kind}.pdf"
        path.write_bytes(made(kind))
        done = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)
        assert "No syntax or stream encoding errors found" in done.stdout, kind


def test_only_invoices_and_credit_notes_carry_an_e_invoice() -> None:
    carrying = {kind for kind in EVERY_KIND if "/AF" in str(read(made(kind)).trailer["/Root"])}
    assert carrying == {"invoice", "credit note", "self-billed", "self-billed credit"}
    assert b"factur-x" not in made("quote")


HEADINGS = {
    "invoice": ("Factuur", "Invoice"),
    "credit note": ("Creditnota", "Credit note"),
    "self-billed": ("Factuur uitgereikt door afnemer", "Self-billed invoice Factuur uitgereikt door afnemer"),
    "self-billed credit": ("Creditnota uitgereikt door afnemer", "Self-billed credit note"),
    "last reminder": ("Laatste herinnering", "Final reminder"),
    "account": ("Rekeningoverzicht", "Statement of account"),
    "settlement": ("Afrekening", "Settlement statement"),
    "quote": ("Offerte", "Quote"),
    "certificate": ("Bewijs van deelname", "Certificate of attendance"),
}


@pytest.mark.parametrize("kind", HEADINGS)
def test_every_kind_speaks_both_languages(kind: str) -> None:
    for at, language in enumerate(("nl", "en")):
        pdf = made(kind, language)
        assert HEADINGS[kind][at] in words(pdf)
        assert read(pdf).trailer["/Root"]["/Lang"] == language  # type: ignore[index]


PAYING = {"invoice", "reminder", "last reminder", "account"}


@KINDS
def test_the_pay_code_is_there_where_money_is_asked_and_nowhere_else(kind: str) -> None:
    html = finished.press().html(EVERY_KIND[kind]())
    assert ("QR code to pay" in html) == (kind in PAYING)
    assert ("Scan with your banking app" in html) == (kind in PAYING)


def _named(kind: str) -> AnyDocument:
    """Return a document of a kind with the hard names wherever it prints a name."""
    named: dict[str, Any] = {"note": ALL_NAMES}
    if kind == "certificate":
        return a_certificate(
            ALL_NAMES, programme=ALL_NAMES, partner_name=ALL_NAMES, signed_by=ALL_NAMES, outcomes=(ALL_NAMES,), level="Łß", **named
        )
    if kind == "self-billed":
        seller = msgspec.structs.replace(PARTNER, name=ALL_NAMES, attention=ALL_NAMES, account_name=ALL_NAMES)
        return a_self_billed(a_line(ALL_NAMES, detail=ALL_NAMES, people=NAMES), seller=seller, **named)
    buyer = msgspec.structs.replace(BUYER, name=ALL_NAMES, attention=ALL_NAMES)
    if kind == "invoice":
        return a_document(a_line(ALL_NAMES, people=NAMES), buyer=buyer, ordered_by=ALL_NAMES, **named)
    if kind == "settlement":
        partner = msgspec.structs.replace(TEACHER, name=ALL_NAMES)
        return a_settlement(a_share(ALL_NAMES, detail=ALL_NAMES, commission_text="15% Иван"), addressee=partner, **named)
    if kind == "quote":
        return a_quote(
            a_line(ALL_NAMES), title=ALL_NAMES, conditions=(ALL_NAMES,), introduction=ALL_NAMES, contact=ALL_NAMES, addressee=buyer, **named
        )
    return EVERY_KIND[kind](addressee=buyer, **named)


@pytest.mark.parametrize("kind", ["invoice", "self-billed", "last reminder", "account", "settlement", "quote", "certificate"])
def test_names_from_everywhere_can_be_printed_on_every_kind(kind: str) -> None:
    press = finished.press()
    text = re.sub(r"\s", "", words(printed(press, _named(kind))))
    assert press.missing_glyphs == ""
    for name in ("NguyễnThịÁnh", "Łukasz", "Şahin", "Ștefan", "Γιώργος", "Иван", "王小明"):
        assert name in text, name


def test_text_from_people_is_never_markup_on_any_kind() -> None:
    evil = "<b>x</b><style>p{display:none}</style>"
    for document in (
        a_certificate(evil),
        a_quote(a_line(evil), title=evil, conditions=(evil,)),
        a_settlement(a_share(evil)),
        a_reminder(note=evil),
    ):
        assert evil not in finished.press().html(document)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "head", "last"),
    [
        (an_account(100), "Balance in €|Open in €", "Closing balance"),
        (a_settlement(*[a_share(f"Course {at}") for at in range(100)], accrued=()), "Your share in €", "To be paid out"),
        (a_last_reminder(25), "Open in €|Amount in €", "To pay"),
    ],
    ids=["account", "settlement", "reminder"],
)
def test_ten_pages_repeat_their_heads_and_never_leave_the_total_alone(document: AnyDocument, head: str, last: str) -> None:
    pages = [re.sub(r"\s+", " ", at.extract_text()) for at in read(printed(finished.press(), document)).pages]
    assert len(pages) >= 3
    assert all(re.search(head, text) for text in pages)
    assert [f"{at} / {len(pages)}" in text for at, text in enumerate(pages, 1)] == [True] * len(pages)
    (total,) = [text for text in pages if last in text]
    assert re.search(r"\d[.,]\d\d .*" + re.escape(last), total)  # a row stands above it on its page


@pytest.mark.parametrize("lines", range(3, 40, 8))
def test_the_pay_box_of_a_statement_never_leaves_its_page_empty(lines: int) -> None:
    pages = [at.extract_text() for at in read(printed(finished.press(), an_account(lines, open_items=None, unallocated_cents=0))).pages]
    assert ["Closing balance" in text for text in pages] == ["How to pay" in text for text in pages]


def test_a_self_billed_invoice_names_both_sides_and_says_who_wrote_it() -> None:
    text = text_of(a_self_billed(a_line(cents=219_300), taxed(58_650), language="nl"))
    for part in (
        "Leverancier", "Taalatelier de Vliet", "NL000099997B33", "90000027", "Expat Centre Leiden", "NL000099998B57", "uitgereikt door afnemer",
        "zoals afgesproken op 5 januari 2026", "uiterlijk 11 december 2026", "Wij betalen dit op 31 december 2026", "NL20 INGB 0001 2345 67",
        "SB-VLIET-2026-000004", "€ 2.902,67",
    ):  # fmt: skip
        assert part in text, part
    assert "Te betalen" not in text


def test_a_settlement_says_what_was_delivered_what_is_paid_when_and_how_to_object() -> None:
    text = text_of(a_settlement(language="nl"))
    for part in (
        "5 oktober t/m 23 november 2026, NL-A1-2610", "2.580,00", "−387,00", "15%", "2.193,00", "Wij betalen € 2.902,67 op 15 december 2026",
        "uiterlijk 11 december 2026", "Betaalbaar vanaf 18 december 2026", "NL20 INGB 0001 2345 67", "SB-VLIET-2026-000004",
    ):  # fmt: skip
        assert part in text, part


def test_the_last_reminder_shows_interest_costs_and_what_follows() -> None:
    text = text_of(a_last_reminder(language="nl"))
    for part in (
        "Dit is onze laatste herinnering", "10,15% per jaar over € 645,00, 1 oktober t/m 1 december 2026 (62 dagen)", "Incassokosten", "€ 40,00",
        "Nieuwe bestellingen wachten", "16 december 2026", "Graag betalen uiterlijk 15 december 2026", "PO 4500128834",
    ):  # fmt: skip
        assert part in text, part


def test_zero_rate_and_its_ground_stand_beneath_the_lines() -> None:
    text = text_of(a_document(a_line(vat_category=VatCategory.ZERO), a_line(), taxed(11_500), language="nl"))
    for part in ("0% btw", "N", "certificaat van vrijstelling", "Vrijgesteld van btw", "21% hoog tarief"):
        assert part in text, part


def test_a_certificate_is_one_page_and_can_be_checked() -> None:
    pdf = printed(
        finished.press(), a_certificate("Maximiliana-Wilhelmina von Habsburg-Lothringen van der Meer", outcomes=("Phrase " * 9,) * 6)
    )
    assert len(read(pdf).pages) == 1
    text = words(pdf)
    assert "7KQM-2FXA-P9" in text
    assert "€" not in text


async def test_papers_and_invoices_share_one_process_and_the_same_bytes() -> None:
    warm = Renderer()
    try:
        assert await warm.paper(a_certificate()) == renderer.paper_now(a_certificate())
        first = warm.pid
        assert await warm.render(a_self_billed()) == renderer.render_now(a_self_billed())
        assert warm.pid == first
    finally:
        await warm.close()


def test_the_same_paper_gives_the_same_bytes() -> None:
    first = renderer.paper_now(a_last_reminder())
    renderer.paper_now(a_reminder())
    assert renderer.paper_now(a_last_reminder()) == first

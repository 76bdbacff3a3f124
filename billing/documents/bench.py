"""Measures what our finishing adds to the bare layout, and whether the event loop stays free: for ``marketplace bench invoice``."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from billing.documents import model, renderer

if TYPE_CHECKING:
    from billing.documents.model import InvoiceDocument

RATIO_GATE = 1.15
LAG_GATE_MS = 20.0
LAG_PROBE_SECONDS = 0.002
SAMPLES = 20


class InvoiceBench(msgspec.Struct, frozen=True):
    """Milliseconds of CPU are medians for one page; ``ratio`` is finished by bare; the lag is the loop's p99 while documents are made."""

    bare_ms: float
    finished_ms: float
    ratio: float
    ratio_gate: float
    per_second: float
    lag_p99_ms: float
    lag_gate_ms: float
    passed: bool


def example(language: str = "nl") -> InvoiceDocument:
    """Return the invoice of the look's picture: five lines, two VAT rates, one page."""
    lines = (
        _line("Nederlands voor nieuwkomers, A0 → A1", 4, 64500, date(2027, 1, 18), date(2027, 4, 5), "tien lessen, Leiden"),
        _line("Zakelijk Engels: presenteren, B2", 2, 48000, date(2027, 1, 25), date(2027, 3, 1), "online"),
        _line("Werken met Nederlanders", 3, 29500, date(2026, 12, 4), date(2026, 12, 4), "één dag, Leiden"),
        _line("Annuleringskosten 50%, Nederlands A2", 1, 32250, date(2026, 11, 18), date(2026, 11, 18), "geannuleerd"),
        _line("Loopbaancoaching, één-op-één", 6, 11500, date(2026, 11, 3), date(2026, 11, 24), "per uur", taxed=True),
    )
    vat = (
        model.VatTotal(
            category=model.VatCategory.EXEMPT,
            rate=Decimal(0),
            net_cents=474750,
            vat_cents=0,
            exemption_code="VATEX-EU-132-1I",
            text="Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)",
        ),
        model.VatTotal(category=model.VatCategory.STANDARD, rate=Decimal(21), net_cents=69000, vat_cents=14490),
    )
    return model.InvoiceDocument(
        kind=model.DocumentKind.INVOICE,
        number="2026-000417",
        language=language,
        dated_on=date(2026, 12, 1),
        due_on=date(2026, 12, 31),
        seller=model.Seller(
            name="Expat Centre Leiden",
            tagline="voor internationals en hun werkgevers",
            address=model.Address(street="Voorbeeldgracht 1", postcode="2312 AB", city="Leiden"),
            vat_id="NL000099998B57",
            legal_id="90000011",
            legal_scheme="0106",
            email="facturen@ecl.example",
            phone="071 000 00 00",
            iban="NL02ABNA0123456789",
        ),
        buyer=model.Party(
            name="Rijnvelde Biosciences B.V.",
            attention="Crediteurenadministratie",
            address=model.Address(street="Proefstation 12", postcode="2333 XX", city="Leiden"),
            legal_id="90000012",
            legal_scheme="0106",
        ),
        lines=lines,
        vat=vat,
        net_cents=543750,
        vat_cents=14490,
        total_cents=558240,
        purchase_order="4500128834",
        cost_centre="3120",
        ordered_by="F. de Wit",
        order_numbers=("100388", "100412", "100417"),
        payment_link="betaal.ecl.example/417",
        conditions_on=date(2026, 1, 1),
    )


def _line(title: str, quantity: int, price_cents: int, start: date, end: date, detail: str, *, taxed: bool = False) -> model.DocumentLine:
    return model.DocumentLine(
        title=title,
        quantity=Decimal(quantity),
        unit_price_cents=price_cents,
        net_cents=quantity * price_cents,
        vat_category=model.VatCategory.STANDARD if taxed else model.VatCategory.EXEMPT,
        vat_rate=Decimal(21 if taxed else 0),
        supply_from_on=start,
        supply_to_on=end,
        detail=detail,
        people=tuple(f"RB-{2200 + at}" for at in range(quantity)),
    )


async def run(*, samples: int = SAMPLES) -> InvoiceBench:
    """Measure in this process (CPU time, alternating), then through the warm process (throughput and loop lag)."""
    bare, finished = _compare(samples)
    per_second, lag = await _through_the_process(samples)
    ratio = finished / bare
    return InvoiceBench(
        bare_ms=round(bare * 1000, 1),
        finished_ms=round(finished * 1000, 1),
        ratio=round(ratio, 3),
        ratio_gate=RATIO_GATE,
        per_second=round(per_second, 2),
        lag_p99_ms=round(lag * 1000, 2),
        lag_gate_ms=LAG_GATE_MS,
        passed=ratio <= RATIO_GATE and lag * 1000 <= LAG_GATE_MS,
    )


def _compare(samples: int) -> tuple[float, float]:
    from billing.documents import finished as formats

    document, press = example(), formats.press()
    press.bare(document)
    formats.make(document, press=press)
    bare, whole = [], []
    for _sample in range(samples):
        start = time.process_time()
        press.bare(document)
        middle = time.process_time()
        formats.make(document, press=press)
        bare.append(middle - start)
        whole.append(time.process_time() - middle)
    return statistics.median(bare), statistics.median(whole)


async def _through_the_process(samples: int) -> tuple[float, float]:
    warm = renderer.Renderer()
    lags: list[float] = []
    try:
        await warm.render(example())
        probe = asyncio.create_task(_probe(lags))
        start = time.perf_counter()
        for _sample in range(samples):
            await warm.render(example())
        took = time.perf_counter() - start
        probe.cancel()
        with suppress(asyncio.CancelledError):
            await probe
    finally:
        await warm.close()
    return samples / took, sorted(lags)[int(len(lags) * 0.99)]


async def _probe(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LAG_PROBE_SECONDS)
        lags.append(max(0.0, time.perf_counter() - before - LAG_PROBE_SECONDS))

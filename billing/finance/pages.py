"""ECL's finance pages: the desk, the VAT return, the books with their files, and everything about one euro."""

from __future__ import annotations

from datetime import datetime

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from billing import vat
from billing.books import chart, csv_lines, journal, periods, trial, vat_lines, vat_return, xaf
from billing.books.periods import Period
from billing.books.vat_return import MEMO
from billing.finance import ageing, back, desk, flow, trace, trace_story, trace_words
from billing.finance.addresses import links
from billing.ledger import Account
from billing.story import method_name
from marketplace.kit import clock
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _, fmt_date
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money, euros
from marketplace.kit.web import Html, WebRequest, render, spreadsheet

_FILES = {"csv": "text/csv", "xaf": "application/xml"}


@get("/finance", opt={"access": "ecl"})
async def show_desk(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what is owed and by whom, what is expected, and what waits for somebody."""
    found = await desk.read(actor=actor, now=now)
    return render(
        request, "finance/desk.html", found=found, names=ageing.names(), short_names=ageing.short_names(), chart_rows=desk.chart_rows, Money=Money,
        day=fmt_date(found.today, "full"),
    )  # fmt: skip


@get("/finance/refunds", opt={"access": "ecl"})
async def show_back(request: WebRequest, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None) -> Html:
    """Show the invoices with money that their debtors should get back, the longest waiting first."""
    page = await back.listed(actor=actor, cursor=cursor)
    return render(request, "finance/back.html", page=page, link=links("/finance/refunds"))


@get("/finance/vat", opt={"access": "ecl"})
async def show_vat(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    period: FromQuery[str | None] = None,
    box: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show the boxes of a period's VAT return; with ``box``, the entries behind it."""
    require(actor, Permission.MANAGE_INVOICES)
    shown = _period(period, now, "quarter")
    lines = await vat_lines.page(box, shown.from_on, shown.until_on, cursor=cursor) if box else None
    return render(
        request, "finance/vat.html", period=shown, found=await vat_return.read(shown.from_on, shown.until_on), box=box, lines=lines,
        today=clock.today(now), Money=Money, link=links("/finance/vat", period=shown.text, box=box), memo=MEMO,
        vat_words=chart.vat_words, event_name=chart.event_name, box_name=_box_name(box),
    )  # fmt: skip


@get("/finance/vat.csv", opt={"access": "ecl"})
async def vat_file(actor: NamedDependency[Actor], now: NamedDependency[datetime], period: FromQuery[str | None] = None) -> Response[bytes]:
    """Give the return and the EU listing as a CSV that Excel opens."""
    require(actor, Permission.MANAGE_INVOICES)
    shown = _period(period, now, "quarter")
    found = await vat_return.read(shown.from_on, shown.until_on)
    rows: list[list[object]] = [[one.box, one.name, euros(one.net), euros(one.vat), one.net_euros, one.vat_euros] for one in found.boxes]
    rows.append(["", _(vat_return.MEMO_NAME), euros(found.exempt), None, None, None])
    rows += [["ICP", f"{one.vat_id} {one.name}", euros(one.net), None, one.net_euros, None] for one in found.services]
    header = [_("Box"), _("What"), _("Without VAT"), _("VAT"), _("Without VAT, whole euros"), _("VAT, whole euros")]
    return spreadsheet.answer(f"vat-{shown.text}.csv", header, rows)


@get("/finance/ledger", opt={"access": "ecl"})
async def show_ledger(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    period: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show the trial balance of a period and its entries, newest first; with ``account``, those that touch it."""
    require(actor, Permission.MANAGE_INVOICES)
    shown = _period(period, now, "month")
    chosen = Account(account) if account in set(Account) else None
    return render(
        request, "finance/ledger.html", period=shown, trial=await trial.read(shown.from_on, shown.until_on),
        page=await journal.page(shown.from_on, shown.until_on, account=chosen, cursor=cursor), account=chosen, today=clock.today(now),
        account_name=chart.CHART[chosen].name if chosen else "", Money=Money, event_name=chart.event_name,
        link=links("/finance/ledger", period=shown.text, account=chosen and chosen.value),
    )  # fmt: skip


@get("/finance/ledger/{name:str}", opt={"access": "ecl", "noun": "ledger_file"})
async def ledger_file(actor: NamedDependency[Actor], now: NamedDependency[datetime], name: FromPath[str]) -> Stream:
    """Send the books of a period as a file: ``2026Q4.csv`` or ``2026.xaf``."""
    require(actor, Permission.MANAGE_INVOICES)
    text, _dot, kind = name.partition(".")
    shown = _written(text)
    if kind not in _FILES or shown is None:
        raise trace.unknown()
    pieces = (
        csv_lines.write(shown.from_on, shown.until_on)
        if kind == "csv"
        else xaf.write(shown.from_on, shown.until_on, today=clock.today(now))
    )
    headers = {"Content-Disposition": f'attachment; filename="books-{shown.text}.{kind}"', "Cache-Control": "private, no-store"}
    return Stream(pieces, media_type=_FILES[kind], headers=headers)


@get("/finance/trace/{ref:str}", opt={"access": "ecl", "noun": "trace"})
async def show_trace(request: WebRequest, actor: NamedDependency[Actor], ref: FromPath[str]) -> Html:
    """Show everything about the euros of an invoice, credit note, payment, statement or entry of the books."""
    found = await trace.read(ref, actor=actor)
    return render(
        request, "finance/trace.html", found=found, picture=flow.of(found), story=trace_story.tell(found), Money=Money,
        event_name=chart.event_name, vat_words=chart.vat_words, explain=vat.explain, legal_text=vat.legal_text, method_name=method_name,
        words=trace_words.words(),
    )  # fmt: skip


def _period(text: str | None, now: datetime, kind: periods.Kind) -> Period:
    """Return the period that was asked for, or the present one; what can't be read shows the present one too."""
    return (_written(text) if text else None) or periods.of(clock.today(now), kind)


def _written(text: str) -> Period | None:
    try:
        return periods.parse(text)
    except Invalid:
        return None


def _box_name(box: str | None) -> str:
    if box is None:
        return ""
    name = vat_return.MEMO_NAME if box == MEMO else vat_return.BOXES.get(box, "")
    return _(name) if name else ""


HANDLERS = [show_desk, show_back, show_vat, vat_file, show_ledger, ledger_file, show_trace]

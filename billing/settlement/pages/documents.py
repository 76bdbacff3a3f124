"""A statement's stored papers as answers: number.pdf, .csv, and of the self-billed invoice .invoice.pdf, .ubl and .xml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response

from billing import archive
from billing.archive import BeingMade
from billing.settlement import papers, statements
from marketplace.kit.i18n import _
from marketplace.kit.web import render

if TYPE_CHECKING:
    from billing.settlement.statements import Statement
    from marketplace.kit.web import WebRequest

_KINDS = {
    "pdf": (papers.STATEMENT, "pdf"),
    "csv": (papers.STATEMENT, "csv"),
    "invoice.pdf": (papers.SELF_BILLED, "pdf"),
    "ubl": (papers.SELF_BILLED, "ubl"),
    "xml": (papers.SELF_BILLED, "xml"),
}


def parted(name: str) -> tuple[str, str]:
    """Return the number and the ending of an address's last part."""
    number, _dot, ending = name.partition(".")
    return number, ending


async def answer(request: WebRequest, statement: Statement, ending: str, *, back: str) -> Response[bytes] | Response[str]:
    """Return a stored paper, byte for byte; while it is made, a page that says so. Raises ``NotFound`` for another ending."""
    subject, kind = _KINDS.get(ending, ("", ""))
    if not subject or (subject == papers.SELF_BILLED and not statement.self_billed):
        raise statements.unknown()
    found = await archive.paper((subject, statement.id), kind=kind)
    if found is None:
        early = BeingMade(
            "being_made", _("This document is still being made."), next_step=_("That takes a few seconds. Try again in a moment.")
        )
        return render(request, "settlement/paper_waiting.html", status_code=404, statement=statement, reason=early, back=back)
    place = "inline" if kind == "pdf" else "attachment"
    headers = {
        "Content-Disposition": f'{place}; filename="{found.name}"',
        "Cache-Control": "private, max-age=0, must-revalidate",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)

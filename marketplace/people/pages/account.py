"""ECL's page of a company's statement of account; what it shows is billing's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.account import pages as shared
from billing.account import paper, statement
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest

if TYPE_CHECKING:
    from billing.debtors import Debtor


async def _debtor(company_id: UUID, actor: Actor) -> Debtor:
    require(actor, Permission.MANAGE_INVOICES)
    found = await statement.debtor_of(company_id)
    if found is None:
        raise NotFound("not_found", _("This company has no account yet."))
    return found


def _base(company_id: UUID) -> str:
    return f"/companies/{company_id}/account-statement"


@get("/companies/{company_id:uuid}/account-statement", opt={"access": "ecl", "noun": "company"})
async def show(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show a company's account over a period."""
    return await shared.page(request, await _debtor(company_id, actor), _base(company_id), actor=actor, now=now)


@get("/companies/{company_id:uuid}/account-statement.csv", opt={"access": "ecl", "noun": "company"})
async def show_file(
    request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[bytes]:
    """Send the same as a file."""
    return await shared.file(await _debtor(company_id, actor), request, now)


@post("/companies/{company_id:uuid}/account-statement", opt={"access": "ecl", "noun": "company"}, status_code=303)
async def ask(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Let its PDF be made, and mailed."""
    return await shared.ask(request, await _debtor(company_id, actor), _base(company_id), actor=actor, now=now)


@get("/companies/{company_id:uuid}/account-statement/{paper_id:uuid}", opt={"access": "ecl", "noun": "company"})
async def pdf(company_id: FromPath[UUID], paper_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send a stored PDF of its account."""
    found = await paper.of((await _debtor(company_id, actor)).id, paper_id)
    return shared.answer(found.content, found.name)


HANDLERS = [show, show_file, ask, pdf]

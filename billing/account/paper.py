"""The statement of account on paper: made by the worker, kept, and mailed where that was asked. The same account is the same paper.

Its id comes from its content, so that asking twice makes it once; another movement makes another paper.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec

from billing import archive, letterhead
from billing.account import statement
from billing.documents import renderer
from billing.documents.parts import DocumentError
from marketplace.kit import audit, clock, db, ids, mail, work
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.identity import SYSTEM, Actor
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from billing.account.statement import Account

_SPACE = UUID("5f0d8c64-2f6b-4a4e-9d2b-6f6a1f6f7a11")


def subject(found: Account, language: str) -> tuple[str, UUID]:
    """Return under which name the paper of an account is kept. Pure."""
    to = letterhead.addressee(found.debtor)
    said = msgspec.json.encode((found.from_on, found.to_on, found.opening_cents, found.lines, found.open_items, language, to))
    return f"account:{found.debtor.id}", uuid5(_SPACE, hashlib.sha256(said).hexdigest())


async def stored(found: Account, language: str) -> archive.Paper | None:
    """Return the PDF of an account when it was made."""
    return await archive.paper(subject(found, language), kind="pdf")


async def of(debtor_id: UUID, paper_id: UUID) -> archive.Paper:
    """Return a stored PDF of a debtor by its subject's id. Raises ``NotFound``."""
    found = await archive.paper((f"account:{debtor_id}", paper_id), kind="pdf")
    if found is None:
        raise NotFound("not_found", _("There is no such statement."))
    return found


async def ask(found: Account, *, language: str, mail_to: str | None, actor: Actor, now: datetime) -> None:
    """Let the worker make the paper, and mail it where ``mail_to`` says so: each asking is one mail.

    Raises ``Conflict`` ``asked_often`` when ten mails of it left today already.
    """
    _kind, paper_id = subject(found, language)
    payload = {
        "debtor": str(found.debtor.id), "from": found.from_on.isoformat(), "to": found.to_on.isoformat(), "language": language, "mail_to": mail_to,
        "today": clock.today(now).isoformat(),
    }  # fmt: skip
    async with db.atomic():
        key = f"billing.account_paper:{paper_id}"
        if mail_to is not None:
            today = f"account:{found.debtor.id}:{clock.today(now)}:"
            if await db.value("SELECT count(*) FROM due_work WHERE dedupe_key LIKE $1 || '%'", today) >= 10:
                raise Conflict("asked_often", _("This was mailed ten times today."), next_step=_("Download the PDF here instead."))
            key = f"{today}{ids.new_id()}"
        await work.enqueue("billing.account_paper", payload, run_at=now, dedupe_key=key)
        data = {"from": found.from_on, "to": found.to_on, "mailed": mail_to is not None}
        await audit.record("debtor.account_asked", actor=actor, subject=("debtor", found.debtor.id), data=data, now=now)


@work.handler("billing.account_paper", outside=True)
async def make(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Make the paper once, keep it, and mail it once."""
    found = await statement.of(
        UUID(payload["debtor"]),
        from_on=date.fromisoformat(payload["from"]),
        to_on=date.fromisoformat(payload["to"]),
        today=date.fromisoformat(payload["today"]),
    )
    language, where = payload["language"], subject(found, payload["language"])
    if await archive.paper(where, kind="pdf") is None:
        try:
            content = await renderer.paper(statement.document(found, language=language, dated_on=clock.today(now)))
        except (DocumentError, renderer.RenderError) as error:
            message = f"The account of {found.debtor.id} can't be made: {error}"
            raise work.GiveUp(message) from error
        await archive.store_paper(where, kind="pdf", name=file_name(found, language), content=content, now=now)
    if payload["mail_to"]:
        await _mail(found, payload["mail_to"], language, item_id=item.id, now=now)


def file_name(found: Account, language: str) -> str:
    """Return the PDF's name."""
    with use_locale(language):
        return f"{_('account')}-{found.from_on.isoformat()}-{found.to_on.isoformat()}.pdf"


async def _mail(found: Account, to: str, language: str, *, item_id: UUID, now: datetime) -> None:
    paper = await stored(found, language)
    if paper is None:
        return
    async with db.atomic():
        sent = await mail.send(
            template="billing/account",
            to=to,
            locale=language,
            context={
                "company": found.debtor.name, "from_on": found.from_on, "to_on": found.to_on, "closing": Money(found.closing_cents),
                "page_url": f"{settings().base_url}/account-statement",
            },
            dedupe_key=f"account:{item_id}",
            attachments=[mail.Attachment(source="billing.paper", id=str(paper.id), name=paper.name)],
            now=now,
        )  # fmt: skip
        if sent is not None:
            await audit.record("debtor.account_mailed", actor=SYSTEM, subject=("debtor", found.debtor.id), data={"mail": sent}, now=now)

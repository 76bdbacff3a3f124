"""The machinery as ECL sees it: periodic jobs, what waits, work that got stuck and trying it again, the mail log.

``retry`` is this package's only verb; the work itself is the kit's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from marketplace.desk.branches import Values, key
from marketplace.kit import audit, db, work
from marketplace.kit.i18n import N_, _, n_
from marketplace.kit.identity import Actor, Permission, normal_email, require
from marketplace.kit.web import paging

_TAIL = 12
_MINUTES, _HOURS = 120, 48
JOBS = {
    "billing.reminders": N_("Find overdue invoices and remind"),
    "kit.seal_audit": N_("Seal the audit trail"),
    "kit.tidy": N_("Clear finished work"),
    "kit.tidy_sessions": N_("Clear ended sign-ins"),
    "people.forget": N_("Forget unused invitations and uploads"),
    "catalog.expire_holds": N_("Free seats whose hold is over"),
    "catalog.finish_sessions": N_("Close sessions that are over"),
    "catalog.count_bookings": N_("Count bookings for the catalogue's order"),
    "catalog.refresh_search": N_("Refresh the catalogue's search"),
    "billing.vat_ids": N_("Ask VIES about VAT ids without an answer"),
    "billing.stripe_events": N_("Read events from Stripe"),
    "billing.stripe_compare": N_("Compare invoices with Stripe"),
    "settlement.advance": N_("Make partners' lines payable"),
    "settlement.agree": N_("Close the time to object to statements"),
    "settlement.statements": N_("Make the partners' monthly statements"),
    "runs.request_due": N_("Ask for the invoices whose moment has come"),
    "runs.propose": N_("Propose the monthly invoice run"),
    "runs.watch": N_("Watch for invoices that must go by the 15th"),
}
KINDS = {
    "billing.account_paper": N_("Make a statement of account"),
    "billing.remind": N_("See whether a company is to be reminded"),
    "billing.reminder_mail": N_("Make and mail a reminder"),
    "orders.accrue": N_("Note what an order earns partners"),
    "settlement.partner_added": N_("Prepare payments to a new partner"),
    "settlement.line_cancelled": N_("Take back what a cancelled seat earned"),
    "settlement.redated": N_("Move the day of payment to a partner"),
    "settlement.advance": N_("Make partners' lines payable"),
    "settlement.statement": N_("Make a partner's statement"),
    "settlement.render": N_("Make a statement's documents"),
    "scheduling.run": N_("Place a planned enrolment"),
    "scheduling.tell": N_("Tell HR how a plan went"),
    "enrolments.invite": N_("Invite a participant"),
    "mail.send": N_("Send a mail"),
    "orders.tell_placed": N_("Confirm an order by mail"),
    "orders.tell_declined": N_("Tell HR of a declined place"),
    "orders.tell_cancelled": N_("Tell HR what was cancelled"),
    "orders.session_cancelled": N_("Take back the orders of cancelled dates"),
    "orders.take_back": N_("Take back one order of cancelled dates"),
    "enrolments.tell_cancelled": N_("Tell a participant that the seat is gone"),
    "fulfilment.person_replaced": N_("Tell a partner that somebody else comes"),
    "fulfilment.line_cancelled": N_("Tell a partner that somebody doesn't come"),
    "fulfilment.ask_partner": N_("Ask a partner"),
    "fulfilment.expire": N_("Close an unanswered request"),
    "fulfilment.tell_partner": N_("Mail a request to a partner"),
    "fulfilment.remind": N_("Remind a partner"),
    "fulfilment.tell_ecl": N_("Tell ECL that a partner is late"),
    "people.mail_reset": N_("Mail a link for a new password"),
    "billing.stripe_compare": N_("Compare an invoice with Stripe"),
    "billing.stripe_event": N_("Work on an event from Stripe"),
    "billing.issue": N_("Issue an invoice"),
    "runs.collect": N_("Put an invoice run together"),
    "runs.issue_group": N_("Issue an invoice of a run"),
    "orders.session_moved": N_("Give charges the new dates of a session"),
    "billing.stripe_compare_cash": N_("Look for unused money at Stripe"),
    "billing.stripe_credit": N_("Put a credit note at Stripe"),
    "billing.stripe_mirror": N_("Put an invoice at Stripe"),
    "billing.stripe_refund": N_("Let Stripe send money back"),
    "billing.stripe_settled": N_("Tell Stripe that an invoice was paid elsewhere"),
    "billing.stripe_uncollectible": N_("Tell Stripe that an invoice was given up"),
    "billing.stripe_void": N_("Withdraw an invoice at Stripe"),
    "billing.render": N_("Make an invoice's PDF"),
    "billing.link_arrived": N_("Wait for the payment link"),
    "billing.mail_invoice": N_("Mail an invoice"),
    "billing.vies_check": N_("Ask VIES about a VAT id"),
    "billing.deliver_peppol": N_("Deliver an invoice by Peppol"),
    "billing.delivery_status": N_("Ask whether an invoice arrived by Peppol"),
    "billing.mail_left": N_("See whether an invoice's mail left"),
    "billing.tell_undelivered": N_("Tell ECL that an invoice was not delivered"),
}
_TROUBLE = (
    (
        ("ConnectionRefusedError", "ConnectError", "ConnectionError", "SMTPConnectError", "OSError"),
        N_("The other side could not be reached."),
    ),
    (("TimeoutError", "TimeoutException", "SMTPTimeoutError", "ReadTimeout"), N_("The other side did not answer in time.")),
    (("SMTPRecipientsRefused", "SMTPResponseException", "SMTPDataError"), N_("The mail server refused the mail.")),
    (("SMTPAuthenticationError", "AuthenticationError"), N_("The other side did not accept our key or password.")),
    (("NotFound", "LookupError", "KeyError"), N_("Something that this work needs is gone.")),
    (("LockNotAvailableError", "DeadlockDetectedError", "QueryCanceledError"), N_("The database was too busy.")),
)


class Stuck(msgspec.Struct, frozen=True):
    """Work that waits for a person, with its error as it was kept."""

    id: UUID
    kind: str
    attempts: int
    last_error: str | None
    run_at: datetime
    created_at: datetime
    payload: dict[str, Any]

    @property
    def title(self) -> str:
        """Return what this work does, in words."""
        return kind_name(self.kind)

    @property
    def trouble(self) -> str:
        """Return what went wrong, in words."""
        return in_words(self.last_error)

    @property
    def about(self) -> str:
        """Return what the work is about: the names of its ids with their ends, which tell them apart."""
        return ", ".join(f"{name} {str(value)[-_TAIL:]}" for name, value in self.payload.items())


def kind_name(kind: str) -> str:
    """Return what a kind of work or a periodic job does; one without words keeps its name."""
    known = JOBS.get(kind.removeprefix("job:")) if kind.startswith("job:") else KINDS.get(kind)
    return _(known) if known else kind


def job_name(name: str) -> str:
    """Return what a periodic job does; one without words keeps its name."""
    return _(JOBS[name]) if name in JOBS else name


def in_words(error: str | None) -> str:
    """Say a kept error ("Class: message") as a sentence. Where the work gave up with a sentence, it is that one."""
    kind, _colon, message = (error or "").partition(": ")
    if kind == "GiveUp" and message:
        return message
    for kinds, sentence in _TROUBLE:
        if kind in kinds:
            return _(sentence)
    return _("It failed in a way that nobody foresaw. The technical words are below.") if error else _("Nothing was noted.")


def how_long(since: datetime | None, now: datetime) -> str:
    """Say how long something waits, in the unit that fits; a dash when nothing does."""
    if since is None:
        return "\N{EN DASH}"
    minutes = max(int((now - since).total_seconds()) // 60, 0)
    if minutes < _MINUTES:
        return n_("1 minute", "{n} minutes", minutes)
    hours = minutes // 60
    return _("{hours} hours", hours=hours) if hours < _HOURS else _("{days} days", days=hours // 24)


async def stuck(*, actor: Actor, cursor: str | None = None, size: int = 20) -> paging.Page[Stuck]:
    """Return a page of dead work, the latest first."""
    require(actor, Permission.MANAGE_JOBS)
    place = paging.read(cursor, datetime, UUID, size=size)
    values = Values()
    where = ["state = 'dead'", *key(("run_at", "id"), ("timestamptz", "uuid"), place, place.before, values)]
    sql = f"""
        SELECT id, kind, attempts, last_error, run_at, created_at, payload FROM due_work
         WHERE {" AND ".join(where)} ORDER BY run_at {place.descending}, id {place.descending} LIMIT {values(place.fetch)}
    """  # noqa: S608 - constants
    return paging.page(await db.rows(Stuck, sql, *values), place, key=lambda row: (row.run_at, row.id))


async def retry(item_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Queue dead work again, as new. Raises ``NotFound``; ``Conflict`` ``not_dead`` when somebody did it already."""
    require(actor, Permission.MANAGE_JOBS)
    async with db.atomic():
        await work.retry_dead(item_id, now=now)
        await audit.record("work.retried", actor=actor, subject=("work", item_id), now=now)


class MailRow(msgspec.Struct, frozen=True):
    """A mail in the log: never its words."""

    id: UUID
    recipient: str
    locale: str
    template: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None


async def mails(*, actor: Actor, state: str | None = None, to: str = "", cursor: str | None = None, size: int = 50) -> paging.Page[MailRow]:
    """Return a page of the mail log, newest first; ``to`` is a whole address."""
    require(actor, Permission.MANAGE_JOBS)
    place = paging.read(cursor, UUID, size=size)
    values = Values()
    where = ["true", *key(("id",), ("uuid",), place, place.before, values)]
    if state in {"queued", "sent"}:
        where.append(f"state = '{state}'")
    if address := normal_email(to.replace("\0", "")):
        where.append(f"recipient = {values(address)}")
    sql = f"""
        SELECT id, recipient, locale, template, subject, state, created_at, sent_at FROM mail_message
         WHERE {" AND ".join(where)} ORDER BY id {place.descending} LIMIT {values(place.fetch)}
    """  # noqa: S608 - constants
    return paging.page(await db.rows(MailRow, sql, *values), place, key=lambda row: (row.id,))

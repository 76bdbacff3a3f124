"""Looks at every part that the product leans on, and says for each what it found and how to mend it. Changes nothing."""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from billing import vat_rules
from marketplace.kit import settings as kit_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marketplace.kit.settings import Settings

OLDEST_POSTGRES = 15
_SKEW = timedelta(seconds=5)
_WORKER_SILENT = timedelta(minutes=5)
_ROOM = 500_000_000
_PATIENCE = 10


class State(StrEnum):
    """How a part is: well, worth a word, or in the way of running."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """What was found of one part, and the mend when it isn't well."""

    part: str
    state: State
    text: str
    mend: str = ""


class Report(msgspec.Struct, frozen=True):
    """All findings, and the effective settings with secrets masked."""

    findings: list[Finding]
    settings: dict[str, str]

    @property
    def failed(self) -> bool:
        """Whether any part failed."""
        return any(one.state is State.FAILED for one in self.findings)


async def examine(loaded: Settings) -> Report:
    """Look at every part. The pool must be open when the database answers; no part's trouble keeps from looking at the others."""
    findings: list[Finding] = [_python(), _home(loaded)]
    reachable = await _database(loaded)
    findings.append(reachable)
    if reachable.state is not State.FAILED:
        findings += [await _guarded("schema", _schema), await _guarded("clock", _clock), await _guarded("worker", _worker)]
        findings.append(await _guarded("books", _books))
    findings += await asyncio.to_thread(_documents)
    findings.append(await _smtp(loaded))
    findings.append(await _stripe(loaded))
    findings.append(_vat(loaded))
    return Report(findings, kit_settings.masked(loaded))


async def _guarded(part: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except Exception as error:  # noqa: BLE001 - whatever it is, the doctor tells it and goes on
        return Finding(part, State.FAILED, f"{type(error).__name__}: {error}", "Run “marketplace migrate”, then the doctor again.")


def _python() -> Finding:
    return Finding("python", State.OK, sys.version.split()[0])


def _home(loaded: Settings) -> Finding:
    free = shutil.disk_usage(loaded.home if loaded.home.exists() else loaded.home.anchor).free
    if free < _ROOM:
        return Finding(
            "home", State.FAILED, f"{loaded.home} has {free // 1_000_000} MB left", "Make room, or set MARKETPLACE_HOME to another disk."
        )
    return Finding("home", State.OK, f"{loaded.home}, {free // 1_000_000_000} GB left")


async def _database(loaded: Settings) -> Finding:
    import asyncpg

    shown = kit_settings.masked(loaded)["DATABASE_URL"]
    try:
        own = await asyncpg.connect(loaded.database_url, timeout=_PATIENCE)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        return Finding("database", State.FAILED, f"{shown} does not answer ({error})", "Start that server, or correct DATABASE_URL.")
    major, version = own.get_server_version().major, await own.fetchval("SELECT split_part(current_setting('server_version'), ' ', 1)")
    await own.close()
    text = f"PostgreSQL {version} at {shown}"
    if major < OLDEST_POSTGRES:
        return Finding("database", State.FAILED, text, f"Use PostgreSQL {OLDEST_POSTGRES} or newer.")
    return Finding("database", State.OK, text)


async def _schema() -> Finding:
    from marketplace.kit import migrations

    pending = await migrations.status()
    if pending:
        return Finding(
            "schema", State.FAILED, f"{len(pending)} migrations to do, the first {pending[0].migration}", "Run “marketplace migrate”."
        )
    return Finding("schema", State.OK, "up to date")


async def _clock() -> Finding:
    from marketplace.kit import clock, db

    theirs: datetime = await db.value("SELECT clock_timestamp()")
    apart = abs(datetime.now(UTC) - theirs)
    if apart > _SKEW:
        return Finding("clock", State.FAILED, f"this machine and the database are {apart} apart", "Let both follow a time server.")
    shift = clock.now() - datetime.now(UTC)
    if abs(shift) > _SKEW:
        return Finding("clock", State.NOTE, f"moved by {shift}", "Remove MARKETPLACE_CLOCK_SHIFT for real business.")
    return Finding("clock", State.OK, f"{clock.now():%Y-%m-%d %H:%M} UTC, as the database's")


async def _worker() -> Finding:
    from marketplace.kit import clock, db, work

    now = clock.now()
    waiting = await work.backlog(now)
    seen: datetime | None = await db.value("SELECT max(claimed_at) FROM job_run")
    text = f"{waiting.due} due, {waiting.dead} given up, last sign of a worker {f'{seen:%Y-%m-%d %H:%M} UTC' if seen else 'never'}"
    if seen is None or now - seen > _WORKER_SILENT:
        return Finding("worker", State.NOTE, text, "Start one: “marketplace worker”, or “marketplace up” for everything.")
    if waiting.dead:
        return Finding("worker", State.NOTE, text, "Look at “marketplace jobs”, and try them again with “marketplace jobs retry ID”.")
    return Finding("worker", State.OK, text)


async def _books() -> Finding:
    from billing.books import check

    report = await check.check()
    if not report.right:
        return Finding(
            "books",
            State.FAILED,
            " ".join(report.problems),
            "Run “marketplace ledger check”, and look at /finance/ledger before booking on.",
        )
    return Finding("books", State.OK, f"every entry adds up to 0; debtors owe {report.receivable / 100:,.2f} EUR, as the documents say")


def _documents() -> list[Finding]:
    from billing.documents import health

    problems = health.check()
    if not problems:
        return [Finding("documents", State.OK, "pango, harfbuzz-subset and the fonts are there")]
    return [
        Finding("documents", State.FAILED if one.fatal else State.NOTE, one.what, f"As root: apt-get update && {one.mend}")
        for one in problems
    ]


async def _smtp(loaded: Settings) -> Finding:
    import aiosmtplib

    own = loaded.smtp
    if not own.host:
        return Finding("mail", State.NOTE, "no mail server is set", "Set MARKETPLACE_SMTP_HOST; “marketplace up” brings a mail catcher.")
    where = f"{own.host}:{own.port}"
    client = aiosmtplib.SMTP(hostname=own.host, port=own.port, use_tls=own.tls, start_tls=own.starttls, timeout=_PATIENCE)
    try:
        await client.connect()
        if own.user:
            await client.login(own.user, own.password)
        await client.quit()
    except (aiosmtplib.SMTPException, OSError) as error:
        return Finding(
            "mail", State.FAILED, f"{where} refuses ({error})", "Correct MARKETPLACE_SMTP_HOST, _PORT, _USER, _PASSWORD, _STARTTLS."
        )
    caught = f"; the mail catcher: {loaded.mail_page}" if loaded.mail_page else ""
    return Finding("mail", State.OK, f"{where} answers{caught}")


def _vat(loaded: Settings) -> Finding:
    try:
        rules = vat_rules.book().rules
    except (kit_settings.SettingsError, OSError) as error:
        return Finding("vat", State.FAILED, str(error), "Correct the file, or unset MARKETPLACE_VAT_RULES to use ours.")
    asked = "VIES" if loaded.vies_adapter == "live" else "a stand-in for VIES"
    base, _token = loaded.access_point
    sent = f"Peppol: {base}" if base else "no access point: invoices go by mail"
    return Finding("vat", State.OK, f"rules from {rules[-1].from_on}; VAT ids are asked of {asked}; {sent}")


async def _stripe(loaded: Settings) -> Finding:
    import httpx

    if not loaded.stripe_api_key:
        return Finding(
            "stripe", State.NOTE, "no key is set", "Set STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET; “marketplace up” brings a sandbox."
        )
    name = f"Stripe sandbox: {loaded.stripe_base}" if loaded.stripe_base else "Stripe: api.stripe.com"
    headers = {"Authorization": f"Bearer {loaded.stripe_api_key}"}
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as client:
            answer = await client.get(f"{loaded.stripe_base or 'https://api.stripe.com'}/v1/events?limit=1", headers=headers)
    except httpx.HTTPError as error:
        return Finding(
            "stripe", State.FAILED, f"{name} does not answer ({type(error).__name__})", "Start it, or open the way to api.stripe.com."
        )
    if not answer.is_success:
        return Finding("stripe", State.FAILED, f"{name} answers {answer.status_code}", "Correct STRIPE_API_KEY.")
    return Finding("stripe", State.OK, name + ("" if loaded.live else " (no real money)"))

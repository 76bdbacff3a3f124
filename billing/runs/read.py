"""Runs as ECL reads them: the list, one run with its figures, its groups, and one group with its lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from billing import charges
from billing.acceptance import Finding
from billing.runs import collect
from billing.runs.states import GroupState, RunState
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.web.paging import Page, Place

Show = Literal["ready", "blocked", "issued", "left"]
_SHOWN: dict[str, tuple[str, ...]] = {
    "ready": ("ready", "queued"),
    "blocked": ("blocked",),
    "issued": ("issued",),
    "left": ("empty", "cancelled"),
}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is: groups by state, and amounts in cents with VAT."""

    ready: int = 0
    blocked: int = 0
    queued: int = 0
    issued: int = 0
    left: int = 0
    changed: int = 0
    debtors: int = 0
    lines: int = 0
    ready_cents: int = 0
    blocked_cents: int = 0
    issued_cents: int = 0

    @property
    def groups(self) -> int:
        """Return how many groups there are in all."""
        return self.ready + self.blocked + self.queued + self.issued + self.left

    @property
    def to_issue(self) -> int:
        """Return how many were sent to be issued, whatever became of them."""
        return self.queued + self.issued


_FIGURES = """
    count(*) FILTER (WHERE g.state = 'ready')::int AS ready, count(*) FILTER (WHERE g.state = 'blocked')::int AS blocked,
    count(*) FILTER (WHERE g.state = 'queued')::int AS queued, count(*) FILTER (WHERE g.state = 'issued')::int AS issued,
    count(*) FILTER (WHERE g.state IN ('empty', 'cancelled'))::int AS left, count(*) FILTER (WHERE g.changed IS NOT NULL)::int AS changed,
    count(DISTINCT g.debtor_id)::int AS debtors, coalesce(sum(g.lines), 0)::int AS lines,
    coalesce(sum(g.total_cents) FILTER (WHERE g.state IN ('ready', 'queued')), 0)::bigint AS ready_cents,
    coalesce(sum(g.total_cents) FILTER (WHERE g.state = 'blocked'), 0)::bigint AS blocked_cents,
    coalesce(sum(g.total_cents) FILTER (WHERE g.state = 'issued'), 0)::bigint AS issued_cents
"""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the list."""

    id: UUID
    state: RunState
    until_on: date
    scope: collect.Scope
    proposed: bool
    made_by: str
    made_at: datetime
    figures: Figures


async def listed(place: Place, *, actor: Actor) -> Page[RunRow]:
    """Return a page of runs, newest first; ``place`` of ``paging.read(cursor, datetime, UUID)``."""
    require(actor, Permission.MANAGE_INVOICES)
    sql = f"""
        SELECT r.id, r.state, r.until_on, r.scope, r.proposed, r.made_by, r.made_at, to_jsonb(f) AS figures
        FROM (SELECT * FROM invoice_run WHERE $1::timestamptz IS NULL OR (made_at, id) {place.before} ($1, $2::uuid)
              ORDER BY made_at {place.descending}, id {place.descending} LIMIT $3) r
        CROSS JOIN LATERAL (SELECT {_FIGURES} FROM invoice_run_group g WHERE g.run_id = r.id) f
        ORDER BY r.made_at {place.descending}, r.id {place.descending}
    """  # noqa: S608 - constants
    return paging.page(await db.rows(RunRow, sql, *place.key, place.fetch), place, key=lambda row: (row.made_at, row.id))


async def figures(run_id: UUID) -> Figures:
    """Return how far a run is."""
    found = await db.row(Figures, f"SELECT {_FIGURES} FROM invoice_run_group g WHERE g.run_id = $1", run_id)  # noqa: S608
    return found or Figures()


async def stuck(run_id: UUID) -> int:
    """Return how many groups of a run the worker gave up on; they wait under "Stuck work"."""
    sql = """
        SELECT count(*) FROM invoice_run_group g JOIN due_work w ON w.dedupe_key = 'runs.issue_group:' || g.id AND w.state = 'dead'
        WHERE g.run_id = $1 AND g.state = 'queued'
    """
    return int(await db.value(sql, run_id))


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group with its debtor and, once issued, its invoice. ``changed`` says what is different from the preview."""

    id: UUID
    run_id: UUID
    position: int
    debtor_id: UUID
    owner_id: UUID
    debtor_name: str
    split_by: str
    split_value: str
    part: int
    parts: int
    state: GroupState
    findings: list[Finding]
    changed: dict[str, int] | None
    lines: int
    net_cents: int
    vat_cents: int
    total_cents: int
    invoice_number: str | None

    @property
    def net(self) -> Money:
        """Return the sum without VAT."""
        return Money(self.net_cents)

    @property
    def vat(self) -> Money:
        """Return the VAT."""
        return Money(self.vat_cents)

    @property
    def total(self) -> Money:
        """Return the sum with VAT."""
        return Money(self.total_cents)

    @property
    def was(self) -> Money:
        """Return what the preview said, where that is different."""
        return Money((self.changed or {}).get("was_cents", self.total_cents))


_GROUP = """
    SELECT g.id, g.run_id, g.position, g.debtor_id, d.owner_id, d.legal_name AS debtor_name, g.split_by, g.split_value, g.part, g.parts, g.state,
           g.findings, g.changed, g.lines, g.net_cents, g.vat_cents, g.total_cents, i.number AS invoice_number
    FROM invoice_run_group g JOIN debtor d ON d.id = g.debtor_id LEFT JOIN invoice i ON i.id = g.invoice_id
"""


async def groups(run_id: UUID, place: Place, *, show: Show | None = None) -> Page[GroupRow]:
    """Return a page of a run's groups in their order; ``place`` of ``paging.read(cursor, int)``."""
    states = list(_SHOWN[show]) if show else [state.value for state in GroupState]
    sql = f"""
        {_GROUP} WHERE g.run_id = $1 AND g.state = ANY($2) AND ($3::int IS NULL OR g.position {place.after} $3)
        ORDER BY g.position {place.ascending} LIMIT $4
    """
    found = await db.rows(GroupRow, sql, run_id, states, place.key[0], place.fetch)
    return paging.page(found, place, key=lambda row: (row.position,))


async def group(group_id: UUID, *, actor: Actor) -> GroupRow:
    """Return a group. Raises ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await db.row(GroupRow, f"{_GROUP} WHERE g.id = $1", group_id)
    if found is None:
        raise NotFound("not_found", _("There is no such group in a run."))
    return found


async def lines_of(group_id: UUID) -> list[charges.Charge]:
    """Return the charges that a group was put together from, also those that were left out since."""
    sql = "SELECT charge_id FROM invoice_run_charge WHERE group_id = $1 ORDER BY position"
    return await charges.of([row["charge_id"] for row in await db.records(sql, group_id)])


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor with something to bill until a day."""

    debtor_id: UUID
    debtor_name: str
    rhythm: str
    lines: int
    net_cents: int
    first_on: date

    @property
    def net(self) -> Money:
        """Return the amount without VAT."""
        return Money(self.net_cents)


async def waiting(until_on: date, *, actor: Actor) -> Sequence[Waiting]:
    """Return whom something can be billed to until a day, by name: for choosing."""
    require(actor, Permission.MANAGE_INVOICES)
    sql = """
        SELECT c.debtor_id, d.legal_name AS debtor_name, d.rhythm, count(*)::int AS lines, sum(c.net_cents)::bigint AS net_cents,
               min(c.billable_on) AS first_on
        FROM charge c JOIN debtor d ON d.id = c.debtor_id
        WHERE c.state = 'open' AND c.ready_at IS NOT NULL AND c.billable_on <= $1
        GROUP BY c.debtor_id, d.legal_name, d.rhythm ORDER BY lower(d.legal_name), c.debtor_id LIMIT 2000
    """
    return await db.rows(Waiting, sql, until_on)


class ForEcl(msgspec.Struct, frozen=True):
    """What of invoicing waits for ECL: previews that nobody decided on, invoices held, and lines that are late."""

    previews: int
    held: int
    late: int

    @property
    def total(self) -> int:
        """Return how many there are in all."""
        return self.previews + self.held + self.late


async def for_ecl(*, today: date) -> ForEcl:
    """Return what waits for ECL; each count stops at a bound. Late lines count from the first of the month after delivery."""
    sql = """
        SELECT (SELECT count(*) FROM invoice_run WHERE state = 'preview' AND proposed) AS previews,
               (SELECT count(*) FROM (SELECT FROM invoice_hold h WHERE h.state = 'held'
                   AND EXISTS (SELECT FROM charge c WHERE c.group_key = h.group_key AND c.state = 'open') LIMIT 1000) few) AS held,
               (SELECT count(*) FROM (SELECT FROM charge WHERE state = 'open' AND supply_to_on < $1 LIMIT 1000) few) AS late
    """
    found = await db.row(ForEcl, sql, today.replace(day=1))
    assert found is not None
    return found

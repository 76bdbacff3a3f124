"""Scheduled enrolments as HR sees them, and what each code of ``needs_attention`` asks of them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging
from marketplace.people import names, scope
from marketplace.scheduling.schedule import PlanState


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduled enrolment with the words around it."""

    id: UUID
    company_id: UUID
    person_id: UUID
    kind: str
    given_name: str
    infix: str
    family_name: str
    employee_name: str
    session_id: UUID | None
    programme_id: UUID
    programme_code: str
    title: str
    category: str
    session_starts_at: datetime | None
    wants_session: bool
    starts_after_on: date | None
    run_at: datetime
    price_cap_cents: int | None
    purchase_order: str | None
    cost_centre: str | None
    state: PlanState
    code: str | None
    order_id: UUID | None
    order_number: int | None
    state_at: datetime
    created_by: UUID

    @property
    def person_name(self) -> str:
        """Return the name as the company may see it."""
        if self.kind == "relation":
            return _("Partner of {name}", name=self.employee_name)
        return names.full(self.given_name, self.infix, self.family_name)

    @property
    def price_cap(self) -> Money | None:
        """Return the most that may be paid per person, without VAT."""
        return None if self.price_cap_cents is None else Money(self.price_cap_cents)

    @property
    def open(self) -> bool:
        """Tell whether it can still be changed or withdrawn."""
        return self.state in {PlanState.PLANNED, PlanState.NEEDS_ATTENTION}

    @property
    def trouble(self) -> str:
        """Return what kept us from ordering, and what to do; empty unless it needs attention."""
        return explain(self.code) if self.code else ""


_SELECT = """
    SELECT x.id, x.company_id, x.person_id, p.kind, p.given_name, p.infix, p.family_name,
           coalesce(concat_ws(' ', e.given_name, nullif(e.infix, ''), nullif(e.family_name, '')), '') AS employee_name,
           x.session_id, g.id AS programme_id, g.code AS programme_code, CASE WHEN $1 = 'nl' THEN g.title_nl ELSE g.title_en END AS title,
           g.category, s.starts_at AS session_starts_at, x.session_id IS NOT NULL AS wants_session, x.starts_after_on, x.run_at,
           x.price_cap_cents, x.purchase_order, x.cost_centre, x.state, x.code, x.order_id, o.number AS order_number, x.state_at, x.created_by
      FROM scheduled_enrolment x
      JOIN person p ON p.id = x.person_id LEFT JOIN person e ON e.id = p.relation_of
      LEFT JOIN session s ON s.id = x.session_id JOIN programme g ON g.id = coalesce(x.programme_id, s.programme_id)
      LEFT JOIN placed_order o ON o.id = x.order_id
     WHERE ($2::uuid IS NULL OR x.company_id = $2)
"""


def _owner(actor: Actor) -> UUID | None:
    require(actor, Permission.SEE_ORDERS)
    return None if actor.is_ecl or actor.kind == "system" else scope.company_of(actor)


async def get(plan_id: UUID, *, actor: Actor) -> Plan:
    """Return one of the actor's company. Raises ``NotFound``."""
    found = await db.row(Plan, f"{_SELECT} AND x.id = $3", current_locale(), _owner(actor), plan_id)
    if found is None:
        raise scope.not_found()
    return found


async def listed(*, actor: Actor, state: PlanState | None = None, cursor: str | None = None, size: int = 25) -> paging.Page[Plan]:
    """Return a page of the actor's scheduled enrolments, the latest date first."""
    place = paging.read(cursor, datetime, UUID, size=size)
    sql = (
        f"{_SELECT} AND ($3::text IS NULL OR x.state = $3) AND ($4::timestamptz IS NULL OR (x.run_at, x.id) {place.before} ($4, $5::uuid))"
        f" ORDER BY x.run_at {place.descending}, x.id {place.descending} LIMIT $6"
    )
    found = await db.rows(Plan, sql, current_locale(), _owner(actor), state and state.value, *place.key, place.fetch)
    return paging.page(found, place, key=lambda plan: (plan.run_at, plan.id))


async def counts(*, actor: Actor) -> dict[str, int]:
    """Return how many there are in each state."""
    found = await db.records(
        "SELECT state, count(*)::int AS n FROM scheduled_enrolment WHERE ($1::uuid IS NULL OR company_id = $1) GROUP BY state",
        _owner(actor),
    )
    return {row["state"]: row["n"] for row in found}


def explain(code: str) -> str:
    """Say a refusal's code as a sentence with the next step, in the current language."""
    sentences = {
        "full": _("The dates were full. Choose others, or another moment."),
        "already_enrolled": _("This person had a seat on these dates already. Withdraw this plan."),
        "closed": _("The dates were no longer open for orders. Choose others."),
        "no_session": _("No dates with a free seat were planned. Choose a later day, or another programme."),
        "price_above_cap": _("The price was above your limit. Raise the limit, or choose other dates."),
        "references": _("The PO number or cost centre is missing or not as your company wants it. Add it, and we order."),
        "person_left": _("This person has left. Withdraw this plan."),
        "company_closed": _("Your company no longer orders here. Ask Expat Centre Leiden to open it again."),
        "overdue_blocked": _("An invoice is overdue, so nothing new can be ordered. Pay it, then set a new moment."),
        "no_billing_details": _("Your company's billing details are missing. Ask Expat Centre Leiden to fill them in."),
    }
    return sentences.get(code) or _("We could not order this ({code}). Change it, or call us.", code=code)

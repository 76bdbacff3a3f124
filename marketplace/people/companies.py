"""Companies: made and changed by ECL (an owner may change the ordering rules), read by everyone who orders for them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import paging
from marketplace.people import debtor_link, names, scope
from marketplace.people.ordering_rules import OrderingRules, Reference, Rule, usable_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator


class CompanyState(StrEnum):
    """Members of a closed company can't sign in."""

    ACTIVE = "active"
    CLOSED = "closed"


TRANSITIONS = {CompanyState.ACTIVE: (CompanyState.CLOSED,), CompanyState.CLOSED: (CompanyState.ACTIVE,)}


class CompanyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL fills in about a company. ``vat_id`` is only needed where the VAT is reverse-charged."""

    name: str
    legal_form: str | None = None
    kvk: str | None = None
    vat_id: str | None = None
    sector: str | None = None
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "NL"
    language: str = "nl"
    invoice_email: str | None = None
    purchase_order_rule: Rule = Rule.OPTIONAL
    purchase_order_pattern: str | None = None
    purchase_order_hint: str | None = None
    cost_centre_rule: Rule = Rule.OPTIONAL
    cost_centre_pattern: str | None = None
    cost_centre_hint: str | None = None
    wants_names: bool = False


class Company(CompanyFacts, frozen=True, kw_only=True):
    """A company as it is kept."""

    id: UUID
    debtor_id: UUID | None
    sort_name: str
    state: CompanyState
    created_at: datetime

    @property
    def rules(self) -> OrderingRules:
        """Return what this company asks of its orders."""
        return OrderingRules(
            purchase_order=Reference(self.purchase_order_rule, self.purchase_order_pattern, self.purchase_order_hint),
            cost_centre=Reference(self.cost_centre_rule, self.cost_centre_pattern, self.cost_centre_hint),
            wants_names=self.wants_names,
        )


class CompanyLine(msgspec.Struct, frozen=True):
    """A company in ECL's list."""

    id: UUID
    name: str
    sort_name: str
    city: str
    sector: str | None
    state: CompanyState
    members: int
    employees: int


START = paging.Place(key=(None, None))
FIELDS = tuple(field.name for field in msgspec.structs.fields(CompanyFacts))
_COLUMNS = ", ".join(("id", "debtor_id", "sort_name", "state", "created_at", *FIELDS))


async def find(company_id: UUID) -> Company | None:
    """Return a company, or None."""
    return await db.row(Company, f"SELECT {_COLUMNS} FROM company WHERE id = $1", company_id)  # noqa: S608 - our own names


async def get(company_id: UUID) -> Company:
    """Return a company; raise ``NotFound`` when there is none. Whether the actor may see it: ``scope.company_of``."""
    found = await find(company_id)
    if found is None:
        raise scope.not_found()
    return found


async def ordering_rules(company_id: UUID) -> OrderingRules:
    """Return what the company asks of its orders; judge with ``ordering_rules.check``. Raises ``NotFound``."""
    return (await get(company_id)).rules


async def create(facts: CompanyFacts, *, actor: Actor, now: datetime) -> UUID:
    """Make a company and its debtor, and return the company's id. Raises ``Invalid`` with a sentence per field."""
    require(actor, Permission.MANAGE_COMPANIES)
    problems = _problems(facts)
    company_id = ids.new_id()
    async with db.atomic():
        with _all_at_once(problems):
            debtor_id = await debtor_link.create(company_id, facts, actor=actor, now=now)
        kept = {"id": company_id, "debtor_id": debtor_id, "sort_name": names.fold(facts.name), "created_at": now, **_values(facts)}
        holes = ", ".join(f"${at}" for at in range(1, len(kept) + 1))
        await db.execute(f"INSERT INTO company ({', '.join(kept)}, state) VALUES ({holes}, 'active')", *kept.values())  # noqa: S608 - our own names
        await audit.record("company.created", actor=actor, subject=("company", company_id), now=now)
    return company_id


async def update(company_id: UUID, facts: CompanyFacts, *, actor: Actor, now: datetime) -> list[str]:
    """Replace the facts of a company, and its debtor's with them; return the names of the fields that changed."""
    require(actor, Permission.MANAGE_COMPANIES)
    problems = _problems(facts)
    async with db.atomic():
        await db.execute("SELECT 1 FROM company WHERE id = $1 FOR UPDATE", company_id)
        before = await get(company_id)
        changed = [name for name in FIELDS if getattr(before, name) != getattr(facts, name)]
        if not changed:
            return []
        if before.debtor_id is not None:
            with _all_at_once(problems):
                await debtor_link.update(before.debtor_id, facts, actor=actor, now=now)
        kept = {"sort_name": names.fold(facts.name), **_values(facts)}
        settings = ", ".join(f"{name} = ${at}" for at, name in enumerate(kept, 2))
        await db.execute(f"UPDATE company SET {settings} WHERE id = $1", company_id, *kept.values())  # noqa: S608 - our own names
        await audit.record("company.changed", actor=actor, subject=("company", company_id), data={"fields": changed}, now=now)
    return changed


async def close(company_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Close a company: its members can't sign in any more. Its orders and invoices stay."""
    await _move(company_id, CompanyState.CLOSED, actor=actor, now=now)


async def reopen(company_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Open a closed company again."""
    await _move(company_id, CompanyState.ACTIVE, actor=actor, now=now)


async def _move(company_id: UUID, to: CompanyState, *, actor: Actor, now: datetime) -> None:
    require(actor, Permission.MANAGE_COMPANIES)
    async with db.atomic():
        moved = await db.execute("UPDATE company SET state = $2 WHERE id = $1 AND state <> $2", company_id, to)
        if not moved:
            await get(company_id)
            return
        if to is CompanyState.CLOSED:
            await db.execute(
                "UPDATE web_session s SET revoked_at = $2 FROM member m"
                " WHERE m.company_id = $1 AND s.account_id = m.account_id AND s.revoked_at IS NULL",
                company_id, now,
            )  # fmt: skip
        await audit.record(f"company.{to}", actor=actor, subject=("company", company_id), now=now)


async def page(place: paging.Place = START, *, actor: Actor, search: str = "") -> paging.Page[CompanyLine]:
    """Return a page of ECL's list by name; ``place`` from ``paging.read(cursor, str, UUID)``. Searches names and KvK numbers."""
    require(actor, Permission.MANAGE_COMPANIES)
    sql = f"{_PAGE} ORDER BY c.sort_name {place.ascending}, c.id {place.ascending} LIMIT $4".replace("{after}", place.after)
    found = await db.rows(CompanyLine, sql, names.fold(search), *place.key, place.fetch)
    return paging.page(found, place, key=lambda line: (line.sort_name, line.id))


_PAGE = """
    SELECT c.id, c.name, c.sort_name, c.city, c.sector, c.state,
           (SELECT count(*) FROM member m WHERE m.company_id = c.id AND m.state = 'active') AS members,
           (SELECT count(*) FROM person p WHERE p.company_id = c.id AND p.state = 'active' AND p.kind = 'employee') AS employees
      FROM company c
     WHERE ($1 = '' OR strpos(c.sort_name, $1) > 0 OR c.kvk = $1)
       AND ($2::text IS NULL OR (c.sort_name, c.id) {after} ($2, $3::uuid))
"""


def _values(facts: CompanyFacts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in FIELDS}


def _problems(facts: CompanyFacts) -> dict[str, str]:
    """Return a sentence for each field that can't stay; the address and the numbers are judged by billing."""
    found: dict[str, str] = {}
    if facts.language not in ("en", "nl"):
        found["language"] = _("Choose Dutch or English.")
    for name in ("purchase_order_pattern", "cost_centre_pattern"):
        pattern = getattr(facts, name)
        if pattern and not usable_pattern(pattern):
            found[name] = _("This pattern can't be read. An example: 45[0-9]{8}")
    return found


@contextmanager
def _all_at_once(problems: dict[str, str]) -> Iterator[None]:
    """Raise our findings and billing's as one ``Invalid``, so that a form shows everything at the first try."""
    try:
        yield
    except Invalid as refusal:
        raise _refusal(problems | refusal.fields) from refusal
    if problems:
        raise _refusal(problems)


def _refusal(fields: dict[str, str]) -> Invalid:
    return Invalid("company", _("Some fields need another look."), fields=fields)

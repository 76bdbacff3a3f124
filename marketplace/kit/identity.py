"""Who acts, and what their role allows: accounts, actors, roles, permissions, passwords and API tokens.

An account can sign in; which company, partner or desk it acts for is known by ``people``, which registers the one
function that turns an account into an ``Actor``. Browser sessions live in ``kit/web/sessions.py``.

Roles and what they allow (``PERMISSIONS`` below is the truth):

====================  =====  =====  ========  =======  ======  =======  ===
permission            owner  buyer  approver  finance  viewer  partner  ecl
====================  =====  =====  ========  =======  ======  =======  ===
see_orders            yes    yes    yes       yes      yes              yes
place_orders          yes    yes
approve_orders        yes           yes
see_people            yes    yes    yes                yes              yes
edit_people           yes    yes
schedule_enrolments   yes    yes
see_invoices          yes    yes    yes       yes      yes              yes
pay_invoices          yes                     yes
edit_billing          yes                     yes                      yes
see_members           yes    yes    yes       yes      yes              yes
manage_members        yes                                               yes
edit_company          yes                                               yes
see_rosters                                                    yes      yes
decide_acceptances                                             yes
see_statements (its own)                                       yes
see_desk and manage_catalogue, _companies, _partners, _invoices, _jobs, _settlement  yes
====================  =====  =====  ========  =======  ======  =======  ===
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

import anyio
import anyio.to_thread
import msgspec
from anyio.lowlevel import RunVar
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict, Forbidden, Unauthenticated
from marketplace.kit.i18n import _
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

ActorKind = Literal["anonymous", "member", "system", "participant"]


class Role(StrEnum):
    """What a member is; a company's member may have several of the first five."""

    OWNER = "owner"
    BUYER = "buyer"
    APPROVER = "approver"
    FINANCE = "finance"
    VIEWER = "viewer"
    ECL = "ecl"
    PARTNER = "partner"


COMPANY_ROLES = frozenset({Role.OWNER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.VIEWER})


class Permission(StrEnum):
    """What a role allows. Whose rows these are is decided by the query's company or partner, not here."""

    SEE_ORDERS = "see_orders"
    PLACE_ORDERS = "place_orders"
    CANCEL_ORDERS = "cancel_orders"
    APPROVE_ORDERS = "approve_orders"
    SEE_PEOPLE = "see_people"
    EDIT_PEOPLE = "edit_people"
    SCHEDULE_ENROLMENTS = "schedule_enrolments"
    SEE_INVOICES = "see_invoices"
    PAY_INVOICES = "pay_invoices"
    EDIT_BILLING = "edit_billing"
    SEE_MEMBERS = "see_members"
    MANAGE_MEMBERS = "manage_members"
    EDIT_COMPANY = "edit_company"
    SEE_ROSTERS = "see_rosters"
    DECIDE_ACCEPTANCES = "decide_acceptances"
    SEE_DESK = "see_desk"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_COMPANIES = "manage_companies"
    MANAGE_PARTNERS = "manage_partners"
    MANAGE_INVOICES = "manage_invoices"
    MANAGE_JOBS = "manage_jobs"
    MANAGE_SETTLEMENT = "manage_settlement"
    SEE_STATEMENTS = "see_statements"


_P = Permission
_SEE = frozenset({_P.SEE_ORDERS, _P.SEE_PEOPLE, _P.SEE_INVOICES, _P.SEE_MEMBERS})
_BUY = _SEE | {_P.PLACE_ORDERS, _P.CANCEL_ORDERS, _P.EDIT_PEOPLE, _P.SCHEDULE_ENROLMENTS}
_DESK = {
    _P.SEE_DESK,
    _P.MANAGE_CATALOGUE,
    _P.MANAGE_COMPANIES,
    _P.MANAGE_PARTNERS,
    _P.MANAGE_INVOICES,
    _P.MANAGE_JOBS,
    _P.MANAGE_SETTLEMENT,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _BUY | {_P.APPROVE_ORDERS, _P.PAY_INVOICES, _P.EDIT_BILLING, _P.MANAGE_MEMBERS, _P.EDIT_COMPANY},
    Role.BUYER: _BUY,
    Role.APPROVER: _SEE | {_P.APPROVE_ORDERS},
    Role.FINANCE: frozenset({_P.SEE_ORDERS, _P.SEE_INVOICES, _P.PAY_INVOICES, _P.EDIT_BILLING, _P.SEE_MEMBERS}),
    Role.VIEWER: _SEE,
    Role.PARTNER: frozenset({_P.SEE_ROSTERS, _P.DECIDE_ACCEPTANCES, _P.SEE_STATEMENTS}),
    Role.ECL: _SEE | _DESK | {_P.SEE_ROSTERS, _P.CANCEL_ORDERS, _P.MANAGE_MEMBERS, _P.EDIT_COMPANY, _P.EDIT_BILLING},
}


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who is acting now: a signed-in member, the system itself, a participant by link, or nobody known.

    ``acts_for`` is the name of the company or partner, as the page's head shows it.
    """

    kind: ActorKind
    account_id: UUID | None = None
    member_id: UUID | None = None
    company_id: UUID | None = None
    partner_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    email: str = ""
    name: str = ""
    locale: str | None = None
    acts_for: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Tell whether nobody is signed in."""
        return self.kind == "anonymous"

    @property
    def is_ecl(self) -> bool:
        """Tell whether this is ECL's desk."""
        return Role.ECL in self.roles

    @property
    def is_partner(self) -> bool:
        """Tell whether this is a member of a training provider."""
        return self.partner_id is not None and Role.PARTNER in self.roles

    @property
    def is_company(self) -> bool:
        """Tell whether this is a member of a company that buys."""
        return self.company_id is not None and not COMPANY_ROLES.isdisjoint(self.roles)

    def may(self, permission: Permission) -> bool:
        """Tell whether one of the roles allows it; the system may do everything."""
        return self.kind == "system" or any(permission in PERMISSIONS[role] for role in self.roles)


ANONYMOUS = Actor(kind="anonymous")
SYSTEM = Actor(kind="system", name="system")


def require(actor: Actor, permission: Permission) -> None:
    """Do nothing when the actor's roles allow it; else raise ``Unauthenticated`` or ``Forbidden``."""
    if actor.may(permission):
        return
    if actor.is_anonymous:
        raise Unauthenticated("sign_in_needed", _("Sign in first."))
    raise Forbidden(
        "forbidden",
        _("Your role does not allow this."),
        next_step=_("Ask an owner of your account for the right role."),
    )


# Accounts


class AccountRow(msgspec.Struct, frozen=True):
    """What is kept of an account, without its password."""

    id: UUID
    email: str
    name: str
    locale: str | None
    state: str


_ACCOUNT = "SELECT id, email, name, locale, state FROM account"


def normal_email(text: str) -> str:
    """Return an address as it is kept: trimmed and in lower case."""
    return text.strip().lower()


async def create_account(email: str, *, name: str, now: datetime, locale: str | None = None) -> UUID:
    """Make an account without password and return its id. Raises ``Conflict`` ``email_in_use``."""
    made = await db.value(
        "INSERT INTO account (id, email, name, locale, state, created_at) VALUES ($1, $2, $3, $4, 'active', $5)"
        " ON CONFLICT (email) DO NOTHING RETURNING id",
        ids.new_id(), normal_email(email), name, locale, now,
    )  # fmt: skip
    if made is None:
        raise Conflict("email_in_use", _("There is already an account with this e-mail address."))
    return UUID(str(made))


async def account(account_id: UUID) -> AccountRow | None:
    """Return an account by id, or None."""
    return await db.row(AccountRow, f"{_ACCOUNT} WHERE id = $1", account_id)


async def account_by_email(email: str) -> AccountRow | None:
    """Return an account by its address, in any case, or None."""
    return await db.row(AccountRow, f"{_ACCOUNT} WHERE email = $1", normal_email(email))


async def set_locale(account_id: UUID, locale: str) -> None:
    """Remember the language that this account reads."""
    await db.execute("UPDATE account SET locale = $2 WHERE id = $1", account_id, locale)


async def close_account(account_id: UUID, *, now: datetime) -> None:
    """Close an account: nobody can sign in with it, its sessions and tokens end now."""
    async with db.atomic():
        await db.execute("UPDATE account SET state = 'closed' WHERE id = $1", account_id)
        await end_sessions(account_id, now=now)
        await db.execute("UPDATE api_token SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL", account_id, now)


async def end_sessions(account_id: UUID, *, now: datetime) -> int:
    """End every browser session of an account (new password, changed roles) and return how many there were."""
    return await db.execute("UPDATE web_session SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL", account_id, now)


# Passwords: argon2id takes about 170 ms of processor time, so at most two at once, and never in the event loop.

MIN_PASSWORD = 12
DEMO_PASSWORD = "demo-only-password"  # noqa: S105 - everybody may know it
_hasher = PasswordHash((Argon2Hasher(),))
_DUMMY = "$argon2id$v=19$m=65536,t=3,p=4$nFGsE0M0u1m84CMa09WAiA$xkmUhto7RcpXuTyvOgjJY93Zzc9gMHsUt0NswwSmAr8"  # nobody's
_threads: RunVar[anyio.CapacityLimiter] = RunVar("password_threads")


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _threads.get()
    except LookupError:
        _threads.set(anyio.CapacityLimiter(2))
        return _threads.get()


async def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return await anyio.to_thread.run_sync(_hasher.hash, password, limiter=_limiter())


async def set_password(account_id: UUID, password: str) -> None:
    """Give an account a password. The caller ends its other sessions."""
    hashed = await hash_password(password)
    await db.execute("UPDATE account SET password_hash = $2 WHERE id = $1", account_id, hashed)


async def check_password(email: str, password: str) -> UUID | None:
    """Return the account when the password is right, else None; an unknown address takes as long as a known one.

    The demo's password, which everybody knows, is never right where demo data isn't allowed.
    """
    async with db.connection() as own:
        found = await own.fetchrow("SELECT id, password_hash, state FROM account WHERE email = $1", normal_email(email))
    hashed = found["password_hash"] if found and found["password_hash"] else _DUMMY
    right = await anyio.to_thread.run_sync(_hasher.verify, password, hashed, limiter=_limiter())
    if not right or found is None or found["password_hash"] is None or found["state"] != "active":
        return None
    if password == DEMO_PASSWORD and not settings().demo:
        return None
    return UUID(str(found["id"]))


# API tokens


def digest(token: str) -> bytes:
    """Return the SHA-256 of a 256-bit token, which is all that we keep of it."""
    return hashlib.sha256(token.encode()).digest()


async def create_token(account_id: UUID, *, now: datetime, label: str = "") -> str:
    """Make an API token and return it; it can't be shown again."""
    token = f"ecl_{ids.secret_token()}"
    await db.execute(
        "INSERT INTO api_token (id, account_id, token_hash, label, created_at) VALUES ($1, $2, $3, $4, $5)",
        ids.new_id(), account_id, digest(token), label, now,
    )  # fmt: skip
    return token


async def token_actor(token: str) -> Actor | None:
    """Return who a live API token acts as, or None."""
    found = await actor_by("SELECT account_id FROM api_token WHERE token_hash = $1 AND revoked_at IS NULL", digest(token))
    return None if found is None else found[0]


# From account to actor


async def _plain_actor(account_id: UUID) -> Actor | None:
    found = await account(account_id)
    if found is None or found.state != "active":
        return None
    return Actor(kind="member", account_id=found.id, email=found.email, name=found.name, locale=found.locale)


Finder: TypeAlias = "Callable[[str, tuple[object, ...]], Awaitable[tuple[Actor, dict[str, Any]] | None]]"
_loader: list[Callable[[UUID], Awaitable[Actor | None]]] = [_plain_actor]
_finder: list[Finder | None] = [None]


def set_actor_loader(load: Callable[[UUID], Awaitable[Actor | None]], find: Finder | None = None) -> None:
    """Register the one function that knows whose member an account is (``people`` does, at import).

    ``find`` does the same in one query for an account that a statement finds: see ``actor_by``.
    """
    _loader[0], _finder[0] = load, find


async def actor_by(source: str, *args: object) -> tuple[Actor, dict[str, Any]] | None:
    """Return the actor of the account that ``source`` finds ("SELECT account_id, … FROM …"), with the row that it found."""
    if _finder[0] is not None:
        return await _finder[0](source, args)
    found = await db.records(source, *args)
    actor = await actor_of(found[0]["account_id"]) if found else None
    return None if actor is None else (actor, found[0])


async def actor_of(account_id: UUID) -> Actor | None:
    """Return who this account acts as, or None when it can no longer act."""
    return await _loader[0](account_id)

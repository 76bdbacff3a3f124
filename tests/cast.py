"""The fixed cast: two companies, two partners and ECL, and a browser that is signed in as one of them.

async def test_orders_are_private(cast: Cast, client: httpx.AsyncClient) -> None:
    page = await cast.browser(client, cast.hr_b).get(f"/orders/{number}")
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import msgspec
import pytest_asyncio

from catalog import partners
from catalog.partners import PartnerFacts
from marketplace.kit import clock, db, identity, ids
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.people.companies import Company
from tests.builders.people import a_company, a_member

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock

_TOKEN = re.compile(r'name="_csrf" value="([^"]+)"')


class Cast(msgspec.Struct, frozen=True):
    """Who acts in the tests. ``hr_a`` owns company A; the outsiders are ``hr_b`` and ``partner_b``."""

    company_a: Company
    company_b: Company
    partner_a_id: UUID
    partner_b_id: UUID
    hr_a: Actor
    approver_a: Actor
    finance_a: Actor
    viewer_a: Actor
    hr_b: Actor
    partner_a: Actor
    partner_b: Actor
    ecl: Actor


async def a_cast() -> Cast:
    """Make the cast in the current database, without passwords (``browser`` needs none)."""
    now = clock.now()
    company_a = await a_company("Rijnvelde Biosciences", legal_form="B.V.")
    company_b = await a_company("Sleutelstad Robotics", legal_form="B.V.")
    partner_ids = [
        await partners.create(PartnerFacts(name=name, code=f"{code}{ids.public_code(4)}", email=email), actor=SYSTEM, now=now)
        for name, code, email in (
            ("Taalhuis Rapenburg", "TR", "office@taalhuis.example"),
            ("Cultuurbrug", "CB", "office@cultuurbrug.example"),
        )
    ]

    async def of_a(role: Role, name: str) -> Actor:
        return await a_member(company_id=company_a.id, roles={role}, name=name, email=f"{role}@rijnvelde.example")

    return Cast(
        company_a=company_a,
        company_b=company_b,
        partner_a_id=partner_ids[0],
        partner_b_id=partner_ids[1],
        hr_a=await of_a(Role.OWNER, "Fenna Wiersma"),
        approver_a=await of_a(Role.APPROVER, "Sanne Vroom"),
        finance_a=await of_a(Role.FINANCE, "Ruben Kok"),
        viewer_a=await of_a(Role.VIEWER, "Noor Haan"),
        hr_b=await a_member(company_id=company_b.id, name="Daan Outsider", email="hr@sleutelstad.example"),
        partner_a=await a_member(partner_id=partner_ids[0], name="Ilse Taal", email="ilse@taalhuis.example"),
        partner_b=await a_member(partner_id=partner_ids[1], name="Bram Brug", email="bram@cultuurbrug.example"),
        ecl=await a_member(name="Marit Desk", email="marit@ecl.example"),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def cast(db: None, clock: FakeClock) -> Cast:
    """Give the fixed cast, within the test's transaction."""
    return await a_cast()


class Browser:
    """One visitor's browser: keeps cookies, sends the CSRF token of the last page, follows no redirect."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}
        self.token = ""

    async def get(self, path: str, **kwargs: object) -> httpx.Response:
        """Open a page."""
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, data: dict[str, object] | None = None, *, form: str | None = None, **kwargs: object) -> httpx.Response:
        """Send a form. Without a token yet, the page at ``form`` (default: the same path) is opened for it first."""
        if not self.token:
            await self.get(form or path)
        return await self.request("POST", path, data={"_csrf": self.token, **(data or {})}, **kwargs)

    async def request(self, method: str, path: str, **kwargs: object) -> httpx.Response:
        """Send one request with this browser's cookies and keep what comes back."""
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        headers |= dict(kwargs.pop("headers", None) or {})  # type: ignore[call-overload]
        self._client.cookies.clear()
        answer = await self._client.request(method, path, headers=headers, **kwargs)  # type: ignore[arg-type]
        self._client.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        found = _TOKEN.search(answer.text) if "html" in answer.headers.get("content-type", "") else None
        if found:
            self.token = found[1]
        return answer


async def signed_in(client: httpx.AsyncClient, actor: Actor | None, *, locale: str = "en") -> Browser:
    """Return a browser that is signed in as this actor (nobody: a visitor), without going through the form."""
    browser = Browser(client)
    browser.cookies["locale"] = locale
    if actor is not None and actor.account_id is not None:
        token, now = ids.secret_token(), clock.now()
        await db.execute(
            "INSERT INTO web_session (id, account_id, token_hash, created_at, seen_at, ends_at)"
            " VALUES ($1, $2, $3, $4, $4, $4::timestamptz + interval '12 hours')",
            ids.new_id(), actor.account_id, identity.digest(token), now,
        )  # fmt: skip
        browser.cookies["session"] = token
    return browser

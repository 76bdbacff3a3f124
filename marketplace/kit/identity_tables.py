"""Tables of identity: who can sign in, where they are signed in, their API tokens, and recent tries.

Secrets are kept as hashes only: argon2id for passwords, SHA-256 for 256-bit tokens.
"""

from __future__ import annotations

from piccolo.columns import UUID, Array, Bytea, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class Account(Table, db=DB, tablename="account"):
    """Somebody who can sign in. Which company or partner they act for is known by ``people``."""

    id = UUID(primary_key=True, default=new_id)
    email = Text(null=False, default="")
    password_hash = Text(null=True, default=None)
    name = Text(null=False, default="")
    locale = Text(null=True, default=None)
    state = Text(null=False, default="active")
    created_at = Timestamptz(null=False, default=None)

    account_email = Unique(["email"])
    account_email_lower = Check("email = lower(email) AND email <> ''")
    account_state = Check("state IN ('active', 'closed')")
    account_locale = Check("locale IN ('en', 'nl')")


class WebSession(Table, db=DB, tablename="web_session"):
    """One browser where an account is signed in, known by the SHA-256 of its cookie."""

    id = UUID(primary_key=True, default=new_id)
    account_id = ForeignKey(Account, null=False, default=None, index=True, on_delete=OnDelete.cascade)
    token_hash = Bytea(null=False, default=b"")
    created_at = Timestamptz(null=False, default=None)
    seen_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=False, default=None, index=True)
    revoked_at = Timestamptz(null=True, default=None)

    web_session_token = Unique(["token_hash"])


class ApiToken(Table, db=DB, tablename="api_token"):
    """A bearer token of an account for the JSON API, known by its SHA-256."""

    id = UUID(primary_key=True, default=new_id)
    account_id = ForeignKey(Account, null=False, default=None, index=True, on_delete=OnDelete.cascade)
    token_hash = Bytea(null=False, default=b"")
    label = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None)
    revoked_at = Timestamptz(null=True, default=None)

    api_token_token = Unique(["token_hash"])


class RecentTry(Table, db=DB, tablename="recent_try"):
    """The instants of recent tries under one name (an account or an address, hashed), for sliding limits."""

    name = Text(primary_key=True, default="")
    tries = Array(base_column=Timestamptz(), null=False, default=list)
    seen_at = Timestamptz(null=False, default=None, index=True)

"""The catalogue's pages: what everybody sees, and what ECL edits."""

from catalog.pages import desk_programmes, desk_sessions, partners, public

HANDLERS = [*public.HANDLERS, *desk_programmes.HANDLERS, *desk_sessions.HANDLERS, *partners.HANDLERS]

__all__ = ["HANDLERS"]

"""Brings billing's work handlers and periodic jobs to the worker. What they do is in the modules imported here."""

from __future__ import annotations

from billing import delivery, inbox, issuing, reconcile, stripe_mirror

__all__ = ["delivery", "inbox", "issuing", "reconcile", "stripe_mirror"]

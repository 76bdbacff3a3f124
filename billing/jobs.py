"""Brings billing's work handlers and periodic jobs to the worker. What they do is in the modules imported here."""

from __future__ import annotations

from billing import delivery, inbox, issuing, reconcile, stripe_mirror, stripe_steps
from billing.account import paper as account_paper
from billing.comparison import runs as comparison_runs
from billing.dunning import reminders

__all__ = ["account_paper", "comparison_runs", "delivery", "inbox", "issuing", "reconcile", "reminders", "stripe_mirror", "stripe_steps"]

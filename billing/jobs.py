"""Brings billing's work handlers and periodic jobs to the worker. What they do is in the modules imported here."""

from __future__ import annotations

import importlib
import importlib.util

from billing import delivery, issuing

__all__ = ["delivery", "issuing"]

# TEMPORARY until the Stripe side has landed: its handlers and its periodic reconciliation register at import
for _name in ("billing.inbox", "billing.reconcile", "billing.stripe_mirror"):
    if importlib.util.find_spec(_name):
        importlib.import_module(_name)

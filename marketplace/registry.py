"""Imports every module that registers something: work handlers, periodic jobs, attachment sources, the actor loader.

The web app, the worker, the CLI and the tests import this one module, so that they all know the same.
"""

from __future__ import annotations

import importlib

from marketplace.kit.settings import ROOT

MODULES = (
    "marketplace.kit.jobs",
    "marketplace.kit.identity_jobs",
    "marketplace.kit.mail",
    "catalog.jobs",
    "billing.jobs",
    "marketplace.people.members",
    "marketplace.people.jobs",
    "marketplace.enrolments.jobs",
    "marketplace.orders.jobs",
    "marketplace.orders.vat_marks",
    "marketplace.scheduling.jobs",
    "marketplace.fulfilment.jobs",
)


def load() -> None:
    """Import them all; doing it again changes nothing."""
    for name in MODULES:
        if (ROOT / (name.replace(".", "/") + ".py")).exists():  # TEMPORARY until every part has landed
            importlib.import_module(name)

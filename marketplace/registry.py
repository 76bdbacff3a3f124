"""Imports every module that registers something: work handlers, periodic jobs, attachment sources, the actor loader.

The web app, the worker, the CLI and the tests import this one module, so that they all know the same.
"""

from __future__ import annotations

import importlib

MODULES = (
    "marketplace.kit.jobs",
    "marketplace.kit.identity_jobs",
    "marketplace.kit.mail",
    "catalog.jobs",
    "billing.jobs",
    "billing.vies.jobs",
    "billing.transport.jobs",
    "billing.settlement.jobs",
    "billing.runs.jobs",
    "marketplace.people.members",
    "marketplace.people.jobs",
    "marketplace.enrolments.jobs",
    "marketplace.orders.accrual",
    "marketplace.orders.jobs",
    "marketplace.orders.redate",
    "marketplace.orders.vat_marks",
    "marketplace.scheduling.jobs",
    "marketplace.fulfilment.jobs",
)


def load() -> None:
    """Import them all; doing it again changes nothing."""
    for name in MODULES:
        importlib.import_module(name)

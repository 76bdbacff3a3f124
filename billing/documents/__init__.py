"""Invoices and credit notes as PDF/A-3, UBL and CII, from one frozen model.

Build a ``model.InvoiceDocument`` from issued rows, then ``await renderer.render(document)``; ``check()`` is for doctor and
start-up. Only ``worker``, ``finished`` and ``pdf`` load the layout engine; a web process never does.
"""

from billing.documents.health import Problem, check

__all__ = ["Problem", "check"]

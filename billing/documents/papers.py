"""The registry of papers: every kind that ``renderer.paper`` can make. A new kind is one line here."""

from __future__ import annotations

from billing.documents.account import AccountStatement
from billing.documents.certificate import Certificate
from billing.documents.model import InvoiceDocument
from billing.documents.quote import Quote
from billing.documents.reminder import Reminder
from billing.documents.settlement import SettlementStatement

PAPERS = (Reminder, AccountStatement, SettlementStatement, Quote, Certificate)

PaperDocument = Reminder | AccountStatement | SettlementStatement | Quote | Certificate
AnyDocument = InvoiceDocument | PaperDocument

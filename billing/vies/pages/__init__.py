"""ECL's pages of VAT ids (``checks``) and of exemption certificates (``papers``)."""

from billing.vies.pages import checks, papers

HANDLERS = [*checks.HANDLERS, *papers.HANDLERS]

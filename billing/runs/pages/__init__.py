"""Pages of invoice runs, by noun: runs and their groups, what is held or late, and what debtors ask."""

from billing.runs.pages import held, profiles, runs

HANDLERS = [*runs.HANDLERS, *held.HANDLERS, *profiles.HANDLERS]

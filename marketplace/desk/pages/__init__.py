"""Pages of the desk package: HR's home, and ECL's desk by subject."""

from marketplace.desk.pages import home, lists, people, system, today, vat_rules

HANDLERS = [*home.HANDLERS, *today.HANDLERS, *lists.HANDLERS, *people.HANDLERS, *system.HANDLERS, *vat_rules.HANDLERS]

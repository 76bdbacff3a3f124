"""Invoice runs: which charges are billed now, on which invoices, and what stops a debtor from taking one."""

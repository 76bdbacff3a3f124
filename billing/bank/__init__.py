"""The bank: statements as the bank gives them (CAMT.053), their entries, and what each entry pays. Built on the ledger and payments."""

"""Money: VAT, invoices, documents, payments. It is handed charges and never learns what a programme is."""

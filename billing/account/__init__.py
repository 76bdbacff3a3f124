"""A debtor's statement of account: read from the books, on a page, as CSV, on paper, by mail."""

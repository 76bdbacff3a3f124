"""ECL's finance desk: what is owed, what comes in, the VAT of a period, the books, and everything about one euro. Reads only."""

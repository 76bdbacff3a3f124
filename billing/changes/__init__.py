"""What ECL does to an invoice after it was issued: withdraw it, give it up, correct it; and the pages for that."""

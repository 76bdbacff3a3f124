"""The books outward: chart of accounts, periods, trial balance, journal, audit file, CSV and the VAT return. Reads only."""

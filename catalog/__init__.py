"""What can be bought and how many seats are left. Knows no buyers and no money collected."""

"""Benches: what GATES.md measures, each as a ratio within one run, on a database of its own."""

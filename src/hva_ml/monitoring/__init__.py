"""Nights over time: what moved, what is estimated before outcomes are known, what came of the promises."""

"""Leads: one table, judged by the latest ones or in turn."""

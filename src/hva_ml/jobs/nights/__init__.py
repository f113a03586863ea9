"""The night shift: from the sources to published scores, unattended, whole or not at all, and told."""

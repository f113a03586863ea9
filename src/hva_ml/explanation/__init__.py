"""Why a score is what it is: exact factors that multiply to it, and words for them."""

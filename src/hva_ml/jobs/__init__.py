"""The composers: each job walks the rooms in order. No other room joins them."""

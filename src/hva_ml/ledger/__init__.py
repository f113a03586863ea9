"""The ledger: rows that were read and held to the contract once, kept so that a night reads only what is new.

It is a copy that can be made again at any time: what does not match its hashes is thrown away, never trusted.
"""

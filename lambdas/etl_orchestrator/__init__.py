"""Claim files in the ledger and start the state machine for them."""

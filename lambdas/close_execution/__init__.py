"""What became of an execution? Writes outcomes into the ledger and tells people what nobody else could."""

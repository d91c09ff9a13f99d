"""Record the outcomes of ended executions in the ledger, and publish endings that the workflow could not."""

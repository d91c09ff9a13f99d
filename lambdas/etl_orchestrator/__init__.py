"""Which files become executions? Claims files in the ledger and starts the state machine."""

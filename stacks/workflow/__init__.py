"""What does an execution do, step by step? The state machine: its states, wiring, retries and messages."""

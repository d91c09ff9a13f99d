"""The state machine: its states, transitions, retries and notifications."""

"""What is deployed? Settings, two stacks, and one construct a file; only `app.py` and tests import this."""

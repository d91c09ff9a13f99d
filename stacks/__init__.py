"""The infrastructure: settings, stacks, and one construct per module; only `app.py` and tests import it."""

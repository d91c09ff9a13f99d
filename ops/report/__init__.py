"""HTML reports: typed documents built from facts, charts of them, and pages without network or scripts."""

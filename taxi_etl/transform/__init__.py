"""SQL text in Spark's dialect that turns the rows of a trip file into rows of a table.

Spark runs the text as it is, DuckDB after sqlglot has transpiled it. Both must give the same rows: every cast
is in `expressions`, every quarantine rule is a function in `predicates`, and `statements` combines them.
"""

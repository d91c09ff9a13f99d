"""How does a row of a trip file become a row of a table? SQL text in Spark's dialect, composed by pure
functions.

Spark runs the text as it is; DuckDB runs what sqlglot transpiles. Whoever changes it keeps both engines
equal: every cast goes through `expressions`, every rule of the quarantine is a function in `predicates`,
and `statements` puts them together. Nothing here knows a reader, a writer or a clock.
"""

"""Saved queries in Athena."""

from aws_cdk import aws_athena as athena
from constructs import Construct

from taxi_etl.saved_queries import SAVED_QUERIES


class SavedQueries(Construct):
    """The queries of `taxi_etl.saved_queries` in the workgroup `primary`, on a Glue database."""

    def __init__(self, scope: Construct, construct_id: str, *, database: str) -> None:
        super().__init__(scope, construct_id)
        for query in SAVED_QUERIES:
            athena.CfnNamedQuery(
                self,
                query.name.title().replace(" ", ""),
                name=f"{database}: {query.name}",
                description=query.description,
                database=database,
                query_string=query.sql,
            )

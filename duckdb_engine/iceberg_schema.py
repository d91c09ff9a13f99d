"""The tables' Iceberg schemas, as Spark creates them from the DDL in `taxi_etl.tables`."""

from collections.abc import Mapping

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    DoubleType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
)

from duckdb_engine.messages import FieldIds
from taxi_etl.tables import PARTITION_COLUMN, columns_of

FIRST_PARTITION_FIELD_ID = 1000
"""Source: Iceberg's specification, partition specs."""
TYPES: Mapping[str, IcebergType] = {
    "string": StringType(),
    "int": IntegerType(),
    "bigint": LongType(),
    "double": DoubleType(),
    "timestamp_ntz": TimestampType(),
    "timestamp": TimestamptzType(),
    # `schema_of` and the catalog assign the IDs.
    "map<string,string>": MapType(
        key_id=-1, key_type=StringType(), value_id=-2, value_type=StringType(), value_required=False
    ),
    "array<string>": ListType(element_id=-3, element_type=StringType(), element_required=False),
}
"""Iceberg's types of the tables' column types."""


def schema_of(table: str) -> Schema:
    """The schema of a new table."""
    fields = (
        NestedField(place, column.name, TYPES[column.type], required=False, doc=column.doc)
        for place, column in enumerate(columns_of(table), start=1)
    )
    return assign_fresh_schema_ids(Schema(*fields))


def partition_spec(schema: Schema) -> PartitionSpec:
    """The partitions of a new table: one for each source."""
    source = schema.find_field(PARTITION_COLUMN).field_id
    return PartitionSpec(
        PartitionField(source, FIRST_PARTITION_FIELD_ID, IdentityTransform(), PARTITION_COLUMN)
    )


def field_ids(schema: Schema) -> FieldIds:
    """The IDs of all fields, in the order of the columns."""
    return {field.name: _ids(field) for field in schema.fields}


def _ids(field: NestedField) -> "int | Mapping[str, int]":
    kind = field.field_type
    if isinstance(kind, MapType):
        return {"": field.field_id, "key": kind.key_id, "value": kind.value_id}
    if isinstance(kind, ListType):
        return {"": field.field_id, "element": kind.element_id}
    return field.field_id

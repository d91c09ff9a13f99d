"""The order of dates in Parquet files whose times are texts, decided from their first rows.

Validation reads only the footers of Parquet files, which hold no values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from loading.file_load import FileLoad
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import FailureCode
from taxi_etl.schema import TEXTS, ColumnType, SourceColumn, match_columns
from taxi_etl.text_values import date_orders

FIRST_ROWS = 1000
"""Number of rows of each file that decide its order."""


def text_times(file: AcceptedFile) -> list[SourceColumn]:
    """A Parquet file's columns that hold times as texts; validation decides the date orders of CSV files."""
    if file.format != "parquet":
        return []
    dataset = DATASETS[file.dataset]
    sources = match_columns(dataset, file.columns).sources
    return [
        source
        for column in dataset.columns
        if column.type is ColumnType.TIMESTAMP
        for source in sources.get(column.name, ())
        if source.type in TEXTS
    ]


def set_date_orders(load: FileLoad, values: Mapping[str, Sequence[str]]) -> None:
    """Set the date orders of a file's columns, or fail the file if its dates are ambiguous.

    `values` are the values in the file's first rows by column, without nulls.
    """
    orders, problem = date_orders(values)
    if problem:
        load.fail(FailureCode.AMBIGUOUS_DATES, problem)
        return
    file = load.source.file
    columns = tuple(
        replace(column, date_order=orders.get(column.name, column.date_order)) for column in file.columns
    )
    load.source = replace(load.source, file=replace(file, columns=columns))

"""Folders of the raw zone that the crawler catalogs: one for the Parquet files of each dataset.

Athena reads every file in a table's folder, Parquet by column names and CSV by position. So a table needs
a folder of one dataset and one format, and CSV files whose columns moved from month to month cannot be one
table. Files elsewhere below `raw/taxi/` also load, but no table describes them.
"""

from taxi_etl.datasets import DATASETS
from taxi_etl.names import RAW_PREFIX

CATALOGED_FORMAT = "parquet"
EXCLUSIONS = ("*/**", "*.csv", "*.csv.gz")
"""Glob patterns, relative to a folder, of what the crawler ignores: subfolders, which it would turn into
partitions, and CSV files."""


def raw_folder(dataset: str) -> str:
    """The key prefix of a dataset's cataloged files; the crawler names the table after its last folder."""
    return f"{RAW_PREFIX}{dataset}_{CATALOGED_FORMAT}/"


def raw_folders() -> list[str]:
    """The cataloged folders of all datasets."""
    return [raw_folder(dataset) for dataset in DATASETS]


def is_cataloged(key: str, dataset: str, file_format: str) -> bool:
    """Whether a file with this key belongs to a table of the raw zone."""
    folder, _, _ = key.rpartition("/")
    return file_format == CATALOGED_FORMAT and f"{folder}/" == raw_folder(dataset)

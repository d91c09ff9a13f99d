"""Tests of columns in the folders of a key."""

from taxi_etl.datasets import DATASETS
from taxi_etl.partitions import added_columns, contradicting_folders, folder_values, repeated_columns
from taxi_etl.schema import text_columns

KEY = "raw/taxi/year=2019/Payment%20Type=Credit%20card/vendor_id=__HIVE_DEFAULT_PARTITION__/a=b.csv"


def test_folders_are_decoded_and_the_file_name_is_not_a_folder() -> None:
    assert folder_values(KEY) == {"year": "2019", "Payment Type": "Credit card", "vendor_id": None}
    assert folder_values("raw/taxi/=1/x=/a.csv") == {"x": ""}


def test_only_columns_of_the_dataset_that_the_file_lacks_are_added() -> None:
    yellow, columns = DATASETS["yellow"], text_columns(["VendorID", "fare_amount"])
    assert added_columns(KEY, yellow, columns) == {"Payment Type": "Credit card"}
    assert repeated_columns(KEY, yellow, columns) == {"vendor_id": None}


def test_two_folders_for_one_column_contradict_each_other() -> None:
    yellow = DATASETS["yellow"]
    assert contradicting_folders("raw/taxi/payment_type=1/year=2019/Payment=2/a.csv", yellow) == (
        "the folders of the key give 'payment_type' the values '1' and '2'; move the file"
    )
    assert contradicting_folders("raw/taxi/payment_type=1/PaymentType=1/year=1/year=2/a.csv", yellow) == ""

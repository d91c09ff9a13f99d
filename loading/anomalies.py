"""Compares the months of staged files with the months before them; see `taxi_etl.anomalies`."""

from collections.abc import Sequence

from loading.engine import Engine, TableT
from loading.file_load import FileLoad
from loading.options import Options
from taxi_etl.anomalies import AnomalyPolicy, unusual_months
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode, FileWarning, WarningCode
from taxi_etl.schema import match_columns


def check_months_before(
    engine: Engine[TableT], trips: TableT, files: Sequence[FileLoad], options: Options
) -> None:
    """Warn of each staged file whose month is unusual, or fail it, as the policy says.

    The months before are those in the table and those that this load adds. An error of this check is printed
    and does not fail the files.
    """
    by_source = {file.source_id: file for file in files if file.written and file.source.file.month}
    if options.anomaly_policy is AnomalyPolicy.OFF or not by_source:
        return
    try:
        metrics = [each for each in trips.file_metrics() if each.source_id not in by_source]
        metrics += trips.staged_metrics([each for file in by_source.values() for each in file.trips])
    except engine.errors as error:
        line = engine.error_line(error)
        print(f"{options.program}: cannot compare the files with the months before: {line}")
        return
    columns = {source_id: _columns(file) for source_id, file in by_source.items()}
    for source_id, findings in unusual_months(metrics, columns).items():
        file = by_source[source_id]
        if options.anomaly_policy is AnomalyPolicy.FAIL:
            file.fail(FailureCode.UNLIKE_EARLIER_MONTHS, "; ".join(findings))
        else:
            warnings = (FileWarning(WarningCode.UNUSUAL_MONTH, text) for text in findings)
            file.warnings = (*file.warnings, *warnings)


def _columns(load: FileLoad) -> set[str]:
    """The table's columns that the file has."""
    file = load.source.file
    return set(match_columns(DATASETS[file.dataset], file.all_columns).sources)

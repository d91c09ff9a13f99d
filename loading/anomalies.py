"""Checks staged files for unusual months.

The rules are in `taxi_etl.anomalies` and `taxi_etl.unusual_values`.
"""

from collections.abc import Sequence

from loading.engine import Engine, TableT
from loading.file_load import FileLoad
from loading.options import Options
from taxi_etl.anomalies import AnomalyPolicy, unusual_months
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode, FileWarning, WarningCode
from taxi_etl.schema import match_columns
from taxi_etl.unusual_values import TRIPS_MIN, DayTotals, unusual_values


def check_for_unusual_months(
    engine: Engine[TableT], trips: TableT, files: Sequence[FileLoad], options: Options
) -> None:
    """Warn of each staged file whose month is unusual, or fail it, as the policy says.

    Earlier months are those in the table and those that this load adds. An error in this check is printed and
    does not fail the files.
    """
    by_source = {file.source_id: file for file in files if file.written and file.source.file.month}
    if options.anomaly_policy is AnomalyPolicy.OFF or not by_source:
        return
    try:
        metrics = [each for each in trips.file_metrics() if each.source_id not in by_source]
        metrics += trips.staged_metrics([each for file in by_source.values() for each in file.trips])
        days = engine.day_totals([file for file in by_source.values() if file.written >= TRIPS_MIN])
    except engine.errors as error:
        line = engine.error_line(error)
        print(f"{options.program}: cannot check for unusual months: {line}")
        return
    columns = {source_id: _columns(file) for source_id, file in by_source.items()}
    unlike = unusual_months(metrics, columns)
    for source_id, file in by_source.items():
        findings = [*unlike.get(source_id, []), *_about_values(file, days.get(source_id, []))]
        if not findings:
            continue
        if options.anomaly_policy is AnomalyPolicy.FAIL:
            file.fail(FailureCode.UNLIKE_EARLIER_MONTHS, "; ".join(findings))
        else:
            warnings = (FileWarning(WarningCode.UNUSUAL_MONTH, text) for text in findings)
            file.warnings = (*file.warnings, *warnings)


def _about_values(load: FileLoad, days: Sequence[DayTotals]) -> list[str]:
    file = load.source.file
    return unusual_values(DATASETS[file.dataset], file.month or 0, days)


def _columns(load: FileLoad) -> set[str]:
    """The table's columns that the file has."""
    file = load.source.file
    return set(match_columns(DATASETS[file.dataset], file.all_columns).sources)

"""Which damage goes unseen? One bit of a Parquet file is flipped, again and again, and the file read.

    python -m benchmarks.damage --flips 100

For a file without page checksums, as the TLC publishes them, and one with. Each flip ends as one of: refused
(the decoder or a checksum fails), endless (Spark's decoder reads on and on), quarantined (a row rule sees a
value that cannot be true), harmless (the rows are the same), or unseen (rows differ and nothing says so).
"""

import argparse
import random
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from benchmarks.engines import RUN, accepted, spark
from glue_scripts.reading import Located, read_parquet, with_lineage
from glue_scripts.spark_errors import SPARK_ERRORS
from sample_data.files import generate
from taxi_etl.transform import statements
from taxi_etl.transform.sources import source_columns

OUTCOMES = ("refused", "endless", "quarantined", "harmless", "unseen")
PATIENCE_SECONDS = 20
ENDLESS_MAX = 6
"""So many endless reads this can bear: each keeps its thread to the end."""


def outcome(session: SparkSession, path: Path, rows: int, right: int) -> str:
    """What becomes of a damaged file of so many rows, whose rows should have this hash."""
    file = Located(accepted(path), f"file://{path}")
    session.sparkContext.setJobGroup(path.name, path.name)
    patience = threading.Timer(PATIENCE_SECONDS, session.sparkContext.cancelJobGroup, [path.name])
    patience.start()
    try:
        if fingerprint(session, file) == (rows, right):
            return "harmless"
        with_lineage(session, read_parquet(session, [file]), [file], RUN).createOrReplaceTempView("source")
        columns = source_columns("parquet", file.file.columns)
        judged = session.sql(statements.judged(file.file.dataset, columns))
        loaded = judged.where("reason_bits = 0").count()
    except SPARK_ERRORS as error:
        return "endless" if "cancelled" in str(error) else "refused"
    finally:
        patience.cancel()
    return "quarantined" if loaded < rows else "unseen"


def fingerprint(session: SparkSession, file: Located) -> tuple[int, int]:
    """The number of rows and a hash of all values, whatever the rows' order."""
    rows = read_parquet(session, [file]).drop("_path")
    found = rows.selectExpr("count(*)", "bit_xor(xxhash64(*))").collect()[0]
    return int(found[0]), int(found[1])


def main() -> None:
    """Flip, read, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--rows", type=int, default=20_000)
    asked = parser.parse_args()
    dice = random.Random(1)  # noqa: S311 (damage that comes out the same each time)
    with tempfile.TemporaryDirectory(prefix="damage-") as temporary:
        folder = Path(temporary)
        session = spark(folder, threads=ENDLESS_MAX + 2)
        session.sparkContext.setLogLevel("OFF")
        made = generate(
            folder / "yellow_tripdata_2024-01.parquet", dataset="yellow", month="2024-01", rows=asked.rows
        )
        table = pq.read_table(made.path)
        print(
            f"{asked.flips} flips each in a file of {asked.rows:,} rows\n\n| file | {' | '.join(OUTCOMES)} |"
        )
        print(f"|---|{'---|' * len(OUTCOMES)}")
        for name, checksums in (("without checksums", False), ("with checksums", True)):
            whole = folder / f"{name.split()[0]}_2024-01.parquet"
            pq.write_table(table, whole, compression="snappy", write_page_checksum=checksums)
            content = whole.read_bytes()
            right = fingerprint(session, Located(accepted(whole), f"file://{whole}"))[1]
            footer = int.from_bytes(content[-8:-4], "little") + 8
            counts: Counter[str] = Counter()
            for number in range(asked.flips):
                place = dice.randrange(4, len(content) - footer)
                changed = bytearray(content)
                changed[place] ^= 1 << dice.randrange(8)
                path = folder / f"{name.split()[0]}_{number}_2024-01.parquet"
                path.write_bytes(changed)
                counts[outcome(session, path, asked.rows, right)] += 1
                path.unlink()
                if counts["endless"] > ENDLESS_MAX:
                    break
            print(f"| {name} | {' | '.join(str(counts[key]) for key in OUTCOMES)} |", flush=True)
        session.stop()


if __name__ == "__main__":
    main()

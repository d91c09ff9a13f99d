#!/usr/bin/env bash
# A finished Spark job fails if its JVM archives the loaded classes and the configuration folder contains a file.
# pyspark 4.1.1 puts SPARK_CONF_DIR on the class path. OpenJDK 17 (-XX:ArchiveClassesAtExit) does not support a folder
# with files there, but checks that only at exit: `spark-submit` prints the job's result, writes no archive and exits
# with status 1. With an empty folder, it writes the archive and exits with status 0.
# Expected beforehand: an error at the start, or a warning and status 0.
# Needs OpenJDK 17 as `java`.
set -euo pipefail
cd "$(mktemp -d)"
java -version 2>&1 | grep --quiet '^openjdk version "17\.' || { echo "needs OpenJDK 17 as java"; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1

mkdir empty filled
echo 'spark.ui.enabled false' > filled/spark-defaults.conf
cat > job.py <<'PYTHON'
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").getOrCreate()
print("rows", spark.range(5).count())
spark.stop()
PYTHON
for folder in empty filled; do
    status=0
    PYSPARK_PYTHON=venv/bin/python SPARK_CONF_DIR=$PWD/$folder venv/bin/spark-submit --conf spark.ui.enabled=false \
        --driver-java-options "-XX:ArchiveClassesAtExit=$folder.jsa" job.py > $folder.log 2>&1 || status=$?
    echo "$folder: status $status, archive $(test -s $folder.jsa && echo written || echo missing)"
    grep --only-matching --extended-regexp '^rows .*|Error: non-empty directory|^Error occurred .*' $folder.log | sort
done | tee output

diff output - <<'EXPECTED'
empty: status 0, archive written
rows 5
filled: status 1, archive missing
Error occurred during initialization of VM
Error: non-empty directory
rows 5
EXPECTED
echo "as stated"

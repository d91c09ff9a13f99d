#!/usr/bin/env bash
# JSONata engines disagree on the text of integers with more than 15 digits, such as times in microseconds.
# jsonata 2.2.2 (npm) keeps the digits; jsonata-python 0.7.1 rounds to 15 digits and writes an exponent.
# Expected beforehand: the same text in both.
set -euo pipefail
cd "$(mktemp -d)"
npm install --silent --no-audit --no-fund jsonata@2.2.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check jsonata-python==0.7.1

expressions='["$string(170416464567890)", "$string(1704164645678901)", "1704164645678901 & \"\""]'
node -e '
const jsonata = require("jsonata");
Promise.all(JSON.parse(process.argv[1]).map((each) => jsonata(each).evaluate({})))
  .then((found) => console.log("npm", JSON.stringify(found)));
' "$expressions" | tee output
venv/bin/python - "$expressions" <<'PYTHON' | tee -a output
import json, sys
from jsonata import Jsonata
print("python", json.dumps([Jsonata(each).evaluate({}) for each in json.loads(sys.argv[1])]))
PYTHON

diff output - <<'EXPECTED'
npm ["170416464567890","1704164645678901","1704164645678901"]
python ["170416464567890", "1.7041646456789e+15", "1.7041646456789e+15"]
EXPECTED
echo "as stated"

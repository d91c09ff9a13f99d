#!/usr/bin/env bash
# JSONata engines disagree on $base64encode of text that is not ASCII.
# jsonata 2.2.2 (npm) encodes Latin-1 and silently truncates other characters; jsonata-python 0.7.1 encodes UTF-8.
# Expected beforehand: both encode UTF-8.
set -euo pipefail
cd "$(mktemp -d)"
npm install --silent --no-audit --no-fund jsonata@2.2.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check jsonata-python==0.7.1

expressions='["$base64encode(\"é\")", "$base64encode(\"€\")", "$base64decode($base64encode(\"€\"))"]'
node -e '
const jsonata = require("jsonata");
Promise.all(JSON.parse(process.argv[1]).map((each) => jsonata(each).evaluate({})))
  .then((found) => console.log("npm", JSON.stringify(found)));
' "$expressions" | tee output
venv/bin/python - "$expressions" <<'PYTHON' | tee -a output
import json, sys
from jsonata import Jsonata
print("python", json.dumps([Jsonata(each).evaluate({}) for each in json.loads(sys.argv[1])], ensure_ascii=False))
PYTHON

diff output - <<'EXPECTED'
npm ["6Q==","rA==","¬"]
python ["w6k=", "4oKs", "€"]
EXPECTED
echo "as stated"

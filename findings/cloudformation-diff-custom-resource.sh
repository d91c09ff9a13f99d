#!/usr/bin/env bash
# @aws-cdk/cloudformation-diff 2.187.5 lists a changed property of a custom resource, but calls the impact NO_CHANGE.
# An AWS resource with a changed property has the impact WILL_UPDATE or WILL_REPLACE.
# Expected beforehand: WILL_UPDATE or MAY_REPLACE, because a custom resource decides by itself.
set -euo pipefail
cd "$(mktemp -d)"
npm install --silent --no-audit --no-fund @aws-cdk/cloudformation-diff@2.187.5

node -e '
const { fullDiff } = require("@aws-cdk/cloudformation-diff");
const app = (Size) => ({ Resources: {
  Custom: { Type: "Custom::Thing", Properties: { ServiceToken: "arn", Size } },
  Function: { Type: "AWS::Lambda::Function", Properties: { MemorySize: Size } },
} });
const { resources } = fullDiff(app(128), app(256));
for (const [id, change] of Object.entries(resources.changes)) {
  console.log(id, Object.keys(change.propertyUpdates).join(), change.changeImpact);
}
' | tee output

diff output - <<'EXPECTED'
Custom Size NO_CHANGE
Function MemorySize WILL_UPDATE
EXPECTED
echo "as stated"

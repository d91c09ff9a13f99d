// Reads [[BEFORE, AFTER], ...], pairs of CloudFormation templates, from standard input and prints what deploying
// AFTER over BEFORE changes, as JSON. Resources are named by their construct paths.
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { formatDifferences, fullDiff } from '@aws-cdk/cloudformation-diff';

function describe([before, after]) {
  const templates = { ...before.Resources, ...after.Resources };
  const path = (id) => (templates[id]?.Metadata?.['aws:cdk:path'] ?? id).replace(/^[^/]*\/|\/Resource$/g, '');
  const withPaths = (_, value) => typeof value === 'string' ? value.replace(/(?<=\$\{)\w+/g, path) : value;

  const diff = fullDiff(before, after);
  const changes = Object.entries(diff.resources.changes).filter(([, change]) => !changesOnlyMetadata(change));
  const { statements, managedPolicies } = diff.iamChanges;
  return JSON.stringify({
    resources: changes.map(([id, change]) => ({ resource: path(id), ...resource(change) })),
    statements: { added: statements.additions, removed: statements.removals },
    managedPolicies: managedPolicies.additions,
    text: text(diff),
  }, withPaths);
}

function changesOnlyMetadata({ isUpdate, propertyUpdates, otherChanges }) {
  return isUpdate && Object.keys({ ...propertyUpdates, ...otherChanges }).join() === 'Metadata';
}

function resource({ oldResourceType, newResourceType, resourceTypeChanged, changeImpact, propertyUpdates }) {
  const properties = Object.keys(propertyUpdates).filter((name) => propertyUpdates[name].changeImpact === changeImpact);
  const causes = resourceTypeChanged ? [`the type ${newResourceType}`] : properties;
  return { type: oldResourceType ?? newResourceType, impact: changeImpact, causes };
}

function text(diff) {
  const chunks = [];
  formatDifferences(new Writable({ write: (chunk, _, done) => { chunks.push(chunk); done(); } }), diff);
  return Buffer.concat(chunks).toString();
}

console.log(`[${JSON.parse(readFileSync(0, 'utf8')).map(describe).join()}]`);

// The baseline of `iam decide`: every scenario of an NDJSON file through @cloud-copilot/iam-simulate.
// Usage: node iam_simulate.mjs PATH_TO_PACKAGE SCENARIOS.ndjson. It prints one decision a line.
// The package is AGPL-3.0: it is run beside ours where it is installed, and is no part of this project.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [, , place, scenarios] = process.argv
const { runSimulation } = await import(pathToFileURL(place).href)

const named = (policies) => policies.map((policy, index) => ({ name: `p${index}`, policy }))

for await (const line of createInterface({ input: createReadStream(scenarios), crlfDelay: Infinity })) {
  if (!line.trim()) continue
  const s = JSON.parse(line)
  const simulation = {
    request: {
      principal: s.request.principal,
      action: s.request.action,
      resource: { resource: s.request.resource, accountId: s.request.resource_account },
      contextVariables: s.request.context,
    },
    identityPolicies: named(s.identity_policies),
    serviceControlPolicies: s.scps.map((level, index) => ({ orgIdentifier: `ou-${index}`, policies: named(level) })),
    resourceControlPolicies: [],
  }
  if (s.permissions_boundary) simulation.permissionBoundaryPolicies = named([s.permissions_boundary])
  if (s.resource_policy) simulation.resourcePolicy = s.resource_policy
  const response = await runSimulation(simulation, {})
  console.log(response.resultType === 'error' ? 'error' : response.overallResult)
}

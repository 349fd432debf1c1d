// Verifies the rows on stdin by verifier.mjs, and prints one JSON object a line: name, verified, why.
import { readFileSync } from 'node:fs'
import { Verifier } from './verifier.mjs'

const { audience, keys, rows } = JSON.parse(readFileSync(0, 'utf8'))
const verifier = await Verifier.create({ audience, keys })
const given = new Set()
for (const { name, evidence, proof, challenge } of rows) {
  if (!given.has(challenge)) verifier.challenges.set(challenge, Date.now() / 1000 + 120)
  given.add(challenge)
  let why = ''
  await verifier.verify(evidence, proof).catch((error) => { why = error.message || error.name })
  console.log(JSON.stringify({ name, verified: why === '', why }))
}

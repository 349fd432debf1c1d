// Prints good tokens made with npm jose, from what FORMATS says alone: a device that is not ours.
import { createHash, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

const audience = 'https://broker.example'
const random = (size) => randomBytes(size).toString('base64url')

async function presentation(alg, keys, rows) {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  const jwk = await exportJWK(publicKey)
  const jkt = await calculateJwkThumbprint(jwk)
  const challenge = random(24)
  const now = Math.floor(Date.now() / 1000)
  const evidence = await new SignJWT({
    iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${jkt}`, sub: 'device', aud: audience,
    iat: now, exp: now + 60, jti: random(16),
    eat_profile: 'tag:reeve,2026:endpoint-posture#1', eat_nonce: challenge, cnf: { jkt },
    bootseed: random(32), uptime: 84211, swname: 'reeve', swversion: ['1.0.0'],
    measres: [['boot', [['secure-boot', 'success'], ['lockdown', 'fail']]], ['edr', [['crowdstrike', 'absent']]]],
    posture: {
      policy: 'acme-desktop@12', policy_sha256: 'a'.repeat(64),
      collected: { 'boot.secure-boot': now - 5, 'boot.lockdown': now - 5.5 }, reasons: { 'boot.lockdown': 'value_none' },
      note: 'members that nobody knows are left alone, in any script: für später'
    }
  }).setProtectedHeader({ alg, typ: 'reeve-evidence+jwt', kid: jkt }).sign(privateKey)
  const proof = await new SignJWT({
    aud: audience, iat: now, jti: random(16), challenge, evh: createHash('sha256').update(evidence).digest('base64url')
  }).setProtectedHeader({ alg, typ: 'oauth-client-attestation-pop+jwt' }).sign(privateKey)
  keys.push(jwk)
  rows.push({ name: `good.${alg}`, evidence, proof, challenge })
}

const keys = [], rows = []
for (const alg of ['ES256', 'EdDSA']) await presentation(alg, keys, rows)
console.log(JSON.stringify({ audience, keys: { keys }, rows }))

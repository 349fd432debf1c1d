// A broker's verifier with npm jose, by the steps of docs/for-brokers.md. Take it as it is, and put your own
// store where `challenges` and `seen` are.
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'

const SKEW = 30 // seconds

// JSON.parse keeps the last of two members with one name; another reader the first.
function strictObject(base64url) {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64url, 'base64url'))
  const value = JSON.parse(text)
  const open = []
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) {
      const name = JSON.parse(token.slice(0, -1))
      check(!open.at(-1).has(name), `member ${name} is there twice`)
      open.at(-1).add(name)
    }
  }
  return value
}

function check(holds, why) {
  if (!holds) throw new Error(why)
}

export class Verifier {
  challenges = new Map() // challenge → until when it is good
  seen = new Map() // thumbprint and jti → until when it has to be remembered

  static async create({ audience, keys }) {
    const verifier = new Verifier()
    verifier.audience = audience
    verifier.keys = new Map()
    for (const jwk of keys.keys) {
      const alg = jwk.kty === 'EC' ? 'ES256' : 'EdDSA'
      verifier.keys.set(await calculateJwkThumbprint(jwk), { alg, key: await importJWK(jwk, alg) })
    }
    return verifier
  }

  // Returns the claims of the evidence, or throws an Error that says why not.
  async verify(evidence, proof, now = Date.now() / 1000) {
    check(evidence.length + proof.length < 8192, 'too large')
    for (const token of [evidence, proof]) strictObject(token.split('.')[0])
    const { kid } = decodeProtectedHeader(evidence)
    const device = this.keys.get(kid)
    check(device, 'key is not known')
    const open = async (token, typ) => {
      const options = { algorithms: [device.alg], typ, audience: this.audience, clockTolerance: SKEW, maxTokenAge: 300 }
      const { payload } = await jwtVerify(token, device.key, options)
      strictObject(token.split('.')[1])
      return payload
    }
    const claims = await open(evidence, 'reeve-evidence+jwt')
    const answer = await open(proof, 'oauth-client-attestation-pop+jwt')
    check(claims.exp - claims.iat <= 300, 'lives too long')

    check(this.challenges.get(claims.eat_nonce) > now, 'challenge was not given out, was used, or is too old')
    check(answer.challenge === claims.eat_nonce, 'proof answers another challenge')
    this.challenges.delete(claims.eat_nonce)
    for (const jti of [`evidence ${kid} ${claims.jti}`, `proof ${kid} ${answer.jti}`]) {
      check(!this.seen.has(jti), 'was seen before')
      this.seen.set(jti, now + 300 + 2 * SKEW)
    }

    check(claims.iss === `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${kid}` && claims.cnf?.jkt === kid, 'names another key')
    check(answer.evh === createHash('sha256').update(evidence).digest('base64url'), 'proof is for other evidence')
    check(claims.eat_profile === 'tag:reeve,2026:endpoint-posture#1', 'another profile')
    return claims
  }
}

"""Prints good tokens made with Python jwcrypto, from what FORMATS says alone: a device that is not ours."""
import hashlib
import json
import secrets
import time

from jwcrypto import jwk, jws
from jwcrypto.common import base64url_encode

AUDIENCE = "https://broker.example"


def sign(key, header, claims):
    token = jws.JWS(json.dumps(claims))
    token.add_signature(key, protected=json.dumps(header))
    return token.serialize(compact=True)


def presentation(algorithm):
    key = jwk.JWK.generate(kty="EC", crv="P-256") if algorithm == "ES256" else jwk.JWK.generate(kty="OKP", crv="Ed25519")
    jkt, now, challenge = key.thumbprint(), int(time.time()), secrets.token_urlsafe(24)
    evidence = sign(key, {"alg": algorithm, "typ": "reeve-evidence+jwt", "kid": jkt}, {
        "iss": f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{jkt}", "sub": "device", "aud": AUDIENCE,
        "iat": now, "exp": now + 60, "jti": secrets.token_urlsafe(16),
        "eat_profile": "tag:reeve,2026:endpoint-posture#1", "eat_nonce": challenge, "cnf": {"jkt": jkt},
        "bootseed": secrets.token_urlsafe(32), "uptime": 84211, "swname": "reeve", "swversion": ["1.0.0"],
        "measres": [["boot", [["secure-boot", "success"], ["lockdown", "fail"]]], ["edr", [["crowdstrike", "absent"]]]],
        "posture": {"policy": "acme-desktop@12", "policy_sha256": "a" * 64,
                    "collected": {"boot.secure-boot": now - 5, "boot.lockdown": now - 5.5},
                    "reasons": {"boot.lockdown": "value_none"},
                    "note": "members that nobody knows are left alone, in any script: für später"}})
    proof = sign(key, {"alg": algorithm, "typ": "oauth-client-attestation-pop+jwt"}, {
        "aud": AUDIENCE, "iat": now, "jti": secrets.token_urlsafe(16), "challenge": challenge,
        "evh": base64url_encode(hashlib.sha256(evidence.encode()).digest())})
    row = {"name": f"good.{algorithm}", "evidence": evidence, "proof": proof, "challenge": challenge}
    return key.export_public(as_dict=True), row


def main():
    made = [presentation(algorithm) for algorithm in ("ES256", "EdDSA")]
    print(json.dumps({"audience": AUDIENCE, "keys": {"keys": [key for key, _ in made]}, "rows": [row for _, row in made]}))


main()

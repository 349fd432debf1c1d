"""A broker's verifier with Python jwcrypto, by the steps of docs/for-brokers.md. Take it as it is, and put your own store
where `challenges` and `seen` are."""
import hashlib
import json
import time

from jwcrypto import jwk, jws
from jwcrypto.common import base64url_decode, base64url_encode

SKEW = 30  # seconds


def check(holds, why):
    if not holds:
        raise ValueError(why)


def once(members):
    """For json.loads, which keeps the last of two members with one name; another reader keeps the first."""
    found = dict(members)
    check(len(found) == len(members), "a member is there twice")
    return found


def strict(text):
    value = json.loads(text, object_pairs_hook=once)
    check(isinstance(value, dict), "not an object")
    return value


class Verifier:
    def __init__(self, audience, keys):
        self.audience = audience
        self.keys = {}  # thumbprint -> key
        for members in keys["keys"]:
            key = jwk.JWK(**members)
            self.keys[key.thumbprint()] = key
        self.challenges = {}  # challenge -> until when it is good
        self.seen = {}  # thumbprint and jti -> until when it has to be remembered

    def verify(self, evidence, proof):
        """The claims of the evidence; raises an exception that says why not."""
        now = time.time()
        check(len(evidence) + len(proof) < 8192, "too large")
        parts = [token.split(".") for token in (evidence, proof)]
        check(all(len(three) == 3 for three in parts), "not three parts")
        headers = [strict(base64url_decode(three[0])) for three in parts]
        kid = headers[0].get("kid")
        check(kid in self.keys, "key is not known")
        algorithm = "ES256" if self.keys[kid]["kty"] == "EC" else "EdDSA"

        def opened(token, header, three, kind):
            check(header.get("typ") == kind, "another type")
            check("crit" not in header, "critical header")
            message = jws.JWS()
            message.allowed_algs = [algorithm]
            message.deserialize(token, self.keys[kid])
            check(len(base64url_decode(three[2])) == 64, "signature is not of 64 bytes")  # jwcrypto takes a short r
            return strict(message.payload)

        claims = opened(evidence, headers[0], parts[0], "reeve-evidence+jwt")
        answer = opened(proof, headers[1], parts[1], "oauth-client-attestation-pop+jwt")
        check(claims["aud"] == self.audience and answer["aud"] == self.audience, "another audience")
        check(claims["iat"] <= now + SKEW and answer["iat"] <= now + SKEW, "from the future")
        check(now - SKEW < claims["exp"] and now - SKEW < answer["iat"] + 300, "expired")
        check(claims["exp"] - claims["iat"] <= 300, "lives too long")

        check(self.challenges.get(claims["eat_nonce"], 0) > now, "challenge was not given out, was used, or is too old")
        check(answer["challenge"] == claims["eat_nonce"], "proof answers another challenge")
        self.challenges.pop(claims["eat_nonce"], None)
        for jti in (f"evidence {kid} {claims['jti']}", f"proof {kid} {answer['jti']}"):
            check(jti not in self.seen, "was seen before")
            self.seen[jti] = now + 300 + 2 * SKEW

        check(claims["iss"] == f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{kid}", "names another key")
        check(claims["cnf"]["jkt"] == kid, "names another key")
        check(answer.get("evh") == base64url_encode(hashlib.sha256(evidence.encode()).digest()), "proof is for other evidence")
        check(claims["eat_profile"] == "tag:reeve,2026:endpoint-posture#1", "another profile")
        return claims

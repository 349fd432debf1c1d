"""Verifies the rows on stdin by verifier.py, and prints one JSON object a line: name, verified, why."""
import json
import sys
import time

from verifier import Verifier


def main():
    given = json.load(sys.stdin)
    verifier = Verifier(given["audience"], given["keys"])
    issued = set()
    for row in given["rows"]:
        if row["challenge"] not in issued:
            verifier.challenges[row["challenge"]] = time.time() + 120
        issued.add(row["challenge"])
        why = ""
        try:
            verifier.verify(row["evidence"], row["proof"])
        except Exception as error:  # whatever the library throws is a "no"
            why = str(error) or type(error).__name__
        print(json.dumps({"name": row["name"], "verified": not why, "why": why}))


main()

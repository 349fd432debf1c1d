"""Verifies the rows on stdin by libreeve-attestation, as a broker in Python would call it, and prints one JSON object a
line: name, verified, why."""
import ctypes
import json
import os
import sys


def main():
    library = ctypes.CDLL(os.environ["REEVE_ATTESTATION_LIBRARY"])
    library.reeve_string_free.argtypes = [ctypes.c_void_p]
    library.reeve_verifier_free.argtypes = [ctypes.c_void_p]
    size = ctypes.c_size_t
    library.reeve_verifier_verify.argtypes = [ctypes.c_void_p, ctypes.c_char_p, size, ctypes.c_char_p, size,
                                              ctypes.c_char_p, size, ctypes.POINTER(ctypes.c_void_p)]
    given = json.load(sys.stdin)
    options = json.dumps({"audience": given["audience"], "keys": given["keys"]}).encode()
    verifier, error = ctypes.c_void_p(), ctypes.c_void_p()
    if library.reeve_verifier_new(options, size(len(options)), None, None, ctypes.byref(verifier), ctypes.byref(error)):
        sys.exit(ctypes.string_at(error.value).decode())
    for row in given["rows"]:
        parts = []
        for part in ("evidence", "proof", "challenge"):
            parts += [row[part].encode(), len(row[part])]
        text = ctypes.c_void_p()
        code = library.reeve_verifier_verify(verifier, *parts, ctypes.byref(text))
        result = json.loads(ctypes.string_at(text.value))
        library.reeve_string_free(text)
        if result["verified"] != (code == 0):
            sys.exit(f"{row['name']}: returned {code} with {result}")
        why = "" if code == 0 else result["reason"]
        print(json.dumps({"name": row["name"], "verified": result["verified"], "why": why}))
    library.reeve_verifier_free(verifier)


main()

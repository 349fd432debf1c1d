#!/usr/bin/env python3
"""What reeve answers besides running things: posture, doctor, attest and verify, policy show and explain.

usage: commands.py BUILD
"""
import base64
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
AUDIENCE, CHALLENGE = "https://broker.acme.example", "c2hvdWxkIGJlIHJhbmRvbQ"
WORDS = {"success", "fail", "not-run", "absent"}


def setUpModule():
    global reeve
    reeve = throwaway.Reeve(BUILD, people=2)
    unittest.addModuleCleanup(reeve.__exit__, None, None, None)
    reeve.__enter__()


class Attestation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = reeve.reeve("attest", "--audience", AUDIENCE, "--challenge", CHALLENGE, "--json")
        assert done.returncode == 0, done.stderr
        cls.answer = json.loads(done.stdout)
        cls.evidence = cls.answer["evidence"]

    def verify(self, token, *options, expected=0):
        done = reeve.reeve("verify", "--json", *options, "-", input=token)
        self.assertEqual(done.returncode, expected, (done.stdout, done.stderr))
        return json.loads(done.stdout)

    def test_what_a_person_gets_verifies_and_is_about_the_device(self):
        result = self.verify(self.evidence, "--audience", AUDIENCE, "--challenge", CHALLENGE)
        self.assertEqual((result["verified"], result["proved"], result["not_checked"]), (True, False, []))
        self.assertEqual(result["claims"]["sub"], "device")
        self.assertEqual(result["claims"]["aud"], AUDIENCE)
        self.assertNotIn("pop", self.answer)
        self.assertEqual(self.answer["tier"], "software")

    def test_the_answer_as_a_whole_verifies_too_and_against_a_file_of_keys(self):
        keys = reeve.person.write(reeve.home / "keys.json", json.dumps({"keys": [self.answer["jwk"]]}))
        self.assertTrue(self.verify(json.dumps(self.answer), "--audience", AUDIENCE, "--jwks", keys)["verified"])
        # Offline: nobody is asked.
        done = reeve.reeve("verify", "--jwks", keys, "-", input=self.evidence, env=reeve.environment(REEVE_SOCKET="/nonexistent"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not checked: for whom", done.stderr)

    def test_each_lie_fails_at_its_step(self):
        header, payload, signature = self.evidence.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        claims["sub"] = "01AAAAAAAAAAAAAAAAAAAAAAAA"
        forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"reeve-evidence+jwt"}').decode().rstrip("=")
        good = ["--audience", AUDIENCE, "--challenge", CHALLENGE]
        for token, options, reason in (
                (self.evidence, ["--audience", "https://other.example"], "audience_wrong"),
                (self.evidence, ["--audience", AUDIENCE, "--challenge", "another-challenge"], "challenge_unknown"),
                (f"{header}.{forged}.{signature}", good, "signature_bad"),
                (f"{none}.{payload}.", good, "algorithm_refused")):
            result = self.verify(token, *options, expected=1)
            self.assertEqual((result["verified"], result["reason"]), (False, reason), result)

    def test_a_proof_that_must_be_there(self):
        proof = reeve.person.write(reeve.home / "proof.jwt", self.evidence)
        result = self.verify(self.evidence, "--audience", AUDIENCE, "--pop", proof, expected=1)
        self.assertEqual(result["reason"], "type_wrong")

    def test_what_is_no_token_is_said(self):
        for text in ("", "not a token", "{}", "a.b.c"):
            done = reeve.reeve("verify", "--audience", AUDIENCE, "-", input=text)
            self.assertEqual(done.returncode, 1, (text, done.stdout))


class Posture(unittest.TestCase):
    def test_every_check_has_a_word_and_what_is_not_success_has_a_reason(self):
        done = reeve.reeve("posture", "--json")
        posture = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if posture["compliant"] else 1)
        self.assertGreater(len(posture["checks"]), 10)
        for check in posture["checks"]:
            self.assertIn(check["result"], WORDS)
            if check["result"] != "success":
                self.assertTrue(check.get("reason"), check)

    def test_what_the_policy_requires_and_is_not_met_is_1(self):
        reeve.write_policy("strict.json", '{"schema": "reeve.policy/1", "id": "strict", "version": 1, "extends": ["vendor"], '
                           '"unenforceable": "degrade", "posture": {"require": ["no.such-check"]}}')
        self.addCleanup(reeve.start)
        self.addCleanup(reeve.stop)
        self.addCleanup((reeve.policy_directory / "strict.json").unlink)
        reeve.stop()
        reeve.start()
        done = reeve.reeve("posture")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("no.such-check", done.stdout)

    def test_doctor_says_what_holds_in_one_screen(self):
        done = reeve.reeve("doctor", "--json")
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertLess(len(findings), 40)
        for finding in findings:
            self.assertIn(finding["state"], ("ok", "warning", "problem", "off"))
            self.assertTrue(finding["detail"])
        self.assertEqual(done.returncode, 1 if any(finding["state"] == "problem" for finding in findings) else 0)


class Policies(unittest.TestCase):
    def test_explain_names_the_rule_and_where_it_stands(self):
        key = reeve.home / ".ssh/id_ed25519"
        done = reeve.reeve("policy", "explain", "--json", "read", key, cwd=reeve.workspace())
        explained = json.loads(done.stdout)
        self.assertEqual((done.returncode, explained["verdict"], explained["resource"]), (1, "deny", str(key)))
        where = [rule for layer in explained["layers"] for rule in layer["rules"] if rule["rule"] == explained["rule"]]
        self.assertTrue(where and where[0]["line"] > 1 and where[0]["file"].endswith("vendor.jsonc"), explained)

    def test_a_path_is_resolved_before_it_is_asked_about(self):
        (reeve.workspace() / "away").symlink_to("/etc")
        done = reeve.reeve("policy", "explain", "read", "away/shadow", cwd=reeve.workspace())
        self.assertEqual(done.returncode, 1)
        self.assertIn("deny: read /etc/shadow\n", done.stdout)

    def test_explain_by_session_is_for_its_person(self):
        process = reeve.spawn("sleep", "1000", stderr=subprocess.DEVNULL)
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout, "the session runs")
        session = json.loads(reeve.reeve("ps", "--json").stdout)["session"]
        for options, expected in (({}, 0), ({"root": True}, 0), ({"person": reeve.people[1]}, 1)):
            done = reeve.reeve("policy", "explain", "--session", session, "write", reeve.workspace() / "x", **options)
            self.assertEqual(done.returncode, expected, done.stderr)
        reeve.reeve("stop", session)
        process.wait(60)

    def test_show_has_the_zones(self):
        shown = json.loads(reeve.reeve("policy", "show", "--json", cwd=reeve.workspace()).stdout)
        zones = {zone["path"]: zone for zone in shown["zones"]}
        self.assertTrue(zones[str(reeve.workspace())]["writable"])
        self.assertFalse(zones["/usr"]["writable"])

    def test_another_persons_folder_is_no_workspace_to_ask_about(self):
        done = reeve.reeve("policy", "show", "--workspace", reeve.people[1].workspace())
        self.assertEqual(done.returncode, 1)

    def test_an_action_that_is_none(self):
        done = reeve.reeve("policy", "explain", "frobnicate", "/etc", cwd=reeve.workspace())
        self.assertEqual(done.returncode, 1)
        self.assertIn("frobnicate", done.stderr)


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

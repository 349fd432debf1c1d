#!/usr/bin/env python3
"""What one is told about what was done and denied: the records of changes, `reeve log --decision denied`, the call
denials, and which mechanism `policy explain --session` says holds a session to its policy.

usage: explaining.py BUILD
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
CHANGES = """
echo hello > made; mkdir d; mv made d/moved; chmod 600 d/moved; rm d/moved
echo x > .mcp.json; echo x > fine; mv fine .mcp.json
cat ~/.ssh/id_ed25519
echo ready; read _; true
"""


def setUpModule():
    global reeve, running, session
    reeve = throwaway.Reeve(BUILD)
    unittest.addModuleCleanup(reeve.__exit__, None, None, None)
    reeve.__enter__()
    (reeve.home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    os.chown(reeve.home / ".ssh", reeve.uid, reeve.uid)
    reeve.person.write(reeve.home / ".ssh/id_ed25519", "secret")
    running = reeve.spawn("sh", "-c", CHANGES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert running.stdout.readline() == "ready\n"
    session = json.loads(reeve.reeve("ps", "--json").stdout)["session"]


class Explaining(unittest.TestCase):
    def denials(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as call:
            call.connect(str(reeve.socket))
            call.send(json.dumps({"call": "denials", "session": session}).encode())
            return json.loads(call.recv(1 << 16))["done"]["denials"]

    def by_path(self, records, action, name):
        path = str(reeve.workspace() / name)
        return [record for record in records if record["action"] == action and record.get("resource") == path]

    def test_1_denials_come_with_their_rule_and_what_to_do(self):
        throwaway.wait_until(lambda: len(self.denials()) >= 3, "the denials are known")
        denials = {(denial["action"], denial.get("target", denial["resource"])): denial for denial in self.denials()}
        for action in ("file.create", "file.rename"):
            denial = denials[action, str(reeve.workspace() / ".mcp.json")]
            self.assertEqual((denial["decision"], bool(denial["reason"])), ("deny", True), denial)
            self.assertTrue(denial["rule"].startswith("vendor/") and "vendor.jsonc:" in denial["where"], denial)
            self.assertIn("except it", denial["todo"])
        self.assertIn(str(reeve.home / ".ssh/id_ed25519"), {resource for _, resource in denials})

    def test_2_explain_says_which_mechanism_holds(self):
        for action, path, by in (("create", reeve.workspace() / ".mcp.json", "keeper"), ("read", reeve.workspace() / "x", "mount"),
                                 ("read", reeve.home / ".ssh/id_ed25519", "veil"), ("write", "/usr/bin/true", "mount")):
            done = reeve.reeve("policy", "explain", "--json", "--session", session, action, path)
            self.assertEqual(json.loads(done.stdout)["enforced"]["by"], by, f"{action} {path}: {done.stdout}{done.stderr}")
        shown = reeve.reeve("policy", "explain", "--session", session, "create", reeve.workspace() / ".mcp.json").stdout
        self.assertIn("\nenforced by the keeper: ", shown)

    def test_3_each_change_is_one_record(self):
        running.stdin.close()
        self.assertEqual(running.wait(60), 0)
        records = reeve.records("--session", session)
        made = self.by_path(records, "file.create", "made")
        self.assertEqual([(record["outcome"], record["count"], record["details"]["size"]) for record in made], [("allowed", 1, 6)])
        self.assertEqual(self.by_path(records, "file.write", "made"), [])
        (moved,) = self.by_path(records, "file.rename", "made")
        self.assertEqual(moved["details"]["target"], str(reeve.workspace() / "d/moved"))
        for action, name in (("file.create", "d"), ("file.attributes", "d/moved"), ("file.delete", "d/moved")):
            self.assertEqual([record["outcome"] for record in self.by_path(records, action, name)], ["allowed"], (action, name))
        end = next(record for record in records if record["action"] == "session.end")["details"]
        self.assertEqual(end["seen"], end["recorded"] + end["coalesced"] + end["left_out"])
        self.assertEqual((end["gaps"], end["joined"] >= 2), (0, True), end)

    def test_4_denied_is_a_filter_and_for_people_a_line(self):
        denied = reeve.records("--session", session, "--decision", "denied")
        self.assertEqual({record["outcome"] for record in denied}, {"denied"})
        self.assertEqual({record["action"] for record in denied} & {"file.create", "file.rename"}, {"file.create", "file.rename"})
        shown = reeve.reeve("log", "--session", session, "--path", "**/.mcp.json").stdout
        self.assertIn("-> " + str(reeve.workspace() / ".mcp.json"), shown)
        self.assertIn("by vendor/", shown)


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

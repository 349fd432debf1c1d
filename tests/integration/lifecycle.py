#!/usr/bin/env python3
"""What ends a session besides its command: its client, the daemon, a reload that must not. And what of it is in the log.

usage: lifecycle.py BUILD
"""
import os
import pathlib
import select
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
DENIES = """{"schema": "reeve.policy/1", "id": "acme", "version": %d, "extends": ["vendor"], "unenforceable": "degrade",
  "files": [{"deny": ["read", "write"], "paths": ["${workspace}/closed/**"]}]}"""


class Case(unittest.TestCase):
    def setUp(self):
        self.reeve = throwaway.Reeve(BUILD)
        self.reeve.__enter__()
        self.addCleanup(self.reeve.__exit__, None, None, None)

    def session(self, *command):
        """A session that has said "ready", its process inside (as the host sees it), and its client."""
        command = command or ("sh", "-c", "echo ready; exec sleep 1000")
        client = self.reeve.spawn(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(client.stderr.close)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), "ready\n")
        return client, self.of_person()

    def of_person(self):
        """Pids of the person's processes that are in a session: all but the client."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                mine = folder.stat().st_uid == self.reeve.uid or f"\nUid:\t{self.reeve.uid}\t" in (folder / "status").read_text()
                if mine and (folder / "comm").read_text().strip() != "reeve":
                    found.append(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def assertGone(self, pids):
        self.assertTrue(pids)
        for pid in pids:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            with os.fdopen(fd):
                self.assertTrue(select.select([fd], [], [], 30)[0], f"{pid} lives")


class Ends(Case):
    def test_a_killed_client_ends_its_session(self):
        client, pids = self.session()
        client.kill()
        self.assertGone(pids)
        throwaway.wait_until(lambda: self.reeve.reeve("ps", "--json").stdout == "", "the session is gone")

    def test_a_killed_daemon_ends_its_sessions_and_their_clients_say_so(self):
        client, pids = self.session()
        self.reeve.stop(signal.SIGKILL)
        self.assertGone(pids)
        _, said = client.communicate(timeout=60)
        self.assertEqual(client.returncode, 125, said)
        self.assertIn("the daemon is gone, and with it the session", said)
        done = self.reeve.run("true")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.reeve.start()  # over the leftovers of the one that was killed
        self.assertEqual(self.reeve.run("echo", "again").stdout, "again\n")
        verified = self.reeve.reeve("audit", "verify", self.reeve.log_directory, "--state", self.reeve.state_directory, root=True)
        self.assertEqual(verified.returncode, 0, verified.stdout)

    def test_a_daemon_that_is_told_to_end_ends_them_and_closes_the_log(self):
        client, pids = self.session()
        self.assertEqual(self.reeve.stop(), 0)
        self.assertGone(pids)
        client.communicate(timeout=60)
        self.assertEqual(client.returncode, 125)
        text = "".join(path.read_text() for path in sorted(self.reeve.log_directory.glob("audit-*.jsonl")))
        self.assertIn('"session.end"', text)
        self.assertIn('"daemon.', text)
        self.assertFalse(self.reeve.socket.exists())

    def test_a_killed_init_ends_the_session(self):
        client, pids = self.session()
        parents = {int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids}
        init = [pid for pid in pids if pid in parents]
        os.kill(init[0] if init else min(pids), signal.SIGKILL)
        self.assertGone(pids)
        client.communicate(timeout=60)
        self.assertNotEqual(client.returncode, 0)


class Reload(Case):
    def test_sessions_keep_their_policy_and_new_ones_get_the_new(self):
        closed = self.reeve.workspace("workspace/closed")
        self.reeve.person.write(closed / "file", "text")
        client, _ = self.session("sh", "-c", "echo ready; read line; cat closed/file; read line")
        # The first session's standard input is closed: it goes on at once, by the policy of its start.
        self.assertEqual(client.stdout.read(), "text")
        running = self.reeve.spawn("sh", "-c", "echo ready; read line; cat closed/file", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        self.assertEqual(running.stdout.readline(), "ready\n")
        self.reeve.write_policy("acme.json", DENIES % 1)
        self.reload("acme@1")
        self.assertEqual(running.communicate("go\n", timeout=60)[0], "text")
        denied = self.reeve.run("cat", "closed/file")
        self.assertNotEqual(denied.returncode, 0)
        self.assertEqual(denied.stdout, "")

    def test_a_broken_policy_changes_nothing_and_is_said(self):
        self.reeve.write_policy("acme.json", DENIES % 1)
        self.reload("acme@1")
        self.reeve.write_policy("acme.json", "{ broken")
        self.reeve.daemon.send_signal(signal.SIGHUP)
        throwaway.wait_until(lambda: self.reeve.records("--action", "policy.refused"), "the refusal is in the log")
        self.assertIn("acme.json:1:", self.reeve.log_text())
        self.assertIn("acme@1", self.reeve.reeve("policy", "show", "--workspace", self.reeve.workspace()).stdout)
        self.assertEqual(self.reeve.run("true").returncode, 0)

    def reload(self, expected):
        self.reeve.daemon.send_signal(signal.SIGHUP)
        throwaway.wait_until(lambda: any(expected in record.get("resource", "")
                                         for record in self.reeve.records("--action", "policy.loaded")), f"{expected} is loaded")


class InTheLog(Case):
    def test_start_reads_executions_and_end(self):
        workspace = self.reeve.workspace()
        self.reeve.person.write(workspace / "read-me", "text")
        self.assertEqual(self.reeve.run("sh", "-c", "cat read-me > /dev/null; exit 5").returncode, 5)
        records = self.reeve.records()
        start = next(record for record in records if record["action"] == "session.start")
        own = [record for record in records if record.get("session") == start["session"]]
        actions = [record["action"] for record in own]
        self.assertEqual(actions[0], "session.start")
        self.assertEqual(actions[-1], "session.end")
        self.assertIn(("file.read", str(workspace / "read-me")), [(record["action"], record.get("resource")) for record in own])
        self.assertIn("/usr/bin/cat", [os.path.realpath(record["resource"]) for record in own if record["action"] == "process.exec"])
        for record in own:
            self.assertEqual(record["actor"]["uid"], self.reeve.uid)


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

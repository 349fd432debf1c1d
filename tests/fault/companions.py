#!/usr/bin/env python3
"""What happens to a session whose keeper or veil is killed, stopped, or does not work from the start: it fails closed.

usage: companions.py BUILD
"""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
PATIENCE = 10  # seconds that a stopped companion has, kMostStopped of daemon/session/companions.hpp

# Says "ready", then for each line that it reads tries one thing and says what came of it.
VICTIM = r"""
import errno, os, sys
def attempt(do):
    try:
        do()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]
print("ready", flush=True)
for count, line in enumerate(sys.stdin):
    word = line.strip()
    if word == "change":
        print(attempt(lambda: os.mkdir(f"made-{count}")), flush=True)
    elif word == "look":
        print(attempt(lambda: os.stat(os.path.expanduser(f"~/other-{count}"))), flush=True)
    elif word == "child":  # one that changes something, killed by its parent while it waits
        child = os.fork()
        if child == 0:
            os.mkdir(f"made-{count}")
            os._exit(0)
        sys.stdin.readline()
        os.kill(child, 9)
        print(os.waitpid(child, 0)[1], flush=True)
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.reeve = throwaway.Reeve(BUILD)
        self.reeve.__enter__()
        self.addCleanup(self.reeve.__exit__, None, None, None)

    def session(self):
        client = self.reeve.spawn("/usr/bin/python3", "-c", VICTIM, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        for stream in (client.stdin, client.stdout, client.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), "ready\n")
        return client

    def companion(self, name):
        """Its pid."""
        found = [int(folder.name) for folder in pathlib.Path("/proc").glob("[0-9]*") if self.is_companion(folder, name)]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def is_companion(self, folder, name):
        try:
            return f"\nUid:\t{self.reeve.uid}\t" in (folder / "status").read_text() and \
                (folder / "comm").read_text().strip() == name
        except (FileNotFoundError, ProcessLookupError):
            return False

    def stop(self, name):
        """Stops it, and waits until all of its threads are: the first to see the signal stops the others."""
        pid = self.companion(name)
        os.kill(pid, signal.SIGSTOP)
        throwaway.wait_until(lambda: all("\nState:\tT" in (task / "status").read_text()
                                         for task in pathlib.Path(f"/proc/{pid}/task").iterdir()), f"{name} is stopped")
        return pid

    @staticmethod
    def ask(client, word):
        client.stdin.write(word + "\n")
        client.stdin.flush()

    def assertEnded(self, client, reason):
        _, said = client.communicate(timeout=60)
        self.assertEqual(client.returncode, 125, said)
        self.assertIn(reason, said)
        end = self.reeve.records("--action", "session.end")[-1]
        self.assertIn(reason, end["details"]["reason"])
        # What it had not told is lost, and on record as that.
        name = reason.split()[0]
        gaps = self.reeve.records("--session", end["session"], "--action", "audit.gap")
        self.assertIn(f"{name} is gone before it had told all", [gap["details"]["reason"] for gap in gaps])
        # Nothing of it is left, and the next one starts.
        throwaway.wait_until(lambda: not any(self.is_companion(folder, name) for folder in pathlib.Path("/proc").glob("[0-9]*")
                                             for name in ("reeve-keeper", "reeve-veil")), "the companions are gone")
        self.assertEqual(self.reeve.run("mkdir", "after").returncode, 0)


class Killed(Case):
    def kill_unseen(self, client, name, word, expected):
        """Kills it while reeved cannot act, so that what the session sees of it is seen; then lets reeved act."""
        self.reeve.daemon.send_signal(signal.SIGSTOP)
        try:
            pid = self.companion(name)
            gone = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            select.select([gone], [], [], 30)
            os.close(gone)
            self.ask(client, word)
            self.assertEqual(client.stdout.readline(), expected)
        finally:
            self.reeve.daemon.send_signal(signal.SIGCONT)

    def test_without_its_keeper_no_change_is_possible_and_the_session_ends(self):
        client = self.session()
        self.ask(client, "change")
        self.assertEqual(client.stdout.readline(), "done\n")
        self.kill_unseen(client, "reeve-keeper", "change", "ENOSYS\n")
        self.assertEnded(client, "reeve-keeper is gone")
        self.assertEqual(sorted(path.name for path in self.reeve.workspace().glob("made-*")), ["made-0"])

    def test_without_its_veil_the_home_is_dead_and_the_session_ends(self):
        client = self.session()
        self.ask(client, "look")
        self.assertEqual(client.stdout.readline(), "ENOENT\n")
        self.kill_unseen(client, "reeve-veil", "look", "ENOTCONN\n")
        self.assertEnded(client, "reeve-veil is gone")


class Stopped(Case):
    def test_a_stopped_keeper_lets_callers_wait_who_can_be_killed_and_the_session_ends(self):
        client = self.session()
        self.stop("reeve-keeper")
        self.ask(client, "child")
        self.ask(client, "kill it")
        self.assertEqual(client.stdout.readline(), f"{signal.SIGKILL.value}\n")
        self.ask(client, "change")
        self.assertEnded(client, "reeve-keeper has been stopped")
        self.assertEqual(list(self.reeve.workspace().glob("made-*")), [])

    def test_a_stopped_veil_ends_the_session(self):
        client = self.session()
        self.stop("reeve-veil")
        self.ask(client, "look")
        self.assertEnded(client, "reeve-veil has been stopped")

    def test_one_that_is_stopped_goes_with_a_killed_daemon(self):
        client = self.session()
        gone = [os.pidfd_open(self.stop(name)) for name in ("reeve-keeper", "reeve-veil")]
        self.reeve.stop(signal.SIGKILL)
        for pidfd in gone:
            self.assertTrue(select.select([pidfd], [], [], 30)[0])
            os.close(pidfd)
        client.communicate(timeout=60)
        self.assertEqual(client.returncode, 125)
        self.reeve.start()

    def test_one_that_goes_on_in_time_is_forgiven(self):
        client = self.session()
        pid = self.stop("reeve-keeper")
        self.ask(client, "change")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(client.stdout.readline(), "done\n")
        select.select([client.stdout], [], [], PATIENCE + 1)  # the bound passes, and nothing is said
        self.ask(client, "change")
        self.assertEqual(client.stdout.readline(), "done\n")
        client.communicate(timeout=60)
        self.assertEqual(client.returncode, 0)


class FromTheStart(Case):
    def replace(self, name):
        """A program that ends at once."""
        self.reeve.stop()
        shutil.copy("/bin/false", self.reeve.libexec / name)
        self.reeve.start()

    def assertNothingStarts(self):
        done = self.reeve.run("touch", "started")
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertFalse((self.reeve.workspace() / "started").exists())
        return done.stderr

    def test_a_keeper_that_does_not_work_starts_nothing(self):
        self.replace("reeve-keeper")
        self.assertIn("keeper", self.assertNothingStarts())

    def test_a_veil_that_does_not_work_starts_nothing(self):
        self.replace("reeve-veil")
        self.assertIn("veil", self.assertNothingStarts())


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

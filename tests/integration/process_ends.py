#!/usr/bin/env python3
"""Every process of which a session's log tells has one record of its end, after all others of it and before the session's.

usage: process_ends.py BUILD
"""
import collections
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
# Programs, a fork that reads without one, a process that outlives its parent and is killed with the session.
WORK = "for i in 1 2 3; do cat file; (read x < file); done; (sleep 1000 < file &); python3 -c 'open(\"file\").read()'"


class ProcessEnds(unittest.TestCase):
    def test_each_has_one_and_it_is_the_last(self):
        with throwaway.Reeve(BUILD) as reeve:
            reeve.person.write(reeve.workspace() / "file", "text\n")
            self.assertEqual(reeve.run("sh", "-c", WORK).returncode, 0)
            records = reeve.records()
            session = next(record["session"] for record in records if record["action"] == "session.end")
            own = [record for record in records if record.get("session") == session]
            self.assertEqual(own[-1]["action"], "session.end")
            named, ended = set(), collections.Counter()
            for record in own[1:-1]:
                pid = record["actor"]["process"]["pid"]
                if record["action"] == "process.end":
                    ended[pid] += 1
                    self.assertEqual(record.get("resource"), record["actor"]["process"].get("exe"), record)
                else:
                    self.assertNotIn(pid, ended, record)
                    named.add(pid)
            self.assertEqual(ended, collections.Counter(named))
            self.assertGreaterEqual(len(named), 9, "a shell, three times a program and a fork, sleep, python3")
            slept = [record for record in own if record["action"] == "process.end" and record.get("resource") == "/usr/bin/sleep"]
            self.assertEqual(len(slept), 1)
            accesses = sum(record["count"] for record in own[1:-1] if record["action"] != "process.end")
            details = own[-1]["details"]
            self.assertEqual(accesses, details["recorded"] + details["coalesced"] - details["joined"])


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

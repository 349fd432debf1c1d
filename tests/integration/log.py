#!/usr/bin/env python3
"""reeve log and reeve audit verify over a real log: filters, whose records one sees, --follow, and each way to tamper.

usage: log.py BUILD
"""
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]


def setUpModule():
    global reeve, sessions
    reeve = throwaway.Reeve(BUILD, people=2)
    unittest.addModuleCleanup(reeve.__exit__, None, None, None)
    reeve.__enter__()
    for name in ("one.txt", "two.txt", "odd\x1b[2J\nname"):
        reeve.person.write(reeve.workspace() / name, name)
    for name in ("one.txt", "two.txt"):
        reeve.run("cat", name)
    reeve.run("cat", "odd\x1b[2J\nname")
    reeve.run("true", cwd=reeve.people[1].workspace(), person=reeve.people[1])
    sessions = [record["session"] for record in reeve.records("--action", "session.start")]


class Filters(unittest.TestCase):
    def ask(self, *filters, **options):
        done = reeve.reeve("log", "--json", *filters, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def resources(self, *filters):
        return [record.get("resource") for record in self.ask(*filters)]

    def test_by_session(self):
        records = self.ask("--session", sessions[1])
        self.assertEqual({record["session"] for record in records}, {sessions[1]})
        self.assertIn("two.txt", json.dumps(records))
        self.assertEqual(self.ask("--session", "01AAAAAAAAAAAAAAAAAAAAAAAA"), [])

    def test_by_path(self):
        workspace = reeve.workspace()
        self.assertEqual(set(self.resources("--path", f"{workspace}/one.txt")), {f"{workspace}/one.txt"})
        self.assertEqual(set(self.resources("--path", "**/*.txt")), {f"{workspace}/one.txt", f"{workspace}/two.txt"})
        self.assertEqual(self.resources("--path", "*.txt"), [])  # * stays within one component, and paths are whole

    def test_by_action_and_family(self):
        self.assertEqual({record["action"] for record in self.ask("--action", "file.*")}, {"file.read"})
        self.assertIn("/usr/bin/cat", self.resources("--action", "process.exec"))

    def test_by_host_and_decision(self):
        self.assertEqual(self.ask("--host", "example.com"), [])
        self.assertEqual(self.ask("--decision", "ask"), [])
        self.assertEqual({record["outcome"] for record in self.ask("--decision", "allowed")}, {"allowed"})

    def test_by_time(self):
        everything = self.ask()
        self.assertEqual(self.ask("--since", "1h"), everything)
        self.assertEqual(self.ask("--since", datetime.date.today().isoformat()), everything)
        third = everything[2]["timestamp"]
        self.assertEqual(self.ask("--since", third), [record for record in everything if record["timestamp"] >= third])
        future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.assertEqual(self.ask("--since", future.strftime("%Y-%m-%dT%H:%M:%SZ")), [])
        wrong = reeve.reeve("log", "--since", "teatime")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("write 10m", wrong.stderr)

    def test_all_filters_must_hold(self):
        self.assertEqual(self.ask("--session", sessions[0], "--path", "**/two.txt"), [])

    def test_a_person_sees_their_own_and_root_all(self):
        own = self.ask()
        self.assertEqual({record["actor"]["uid"] for record in own}, {reeve.uid})
        other = self.ask(person=reeve.people[1])
        self.assertEqual({record["actor"]["uid"] for record in other}, {reeve.people[1].uid})
        everything = self.ask(root=True)
        self.assertGreater(len(everything), len(own) + len(other))
        self.assertIn("policy.loaded", {record["action"] for record in everything})
        self.assertEqual([record["seq"] for record in everything], list(range(1, len(everything) + 1)))

    def test_for_people_it_is_a_line_a_record_and_safe(self):
        done = reeve.reeve("log", "--path", "**")
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), len(self.ask("--path", "**")))
        self.assertIn("\\x1b[2J\\nname", done.stdout)

    def test_follow_shows_what_comes_and_control_c_ends_it(self):
        follower = subprocess.Popen([reeve.client, "log", "--follow", "--json", "--action", "session.end"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=reeve.environment(), **reeve.as_person())
        with follower:
            before = len(self.ask("--action", "session.end"))
            for _ in range(before):
                follower.stdout.readline()
            reeve.run("true")
            self.assertEqual(json.loads(follower.stdout.readline())["action"], "session.end")
            follower.send_signal(signal.SIGINT)
            self.assertEqual(follower.communicate(timeout=30), ("", ""))
        self.assertEqual(follower.returncode, -signal.SIGINT)

    def test_a_reader_that_goes_early_is_no_error(self):
        done = subprocess.run(["sh", "-c", f"{reeve.client} log | head -n 1"], capture_output=True, text=True, check=False,
                              env=reeve.environment(), timeout=60, **reeve.as_person())
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (1, ""))


class Tampered(unittest.TestCase):
    """Copies of the log, with the daemon's state, changed as somebody could who can write to the files."""

    @classmethod
    def setUpClass(cls):
        # A last checkpoint stands in the state directory then.
        assert reeve.stop() == 0, reeve.log_text()
        cls.base = pathlib.Path(tempfile.mkdtemp(dir=reeve.root))
        cls.names = sorted(path.name for path in reeve.log_directory.glob("audit-*.jsonl"))

    @classmethod
    def tearDownClass(cls):
        reeve.start()

    def setUp(self):
        self.log = self.base / self.id().rpartition(".")[2]
        shutil.copytree(reeve.log_directory, self.log)
        self.last = self.log / self.names[-1]

    def verify(self, *options):
        done = reeve.reeve("audit", "verify", "--json", *(options or ("--state", reeve.state_directory)), self.log, root=True)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["ok"] else 1, done.stderr)
        return report

    def assertBad(self, report, problem, line):
        self.assertEqual((report["ok"], report.get("problem"), report.get("line")), (False, problem, line), report)
        self.assertEqual(report["file"], self.last.name)

    def assertProblem(self, report, problem):
        self.assertEqual(report.get("problem"), problem, (report, self.last.read_text()[-3000:]))

    def change(self, edit):
        lines = self.last.read_bytes().splitlines(keepends=True)
        self.last.write_bytes(b"".join(edit(lines)))

    def test_an_untouched_one_verifies(self):
        report = self.verify()
        self.assertTrue(report["ok"], report)
        self.assertGreater(report["signatures_checked"], 0)
        self.assertEqual(report["not_checked"], [])

    def test_one_flipped_byte(self):
        def flip(lines):
            lines[4] = lines[4].replace(b"allowed", b"allowec", 1)
            return lines
        self.change(flip)
        self.assertBad(self.verify(), "chain_broken", 5)

    def test_a_removed_line(self):
        self.change(lambda lines: lines[:5] + lines[6:])
        self.assertBad(self.verify(), "seq_not_consecutive", 6)

    def test_swapped_lines(self):
        self.change(lambda lines: lines[:3] + [lines[4], lines[3]] + lines[5:])
        self.assertBad(self.verify(), "seq_not_consecutive", 4)

    def test_a_cut_tail_shows_against_the_checkpoint_alone(self):
        self.change(lambda lines: lines[:-2])
        self.assertProblem(self.verify(), "tail_cut")
        unknown = self.verify("--jwk", reeve.state_directory / "device-key.jwk")
        self.assertTrue(unknown["ok"])
        self.assertEqual(len(unknown["not_checked"]), 1)
        self.assertIn("cut off", unknown["not_checked"][0])

    def test_a_restored_old_segment(self):
        old = self.last.read_bytes()
        self.change(lambda lines: lines[: len(lines) // 2])  # as a backup of earlier has it
        self.assertProblem(self.verify(), "tail_cut")
        self.last.write_bytes(old)
        (self.log / f"{self.last.stem}-restored.jsonl").write_bytes(old)
        self.assertProblem(self.verify(), "seq_not_consecutive")

    def test_an_added_line(self):
        self.change(lambda lines: lines[:4] + [lines[4]] + lines[4:])
        self.assertBad(self.verify(), "seq_not_consecutive", 6)

    def test_another_devices_key(self):
        key = self.base / "other.jwk"
        key.write_text('{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
                       '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}')  # RFC 7515, A.3
        self.assertProblem(self.verify("--jwk", key), "bad_signature")

    def test_without_the_right_to_read_it_is_no_verdict(self):
        done = reeve.reeve("audit", "verify", reeve.log_directory)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("reeve-audit", done.stderr)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

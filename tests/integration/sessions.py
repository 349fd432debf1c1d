#!/usr/bin/env python3
"""Sessions without a terminal, over the real daemon: exit codes, pipes, signals, and who may start what where.

usage: sessions.py BUILD
"""
import hashlib
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
STARTED, NOT_THERE = 125, 3
# `refused` is an agent whose trust cannot hold: no file has that hash.
POLICY = """{
  "schema": "reeve.policy/1", "id": "acme", "version": 1, "extends": ["vendor"], "unenforceable": "degrade",
  "agents": {"refused": {"executables": ["/usr/bin/cat"], "trust": {"any": [{"sha256": ["%s"]}]}},
             "keeps": {"executables": ["/usr/bin/tee"],
                       "state": ["${home}/.config/keeps/**", "${home}/.keeps.json", "${home}/link/keeps/**"]}}
}""" % ("0" * 64)


def setUpModule():
    global reeve
    reeve = throwaway.Reeve(BUILD, people=2, policies={"acme.json": POLICY})
    unittest.addModuleCleanup(reeve.__exit__, None, None, None)
    reeve.__enter__()


class Case(unittest.TestCase):
    maxDiff = None

    def assertRefused(self, done, *phrases, code=STARTED):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertTrue(done.stderr.startswith("reeve: cannot "), done.stderr)
        for phrase in phrases:
            self.assertIn(phrase, done.stderr)

    def started(self, process):
        """The session of a command that says something once it runs."""
        self.assertEqual(process.stdout.readline(), "ready\n")


class ExitCodes(Case):
    def test_the_commands_own(self):
        for code in (0, 1, 7, 255):
            self.assertEqual(reeve.run("sh", "-c", f"exit {code}").returncode, code)

    def test_a_signal_is_128_and_its_number(self):
        for number in (signal.SIGTERM, signal.SIGSEGV, signal.SIGKILL):
            self.assertEqual(reeve.run("sh", "-c", f"kill -{number.value} $$").returncode, 128 + number)

    def test_what_cannot_be_run_is_126_and_127_as_in_a_shell(self):
        missing = reeve.run("no-such-program")
        self.assertEqual(missing.returncode, 127, missing.stderr)
        self.assertIn("no-such-program", missing.stderr)
        plain = reeve.person.write(reeve.workspace() / "plain", "text")
        denied = reeve.run(plain)
        self.assertEqual(denied.returncode, 126, denied.stderr)
        self.assertIn("Permission denied", denied.stderr)

    def test_no_daemon_is_3(self):
        for command in (["ps"], ["run", "--", "true"], ["log"], ["doctor"]):
            done = reeve.reeve(*command, env=reeve.environment(REEVE_SOCKET="/nonexistent/reeve.sock"))
            self.assertRefused(done, "systemctl start reeved", code=NOT_THERE)

    def test_a_wrong_command_line_is_2(self):
        for command in (["run"], ["rnu", "true"], ["run", "--agnet", "x", "true"], ["stop"]):
            self.assertEqual(reeve.reeve(*command).returncode, 2)


class Pipes(Case):
    def test_ten_megabytes_both_ways_arrive_as_they_were(self):
        data = os.urandom(10_000_000)
        done = reeve.run("cat", input=data, text=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(hashlib.sha256(done.stdout).digest(), hashlib.sha256(data).digest())

    def test_the_end_of_input_and_no_input(self):
        self.assertEqual(reeve.run("wc", "-c", input="four").stdout.strip(), "4")
        self.assertEqual(reeve.run("wc", "-c").stdout.strip(), "0")

    def test_output_and_errors_stay_apart(self):
        done = reeve.run("sh", "-c", "echo out; echo err >&2; echo out; exit 3")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\nout\n", "err\n", 3))

    def test_a_reader_that_is_gone_is_a_broken_pipe_inside(self):
        process = reeve.spawn("yes", stdout=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        self.assertEqual(process.wait(60), 128 + signal.SIGPIPE)

    def test_nothing_of_the_last_output_is_lost(self):
        for _ in range(20):
            done = reeve.run("sh", "-c", "head -c 200000 /dev/zero; echo end >&2")
            self.assertEqual((len(done.stdout), done.stderr), (200_000, "end\n"))

    def test_what_stays_in_the_background_ends_with_the_command(self):
        # It holds the pipe open, and would keep a plain reader waiting for ever.
        done = reeve.run("sh", "-c", "sleep 1000 & echo done")
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertEqual(reeve.reeve("ps", "--json").stdout, "")

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "wb") as full:
            done = reeve.run("echo", "x", capture_output=False, stdout=full, stderr=subprocess.PIPE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("No space left", done.stderr)


class Signals(Case):
    TRAP = "trap 'echo got; exit 9' TERM INT HUP QUIT; echo ready; while :; do sleep 0.05; done"

    def test_those_to_the_client_reach_the_command(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            process = reeve.spawn("sh", "-c", self.TRAP, stdout=subprocess.PIPE, text=True)
            self.started(process)
            process.send_signal(number)
            self.assertEqual(process.communicate(timeout=60)[0], "got\n", number)
            self.assertEqual(process.returncode, 9)

    def test_what_nohup_ignores_stays_ignored(self):
        process = reeve.spawn("sh", "-c", "trap 'echo got' HUP; echo ready; read line; echo end", stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.started(process)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.communicate("go\n", timeout=60)[0], "end\n")

    def test_closed_standard_streams_are_no_way_in(self):
        # Their numbers would go to descriptors that the client opens.
        done = subprocess.run(["sh", "-c", f"exec {reeve.client} run -- sh -c 'cat; echo out; echo err >&2; exit 4' <&- >&- 2>&-"],
                              check=False, cwd=reeve.workspace(), env=reeve.environment(), timeout=60, **reeve.as_person())
        self.assertEqual(done.returncode, 4)

    def test_the_second_of_a_command_that_does_not_listen_ends_it(self):
        process = reeve.spawn("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", stdout=subprocess.PIPE,
                              text=True)
        self.started(process)
        process.send_signal(signal.SIGTERM)
        # Two of one number that are pending are one: the first must have been read.
        throwaway.wait_until(lambda: not pending(process.pid, signal.SIGTERM), "the first signal is read")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 128 + signal.SIGTERM)
        process.stdout.close()
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")


def pending(pid, number):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


class Workspaces(Case):
    def refused(self, folder, *phrases):
        self.assertRefused(reeve.run("true", options=["--workspace", folder]), *phrases)

    def test_the_root_the_home_and_what_lies_above_are_refused(self):
        self.refused("/", "workspace")
        self.refused(reeve.home, "whole home")
        self.refused(reeve.home.parent, "workspace")
        self.assertRefused(reeve.run("true", cwd=reeve.home), "workspace")

    def test_another_persons_folder_is_refused(self):
        theirs = reeve.people[1].workspace("theirs")
        self.refused(theirs, "workspace")

    def test_a_folder_of_the_system_is_refused(self):
        self.refused("/etc", "workspace")

    def test_a_link_counts_as_what_it_leads_to(self):
        link = reeve.home / "link"
        for target, good in (("/", False), (reeve.home, False), (reeve.workspace(), True)):
            link.symlink_to(target)
            done = reeve.run("pwd", options=["--workspace", link], cwd=reeve.workspace())
            link.unlink()
            if good:
                self.assertEqual(done.stdout, f"{reeve.workspace()}\n", done.stderr)
            else:
                self.assertRefused(done, "workspace")

    def test_a_folder_below_the_workspace_is_where_it_starts(self):
        below = reeve.workspace("workspace/a/b")
        done = reeve.run("pwd", options=["--workspace", reeve.workspace()], cwd=below)
        self.assertEqual(done.stdout, f"{below}\n", done.stderr)

    def test_from_a_folder_that_does_not_exist_inside_it_starts_in_the_workspace(self):
        done = reeve.run("pwd", options=["--workspace", reeve.workspace()], cwd=reeve.workspace("elsewhere"))
        self.assertEqual(done.stdout, f"{reeve.workspace()}\n", done.stderr)

    def test_what_is_made_inside_belongs_to_the_person_and_stays(self):
        self.assertEqual(reeve.run("sh", "-c", "echo x > made && mkdir -p tree/of && ln made tree/of/link").returncode, 0)
        made = reeve.workspace() / "made"
        self.assertEqual(made.read_text(), "x\n")
        self.assertEqual((made.stat().st_uid, made.stat().st_gid, made.stat().st_nlink), (reeve.uid, reeve.uid, 2))

    def test_nothing_is_left_in_the_persons_tree(self):
        workspace = reeve.workspace("clean")
        self.assertEqual(reeve.run("ls", "-a", cwd=workspace).stdout, ".\n..\n")
        self.assertEqual(list(workspace.iterdir()), [])


class People(Case):
    def test_root_is_no_person_and_names_one(self):
        self.assertRefused(reeve.run("true", root=True), "uid 0", "--user NAME")
        self.assertRefused(reeve.run("true", root=True, options=["--user", "root"]), "0")
        done = reeve.run("id", "-u", root=True, options=["--user", reeve.person.name])
        self.assertEqual(done.stdout, f"{reeve.uid}\n", done.stderr)

    def test_a_person_names_nobody_else(self):
        done = reeve.run("true", options=["--user", reeve.people[1].name])
        self.assertRefused(done, "only root")

    def test_an_agents_state_is_made_and_lasts(self):
        bob = reeve.people[1]
        (bob.home / "link").symlink_to("workspace")
        memory = bob.home / ".config/keeps/memory"
        for text in ("one", "two"):
            done = reeve.run("tee", "-a", memory, options=["--agent", "keeps", "-v"], input=text, person=bob, cwd=bob.workspace())
            self.assertEqual((done.returncode, done.stdout), (0, text), done.stderr)
        self.assertIn("cannot enter the agent's state", done.stderr)  # no link is followed, and the person is told
        self.assertEqual(memory.read_text(), "onetwo")
        for path in (bob.home / ".config", bob.home / ".config/keeps"):
            status = path.stat()
            self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (bob.uid, bob.uid, 0o700))
        self.assertFalse((bob.home / ".keeps.json").exists())
        self.assertEqual(list(bob.workspace().glob("keeps")), [])
        made = [record["resource"] for record in reeve.records() if record.get("details", {}).get("agent") == "keeps"]
        self.assertEqual(made, [str(bob.home / ".config"), str(bob.home / ".config/keeps")])

    def test_for_others_no_state_is_made(self):
        self.assertEqual(reeve.run("true").returncode, 0)
        self.assertFalse((reeve.home / ".config").exists())

    def test_an_agent_whose_trust_fails_is_refused(self):
        self.assertRefused(reeve.run("cat", options=["--agent", "refused"]), "/usr/bin/cat", "SHA-256", "trust")
        self.assertRefused(reeve.run("cat", options=["--agent", "nobody-knows"]), "nobody-knows")

    def test_other_peoples_sessions_are_not_there(self):
        other = reeve.people[1]
        process = reeve.spawn("sh", "-c", "echo ready; sleep 1000", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.started(process)
        session = reeve.reeve("ps", "--json").stdout
        name = json.loads(session)["session"]
        self.assertEqual(reeve.reeve("ps", "--json", person=other).stdout, "")
        self.assertEqual(reeve.reeve("stop", "--all", person=other).stdout, "")
        self.assertRefused(reeve.reeve("stop", name, person=other), "none of that id", code=1)
        self.assertIn(name, reeve.reeve("ps", root=True).stdout)
        self.assertEqual(reeve.reeve("stop", name).stdout, f"{name}\n")
        process.wait(60)
        process.stdout.close()

    def test_stop_all_ends_all_and_their_clients(self):
        processes = [reeve.spawn("sh", "-c", "echo ready; sleep 1000", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for _ in range(3)]
        for process in processes:
            self.started(process)
        self.assertEqual(len(reeve.reeve("stop", "--all").stdout.split()), 3)
        for process in processes:
            _, said = process.communicate(timeout=60)
            self.assertNotEqual(process.returncode, 0)
            self.assertIn("stopped by", said)
        self.assertEqual(reeve.reeve("ps", "--json").stdout, "")


class Inside(Case):
    def test_the_environment_is_cleaned(self):
        given = reeve.environment(SECRET_TOKEN="s3cret", API_KEY="k", LD_PRELOAD="/x.so", SSH_AUTH_SOCK="/run/a", TERM="xterm",
                                  LC_TIME="C")
        seen = reeve.run("env", env=given).stdout
        self.assertIn("LC_TIME=C\n", seen)
        self.assertIn(f"HOME={reeve.home}\n", seen)
        for name in ("SECRET_TOKEN", "API_KEY", "LD_PRELOAD", "SSH_AUTH_SOCK", "REEVE_SOCKET"):
            self.assertNotIn(name, seen)
        seen = reeve.run("env", env=given, options=["--env", "API_KEY", "--env", "LD_PRELOAD"]).stdout
        self.assertIn("API_KEY=k\n", seen)
        self.assertNotIn("SECRET_TOKEN", seen)
        self.assertNotIn("LD_PRELOAD", seen)

    def test_of_the_home_there_is_only_the_workspace(self):
        reeve.person.write(reeve.home / "private.txt", "mine")
        reeve.workspace("other-project")
        done = reeve.run("sh", "-c", "ls -A ~; cat ~/private.txt")
        # The ways to what is granted or a canary, and the folders that are private to the session: nothing else.
        self.assertEqual(done.stdout.split(), [".aws", ".cache", ".cargo", ".config", ".local", ".npm", ".yarn", "workspace"])
        self.assertIn("Permission denied", done.stderr)

    def test_only_its_own_processes_and_no_sockets_of_the_host(self):
        pids = reeve.run("sh", "-c", "ls /proc | grep -c '^[0-9]'; ls -A /run /tmp").stdout.splitlines()
        self.assertLessEqual(int(pids[0]), 5)
        self.assertNotIn("reeve", "".join(pids[1:]))
        done = reeve.run("python3", "-c", f"import socket; socket.socket(1, 5).connect({str(reeve.socket)!r})")
        self.assertIn("FileNotFoundError", done.stderr)

    def test_no_descriptor_but_the_three(self):
        with open("/etc/shadow", "rb") as secret:
            process = reeve.spawn("sh", "-c", "ls -l /proc/self/fd | grep -v total", stdout=subprocess.PIPE, text=True,
                                  pass_fds=[secret.fileno()])
            seen = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0)
        self.assertNotIn("shadow", seen)
        self.assertEqual(seen.count("pipe:"), 3, seen)


class Policies(Case):
    def test_one_more_only_tightens(self):
        tight = reeve.person.write(reeve.home / "tight.json", """{"schema": "reeve.policy/1", "id": "tight", "version": 1,
            "files": [{"deny": ["read", "write"], "paths": ["${workspace}/private/**"], "reason": "not for agents"}]}""")
        private = reeve.workspace("workspace/private")
        reeve.person.write(private / "file", "text")
        self.assertEqual(reeve.run("cat", "private/file").stdout, "text")
        done = reeve.run("cat", "private/file", options=["--policy", tight])
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("text", done.stdout)

    def test_a_bad_one_is_explained_and_starts_nothing(self):
        bad = reeve.person.write(reeve.home / "bad.json", '{"schema": "reeve.policy/1", "id": "bad",\n "filez": []}')
        done = reeve.run("echo", "ran", options=["--policy", bad])
        self.assertEqual((done.returncode, done.stdout), (STARTED, ""))
        self.assertIn("bad.json:2:", done.stderr)
        self.assertIn("files", done.stderr)  # the nearest known key
        self.assertRefused(reeve.run("true", options=["--policy", "/nonexistent"]), "No such file")


class BadClients(Case):
    """Whatever comes over the socket, the daemon goes on serving others."""

    def test_packets_that_are_none(self):
        packets = [b"{", b"[]", b"\xff\xfe", b'{"call":"nothing"}', b'{"call":"run"}', b'{"call":"ps","x":1}', b'{"call":1}',
                   b'{"call":"ps","call":"ps"}', b"[" * 60_000, os.urandom(60_000), b'{"call":"drained"}',
                   b'{"call":"signal","signal":9}']
        for packet in packets:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(reeve.socket))
                client.send(packet)
                client.settimeout(30)
                answer = client.recv(65536)
                self.assertTrue(answer == b"" or b'"error"' in answer, (packet[:40], answer))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(str(reeve.socket))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            client.send(b" " * 100_000)
        self.assertEqual(reeve.run("echo", "still here").stdout, "still here\n")

    def test_descriptors_that_are_no_pipes(self):
        # A socket as a standard stream would be a way out that no policy sees.
        ours, theirs = socket.socketpair()
        code = f"""
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect({str(reeve.socket)!r})
environment = os.memfd_create("e", os.MFD_ALLOW_SEALING); import fcntl
fcntl.fcntl(environment, fcntl.F_ADD_SEALS, 15)
folder = os.open(".", os.O_PATH)
body = {{"call": "run", "command": ["true"], "agent": "", "user": "", "terminal": [False] * 3, "rows": 24, "columns": 80,
        "pass_environment": [], "report_steps": False, "workspace": False, "policy": ""}}
stream = int(sys.argv[1])
socket.send_fds(s, [json.dumps(body).encode()], [environment, folder, stream, stream, stream])
print(s.recv(65536).decode())
"""
        with ours, theirs, open("/etc/hostname", "rb") as file:
            for stream in (theirs.fileno(), file.fileno()):
                done = subprocess.run(["/usr/bin/python3", "-c", code, str(stream)], pass_fds=[stream], capture_output=True, text=True,
                                      cwd=reeve.workspace(), check=False, timeout=60, **reeve.as_person())
                self.assertIn("anonymous pipe", done.stdout, done.stderr)


class TheSocket(Case):
    def test_is_for_everybody_and_its_folder_is_roots(self):
        folder = reeve.run_directory.stat()
        self.assertEqual((folder.st_uid, stat.S_IMODE(folder.st_mode) & 0o022), (0, 0))
        self.assertEqual(stat.S_IMODE(reeve.socket.stat().st_mode), 0o666)


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

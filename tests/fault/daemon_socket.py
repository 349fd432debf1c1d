#!/usr/bin/env python3
"""What comes over the daemon's socket is hostile: packets that are none, run requests with something wrong in each member,
callers inside a session, clients that never read, too many of them. The daemon answers with an error or closes; it
starts nothing, keeps no descriptor, and goes on serving.

usage: daemon_socket.py BUILD [MUTATIONS]
"""
import array
import contextlib
import fcntl
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
MUTATIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
F_ADD_SEALS, ALL_SEALS = 1033, 15


def sealed(text):
    fd = os.memfd_create("test", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(fd, text)
    fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
    return fd


class Descriptors:
    """Those of a run request, in their order; closed at the end."""

    def __init__(self, workspace, environment=b"PATH=/usr/bin:/bin\0"):
        here = os.open(workspace, os.O_PATH | os.O_DIRECTORY)
        pipes = [os.pipe() for _ in range(3)]
        self.sent = [sealed(environment), here, pipes[0][0], pipes[1][1], pipes[2][1]]
        self.all = [self.sent[0], here, *(fd for pair in pipes for fd in pair)]

    def __enter__(self):
        return self.sent

    def __exit__(self, *_):
        for fd in self.all:
            os.close(fd)


def request(command=("true",), **more):
    return {"call": "run", "command": list(command), "agent": "", "user": "", "terminal": [False, False, False], "rows": 24,
            "columns": 80, "pass_environment": [], "report_steps": False, "workspace": False, "policy": "", **more}


class Client:
    def __init__(self, reeve):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(reeve.socket))  # waits where the queue is full; with a timeout it would not
        self.socket.settimeout(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, body, fds=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([data], control)

    def receive(self):
        """The next packet; None at the end."""
        data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64))
        for level, kind, bytes_ in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                for fd in array.array("i", bytes_[:len(bytes_) - len(bytes_) % 4]):
                    os.close(fd)
        return json.loads(data) if data else None

    def answer(self, body, fds=()):
        """Sends and reads to the call's end: {"done"}, {"error"}, or None where the daemon closed."""
        try:
            self.send(body, fds)
            while (packet := self.receive()) is not None:
                if packet.get("event") == "finished":
                    self.send({"call": "drained"})
                if "done" in packet or "error" in packet:
                    return packet
        except (ConnectionResetError, BrokenPipeError):
            pass
        return None


class AsPerson:
    """The test itself calls as the person: their effective ids, for as long as it lasts."""

    def __init__(self, reeve):
        self.uid = reeve.uid

    def __enter__(self):
        os.setgroups([])
        os.setegid(self.uid)
        os.seteuid(self.uid)

    def __exit__(self, *_):
        os.seteuid(0)
        os.setegid(0)


class Socket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)
        cls.workspace = cls.reeve.workspace()
        cls.reeve.run("true")  # what it keeps of the policy is a descriptor as well

    def setUp(self):
        self.descriptors_before = self.descriptors()

    def tearDown(self):
        # What each test asks for in the end: it serves, nothing runs, and no descriptor was kept.
        self.assertEqual(self.reeve.run("true").returncode, 0)
        self.assertEqual(json.loads(self.call({"call": "ps"}))["done"]["sessions"], [])
        throwaway.wait_until(lambda: self.descriptors() <= self.descriptors_before,
                             f"descriptors of reeved go back to {self.descriptors_before}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.reeve.daemon.pid}/fd"))

    def call(self, body, fds=()):
        with AsPerson(self.reeve), Client(self.reeve) as client:
            return json.dumps(client.answer(body, fds))

    def refused(self, body, fds=()):
        answer = json.loads(self.call(body, fds))
        self.assertTrue(answer is None or "error" in answer, f"{body!r}: {answer}")
        return answer

    def test_denials_are_those_of_a_session_of_ones_own(self):
        self.refused({"call": "denials"})
        self.refused({"call": "denials", "session": "01AAAAAAAAAAAAAAAAAAAAAAAA", "since": -1})
        self.assertIn("there is none of that id", json.dumps(self.refused({"call": "denials", "session": "x"})))
        with self.reeve.spawn("sh", "-c", "echo ready; read _", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
            self.assertEqual(running.stdout.readline(), "ready\n")
            session = json.loads(self.call({"call": "ps"}))["done"]["sessions"][0]["session"]
            answer = json.loads(self.call({"call": "denials", "session": session, "since": 0}))
            self.assertEqual(answer["done"], {"denials": [], "more": False})
            running.stdin.close()

    def test_packets_that_are_no_calls(self):
        deep = b'{"call":' + b"[" * 100 + b"]" * 100 + b"}"
        for body in (b"x", b"{", b"[]", b"null", b"\0", b"{}", b'{"call":1}', b'{"call":"nothing"}', b'{"call":"ps","call":"stop"}',
                     b'{"call":"ps","surprise":1}', b'{"call":"ps"}trailing', b"\xff\xfe", b'{"call":"\xff"}', deep,
                     b'{"call":"ps","pad":"' + b"a" * 65000 + b'"}', b'{"call":"checkpoint"}', b'{"call":"stop"}',
                     b'{"call":"stop","session":"x","all":true}', b'{"call":"log","since":"tomorrow"}',
                     b'{"call":"log","path":"[a"}', b'{"call":"attest"}', b'{"call":"explain","action":"fly","resource":"/"}'):
            self.refused(body)

    def test_more_than_a_packet_holds(self):
        with AsPerson(self.reeve), Client(self.reeve) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.assertIn("error", client.answer(b'{"call":"ps"' + b" " * 100_000 + b"}") or {"error": "closed"})

    def test_descriptors_that_nobody_asked_for(self):
        with Descriptors(self.workspace) as fds:
            self.refused({"call": "ps"}, fds)
            self.refused(request(), fds[:4])
            self.refused(request(), [*fds, fds[0]])
            self.refused(request(), fds * 12)  # more than it takes at all
            self.refused(request())

    def test_a_stream_that_is_no_anonymous_pipe(self):
        fifo = self.reeve.person.workspace("fifos") / "named"
        with contextlib.suppress(FileExistsError):
            os.mkfifo(fifo)
        others = [os.open("/dev/null", os.O_RDWR), os.open("/etc/passwd", os.O_RDONLY), os.open(self.workspace, os.O_PATH),
                  os.open(fifo, os.O_RDWR), *(one.detach() for one in socket.socketpair())]
        for other in others:
            for place in (2, 3, 4):
                with Descriptors(self.workspace) as fds:
                    answer = self.refused(request(), [*fds[:place], other, *fds[place + 1:]])
                    self.assertIn("anonymous pipe", answer["error"]["why"])
        with Descriptors(self.workspace) as fds:  # the wrong ends
            self.refused(request(), [fds[0], fds[1], fds[3], fds[2], fds[2]])
        for other in others:
            os.close(other)

    def test_an_environment_that_can_still_change(self):
        for flags in (0, os.MFD_ALLOW_SEALING):
            open_fd = os.memfd_create("unsealed", flags)
            with Descriptors(self.workspace) as fds:
                self.refused(request(), [open_fd, *fds[1:]])
            os.close(open_fd)
        big = os.memfd_create("big", os.MFD_ALLOW_SEALING)
        os.truncate(big, 1 << 40)  # sparse: a reader that believed it would die
        fcntl.fcntl(big, F_ADD_SEALS, ALL_SEALS)
        with Descriptors(self.workspace) as fds:
            self.assertIn("longer than", self.refused(request(), [big, *fds[1:]])["error"]["why"])
        os.close(big)

    def test_folders_that_are_not_theirs(self):
        for folder in ("/", "/root", "/etc", str(self.reeve.home), str(self.reeve.root)):
            with Descriptors(folder) as fds:
                self.refused(request(), fds)
        gone = self.reeve.workspace("gone")
        with Descriptors(gone) as fds:
            gone.rmdir()
            self.refused(request(), fds)

    def test_what_only_root_may_say(self):
        with Descriptors(self.workspace) as fds:
            self.refused(request(user="root"), fds)
            self.refused(request(user="daemon"), fds)

    def test_mutated_requests(self):
        """Each member, each kind of value, cut and flipped bytes: an error, or the session that it asked for."""
        rng = random.Random(7)
        values = [None, True, -1, 0, 2**63, 1e400, 3.5, "", "\0", "x" * 9000, "../..", [], [[]], {}, {"a": 1}, [1], ["", "a\0b"], "é"]
        good = request(["true"])
        started = 0
        for _ in range(MUTATIONS):
            body = dict(good)
            how = rng.randrange(4)
            if how == 0:
                body[rng.choice(list(body))] = rng.choice(values)
            elif how == 1:
                del body[rng.choice(list(body))]
            elif how == 2:
                body[rng.choice(["extra", "Call", "command ", "without"])] = rng.choice(values)
            data = json.dumps(body).encode()
            if how == 3:
                at = rng.randrange(len(data))
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1:] if rng.random() < 0.7 else data[:at]
            with Descriptors(self.workspace) as fds:
                keep = fds if rng.random() < 0.8 else rng.sample(fds, rng.randrange(len(fds) + 1))
                if data:
                    started += '"done"' in self.call(data, keep)
        print(f"\n{MUTATIONS} requests, {started} of them still right")

    def test_a_caller_inside_a_session_is_refused(self):
        # The socket does not exist inside; somebody could hand in a connection or bind-mount it. So it is put there by
        # the test: a process of the session's cgroup calls from outside of its mounts.
        running = self.reeve.spawn("sleep", "100", stdout=subprocess.DEVNULL)
        try:
            session = throwaway.wait_until(lambda: json.loads(self.call({"call": "ps"}))["done"]["sessions"], "the session runs")[0]
            groups = pathlib.Path(f"/proc/{session['pid']}/cgroup").read_text()
            path = next(line.split("::", 1)[1] for line in groups.splitlines() if line.startswith("0::"))
            mount = next(line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines() if line.split()[2] == "cgroup2")
            code = (f"import os,socket\nopen('{mount}{path}/cgroup.procs','w').write(str(os.getpid()))\n"
                    f"os.setgid({self.reeve.uid}); os.setuid({self.reeve.uid})\n"
                    f"s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.connect('{self.reeve.socket}')\n"
                    "print(s.recv(65536).decode(), s.recv(65536) == b'')\n")
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
            self.assertRegex(done.stdout + done.stderr, "inside a session.* True")
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)

    def test_clients_that_come_and_go(self):
        for _ in range(200):
            with AsPerson(self.reeve), Client(self.reeve) as client:
                client.send({"call": "log", "follow": True})
        for _ in range(20):
            with Descriptors(self.workspace) as fds, AsPerson(self.reeve), Client(self.reeve) as client:
                client.send(request(["sleep", "100"]), fds)

    def test_too_many_connections_of_one_person_keep_nobody_else_out(self):
        with contextlib.ExitStack() as clients:
            with AsPerson(self.reeve):
                for _ in range(150):
                    last = clients.enter_context(Client(self.reeve))
                refused = last.answer({"call": "ps"})
            self.assertTrue(refused is None or "error" in refused)
            self.assertEqual(self.reeve.reeve("ps", root=True).returncode, 0)

    def test_a_second_call_before_the_first_is_answered(self):
        with AsPerson(self.reeve), Client(self.reeve) as client:
            client.send({"call": "posture", "fresh": True})
            client.send({"call": "ps"})
            answers = [client.receive(), client.receive()]
        self.assertTrue(any(answer is None or "error" in answer for answer in answers), answers)


class Killed(unittest.TestCase):
    """A helper or the daemon dies: nothing that runs gets more than it had, and nothing new starts."""

    def test_the_spawner_is_killed(self):
        with throwaway.Reeve(BUILD) as reeve:
            running = reeve.spawn("sleep", "100", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout.strip(), "the session runs")
            children = pathlib.Path(f"/proc/{reeve.daemon.pid}/task/{reeve.daemon.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)
            refused = reeve.run("true")
            self.assertEqual(refused.returncode, 125, refused.stderr)
            self.assertTrue(refused.stderr.startswith("reeve: cannot"), refused.stderr)
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)

    def test_the_daemon_is_killed(self):
        with throwaway.Reeve(BUILD) as reeve:
            running = reeve.spawn("sh", "-c", "sleep 100 & echo up; wait", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual(running.stdout.readline(), "up\n")
            first = json.loads(reeve.reeve("ps", "--json").stdout.splitlines()[0])["pid"]
            ended = os.pidfd_open(first)
            reeve.daemon.kill()
            reeve.daemon.wait()
            throwaway.wait_until(lambda: throwaway.select.select([ended], [], [], 0.1)[0], "the session's first process ends")
            os.close(ended)
            _, said = running.communicate(timeout=30)
            self.assertIn(running.returncode, (125, 3))
            self.assertIn("daemon", said)
            reeve.daemon = None
            reeve.start()
            self.assertEqual(reeve.run("true").returncode, 0)


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

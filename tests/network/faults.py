"""faults BUILD [soak]: what a session sees, and what is on record, when its reeve-egress, a name server, a server or a
client is killed, stopped, silent, slow or far too many. `soak`: only what is sent, and ten times as much of it."""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import internet  # noqa: E402
import throwaway  # noqa: E402

BUILD = pathlib.Path(sys.argv[1])
SOAK = "soak" in sys.argv[2:]
ECHO, RESETS, SINK, CUT_SINK, SOURCE = range(7000, 7005)  # whatever is said there
SLOW, POSTED = 8080, 8081                                # HTTP of one name
MIB = 1 << 20
SENT = (10 if SOAK else 1) * 1024 * MIB
MOST_CONNECTIONS = 10_000
MOST_MEMORY = 64 * MIB  # of a reeve-egress with as many connections as it takes
MOST_GROWTH = 8 * MIB   # by any number of bytes
NETWORK = f"""[
    {{"id": "test/web", "allow": {{"hosts": ["web.reeve.test", "silent.reeve.test", "*.unanswered.test"], "ports": [80, {SLOW}, {POSTED}]}}}},
    {{"id": "test/raw", "allow": {{"hosts": ["web.reeve.test", "other.reeve.test"], "ports": ["{ECHO}-{SOURCE}"]}}, "verify": "address"}},
    {{"id": "test/inside", "deny": {{"addresses": ["private", "loopback", "link-local", "metadata", "own"]}}}}
  ]"""

# Says what each line, an expression, comes to. What nobody ends is given up after PATIENCE.
INSIDE = textwrap.dedent("""
    import errno, json, os, resource, select, signal, socket, struct, sys
    PATIENCE = 100
    kept = []
    def look(name):
        return socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    def tcp(host, port):
        return socket.create_connection((host, port), timeout=PATIENCE)
    def read_all(connection):
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))
    def get(host="web.reeve.test", port=80, address=None):
        with tcp(address or host, port) as connection:
            connection.sendall(b"GET /hello HTTP/1.1\\r\\nHost: %s%s\\r\\nConnection: close\\r\\n\\r\\n"
                               % (host.encode(), b":%d" % port if port != 80 else b""))
            return read_all(connection).decode().partition("\\r\\n\\r\\n")[2]
    def hold(host, port):  # a connection that is let through
        kept.append(tcp(host, port))
        kept[-1].sendall(b"x")
        return kept[-1].recv(100).decode()
    def read_held():
        return kept[-1].recv(100).decode()
    def ask(name):
        packet = struct.pack(">6H", 0x1234, 0x100, 1, 0, 0, 0)
        packet += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + struct.pack(">B2H", 0, 1, 1)
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.settimeout(PATIENCE)
        asker.connect(("9.9.9.9", 53))
        asker.send(packet)
        return asker
    def unanswered():
        asker = ask("one.unanswered.test")
        others = [get() for _ in range(3)]
        early = bool(select.select([asker], [], [], 0)[0])
        return [others, early, asker.recv(4096)[3] & 15, get()]
    def crawl(pause):  # one byte at a time of what never ends
        with tcp("web.reeve.test", 80) as connection:
            connection.sendall(b"GET /hello HTTP/1.1\\r\\nHost: web.")
            for sent in range(PATIENCE):
                if select.select([connection], [], [], pause)[0]:
                    return [sent, connection.recv(100).decode()]
                connection.sendall(b"x")
    def many(most):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
        address = look("web.reeve.test")
        for _ in range(min(most, limits[1] - 100)):
            kept.append(tcp(address, 80))
        return len(kept)
    def send(host, port, first, count):
        block = bytes(1 << 20)
        with tcp(host, port) as connection:
            connection.sendall(first.encode())
            for at in range(count >> 20):
                connection.sendall(block)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection).decode()
    def child(work):  # in a process of its own; its pid
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        return pid
    def receive(host, port):
        connection = tcp(host, port)
        connection.sendall(b"x")
        while connection.recv(1 << 16): pass
    def kill(pid):
        os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]
    for line in sys.stdin:
        try:
            said = eval(line)
        except socket.gaierror:
            said = "no name"
        except OSError as error:
            said = errno.errorcode.get(error.errno, str(error))
        print(json.dumps(said), flush=True)
""")
HELLO = "hello from outside\n"


def status_of(pid, field):
    """Of /proc/PID/status, in bytes."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def egresses():
    """Pid of each reeve-egress -> its control group."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text() == "reeve-egress\n" and "\nState:\tZ" not in (folder / "status").read_text():
                found[int(folder.name)] = (folder / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


class Inside:
    """A session whose program says what expressions of INSIDE come to."""

    def __init__(self, case, reeve):
        self._reeve = reeve
        self._client = reeve.spawn("/usr/bin/python3", "-c", INSIDE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        case(self._end)
        assert self("1 + 1") == 2
        self.id = reeve.records("--action", "session.start")[-1]["session"]
        self._group = next(group for group in egresses().values() if self.id in group)

    def _end(self):
        self._client.kill()
        self._client.wait()
        self._client.stdin.close()
        self._client.stdout.close()

    def tell(self, expression):
        self._client.stdin.write(expression + "\n")
        self._client.stdin.flush()

    def answer(self):
        return json.loads(self._client.stdout.readline())

    def __call__(self, expression):
        self.tell(expression)
        return self.answer()

    def leave(self):
        """Its exit code; then all that it did is on record."""
        self._client.stdin.close()
        return self._client.wait(throwaway.DEADLINE)

    def egress(self):
        return next((pid for pid, group in egresses().items() if group == self._group), None)

    def signal_egress(self, how):
        pid = self.egress()
        gone = os.pidfd_open(pid)
        os.kill(pid, how)
        return gone

    def kill_egress(self):
        """And waits until it is gone."""
        gone = self.signal_egress(signal.SIGKILL)
        assert select.select([gone], [], [], throwaway.DEADLINE)[0]
        os.close(gone)

    def records(self, action):
        return self._reeve.records("--session", self.id, "--action", action)

    def connections(self, resource):
        return [record for record in self.records("network.connect") if record["resource"] == resource]


def setUpModule():
    Case.net = unittest.enterModuleContext(internet.Internet())
    Case.reeve = unittest.enterModuleContext(throwaway.Reeve(BUILD))
    Case.reeve.vendor_policy.write_text(internet.vendor_policy(NETWORK))
    Case.reeve.stop()
    Case.reeve.start()


class Case(unittest.TestCase):
    maxDiff = None
    net = reeve = None

    def inside(self):
        return Inside(self.addCleanup, self.reeve)


def echo(connection):
    with connection:
        while got := connection.recv(4096):
            connection.sendall(got)


class Killed(Case):
    @classmethod
    def setUpClass(cls):
        cls.net.serve(ECHO, echo)
        cls.other = cls.net.listen(ECHO, internet.OTHER)
        cls.other.setblocking(False)

    def assertGaps(self, inside, count):
        reasons = [gap["details"]["reason"] for gap in inside.records("audit.gap")]
        self.assertEqual(reasons, count * ["reeve-egress is gone before it had told all"])

    def test_open_connections_end_and_the_next_one_works(self):
        inside = self.inside()
        self.assertEqual(inside(f"hold('web.reeve.test', {ECHO})"), "x")
        inside.kill_egress()
        self.assertIn(inside("read_held()"), ("", "ECONNRESET"))
        self.assertEqual(inside("get()"), HELLO)
        self.assertEqual(inside.leave(), 0)
        self.assertEqual([record["details"]["ended"] for record in inside.connections("web.reeve.test:80")], ["closed"])
        self.assertGaps(inside, 1)

    def test_one_that_is_asked_while_nobody_is_there_is_answered_by_the_next(self):
        inside = self.inside()
        self.reeve.daemon.send_signal(signal.SIGSTOP)
        try:
            inside.kill_egress()
            inside.tell("get('93.184.216.10')")  # denied, which needs an answer as well
            throwaway.wait_until(lambda: inside.egress() is None, "reeve-egress is gone")
        finally:
            self.reeve.daemon.send_signal(signal.SIGCONT)
        self.assertEqual(inside.answer(), "ECONNRESET")
        self.assertEqual(inside("get()"), HELLO)

    def test_a_second_time_there_is_no_way_out_and_the_session_goes_on(self):
        inside = self.inside()
        address = inside("look('web.reeve.test')")
        inside.kill_egress()
        self.assertEqual(inside("get()"), HELLO)
        # Two gaps with nothing between them would be one.
        throwaway.wait_until(lambda: inside.connections("web.reeve.test:80"), "the second one's report")
        inside.kill_egress()
        throwaway.wait_until(lambda: inside(f"get('{address}')") == "ECONNREFUSED", "connections are refused")
        self.assertEqual(inside("get('93.184.216.10')"), "ECONNREFUSED")
        self.assertEqual(inside("look('web.reeve.test')"), "no name")
        self.assertIsNone(inside.egress())
        self.assertEqual(inside("open('written', 'w').write('it goes on')"), 10)
        self.assertEqual((self.reeve.workspace() / "written").read_text(), "it goes on")
        self.assertEqual(inside.leave(), 0)
        self.assertGaps(inside, 2)

    # The second one names its names anew: what was the first one's stays nobody's.
    def test_an_address_of_the_first_is_no_name_of_the_second(self):
        inside = self.inside()
        of_web = inside("look('web.reeve.test')")
        self.assertEqual(inside(f"hold('{of_web}', {ECHO})"), "x")
        inside.kill_egress()
        of_other = inside("look('other.reeve.test')")
        self.assertNotEqual(of_other, of_web)
        self.assertEqual(inside(f"hold('{of_web}', {ECHO})"), "ECONNRESET")
        self.assertEqual(inside(f"hold('{inside('look(%r)' % 'web.reeve.test')}', {ECHO})"), "x")
        self.assertEqual(inside(f"hold('{of_web}', {ECHO})"), "ECONNRESET")
        inside.leave()
        with self.assertRaises(BlockingIOError):
            self.other.accept()
        denied = inside.connections(f"{of_web}:{ECHO}")
        self.assertEqual([record["outcome"] for record in denied], ["denied", "denied"])
        self.assertIn("no name was ever given this address", denied[0]["details"]["reason"])


class Servers(Case):
    """What servers do to their clients."""

    def test_a_reset_arrives(self):
        def answer_and_reset(connection):
            connection.recv(100)
            connection.sendall(b"said")
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        self.net.serve(RESETS, answer_and_reset)
        inside = self.inside()
        self.assertEqual(inside(f"hold('web.reeve.test', {RESETS})"), "said")
        self.assertEqual(inside("kept[-1].send(b'y') and read_held()"), "ECONNRESET")
        inside.leave()
        record = inside.connections(f"web.reeve.test:{RESETS}")[-1]
        self.assertEqual((record["details"]["ended"], record["details"]["bytes_up"], record["details"]["bytes_down"]),
                         ("reset", 2, 4))

    def test_one_that_answers_a_byte_at_a_time(self):
        answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + HELLO.encode()

        def slowly(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(4096)
            for at in range(len(answer)):
                connection.sendall(answer[at:at + 1])
                select.select([connection], [], [], 0.02)
            connection.close()
        self.net.serve(SLOW, slowly)
        inside = self.inside()
        self.assertEqual(inside(f"get('web.reeve.test', {SLOW})"), HELLO)
        inside.leave()
        self.assertEqual(inside.connections(f"web.reeve.test:{SLOW}")[-1]["details"]["bytes_down"], len(answer))


class Waiting(Case):
    """What ends by a deadline only: each begins in a session of its own, and then all are waited for."""

    @classmethod
    def setUpClass(cls):
        cls.begun = {}
        for name, expression in (("slow", "crawl(1)"), ("nobody", "get('silent.reeve.test')"), ("unanswered", "unanswered()"),
                                 ("stopped", None)):
            cls.begun[name] = Inside(cls.addClassCleanup, cls.reeve)
            if expression:
                cls.begun[name].tell(expression)
        cls.gone = cls.begun["stopped"].signal_egress(signal.SIGSTOP)
        cls.addClassCleanup(os.close, cls.gone)
        cls.begun["stopped"].tell("get()")

    # Its deadline is 30 s, as it is in use: kept short by a setting it would be one more thing to get wrong.
    def test_a_client_that_never_gets_to_its_name(self):
        inside = self.begun["slow"]
        self.assertEqual(inside.answer(), "ECONNRESET")
        inside.leave()
        record = inside.connections("web.reeve.test:80")[-1]
        self.assertEqual((record["outcome"], record["details"]["ended"]), ("failed", "timeout"), record)
        self.assertNotIn("bytes_up", record["details"])
        self.assertIn("did not say what it is for in time", record["details"]["reason"])

    def test_an_address_where_nobody_is(self):
        inside = self.begun["nobody"]
        self.assertEqual(inside.answer(), "ECONNRESET")
        inside.leave()
        record = inside.connections("silent.reeve.test:80")[-1]
        self.assertEqual((record["outcome"], record["details"]["address"]), ("failed", "93.184.216.99"), record)
        self.assertEqual(record["details"]["reason"], "93.184.216.99: Connection timed out")

    def test_a_name_server_that_is_silent(self):
        inside = self.begun["unanswered"]
        server_failure = 2
        self.assertEqual(inside.answer(), [3 * [HELLO], False, server_failure, HELLO])
        self.assertEqual(inside("look('two.unanswered.test')"), "no name")

    def test_one_that_is_stopped_is_replaced(self):
        inside = self.begun["stopped"]
        self.assertTrue(select.select([self.gone], [], [], throwaway.DEADLINE)[0])
        self.assertIn(inside.answer(), (HELLO, "no name"))  # a resolver gives up earlier
        self.assertEqual(inside("get()"), HELLO)
        self.assertEqual(inside.leave(), 0)
        self.assertEqual(len(inside.records("audit.gap")), 1)


class Many(Case):
    def test_connections_that_say_nothing(self):
        inside, another = self.inside(), self.inside()
        opened = inside(f"many({MOST_CONNECTIONS})")
        self.assertGreater(opened, 500)
        self.assertEqual(inside("get(address=look('web.reeve.test'))"), HELLO)  # at the same door, behind them all
        self.assertEqual(another("get()"), HELLO)
        peak = status_of(inside.egress(), "VmHWM")
        print(f"{opened} connections that said nothing: reeve-egress had {peak / MIB:.1f} MiB at most", flush=True)
        self.assertLess(peak, MOST_MEMORY)
        self.assertEqual(inside.leave(), 0)
        self.assertEqual(another("get()"), HELLO)
        # One record each: those that had to go for others, and those that ended with the session.
        records = inside.connections("web.reeve.test:80")
        self.assertEqual(sum(record.get("count", 1) for record in records), opened + 1)


class Sink:
    """A server that counts what it is sent, then says how much it was."""

    def __init__(self):
        self.counted, self._begun, self._ended = 0, threading.Event(), threading.Event()

    def __call__(self, connection):
        buffer = bytearray(MIB)
        with connection:
            while got := connection.recv_into(buffer):
                self.counted += got
                self._begun.set()
            with contextlib.suppress(OSError):  # it may be gone
                connection.sendall(str(self.counted).encode())
        self._ended.set()

    def wait(self):
        return self._begun.wait(throwaway.DEADLINE)

    def wait_for_end(self):
        return self._ended.wait(throwaway.DEADLINE)


class Sent(Case):
    def check(self, port, first):
        self.net.serve(port, Sink())
        inside = self.inside()
        self.assertEqual(inside("get()"), HELLO)
        pid = inside.egress()
        before = status_of(pid, "VmHWM")
        self.assertEqual(inside(f"send('web.reeve.test', {port}, {first!r}, {SENT})"), str(len(first) + SENT))
        growth = status_of(pid, "VmHWM") - before
        self.assertEqual(inside.egress(), pid)
        inside.leave()
        record = inside.connections(f"web.reeve.test:{port}")[-1]
        self.assertEqual((record["outcome"], record["details"]["ended"]), ("allowed", "closed"), record)
        self.assertEqual(record["details"]["bytes_up"], len(first) + SENT)
        self.assertEqual(record["details"]["bytes_down"], len(str(len(first) + SENT)))
        print(f"{SENT / MIB:.0f} MiB sent: reeve-egress grew by {growth / MIB:.1f} MiB", flush=True)
        self.assertLess(growth, MOST_GROWTH)

    def test_a_raw_body_of_gigabytes(self):
        self.check(SINK, "")

    def test_a_request_of_gigabytes(self):
        self.check(POSTED, f"POST / HTTP/1.1\r\nHost: web.reeve.test:{POSTED}\r\nContent-Length: {SENT}\r\n\r\n")


class KilledClients(Case):
    def test_while_it_sends(self):
        sink = Sink()
        self.net.serve(CUT_SINK, sink)
        inside = self.inside()
        pid = inside(f"child(lambda: send('web.reeve.test', {CUT_SINK}, '', 1 << 40))")
        self.assertTrue(sink.wait())
        self.assertEqual(inside(f"kill({pid})"), signal.SIGKILL)
        self.assertTrue(sink.wait_for_end())
        self.assertEqual(inside("get()"), HELLO)
        inside.leave()
        record = inside.connections(f"web.reeve.test:{CUT_SINK}")[-1]
        self.assertEqual(record["details"]["bytes_up"], sink.counted, record)

    def test_while_it_receives(self):
        begun, ended = threading.Event(), threading.Event()

        def source(connection):
            block = bytes(MIB)
            connection.recv(1)
            try:
                while True:
                    connection.sendall(block)
                    begun.set()
            except OSError:
                ended.set()
                connection.close()
        self.net.serve(SOURCE, source)
        inside = self.inside()
        pid = inside(f"child(lambda: receive('web.reeve.test', {SOURCE}))")
        self.assertTrue(begun.wait(throwaway.DEADLINE))
        self.assertEqual(inside(f"kill({pid})"), signal.SIGKILL)
        self.assertTrue(ended.wait(throwaway.DEADLINE))
        inside.leave()
        record = inside.connections(f"web.reeve.test:{SOURCE}")[-1]
        self.assertEqual((record["outcome"], record["details"]["ended"], record["details"]["bytes_up"]), ("allowed", "reset", 1), record)


if SOAK:
    del Killed, Servers, Waiting, Many, KilledClients
internet.enter()
unittest.main(argv=sys.argv[:1])

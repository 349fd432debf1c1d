"""clients BUILD: programs that know nothing of a sandbox reach what policy allows, with nothing set: no proxy, no
variable. Each against real servers in a network namespace (internet.py)."""
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import internet  # noqa: E402
import throwaway  # noqa: E402

BUILD = pathlib.Path(sys.argv[1])
NETWORK = """[
    {"id": "test/web", "allow": {"hosts": ["web.reeve.test", "four.reeve.test", "six.reeve.test", "git.reeve.test",
                                           "registry.reeve.test"], "ports": [80, 443]}},
    {"id": "test/ssh", "allow": {"hosts": ["ssh.reeve.test"], "ports": [22]}, "verify": "address"},
    {"id": "test/address", "allow": {"addresses": ["93.184.216.10"], "ports": [80]}},
    {"id": "test/inside", "deny": {"addresses": ["private", "loopback", "link-local", "metadata", "own"]}}
  ]"""
HELLO = "hello from outside\n"
# Some builds of Node read no certificates of this machine's: TLS is told of them.
FETCH = """
import https from "node:https";
import { readFileSync } from "node:fs";
process.stdout.write(await (await fetch("http://web.reeve.test/hello")).text());
const ca = readFileSync("/etc/ssl/certs/ca-certificates.crt");
https.get("https://web.reeve.test/hello", {ca}, (answer) => answer.pipe(process.stdout));
"""
# As pip does it: a TLS context of its own, a session of several requests on one connection.
PYTHON = """
import http.client, ssl, sys
connection = http.client.HTTPSConnection("web.reeve.test", context=ssl.create_default_context())
for _ in range(3):
    connection.request("GET", "/hello")
    text = connection.getresponse().read().decode()
sys.stdout.write(text)
"""
# curl stops by itself when the server has answered.
UPLOAD = """
import socket
connection = socket.create_connection(("web.reeve.test", 80))
try:
    connection.sendall(b"PUT /put HTTP/1.1\\r\\nHost: web.reeve.test\\r\\nContent-Length: 3145728\\r\\n\\r\\n")
    connection.sendall(bytes(3 << 20))
    while connection.recv(4096):
        pass
except OSError:
    print("reset")
"""


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(internet.Internet())
        cls.reeve = cls.enterClassContext(throwaway.Reeve(BUILD))
        cls.reeve.vendor_policy.write_text(internet.vendor_policy(NETWORK))
        cls.reeve.stop()
        cls.reeve.start()

    def run_inside(self, *command, workspace=None, **kwargs):
        done = self.reeve.run(*command, cwd=workspace or self.reeve.workspace(), **kwargs)
        self.assertEqual(done.returncode, 0, (done.stdout[-500:], done.stderr[-2000:]))
        return done.stdout

    def connections(self, resource):
        return [record for record in self.reeve.records() if record["action"] == "network.connect" and record["resource"] == resource]

    def test_curl(self):
        for version, seen in (("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")):
            self.assertEqual(self.run_inside("curl", "-sS", version, "https://web.reeve.test/hello"), HELLO)
            self.assertEqual(self.net.requests()[-1][:2], ["web.reeve.test", seen])
        record = self.connections("web.reeve.test:443")[-1]
        self.assertEqual((record["outcome"], record["details"]["sni"]), ("allowed", "web.reeve.test"), record)
        # The session may be over before the server has closed its side, too.
        self.assertIn(record["details"]["ended"], ("closed", "session end"), record)
        self.assertIn(record["details"]["address"], (internet.WEB, internet.WEB6))
        self.assertTrue(record["actor"]["process"]["exe"].endswith("/curl"), record)
        self.assertEqual(record["policy_evaluation"]["rule"], "test/web")
        self.assertGreater(record["details"]["bytes_down"], len(HELLO))

    def test_plain_http_and_one_family_alone(self):
        for url in ("http://web.reeve.test/hello", "https://four.reeve.test/hello", "https://six.reeve.test/hello",
                    "http://93.184.216.10/hello"):
            self.assertEqual(self.run_inside("curl", "-sS", url), HELLO, url)

    def test_a_body_of_megabytes_both_ways(self):
        workspace = self.reeve.workspace("large")
        self.run_inside("curl", "-sS", "-o", "got", "https://web.reeve.test/large", workspace=workspace)
        self.assertEqual((workspace / "got").read_bytes(), (self.net.root / "site/large").read_bytes())

    def test_an_upload_over_the_budget(self):
        workspace = self.reeve.workspace("upload")
        budget = self.reeve.person.write(workspace / "budget.json", '{"schema": "reeve.policy/1", "id": "budget", "version": 1, '
                                                                    '"limits": {"host_upload": "2M"}}')
        done = self.reeve.run("/usr/bin/python3", "-c", UPLOAD, cwd=workspace, options=["--policy", budget])
        self.assertEqual(done.stdout, "reset\n", done.stderr)
        record = self.connections("web.reeve.test:80")[-1]
        self.assertEqual((record["outcome"], record["details"]["ended"]), ("allowed", "budget"), record)
        self.assertLessEqual(record["details"]["bytes_up"], 2 << 20)

    def test_wget(self):
        self.assertEqual(self.run_inside("wget", "-qO-", "https://web.reeve.test/hello"), HELLO)

    def test_git_clone(self):
        workspace = self.reeve.workspace("git")
        self.run_inside("git", "clone", "-q", "https://git.reeve.test/project.git", workspace=workspace)
        self.assertEqual((workspace / "project/README").read_text(), "a repository\n")

    def test_node_fetch(self):
        workspace = self.reeve.workspace("node")
        self.reeve.person.write(workspace / "fetch.mjs", FETCH)
        self.assertEqual(self.run_inside("node", "fetch.mjs", workspace=workspace), 2 * HELLO)

    def test_python(self):
        self.assertEqual(self.run_inside("/usr/bin/python3", "-c", PYTHON), HELLO)

    def test_npm_install(self):
        workspace = self.reeve.workspace("npm")
        self.reeve.person.write(workspace / "package.json", '{"dependencies": {"reeve-sample": "1.0.0"}}')
        self.reeve.person.write(workspace / ".npmrc", "registry=https://registry.reeve.test/\n"
                                                      "cafile=/etc/ssl/certs/ca-certificates.crt\n")
        self.run_inside("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", workspace=workspace)
        self.assertEqual(self.run_inside("node", "-p", "require('reeve-sample')", workspace=workspace), "from the registry\n")

    # Go and Java look names up themselves, over UDP to what resolv.conf says, and know no proxy.
    def test_a_resolver_of_its_own(self):
        client = shutil.copy(throwaway.find_program(BUILD, "own_resolver"), self.reeve.workspace())
        self.assertTrue(self.run_inside(client, "web.reeve.test", "/hello").endswith(HELLO))

    def test_ssh(self):
        workspace = self.reeve.workspace("ssh")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", workspace / "key"], check=True)
        for name in ("key", "key.pub"):
            subprocess.run(["chown", str(self.reeve.uid), workspace / name], check=True)
        # ssh wants to know who it is: as a session sees it.
        (self.net.root / "etc/passwd").write_text(pathlib.Path("/etc/passwd").read_text())
        self.net.start_ssh("root", (workspace / "key.pub").read_text())
        said = self.run_inside("ssh", "-F", "none", "-i", "key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=known",
                               "root@ssh.reeve.test", "echo reached", workspace=workspace)
        self.assertEqual(said, "reached\n")


internet.enter()
unittest.main(argv=sys.argv[:1])

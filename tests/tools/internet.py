"""A small internet for tests: a network namespace with servers whose names and addresses look like anybody's, which this
process and a reeved that it starts reach by one cable, and nothing else.

    internet.enter()                         # once, first: a mount and a network namespace of its own
    with internet.Internet() as net:         # resolv.conf and the CA are in place
        net.requests()                       # what the web server was asked for
        net.queries()                        # names that left this machine

Needs root. Servers: dnsmasq, nginx (HTTP/1.1, HTTP/2, TLS by a CA of its own), dropbear; more by serve().
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import throwaway

MARK = "REEVE_INTERNET_NAMESPACE"
WEB, OTHER, DNS = "93.184.216.10", "93.184.216.20", "9.9.9.9"
WEB6, OTHER6 = "2606:2800:220:1::10", "2606:2800:220:1::20"
METADATA, PRIVATE = "169.254.169.254", "192.168.7.7"
# Name -> addresses. Names under secret.test are what must not be asked for.
NAMES = {
    "web.reeve.test": [WEB, WEB6], "other.reeve.test": [OTHER, OTHER6], "four.reeve.test": [WEB], "six.reeve.test": [WEB6],
    "git.reeve.test": [WEB], "registry.reeve.test": [WEB], "ssh.reeve.test": [WEB], "denied.reeve.test": [OTHER],
    "metadata.reeve.test": [METADATA], "private.reeve.test": [PRIVATE], "loopback.reeve.test": ["127.0.0.1"],
    "mapped.reeve.test": ["::ffff:192.168.7.7"], "nat64.reeve.test": ["64:ff9b::c0a8:707"], "sixtofour.reeve.test": ["2002:c0a8:707::1"],
    "both.reeve.test": [PRIVATE, WEB], "silent.reeve.test": ["93.184.216.99"],
    # What the vendor's policy allows, and what nobody does: for the demonstration.
    "api.anthropic.com": [WEB], "github.com": [WEB], "evil.example": [OTHER],
}
_libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Goes on in a mount and a network namespace of its own."""
    if os.environ.pop(MARK, None) is not None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        return
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(77)
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, *sys.argv])


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def sh(*argv, **kwargs):
    done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, check=False, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{argv}: {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


class Internet:
    def __init__(self, dns=()):
        """`dns`: more options of dnsmasq."""
        self._mounts, self._servers, self._listeners, self._dns = [], [], [], dns

    def __enter__(self):
        try:
            self.root = pathlib.Path(tempfile.mkdtemp(prefix="reeve-internet-", dir="/var/tmp"))
            self.root.chmod(0o755)
            self._make_cable()
            self._make_ca()
            self._make_site()
            self._start_dns()
            self._start_nginx()
            self._put_in_place()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for listener in self._listeners:
            listener.close()
        for server in reversed(self._servers):
            server.kill()
            server.wait()
        for path in reversed(self._mounts):
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    # --- the network

    def _make_cable(self):
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE,
                                        preexec_fn=_die_with_parent)
        self._servers.append(self._holder)
        self._holder.stdout.readline()
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "home0", "type", "veth", "peer", "name", "out0", "netns", self._holder.pid)
        for command in (["addr", "add", "10.77.0.2/24", "dev", "home0"], ["addr", "add", "2001:470:77::2/64", "dev", "home0", "nodad"],
                        ["link", "set", "home0", "up"], ["route", "add", "default", "via", "10.77.0.1"]):
            sh("ip", *command)
        for command in (["link", "set", "lo", "up"], ["addr", "add", "10.77.0.1/24", "dev", "out0"],
                        ["addr", "add", "2001:470:77::1/64", "dev", "out0", "nodad"], ["link", "set", "out0", "up"]):
            self.outside("ip", *command)
        sh("ip", "-6", "route", "add", "default", "via", "2001:470:77::1")
        for address in {address for addresses in NAMES.values() for address in addresses} | {DNS, WEB, OTHER, WEB6, OTHER6}:
            if address in ("127.0.0.1", "93.184.216.99") or address.startswith("::ffff:"):
                continue
            self.outside("ip", "addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo",
                         *(["nodad"] if ":" in address else []))

    def outside(self, *argv, **kwargs):
        """Runs a command out there."""
        return sh("nsenter", "-t", self._holder.pid, "-n", *argv, **kwargs)

    def start(self, *argv, ready, **kwargs):
        """Starts a server out there; `ready` is called until it is true."""
        name = self.root / f"{pathlib.Path(argv[0]).name}.log"
        with open(name, "ab") as log:
            server = subprocess.Popen(["nsenter", "-t", str(self._holder.pid), "-n", *(str(arg) for arg in argv)], stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log, preexec_fn=_die_with_parent, **kwargs)
        self._servers.append(server)
        throwaway.wait_until(lambda: server.poll() is not None or ready(), f"{argv[0]} to be ready")
        if server.poll() is not None:
            raise RuntimeError(f"{argv}: {name.read_text()[-2000:]}")
        return server

    def _socket_out_there(self, family, kind):
        """A socket of that namespace, for servers in this process."""
        made = []

        def make():
            with open(f"/proc/{self._holder.pid}/ns/net", "rb") as namespace:
                if _libc.setns(namespace.fileno(), 0x40000000) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(family, kind))
        thread = threading.Thread(target=make)  # a thread has a network namespace of its own
        thread.start()
        thread.join()
        return made[0]

    def listen(self, port, address=WEB):
        """A listening TCP socket out there, closed in the end."""
        listener = self._socket_out_there(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1024)
        self._listeners.append(listener)
        return listener

    def serve(self, port, handle, address=WEB):
        """Calls handle(connection) in a thread of its own for each connection to the port."""
        listener = self.listen(port, address)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        return listener

    def datagrams(self, port, address=OTHER):
        receiver = self._socket_out_there(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind((address, port))
        receiver.setblocking(False)
        self._listeners.append(receiver)
        return receiver

    # --- servers

    def _make_ca(self):
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
           "/CN=reeve test CA", "-keyout", self.root / "ca.key", "-out", self.root / "ca.pem")
        names = ",".join(f"DNS:{name}" for name in NAMES) + f",IP:{WEB}"
        sh("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=web.reeve.test", "-keyout",
           self.root / "web.key", "-out", self.root / "web.csr")
        (self.root / "web.ext").write_text(f"subjectAltName={names}\n")
        sh("openssl", "x509", "-req", "-days", "2", "-in", self.root / "web.csr", "-CA", self.root / "ca.pem", "-CAkey", self.root / "ca.key",
           "-CAcreateserial", "-extfile", self.root / "web.ext", "-out", self.root / "web.pem")

    def _make_site(self):
        site = self.root / "site"
        site.mkdir()
        (site / "hello").write_text("hello from outside\n")
        (site / "large").write_bytes(os.urandom(1 << 20) * 8)
        work = self.root / "git-work"
        git = ["git", "-c", "user.name=Out", "-c", "user.email=out@reeve.invalid", "-c", "init.defaultBranch=main"]
        sh(*git, "init", "-q", work)
        (work / "README").write_text("a repository\n")
        sh(*git, "-C", work, "add", "-A")
        sh(*git, "-C", work, "commit", "-qm", "one")
        sh(*git, "clone", "-q", "--bare", work, site / "project.git")
        sh(*git, "-C", site / "project.git", "update-server-info")
        self._make_registry(site)
        for path in [site, *site.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)

    def _make_registry(self, site):
        package = self.root / "package"
        package.mkdir()
        (package / "package.json").write_text(json.dumps({"name": "reeve-sample", "version": "1.0.0", "main": "index.js"}))
        (package / "index.js").write_text("module.exports = 'from the registry';\n")
        sh("tar", "-czf", site / "reeve-sample-1.0.0.tgz", "-C", self.root, "package")
        (site / "reeve-sample").write_text(json.dumps({
            "name": "reeve-sample", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
                "name": "reeve-sample", "version": "1.0.0",
                "dist": {"tarball": "https://registry.reeve.test/reeve-sample-1.0.0.tgz"}}}}))

    def _start_dns(self):
        hosts = self.root / "hosts"
        hosts.write_text("".join(f"{address} {name}\n" for name, addresses in NAMES.items() for address in addresses))
        self.start("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}", "--user=root", "--log-queries",
                   f"--log-facility={self.root / 'queries'}", f"--listen-address={DNS}", "--bind-interfaces", "--no-poll",
                   "--address=/many.reeve.test/93.184.216.10", "--pid-file=", "--local=/#/",
                   f"--server=/unanswered.test/{DNS}#5399", *self._dns,  # where nobody is
                   ready=lambda: (self.root / "queries").exists() and "started" in (self.root / "queries").read_text())

    def _start_nginx(self):
        (self.root / "nginx.conf").write_text(f"""
daemon off; user root; worker_processes 1; pid {self.root}/nginx.pid; error_log {self.root}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  log_format asked '$host $server_protocol $request_method $request_uri $status';
  access_log {self.root}/requests asked;
  client_max_body_size 0; client_body_temp_path {self.root}/body; proxy_temp_path {self.root}/proxy; fastcgi_temp_path {self.root}/f;
  uwsgi_temp_path {self.root}/u; scgi_temp_path {self.root}/s;
  ssl_certificate {self.root}/web.pem; ssl_certificate_key {self.root}/web.key;
  server {{
    listen 80; listen [::]:80; listen 443 ssl http2; listen [::]:443 ssl http2; server_name _;
    root {self.root}/site; default_type application/octet-stream;
    location = /put {{ return 200; }}
    location = /redirect {{ return 302 http://{METADATA}/latest/meta-data/; }}
    location = /latest/meta-data/ {{ return 200 "keys of the cloud\\n"; }}
  }}
}}
""")
        self.start("nginx", "-c", self.root / "nginx.conf", "-e", self.root / "nginx-error.log",
                   ready=lambda: (self.root / "nginx.pid").exists())

    def start_ssh(self, user, authorized_key):
        """An ssh server for a user of this machine's, whose key it accepts."""
        sh("dropbearkey", "-t", "ed25519", "-f", self.root / "host-key")
        home = pathlib.Path(os.path.expanduser(f"~{user}"))
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        (home / ".ssh/authorized_keys").write_text(authorized_key)
        return self.start("dropbear", "-F", "-E", "-s", "-p", f"{WEB}:22", "-r", self.root / "host-key", "-P", self.root / "dropbear.pid",
                          ready=lambda: (self.root / "dropbear.pid").exists())

    # --- this machine

    def _put_in_place(self):
        # Another /etc, since a session sees the file system itself and not what is mounted on files of it.
        etc = self.root / "etc"
        sh("cp", "-a", "/etc", etc)
        (etc / "resolv.conf").unlink()
        (etc / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:1 attempts:1\n")
        bundle = etc / "ssl/certs/ca-certificates.crt"
        bundle.write_text(bundle.read_text() + (self.root / "ca.pem").read_text())
        sh("mount", "--bind", etc, "/etc")
        self._mounts.append("/etc")

    # --- what was seen out there

    def requests(self):
        return [line.split(" ") for line in (self.root / "requests").read_text().splitlines()]

    def queries(self):
        return re.findall(r"query\[\w+\] (\S+) from", (self.root / "queries").read_text())


def vendor_policy(network):
    """The vendor's policy with another section "network" (text)."""
    text = (throwaway.SOURCE / "packaging/policies/vendor.jsonc").read_text()
    changed, count = re.subn(r'"network": \[.*?\n  \],', lambda _: f'"network": {network},', text, count=1, flags=re.S)
    assert count == 1
    return changed

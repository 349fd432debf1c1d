#!/usr/bin/env python3
"""network: bytes, requests and connections through a session's way out, against none and against proxies. One client and
one server (tools/network.c) for all, the server at the other end of a cable (internet.py)."""
import contextlib
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys

import runner
import internet
import throwaway

BYTES = int(os.environ.get("REEVE_BENCH_NETWORK_BYTES", str(4 << 30)))
ROUNDS = int(os.environ.get("REEVE_BENCH_ROUNDS", "5"))
REQUESTS, CONNECTIONS, HELD = 5_000, 1_000, 2_000
SHARE = 8  # proxies are slow: they do that part of the work, and the time of bytes is multiplied
HOST, BY_NAME, BY_ADDRESS = "four.reeve.test", 8080, 8081
TINYPROXY, SQUID = 8888, 3128
NETWORK = f"""[
    {{"id": "bench/name", "allow": {{"hosts": ["{HOST}"], "ports": [{BY_NAME}]}}}},
    {{"id": "bench/address", "allow": {{"hosts": ["{HOST}"], "ports": [{BY_ADDRESS}]}}, "verify": "address"}}
  ]"""
# What is measured -> what the client is told: "get" and "put" take seconds, the others microseconds each.
MEASURED = {
    f"download of {BYTES >> 20:,} MiB": ("get", BYTES),
    f"upload of {BYTES >> 20:,} MiB": ("put", BYTES),
    "a small request on an open connection": ("small", REQUESTS),
    "a connection, a small request and its answer": ("fresh", CONNECTIONS),
}


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def proxy(port, *argv):
    """A proxy on this machine, where reeve-egress is as well; its pid."""
    with subprocess.Popen([str(arg) for arg in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            throwaway.wait_until(lambda: listens(port) or server.poll() is not None, f"{argv[0]} listens")
            if server.poll() is not None:
                raise RuntimeError(f"{argv[0]} ended with {server.returncode}")
            yield server.pid
        finally:
            server.kill()


def tinyproxy(folder):
    config = folder / "tinyproxy.conf"
    config.write_text(f"User nobody\nGroup nogroup\nPort {TINYPROXY}\nListen 127.0.0.1\nTimeout 600\nMaxClients {2 * HELD}\n"
                      f'LogFile "{folder}/tinyproxy.log"\nLogLevel Critical\n')
    return proxy(TINYPROXY, "tinyproxy", "-d", "-c", config)


def squid(folder):
    own = folder / "squid"
    own.mkdir()
    shutil.chown(own, "proxy", "proxy")
    config = own / "squid.conf"
    config.write_text(f"http_port 127.0.0.1:{SQUID}\nhttp_access allow all\ncache deny all\naccess_log none\ncache_log {own}/cache.log\n"
                      f"pid_filename {own}/pid\nnetdb_filename none\npinger_enable off\nvisible_hostname bench\nshutdown_lifetime 0\n"
                      f"coredump_dir {own}\nmax_filedescriptors {4 * HELD}\n")
    return proxy(SQUID, "squid", "-N", "-f", config)


class Peer:
    """A way from the client to the server."""

    def __init__(self, reeve, tool, port=BY_NAME, way=(), before=(), process=lambda: None, share=1):
        self._reeve, self._tool, self._port, self._way, self._before = reeve, tool, port, way, before
        self.process = process  # pid of what stands between, once there is a connection
        self.share = share

    def argv(self, what, number):
        return [*self._before, self._tool, what, HOST, str(self._port), str(number), *self._way]

    def options(self):
        return {"cwd": self._reeve.workspace(), "env": self._reeve.environment(), "text": True, "stdout": subprocess.PIPE,
                **self._reeve.as_person()}

    def measure(self, what, number):
        done = subprocess.run(self.argv(what, number), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, **self.options())
        if done.returncode != 0:
            raise RuntimeError(f"{self.argv(what, number)}: {done.returncode}: {done.stderr[-400:]}")
        return float(done.stdout)

    def figure(self, what, number):
        figure = self.measure(what, number // self.share)
        return figure * self.share if what in ("get", "put") else figure

    def memory(self, number):
        """MiB of what stands between, with so many connections open."""
        with subprocess.Popen(self.argv("hold", number), stdin=subprocess.PIPE, **self.options()) as client:
            if client.stdout.readline() != "held\n":
                raise RuntimeError(f"{self.argv('hold', number)} did not hold them")
            held = sum(runner.memory(pid)["rss"] for pid in runner.family(self.process()))
            client.stdin.close()
        return held


class SandboxRuntime(Peer):
    """Tells its command of its proxy and its password there by the environment, in a URL."""

    def argv(self, what, number):
        client = " ".join([self._tool, what, HOST, str(self._port), str(number)])
        return [*self._before, "bash", "-c", 'url=${HTTP_PROXY#http://}; user=${url%@*}; export PROXY_AUTHORIZATION='
                f'$(printf %s "${{user//%3D/=}}" | base64 -w0); exec {client} "connect:${{url##*:}}"']


def egress(reeve):
    return next(pid for pid in runner.family(reeve.daemon.pid)
                if pathlib.Path(f"/proc/{pid}/comm").read_text() == "reeve-egress\n")


def sandbox_runtime(reeve, tool):
    program = runner.sandbox_runtime(reeve.build)
    if not program:
        return {}
    settings = reeve.person.write(reeve.workspace() / "srt.json", f"""{{
        "network": {{"allowedDomains": ["{HOST}"], "deniedDomains": []}},
        "filesystem": {{"denyRead": [], "allowWrite": ["."], "denyWrite": []}}}}""")
    return {"sandbox-runtime, CONNECT": SandboxRuntime(reeve, tool, before=[program, "--settings", str(settings)], share=SHARE)}


def make_peers(stack, reeve, tool, folder):
    run = [reeve.client, "run", "--"]
    peers = {"direct": Peer(reeve, tool),
             "reeve, verify name": Peer(reeve, tool, before=run, process=lambda: egress(reeve)),
             "reeve, verify address": Peer(reeve, tool, BY_ADDRESS, before=run, process=lambda: egress(reeve))}
    for name, port, start in (("tinyproxy", TINYPROXY, tinyproxy), ("squid", SQUID, squid)):
        if not shutil.which(name):
            print(f"left out: {name}: it is not installed")
            continue
        pid = stack.enter_context(start(folder))
        for form in ("GET", "CONNECT"):
            peers[f"{name}, {form}"] = Peer(reeve, tool, way=[f"{form.lower()}:{port}"], process=lambda pid=pid: pid, share=SHARE)
    peers.update(sandbox_runtime(reeve, tool))
    return {name: peer for name, peer in peers.items() if runner.works(lambda peer=peer: peer.measure("get", 1000))}


def compare(peers, what, number):
    """In turn, as runner.interleaved() does it, by the client's own figures: its start is in none of them."""
    able = {name: peer for name, peer in peers.items()
            if what != "small" or runner.works(lambda peer=peer: peer.measure("small", 2))}
    order, figures = random.Random(1), {name: [] for name in able}
    for _ in range(ROUNDS):
        names = list(able)
        order.shuffle(names)
        for name in names:
            if not runner.works(lambda name=name: figures[name].append(able[name].figure(what, number))):
                del able[name], figures[name]
    return {name: {"median": statistics.median(own), "rounds": len(own),
                   "ratio": statistics.median(one / base for one, base in zip(own, figures["direct"]))}
            for name, own in figures.items()}


def show(title, rows, unit, value):
    print(f"\n{title} (ratio of the time to direct)")
    print(f"  {'':<28} {unit:>10} {'ratio':>8}")
    for name, row in rows.items():
        print(f"  {name:<28} {value(row['median']):>10,.1f} {row['ratio']:>8.3f}", flush=True)


def memory_of(peers):
    print(f"\n{HELD:,} open connections: memory (RSS) of what stands between, of all its processes")
    print(f"  {'':<28} {'MiB at 1':>10} {'MiB':>10} {'KiB each':>10}")
    rows = {}
    for name, peer in peers.items():
        if name == "direct" or name.endswith("GET") or isinstance(peer, SandboxRuntime):
            continue
        few, many = peer.memory(1), peer.memory(1 + HELD)
        rows[name] = {"few_mib": few, "many_mib": many, "each_kib": 1024 * (many - few) / HELD}
        print(f"  {name:<28} {few:>10.1f} {many:>10.1f} {rows[name]['each_kib']:>10.2f}", flush=True)
    return rows


def main():
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(internet.Internet(dns=["--local-ttl=60"]))
        reeve = stack.enter_context(throwaway.Reeve(pathlib.Path(sys.argv[1])))
        reeve.vendor_policy.write_text(internet.vendor_policy(NETWORK))
        reeve.stop()
        reeve.start()
        tool = shutil.copy(throwaway.find_program(reeve.build, "bench_tool_network"), reeve.workspace() / "network")
        net.start(tool, "serve", internet.WEB, BY_NAME, BY_ADDRESS, ready=lambda: "ready" in (net.root / "network.log").read_text())
        peers = make_peers(stack, reeve, str(tool), net.root)
        figures = {"memory": memory_of(peers)}
        for title, (what, number) in MEASURED.items():
            figures[title] = rows = compare(peers, what, number)
            if what in ("get", "put"):
                show(title, rows, "MiB/s", lambda seconds, all_of=number: (all_of >> 20) / seconds)
            else:
                show(title, rows, "us, p50", lambda us: us)
    runner.save(figures)


internet.enter()
main()

"""A reeved of its own for a test or a benchmark: throw-away state, throw-away people, nothing left behind.

    throwaway.enter_namespace()              # once, first: runs this script again in a mount namespace of its own
    with throwaway.Reeve(build) as reeve:
        done = reeve.run("id", "-u", cwd=reeve.workspace())
        assert done.stdout == f"{reeve.uid}\\n"

Needs root. Nothing is waited for by sleeping: the daemon says itself when it is ready (sd_notify).
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
HELPERS = ("reeve-confine", "reeve-keeper", "reeve-veil", "reeve-egress", "reeve-probe", "reeve-self-test")
DEADLINE = 30  # seconds for the daemon to start or to end; a machine under load takes a few
MARK = "REEVE_THROWAWAY_NAMESPACE"
_libc = ctypes.CDLL(None, use_errno=True)


def enter_namespace():
    """Goes on in a mount namespace of its own: people are made by mounts over /etc/passwd and /etc/group."""
    if os.environ.pop(MARK, None) is not None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # a time limit: tidies up as well
        return
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(77)
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def find_program(build, name):
    """The program in a build directory, or in an installation prefix."""
    for folder, folders, names in os.walk(build):
        folders[:] = [one for one in folders if one not in ("CMakeFiles", "Testing", "_deps", "made")]
        path = pathlib.Path(folder, name)
        if name in names and os.access(path, os.X_OK):
            return str(path)
    raise FileNotFoundError(f"{name} has not been built in {build}")


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def wait_until(condition, what, deadline=DEADLINE):
    """For what has no event to wait on (the state of another process): tries until it is so."""
    end = time.monotonic() + deadline
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {deadline} s: {what}")
        select.select([], [], [], 0.02)
    return result


class Person:
    def __init__(self, name, uid, home):
        self.name, self.uid, self.home = name, uid, home

    def environment(self, socket_path):
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "USER": self.name, "LOGNAME": self.name,
                "SHELL": "/bin/sh", "LANG": "C.UTF-8", "TERM": "xterm", "REEVE_SOCKET": str(socket_path)}

    def popen(self):
        """What subprocess needs to start something as them."""
        return {"user": self.uid, "group": self.uid, "extra_groups": []}

    def workspace(self, name="workspace"):
        """A folder of theirs below their home, made if it is not there."""
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        while path != self.home:
            os.chown(path, self.uid, self.uid)
            path = path.parent
        return self.home / name

    def write(self, path, text, mode=0o644):
        """A file of theirs."""
        path.write_text(text)
        os.chown(path, self.uid, self.uid)
        path.chmod(mode)
        return path


class Reeve:
    """The daemon and its people. `policies` maps file names to documents (text) of the policy directory, `helpers` the
    name of a helper to that of the program that stands in for it."""

    def __init__(self, build, people=1, policies=None, settings=None, helpers=None):
        self.build = pathlib.Path(build).resolve()
        self.socket = None
        self.daemon = None
        self.people = []
        self._number, self._policies, self._settings = people, policies or {}, settings or {}
        self._helpers = helpers or {}
        self._mounts = []

    # --- life

    def __enter__(self):
        try:
            self._make_tree()
            self._make_people()
            self.start()
        except BaseException:
            self._tear_down(failed=True)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self._tear_down(failed=kind is not None and not issubclass(kind, SystemExit))

    def _make_tree(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="reeve-", dir="/var/tmp"))
        self.root.chmod(0o755)
        self.libexec = self.root / "libexec"
        self.policy_directory, self.state_directory = self.root / "policy.d", self.root / "state"
        self.run_directory, self.log_directory = self.root / "run", self.root / "log"
        for folder in (self.libexec, self.policy_directory, self.root / "home"):
            folder.mkdir()
            folder.chmod(0o755)
        self.client = find_program(self.build, "reeve")
        for name in HELPERS:  # a build tree has them in folders of their own, and belongs to whoever built it
            shutil.copy(find_program(self.build, self._helpers.get(name, name)), self.libexec / name)
        for name, text in self._policies.items():
            self.write_policy(name, text)
        self.vendor_policy = self.root / "vendor.jsonc"
        shutil.copyfile(SOURCE / "packaging/policies/vendor.jsonc", self.vendor_policy)
        self.socket = self.run_directory / "reeve.sock"
        self.settings = self.root / "reeved.json"
        self.settings.write_text(json.dumps({
            "policy_directory": str(self.policy_directory), "state_directory": str(self.state_directory),
            "run_directory": str(self.run_directory), "log_directory": str(self.log_directory),
            "vendor_policy": str(self.vendor_policy), "libexec_directory": str(self.libexec),
            "device_id": "throwaway", **self._settings}))

    def write_policy(self, name, text):
        path = self.policy_directory / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def _make_people(self):
        passwd, group = pathlib.Path("/etc/passwd").read_text(), pathlib.Path("/etc/group").read_text()
        for at in range(self._number):
            # Above every range that is given out (nobody, containers, systemd), and of this process alone.
            uid = 1_900_000_000 + os.getpid() * 8 + at
            name = f"reeve-{os.getpid()}-{at}"
            home = self.root / "home" / name
            home.mkdir()
            os.chown(home, uid, uid)
            passwd += f"{name}:x:{uid}:{uid}::{home}:/bin/sh\n"
            group += f"{name}:x:{uid}:\n"
            self.people.append(Person(name, uid, home))
        if not re.search("^reeve-egress:", passwd, re.M):
            nobody = 1_900_000_000 + os.getpid() * 8 + 7
            passwd += f"reeve-egress:x:{nobody}:{nobody}::/nonexistent:/usr/sbin/nologin\n"
            group += f"reeve-egress:x:{nobody}:\n"
        for name, text in (("passwd", passwd), ("group", group)):
            source = self.root / name
            source.write_text(text)
            subprocess.run(["mount", "--bind", source, f"/etc/{name}"], check=True)
            self._mounts.append(f"/etc/{name}")

    def start(self):
        """Starts the daemon and waits until it listens."""
        notify = self.root / "notify"
        with contextlib.suppress(FileNotFoundError):
            notify.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, open(self.root / "reeved.log", "ab") as log:
            told.bind(str(notify))
            self.daemon = subprocess.Popen(
                [find_program(self.build, "reeved"), "--foreground", "--config", self.settings], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=_die_with_parent,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "NOTIFY_SOCKET": str(notify)})
            ended = os.pidfd_open(self.daemon.pid)
            try:
                end = time.monotonic() + DEADLINE
                while True:
                    ready, _, _ = select.select([told, ended], [], [], max(0, end - time.monotonic()))
                    if told in ready and b"READY=1" in told.recv(4096).split(b"\n"):
                        return
                    if told not in ready:
                        raise RuntimeError("reeved ended at its start" if ended in ready else "reeved did not get ready")
            finally:
                os.close(ended)

    def stop(self, how=signal.SIGTERM):
        """Ends the daemon and waits for its end."""
        if self.daemon is None:
            return None
        self.daemon.send_signal(how)
        try:
            code = self.daemon.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise
        self.daemon = None
        return code

    def log_text(self):
        """What the daemon said on standard error."""
        path = self.root / "reeved.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _tear_down(self, failed):
        failed_before = failed
        try:
            code = self.stop()
            problem = f"reeved ended with {code}" if code else None
        except subprocess.TimeoutExpired:
            problem = "reeved did not end by SIGTERM and was killed"
        failed = failed or problem is not None
        if failed:
            print(f"--- reeved said:\n{self.log_text()[-4000:]}---", file=sys.stderr)
        for mount in reversed(self._mounts):
            subprocess.run(["umount", "-l", mount], check=False)
        self._mounts = []
        shutil.rmtree(self.root, ignore_errors=True)
        if problem and not failed_before:
            raise RuntimeError(problem)

    # --- the first person

    @property
    def person(self):
        return self.people[0]

    @property
    def uid(self):
        return self.person.uid

    @property
    def home(self):
        return self.person.home

    def workspace(self, name="workspace"):
        return self.person.workspace(name)

    def environment(self, person=None, **more):
        return {**(person or self.person).environment(self.socket), **more}

    def as_person(self, person=None):
        return (person or self.person).popen()

    # --- the client

    def reeve(self, *arguments, person=None, root=False, **options):
        """reeve ARGUMENTS..., as the person or as root, to its end; its output as text."""
        settings = {"env": self.environment(person), "cwd": self.root, "stdin": subprocess.DEVNULL, "capture_output": True,
                    "text": True, "timeout": 120, "check": False, **({} if root else self.as_person(person)), **options}
        if "input" in options:
            del settings["stdin"]
        return subprocess.run([self.client, *map(str, arguments)], **settings)

    def run(self, *command, cwd=None, options=(), **more):
        """reeve run OPTIONS -- COMMAND..., in the workspace, to its end."""
        return self.reeve("run", *options, "--", *command, cwd=cwd or self.workspace(), **more)

    def spawn(self, *command, cwd=None, options=(), person=None, root=False, **more):
        """The same, left running: a Popen."""
        settings = {"env": self.environment(person), "cwd": cwd or (person or self.person).workspace(),
                    "stdin": subprocess.DEVNULL, **({} if root else self.as_person(person)), **more}
        return subprocess.Popen([self.client, "run", *options, "--", *map(str, command)], **settings)

    def records(self, *filters):
        """The records of `reeve log --json`, as root."""
        done = self.reeve("log", "--json", *filters, root=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

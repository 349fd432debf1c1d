#!/usr/bin/env python3
"""Attacks on files that policy protects by patterns, whether they are there or not: by the real daemon, in sessions of
`reeve run`. Each attack four times:

  undefended  without a session every way of it gets through, so that the others say something
  unruled     in a session whose policy has no rule about it, too: it is the decision that stops it, and nothing else
  defended    no way gets through, what is protected is on the host as it was, and what was tried is in the log
  holes       in the same session by reeve-keeper-holes, which leaves out the defences of that row: they get through

usage: files_in_sessions.py BUILD undefended|unruled|defended|holes [ATTACK...]
"""
import collections
import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD, HOW, CHOSEN = sys.argv[1], sys.argv[2], sys.argv[3:]

# What work needs, and no rule about anything in the workspace.
UNRULED = {"schema": "reeve.policy/1", "id": "vendor", "version": 1, "mode": "enforce", "files": [
    {"allow": ["read", "execute"], "paths": ["/usr/**"]}, {"allow": ["read"], "paths": ["/etc/**"]},
    {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"], "log": ["opens", "changes", "executions"]}]}
RULES = {"schema": "reeve.policy/1", "id": "rules", "version": 1, "extends": ["vendor"], "files": [
    {"id": "rules/names", "deny": ["write"], "reason": "not to be made",
     "paths": ["**/.mcp.json", "**/.claude/settings.json", "**/theirs.json"]},
    {"id": "rules/git", "deny": ["write"], "reason": "git of the person follows it",
     "paths": ["**/.git/hooks/*", "**/.git/modules/**/hooks/*", "**/.git/config", "**/.git/config.worktree", "**/.git/commondir",
               "**/.git/modules/**/config", "**/.git/info/attributes", "**/pointed/.git"]},
    {"id": "rules/secrets", "deny": ["read", "write"], "reason": "a secret", "paths": ["**/.secret", "${home}/.ssh/**"]}]}
SECRET = "PRIVATE KEY of nobody\n"

# Program, its arguments after the folder ("{home}": the person's), files of the folder before; defences of the keeper
# (daemon/access/holes.hpp) without which it gets through.
Attack = collections.namedtuple("Attack", "arguments files without", defaults=[{}, ("keeper.decide",)])
ATTACKS = {
    "forbidden_names": Attack(["{folder}", ".mcp.json"], {}, ("keeper.decide", "keeper.rename_state", "keeper.symbolic_links")),
    "odd_spellings": Attack(["{folder}", ".mcp.json"]),
    "directory_onto_name": Attack(["{folder}"], {}, ("keeper.rename_state", "keeper.decide")),
    "rename_ancestor": Attack(["{folder}"], {}, ("keeper.rename_state", "keeper.decide")),
    "linked_directory": Attack(["{folder}"], {}, ("keeper.symbolic_links", "keeper.rename_state")),
    "protected_file": Attack(["{folder}", "theirs.json"], {"theirs.json": "theirs\n"}, ("keeper.decide", "keeper.gain")),
    "linked_before": Attack(["{folder}", "alias"], {"theirs.json": "theirs\n"}, ("keeper.names",)),
    "secret_in_zone": Attack(["{folder}", ".secret"], {".secret": SECRET}, ()),  # reading has other walls
    "created_during_session": Attack(["{folder}/.secret"], {}, ()),
    "git_persistence": Attack(["{folder}"]),
    "own_listener": Attack(["{folder}", ".mcp.json"]),
    "new_calls": Attack(["{folder}", "theirs.json"], {"theirs.json": "theirs\n"}),
    "home_secrets": Attack(["{home}", "{home}/.ssh/id_ed25519", "{home}/.bashrc"]),
}
# That the rest of the home is not there, or not to be had, is no matter of rules, nor is what no session can call: no run
# without them, and no record.
NO_RULE = {"home_secrets", "new_calls"}
# Stopped whatever the rules say, and on record.
BY_NO_RULE = {"linked_before"}


class Host:
    """What the person does meanwhile, outside: makes the secret when the attack says so (it opens `go`), then says that it
    is there (`done` has a byte)."""

    def __init__(self, person, folder):
        for name in ("go", "done"):
            os.mkfifo(folder / name)
            os.chown(folder / name, person.uid, person.uid)
        self.person, self.folder = person, folder
        self.done = os.open(folder / "done", os.O_RDWR | os.O_NONBLOCK)
        # The attack is its only writer: that it came and went is the end of the file.
        self.asked = os.open(folder / "go", os.O_RDONLY | os.O_NONBLOCK)
        self.thread = threading.Thread(target=self.work, name="host")
        self.thread.start()

    def work(self):
        asked = select.poll()
        asked.register(self.asked, select.POLLIN)
        asked.poll(30_000)
        self.person.write(self.folder / ".secret", SECRET)
        os.write(self.done, b"x")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join()
        os.close(self.asked)
        os.close(self.done)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        policies = {"rules.json": json.dumps(RULES)} if HOW in ("defended", "holes") else {}
        helpers = {"reeve-keeper": "reeve-keeper-holes"} if HOW == "holes" else {}
        cls.vendor = pathlib.Path("/var/tmp") / f"reeve-unruled-{os.getpid()}.json"
        cls.vendor.write_text(json.dumps(UNRULED))
        cls.addClassCleanup(cls.vendor.unlink)
        cls.reeve = throwaway.Reeve(BUILD, policies=policies, helpers=helpers,
                                     settings={"vendor_policy": str(cls.vendor)}).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)

    def scene(self, name, attack):
        person = self.reeve.person
        folder = self.reeve.workspace(f"workspace/{name}")
        self.addCleanup(shutil.rmtree, folder)
        for made in (".git", ".git/hooks", ".git/info", ".git/modules"):
            self.reeve.workspace(f"workspace/{name}/{made}")
        for file, text in attack.files.items():
            person.write(folder / file, text)
        if name == "linked_before":
            os.link(folder / "theirs.json", folder / "alias")
        person.write(person.workspace(".ssh") / "id_ed25519", SECRET, 0o600)
        person.write(self.reeve.home / ".bashrc", "# mine\n")
        program = shutil.copy(throwaway.find_program(BUILD, f"attack_{name}"), self.reeve.workspace())
        return folder, [str(program), *(text.format(folder=folder, home=self.reeve.home) for text in attack.arguments)]

    def meanwhile(self, name, folder):
        return Host(self.reeve.person, folder) if name == "created_during_session" else contextlib.nullcontext()

    def ways(self, done):
        """Way -> through or what stopped it."""
        found = dict(re.findall(r"^(.+): (through|stopped: .*)$", done.stdout, re.M))
        self.assertTrue(found and done.returncode in (0, 1), (done.returncode, done.stdout, done.stderr))
        return found

    def state(self, folder):
        """The files that are protected, and everything of the home that the attack was not given."""
        seen = {}
        for path in sorted(folder.rglob("*")):
            if path.name in (".mcp.json", "theirs.json", ".secret", "config", "commondir", "config.worktree") or \
                    any(map(path.match, (".claude/settings.json", ".git/hooks/*", ".git/modules/**/hooks/*", "pointed/.git"))):
                status = path.lstat()
                seen[str(path.relative_to(folder))] = (status.st_mode, status.st_ino, status.st_nlink, status.st_mtime_ns,
                                                       status.st_ctime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (self.reeve.home / ".ssh/id_ed25519", self.reeve.home / ".ssh", self.reeve.home / ".bashrc"):
            status = path.lstat()
            seen[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        return seen

    def undefended(self, name, attack):
        folder, command = self.scene(name, attack)
        with self.meanwhile(name, folder):
            ways = self.ways(subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False,
                                            timeout=60, **self.reeve.as_person()))
        self.assertEqual({way: said for way, said in ways.items() if said != "through"}, {})

    def run_inside(self, name, folder, command):
        with self.meanwhile(name, folder):
            return self.reeve.run(*command, cwd=folder, options=["--workspace", self.reeve.workspace()], errors="replace")

    def unruled(self, name, attack):
        folder, command = self.scene(name, attack)
        ways = self.ways(self.run_inside(name, folder, command))
        # Calls that no session has: the filter does not know them, or refuses them to all.
        self.assertEqual({way: said for way, said in ways.items()
                          if said != "through" and not said.endswith(("Function not implemented", "resource busy"))}, {})
        self.assertIn("through", ways.values())

    def holes(self, name, attack):
        self.reeve.libexec.joinpath("holes").write_text("".join(f"{hole}\n" for hole in attack.without))
        self.unruled(name, attack)

    def defended(self, name, attack):
        folder, command = self.scene(name, attack)
        before = self.state(folder)
        last = max((record["seq"] for record in self.reeve.records()), default=0)
        done = self.run_inside(name, folder, command)
        ways = self.ways(done)
        self.assertEqual({way for way, said in ways.items() if said == "through"}, set(), done.stdout)
        if name != "created_during_session":  # there the host itself changed something
            self.assertEqual(self.state(folder), before)
        if name in NO_RULE:
            return
        refused = [record for record in self.reeve.records() if record["seq"] > last and record["action"].startswith("file.")
                   and record["outcome"] != "allowed"]
        # A directory that would have other names in it protected than before is not moved: mv copies it then.
        self.assertTrue(any(record["outcome"] == "denied" or
                            record["action"] == "file.rename" and record["details"].get("errno") == "EXDEV" for record in refused),
                        refused[:3])


def test_of(name, attack):
    return lambda self: getattr(self, HOW)(name, attack)


for each, its_attack in ATTACKS.items():
    if (not CHOSEN or each in CHOSEN) and not (HOW in ("unruled", "holes") and each in NO_RULE) and \
            not (HOW == "unruled" and each in BY_NO_RULE) and \
            not (HOW == "holes" and not its_attack.without):
        setattr(Files, f"test_{each}", test_of(each, its_attack))
throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

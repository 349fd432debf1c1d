#!/usr/bin/env python3
"""The races: undefended, each wins; in a session, none does in any number of rounds, while a watcher on the host sees
that no forbidden name ever exists on the workspace's file system, and what was protected is as it was.

usage: races.py BUILD undefended | ROUNDS [RACE...]
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD, ROUNDS, CHOSEN = sys.argv[1], sys.argv[2], sys.argv[3:]
UNDEFENDED_ROUNDS = 2_000_000  # each wins within some hundreds to ten thousands
SECRET, THEIRS = "PRIVATE KEY of nobody\n", "theirs\n"

# Program, its third argument ("secret": a file that may not be read), whether .mcp.json is there before.
Race = collections.namedtuple("Race", "program argument present")
RACES = {f"flip_path.{call}": Race("flip_path", call, False)
         for call in ("open", "open_exclusively", "creat", "mkdir", "mknod", "symlink", "link", "rename", "unnamed",
                      "rename_directory", "bind")}
RACES |= {name: Race(name, None, name in ("flip_old_path", "hard_links"))
          for name in ("flip_old_path", "swap_parents", "swap_directories", "rename_ancestor", "late_symlink", "flip_descriptor",
                       "flip_directory", "hard_links", "inherited_directory_fd")}
RACES["symlink_chain"] = Race("symlink_chain", "secret", False)


class Watcher:
    """What comes to be on a mount, seen from outside of the session."""

    def __init__(self, mount):
        self.process = subprocess.Popen([throwaway.find_program(BUILD, "race_watcher"), mount], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the watcher did not start")

    def finish(self):
        """The events, and the lines about what is forbidden."""
        lines = self.process.communicate(timeout=120)[0].splitlines()
        events, forbidden = map(int, re.fullmatch(r"(\d+) events, (\d+) forbidden", lines[-1]).groups())
        assert forbidden == len(lines) - 1, lines
        return events, lines[:-1]


class Races(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)
        person = cls.reeve.person
        cls.secret = person.write(person.workspace(".ssh") / "id_ed25519", SECRET, 0o600)
        # A file system of its own: the watcher sees all of it, and nobody else's work.
        cls.workspace = cls.reeve.workspace()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", cls.workspace], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "-l", cls.workspace], check=True)
        os.chown(cls.workspace, cls.reeve.uid, cls.reeve.uid)

    def scene(self, name, race):
        """A folder for the race, and the command that runs it there."""
        folder = self.reeve.workspace(f"workspace/{name}")
        self.addCleanup(shutil.rmtree, folder)
        for made in (".git", ".git/hooks", ".claude"):
            self.reeve.workspace(f"workspace/{name}/{made}")
        if race.present:
            self.reeve.person.write(folder / ".mcp.json", THEIRS)
        program = shutil.copy(throwaway.find_program(BUILD, f"race_{race.program}"), self.workspace)
        argument = [] if race.argument is None else [str(self.secret) if race.argument == "secret" else race.argument]
        return folder, lambda rounds: [str(program), str(folder), str(rounds), *argument]

    def said(self, done):
        found = re.fullmatch(r"rounds (\d+), passed (\d+), refused (\d+), through (\d)\n", done.stdout)
        self.assertIsNotNone(found, (done.returncode, done.stdout, done.stderr))
        return dict(zip(("rounds", "passed", "refused", "through"), map(int, found.groups())))

    def wins(self, name, race):
        folder, command = self.scene(name, race)
        done = subprocess.run(command(UNDEFENDED_ROUNDS), capture_output=True, text=True, check=False, timeout=250,
                              **self.reeve.as_person())
        self.assertEqual(self.said(done)["through"], 1, done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)

    def loses(self, name, race):
        folder, command = self.scene(name, race)
        watcher = Watcher(self.workspace)
        try:
            done = self.reeve.run(*command(ROUNDS), cwd=self.workspace, timeout=14_000)
        finally:
            events, forbidden = watcher.finish()
        said = self.said(done)
        print(f"\n{name}: {said}, {events} names seen to be made", flush=True)
        self.assertEqual((forbidden, said["through"]), ([], 0), done.stdout)
        self.assertGreaterEqual(said["rounds"], int(ROUNDS))
        # That it was a race: what is allowed was done, and what is not was tried.
        self.assertGreater(said["passed"], 0, done.stdout)
        self.assertGreater(said["refused"], 0, done.stdout)
        self.assertEqual(list(folder.rglob(".claude/settings.json")) + list(folder.rglob(".git/hooks/evil")), [])
        self.assertEqual([path.relative_to(folder) for path in folder.rglob(".mcp.json")],
                         [pathlib.Path(".mcp.json")] if race.present else [])
        if race.present:
            self.assertEqual(((folder / ".mcp.json").read_text(), (folder / ".mcp.json").stat().st_nlink), (THEIRS, 1))


def test_of(name, race):
    if ROUNDS == "undefended":
        return lambda self: self.wins(name, race)
    return lambda self: self.loses(name, race)


for each, its_race in RACES.items():
    if not CHOSEN or each in CHOSEN:
        setattr(Races, f"test_{each}", test_of(each, its_race))
throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

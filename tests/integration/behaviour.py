#!/usr/bin/env python3
"""What a program sees of its files inside is what it sees outside: tests/testcases/behaviour prints a line for each of
some thousand operations, by the same person in the same folder, on ext4 and on tmpfs; the lines are compared one by one.

What differs on purpose stands in EXCUSES with its reason. One that nothing meets any more is an error, too.

usage: behaviour.py BUILD [GROUP...]
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

BUILD, GROUPS = sys.argv[1], sys.argv[2:]
AT_LEAST = 250
DEADLINE = 240  # seconds for a run of all groups

# The line's name, what it says outside, what it says inside (regular expressions that match the whole); why; whether each
# session has it, or only those of some policies and machines.
Excuse = collections.namedtuple("Excuse", "name outside inside why always", defaults=[True])
SYSTEM = "'/usr/(bin/env|lib/os-release)'"
EXCUSES = [
    Excuse(r"(attributes/ch(mod|own) of the system's.*|attributes/chmod of a device|extended/setxattr of (the system's|a device)"
               rf"|times/.* of {SYSTEM}|paths/(create|chmod) over a link into the system"
               r"|paths/(create|mkdir|unlink|rename) in the system|special//dev/missing by .*|special/unlink /dev/null)",
               r"(EACCES|EPERM)\b.*", r"EROFS\b.*", "the system and /dev are read-only mounts inside, and not only another's"),
    Excuse(rf"(renames/{SYSTEM} to .*|paths/rename (out of|into) the system)", r"EACCES\b.*", r"EXDEV\b.*",
               "the system is another mount inside", always=False),
    Excuse(rf"(links/{SYSTEM} as .*|paths/link of what is in the system)", r"EPERM\b.*", r"EXDEV\b.*",
               "the system is another mount inside; asked for first than who may link", always=False),
    Excuse(r"renames/('/' to 'new'|'file' to '/') .*", r"EBUSY\b.*", r"EXDEV\b.*", "the root is another mount inside", always=False),
    Excuse(r"attributes/chmod 4755", r"ok\b.*", r"EPERM\b.*", "no program of an agent is set-user-id"),
    Excuse(r"attributes/l?chown .* (somebody|root|root's group)", r"EPERM\b.*", r"EINVAL\b.*",
               "other people have no number in the session's user namespace"),
    Excuse(r"extended/((set|remove)xattrat|file_setattr)", r"ok", r"ENOSYS", "calls newer than the filter; libraries do without"),
    Excuse(r"attributes/fchmodat2 .*", r".*", r"ENOSYS\b.*", "a call newer than the filter; libraries do without", always=False),
    Excuse(r"deep/directories of 250 bytes in one another", r"20", r"1[0-6]", "a path that is longer than PATH_MAX cannot be judged",
           always=False),
    Excuse(r"deep/getcwd there", r"ERANGE", r"ok", "for that reason it does not get as deep", always=False),
    Excuse(r"open_details/openat2", r"ok", r"ENOSYS", "its paths cannot be judged before the kernel reads them; all do without",
               always=False),
    Excuse(r"renames/'file' to 'new' flags 0x4 .*", r"ok\b.*", r"(EINVAL|EPERM)\b.*", "whiteouts are for overlay file systems",
               always=False),
    Excuse(r"names/mknod a whiteout( again)?", r"(ok|EEXIST)\b.*", r"EPERM\b.*", "whiteouts are for overlay file systems",
               always=False),
    Excuse(r"(processes|special)/unshare\(CLONE_(FS|FILES)\)", r"ok", r"EPERM", "unshare is refused as a whole"),
    Excuse(r"processes/a thread of its own directory and umask", r"file .*", r"ENOENT \| ENOENT \| file .*", "there is none inside"),
    Excuse(r"special/(by thread-self, where the table is one's own|by self, which is the leader's|create)", r".*",
               r"\(no such line\)", "there is no thread with a table of its own inside"),
    Excuse(r"special/unlink in /proc", r"EPERM", r"EACCES", "Landlock is asked before /proc is"),
]


class Difference(collections.namedtuple("Difference", "name outside inside")):
    def __str__(self):
        return f"{self.name}\n    outside: {self.outside}\n    inside:  {self.inside}"

    def excused(self):
        """The place of the excuse that covers it; None where none does."""
        for at, excuse in enumerate(EXCUSES):
            if all(re.fullmatch(pattern, text, re.S) for pattern, text in zip(excuse, self)):
                return at
        return None


def observations(output):
    """Name -> what it says; a name that comes again is numbered."""
    found, times = {}, collections.Counter()
    for line in output.splitlines():
        name, _, text = line.partition(": ")
        times[name] += 1
        found[f"{name} ({times[name]})" if times[name] > 1 else name] = text
    return found


def differences(outside, inside):
    absent = "(no such line)"
    for name in [*outside, *(name for name in inside if name not in outside)]:
        pair = outside.get(name, absent), inside.get(name, absent)
        if pair[0] != pair[1]:
            yield Difference(name, *pair)


class Behaviour(unittest.TestCase):
    met = set()

    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)

    def scene(self, name, mount=None):
        """A workspace with the program in it and an empty folder to work in."""
        workspace = self.reeve.workspace(name)
        if mount is not None:
            subprocess.run(["mount", "-t", mount, "-o", "mode=0755", "none", workspace], check=True)
            self.addCleanup(subprocess.run, ["umount", "-l", workspace], check=True)
            os.chown(workspace, self.reeve.uid, self.reeve.uid)
        shutil.copy(throwaway.find_program(BUILD, "behaviour"), workspace / "behaviour")
        return workspace, self.reeve.workspace(f"{name}/scratch")

    def compare(self, workspace, scratch):
        command = [str(workspace / "behaviour"), str(scratch), *GROUPS]
        alike = {"capture_output": True, "text": True, "errors": "surrogateescape", "timeout": DEADLINE, "check": False}
        inside = self.reeve.run(*command, cwd=workspace, **alike)
        outside = subprocess.run(command, cwd=workspace, env=self.reeve.environment(), stdin=subprocess.DEVNULL,
                                 **alike, **self.reeve.as_person())
        self.assertEqual((outside.returncode, outside.stderr), (0, ""), "outside")
        self.assertEqual((inside.returncode, inside.stderr), (0, ""), "inside")
        seen = observations(outside.stdout)
        unexplained = []
        for difference in differences(seen, observations(inside.stdout)):
            excuse = difference.excused()
            if excuse is None:
                unexplained.append(str(difference))
            else:
                self.met.add(excuse)
        print(f"\n{len(seen)} observations, {len(unexplained)} unexplained differences", flush=True)
        self.assertGreaterEqual(len(seen), AT_LEAST if not GROUPS else 1)
        self.assertEqual(unexplained, [], "\n" + "\n".join(unexplained))

    def test_on_the_disk(self):
        self.compare(*self.scene("disk"))

    def test_on_tmpfs(self):
        self.compare(*self.scene("memory", mount="tmpfs"))

    @classmethod
    def tearDownClass(cls):
        idle = [excuse for at, excuse in enumerate(EXCUSES) if excuse.always and at not in cls.met]
        if idle and not GROUPS:
            raise AssertionError(f"excuses that nothing meets any more: {idle}")


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

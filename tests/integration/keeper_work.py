#!/usr/bin/env python3
"""The work of git, tar, rsync, SQLite, npm and Python, by 8 writers at once, gives inside what it gives outside: byte for
byte, mode for mode, and time for time where the program sets times. What they do stands in keeper_work/*.sh.

usage: keeper_work.py BUILD [WORK...]
"""
import collections
import hashlib
import io
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tarfile
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD, CHOSEN = sys.argv[1], sys.argv[2:]
HERE = pathlib.Path(__file__).resolve().parent
WRITERS = 8
PACKAGES = 12
DEADLINE = 280  # seconds for the writers of one work

# Whether the program sets times, and what is left out: of what differs from run to run anywhere.
Work = collections.namedtuple("Work", "times left_out at_least")
WORKS = {
    "git": Work(False, ("/index", "/.git/ORIG_HEAD"), 150),  # index: inode numbers and times; git ls-files -s has what counts
    "tar": Work(True, (), 700),
    "rsync": Work(True, (), 900),
    "sqlite": Work(False, ("wal.db", "delete.db", "truncate.db", "persist.db", "-journal"), 7),  # by chance of who was first
    "npm": Work(False, (), 60),
    "python": Work(False, (), 100),
}

ALL_AT_ONCE = f"""set -u
for at in $(seq 0 {WRITERS - 1}); do
    (cd "$at" && exec sh ../work.sh > ../said-$at 2>&1) &
    eval "writer$at=$!"
done
code=0
for at in $(seq 0 {WRITERS - 1}); do
    eval "wait \\$writer$at" || {{ code=1; echo "writer $at:"; cat "said-$at"; }}
done
exit $code
"""


def tree_of_files():
    """Name -> (bytes, mode): folders with files, among them odd modes and a large one."""
    files = {}
    for folder in range(6):
        for at in range(40):
            files[f"sub{folder}/file{at}"] = (f"{folder} {at}\n".encode() * (at * 7 % 50), (0o644, 0o600, 0o755, 0o444, 0o400)[at % 5])
    files["sub2/large"] = (bytes(range(256)) * 4096, 0o644)
    files["sub3/" + "n" * 200] = (b"a long name", 0o640)
    return files


def make_tar(path):
    """As archives are that were not made for the test: links before what they name, folders that are read-only at the end."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        def add(name, kind=tarfile.REGTYPE, mode=0o644, data=b"", target="", mtime=1_700_000_000):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.size, entry.linkname, entry.mtime = kind, mode, len(data), target, mtime
            archive.addfile(entry, io.BytesIO(data))
        for at in range(6):
            add(f"sub{at}", tarfile.DIRTYPE, (0o755, 0o700, 0o775, 0o1777, 0o755, 0o750)[at], mtime=1_600_000_000 + at)
        add("sub4/locked", tarfile.DIRTYPE, 0o555, mtime=1_600_000_100)
        for at in range(10):
            add(f"sub4/locked/in{at}", data=b"locked in")
        for at, (name, (data, mode)) in enumerate(tree_of_files().items()):
            add(name, mode=mode, data=data, mtime=1_650_000_000 + at)
        for at in range(10):
            add(f"sub5/hard{at}", tarfile.LNKTYPE, target=f"sub0/file{at}")
            add(f"sub5/soft{at}", tarfile.SYMTYPE, 0o777, target=f"../sub1/file{at}" if at % 2 else "nowhere", mtime=1_600_000_200)
        add("sub5/fifo", tarfile.FIFOTYPE, 0o622)
        add("sub5/empty", tarfile.DIRTYPE, 0o711)


def make_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, (data, _) in tree_of_files().items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data)
        for at in range(30):
            archive.writestr(f"module{at}.py", f"value = {at}\n")


def make_packages(folder):
    """Packages that need one another, one application that needs all; some have programs."""
    def write(name, files):
        for file, text in files.items():
            path = folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for at in range(PACKAGES):
        needs = {f"package-{other}": f"file:../package-{other}" for other in (2 * at + 1, 2 * at + 2) if other < PACKAGES}
        calls = " + ".join([f"'{at}'", *(f"require('{need}')()" for need in needs)])
        write(f"package-{at}", {
            "package.json": json.dumps({"name": f"package-{at}", "version": f"1.{at}.0", "main": "lib/index.js",
                                        "bin": {f"tool-{at}": "bin/tool.js"}, "dependencies": needs}),
            "lib/index.js": f"module.exports = () => {calls};\n",
            "bin/tool.js": f"#!/usr/bin/env node\nconsole.log('tool {at}');\n",
            **{f"lib/part{part}.js": f"// part {part} of {at}\n" * part for part in range(8)}})
    write("application", {"package.json": json.dumps({
        "name": "application", "version": "1.0.0", "scripts": {"tool": "tool-0"},
        "dependencies": {f"package-{at}": f"file:../package-{at}" for at in range(PACKAGES)}})})


MAKE = {"tar": lambda folder: make_tar(folder / "tree.tar"), "rsync": lambda folder: make_tar(folder / "tree.tar"),
        "python": lambda folder: make_zip(folder / "tree.zip"), "npm": lambda folder: make_packages(folder / "packages")}


def contents(root, work):
    """Path -> what a program would see of it: type and mode, links of files, times if they count, bytes."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = "/" + str(path.relative_to(root))
        if name.endswith(work.left_out) if work.left_out else False:
            continue
        status = path.lstat()
        seen = [stat.filemode(status.st_mode)]
        if not stat.S_ISDIR(status.st_mode):
            seen += [status.st_nlink, status.st_size]
        if work.times and not name.endswith(("/first", "/second", "/third", "/fourth", "/again.tar", "/same", ".parts")) and name.count("/") > 2:
            seen.append(status.st_mtime_ns)
        if stat.S_ISLNK(status.st_mode):
            seen.append(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            seen.append(hashlib.sha256(path.read_bytes()).hexdigest())
        found[name] = seen
    return found


class KeeperWork(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)

    def scene(self, name):
        """The work's folder as it is before, at the same path each time: paths are in what programs write."""
        folder = self.reeve.home / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(HERE / "keeper_work" / f"{name}.sh", folder / "work.sh")
        (folder / "all.sh").write_text(ALL_AT_ONCE)
        MAKE.get(name, lambda _: None)(folder)
        for at in range(WRITERS):
            (folder / str(at)).mkdir()
        subprocess.run(["chown", "-Rh", f"{self.reeve.uid}:{self.reeve.uid}", folder], check=True)
        return folder

    def compare(self, name, work):
        alike = {"capture_output": True, "text": True, "timeout": DEADLINE, "check": False}
        # The home is the session's own inside; what programs keep there is not the work.
        environment = {**self.reeve.environment(), "HOME": str(self.reeve.home), "PYTHONHASHSEED": "0"}
        folder = self.scene(name)
        inside = self.reeve.run("sh", "all.sh", cwd=folder, env=environment, **alike)
        self.assertEqual((inside.returncode, inside.stdout), (0, ""), inside.stderr)
        found = [contents(folder / str(at), work) for at in range(WRITERS)]
        folder = self.scene(name)
        outside = subprocess.run(["sh", "all.sh"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, **alike,
                                 **self.reeve.as_person())
        self.assertEqual((outside.returncode, outside.stdout), (0, ""), outside.stderr)
        print(f"\n{name}: {sum(map(len, found))} files and folders of {WRITERS} writers", flush=True)
        for at in range(WRITERS):
            expected = contents(folder / str(at), work)
            self.assertGreater(len(expected), work.at_least)
            wrong = {path: {"outside": expected.get(path), "inside": found[at].get(path)}
                     for path in expected.keys() | found[at].keys() if expected.get(path) != found[at].get(path)}
            self.assertEqual(wrong, {}, f"writer {at}: " + json.dumps(wrong, indent=1)[:4000])


def test_of(name, work):
    return lambda self: self.compare(name, work)


for each, its_work in WORKS.items():
    if not CHOSEN or each in CHOSEN:
        setattr(KeeperWork, f"test_{each}", test_of(each, its_work))
throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

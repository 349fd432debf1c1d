#!/usr/bin/env python3
"""Every change that `strace -f` shows for a build, a clone, an npm install and a Python test-suite is in the log, with the
same result: the same work is done inside, where the log is kept, and outside, where strace looks.

usage: completeness.py BUILD [WORK...]
"""
import collections
import errno
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402
import traced  # noqa: E402

BUILD, CHOSEN = sys.argv[1], sys.argv[2:]
UNITS, PACKAGES = 10, 6
DEADLINE = 250

# Name -> (the work, how many different changes it makes at least).
WORKS = {
    "build": ("make -s -j2; ./program > said; make -s clean; make -s; ar rc all.a ./*.o; strip -o stripped program;"
              " install -D -m 750 program bin/deep/program; sed -i s/return/exit/ unit1.c; ln -sf program bin/link; touch -r Makefile bin/link", 40),
    "clone": ("git clone -q --no-hardlinks origin clone; cd clone; git checkout -q -b side; echo more >> unit1.c; git mv unit2.c moved.c;"
              " git rm -q unit3.c; git commit -qam side; git checkout -q main; git merge -q side; git gc -q; git worktree add -q ../tree side;"
              " git worktree remove --force ../tree; git branch -qD side; git tag v1", 100),
    "npm": ("export npm_config_cache=$PWD/cache npm_config_offline=true npm_config_audit=false npm_config_fund=false"
            " npm_config_update_notifier=false; cd packages/application; npm install --install-links --loglevel=error > /dev/null;"
            " npm uninstall package-3 --install-links --loglevel=error > /dev/null", 40),
    "python": ("unset PYTHONDONTWRITEBYTECODE; python3 -m unittest -q suite 2> suite-said || { cat suite-said; exit 1; }; python3 -m compileall -q .; python3 -m venv --without-pip environment", 60),
}
# Works that do several things at once: which of them fails for being the second is by chance.
AT_ONCE = {"npm"}
# What no two runs have in common: names by chance and by time.
BY_CHANCE = ("/cache/", "/_logs/", ".package-lock.json-", "/.npm/", "__pycache__/")

SUITE = '''import json, os, pathlib, shutil, sqlite3, tarfile, tempfile, unittest, zipfile

class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path("made", self.id().rpartition(".")[2])
        self.folder.mkdir(parents=True)
    def test_write_and_rename(self):
        for at in range(20):
            (self.folder / f"{at}.json").write_text(json.dumps({"at": at}))
            os.replace(self.folder / f"{at}.json", self.folder / f"{at}.done")
        with self.assertRaises(FileExistsError):
            (self.folder / "0.done").open("x")
        with self.assertRaises(FileNotFoundError):
            os.unlink(self.folder / "none")
    def test_links(self):
        (self.folder / "file").write_text("x")
        os.link(self.folder / "file", self.folder / "hard")
        os.symlink("file", self.folder / "soft")
        os.symlink("nowhere", self.folder / "dangling")
        with self.assertRaises(FileExistsError):
            os.symlink("file", self.folder / "soft")
        (self.folder / "dangling").write_text("made") if (self.folder / "dangling").exists() else None
    def test_attributes(self):
        path = self.folder / "file"
        path.write_text("x" * 100)
        path.chmod(0o600)
        os.utime(path, (1, 2))
        os.utime(path)
        os.truncate(path, 10)
        os.chown(path, os.getuid(), os.getgid())
        os.setxattr(path, "user.x", b"1")
        os.removexattr(path, "user.x")
        with path.open("r+") as file:
            os.fchmod(file.fileno(), 0o640)
            os.utime(file.fileno(), (3, 4))
            os.setxattr(file.fileno(), "user.y", b"2")
    def test_trees(self):
        source = self.folder / "source"
        for at in range(10):
            (source / f"d{at}").mkdir(parents=True)
            (source / f"d{at}/f").write_text("x")
        shutil.copytree(source, self.folder / "copy")
        shutil.move(self.folder / "copy", self.folder / "moved")
        with self.assertRaises(OSError):
            os.rmdir(source)
        shutil.rmtree(self.folder / "moved")
        os.mkfifo(self.folder / "fifo")
        with self.assertRaises(FileExistsError):
            os.mkdir(source)
    def test_archives(self):
        (self.folder / "in").write_text("in")
        with tarfile.open(self.folder / "a.tar", "w") as archive:
            archive.add(self.folder / "in", "out")
        with tarfile.open(self.folder / "a.tar") as archive:
            archive.extractall(self.folder / "from-tar")
        with zipfile.ZipFile(self.folder / "a.zip", "w") as archive:
            archive.writestr("d/in", "in")
        zipfile.ZipFile(self.folder / "a.zip").extractall(self.folder / "from-zip")
    def test_base(self):
        base = sqlite3.connect(self.folder / "base.db")
        with base:
            base.execute("create table t(x)")
            base.executemany("insert into t values(?)", [(x,) for x in range(100)])
        base.close()
    def test_refused(self):
        sealed = self.folder / "sealed"
        sealed.mkdir(mode=0o500)
        for change in (lambda: (sealed / "x").write_text(""), lambda: (sealed / "x").mkdir(), lambda: os.symlink("a", sealed / "x")):
            with self.assertRaises(PermissionError):
                change()
        with self.assertRaises(IsADirectoryError):
            self.folder.open("w")
        with self.assertRaises(NotADirectoryError):
            (self.folder / "../../suite.py/x").write_text("")
'''


def c_sources():
    files = {f"unit{i}.c": f"int unit{i}(void) {{ return {i}; }}\n" for i in range(UNITS)}
    files["main.c"] = "".join(f"int unit{i}(void);\n" for i in range(UNITS)) + "int main(void) { return unit0(); }\n"
    objects = " ".join(["main.o", *(f"unit{i}.o" for i in range(UNITS))])
    files["Makefile"] = f"program: {objects}\n\t$(CC) -o $@ $^\n%.o: %.c\n\t$(CC) -O1 -c -o $@ $<\nclean:\n\trm -f {objects} program\n"
    return files


def make_packages(folder):
    names = [f"package-{at}" for at in range(PACKAGES)]
    (folder / "application").mkdir(parents=True)
    (folder / "application/package.json").write_text(json.dumps(
        {"name": "application", "version": "1.0.0", "dependencies": {name: f"file:../{name}" for name in names}}))
    for name in names:
        (folder / name / "bin").mkdir(parents=True)
        (folder / name / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0", "bin": {name: "bin/tool.js"}}))
        (folder / name / "bin/tool.js").write_text("#!/usr/bin/env node\n")


class Completeness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)

    def scene(self, name, work):
        """The work's folder as it is before, at the same path each time."""
        folder = self.reeve.home / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        (folder / "work.sh").write_text(f"set -e\n{work}\n")
        (folder / "bin").mkdir()
        (folder / "suite.py").write_text(SUITE)
        make_packages(folder / "packages")
        origin = folder / "origin"
        origin.mkdir()
        for at in (folder, origin):
            for file, text in c_sources().items():
                (at / file).write_text(text)
        subprocess.run(["chown", "-R", f"{self.reeve.uid}:{self.reeve.uid}", folder], check=True)
        git = ["git", "-C", str(origin)]
        for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run([*git, *command], env=self.environment(), check=True, **self.reeve.as_person())
        return folder

    def environment(self):
        people = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER")
                  for what, text in (("NAME", "T"), ("EMAIL", "t@example.com"), ("DATE", "2026-11-24T00:00:00Z"))}
        return {**self.reeve.environment(), **people, "GIT_CONFIG_NOSYSTEM": "1"}

    def seen_by_strace(self, folder):
        trace = self.reeve.root / "trace"
        trace.touch()
        os.chown(trace, self.reeve.uid, self.reeve.uid)
        subprocess.run(["strace", "-f", "-y", "-qq", "-s", "4096", "-o", str(trace), "-e", f"trace={traced.CALLS}", "sh", "work.sh"],
                       cwd=folder, env=self.environment(), stdin=subprocess.DEVNULL, check=True, timeout=DEADLINE, **self.reeve.as_person())
        return traced.changes(trace.read_text(errors="replace").splitlines(), str(folder), str(folder))

    def seen_by_the_log(self, folder, since):
        counted = collections.Counter()
        for record in self.reeve.records():
            change = traced.recorded(record) if record["seq"] > since else None
            if change is not None:
                counted[change] += record.get("count", 1)
        return counted

    def compare(self, name, work, at_least):
        folder = self.scene(name, work)
        since = max((record["seq"] for record in self.reeve.records()), default=0)
        # git's person and date are not passed on by themselves.
        export = "".join(f"export {key}='{value}'\n" for key, value in self.environment().items() if key.startswith("GIT_"))
        self.reeve.person.write(folder / "inside.sh", export + ". ./work.sh\n")
        inside = self.reeve.run("sh", "inside.sh", cwd=folder, timeout=DEADLINE)
        self.assertEqual((inside.returncode, inside.stdout), (0, ""), inside.stderr)
        logged = self.seen_by_the_log(folder, since)
        seen = self.seen_by_strace(self.scene(name, work))
        wanted = {change: count for change, count in seen.items()
                  if not any(part in change.path or part in change.target for part in BY_CHANCE)
                  and (change.result == 0 or name not in AT_ONCE)}
        missing = sorted(wanted.keys() - logged.keys())
        print(f"\n{name}: {sum(seen.values())} changes by strace's account ({len(wanted)} that two runs have in common), "
              f"{sum(logged.values())} in the log, missing: {len(missing)}", flush=True)
        self.assertGreaterEqual(len(wanted), at_least)
        self.assertGreater(len({change.what for change in wanted}), 3)
        text = "\n".join(f"{change.what} {change.path} {change.target} {errno.errorcode.get(change.result, 'ok')}; the log has of that path: "
                         f"{[(other.what, other.result) for other in logged if other.path == change.path]}" for change in missing[:40])
        self.assertEqual(missing, [], f"\n{text}")
        # As often, too, where it was done: what failed may be tried again or not, as two runs go.
        fewer = {change: (count, logged[change]) for change, count in wanted.items() if change.result == 0 and logged[change] < count
                 and change.what in ("mkdir", "rename", "link", "symlink", "remove")}
        self.assertEqual(fewer, {})


def test_of(name, work, at_least):
    return lambda self: self.compare(name, work, at_least)


for each, (its_work, number) in WORKS.items():
    if not CHOSEN or each in CHOSEN:
        setattr(Completeness, f"test_{each}", test_of(each, its_work, number))
throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

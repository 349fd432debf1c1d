#!/usr/bin/env python3
"""Real work inside (git clone, make -j2, node, python) gives the same bytes as outside, and every file of the workspace
that it read, and every program that it ran, is in the log: held against `strace -f` of the same work outside.

usage: real_work.py BUILD
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402
from traced import settled  # noqa: E402

BUILD = sys.argv[1]
UNITS = 12

WORK = """set -e
export GIT_AUTHOR_DATE=2026-11-24T00:00:00Z GIT_COMMITTER_DATE=2026-11-24T00:00:00Z
git clone -q --no-hardlinks "$PWD/origin" project
cd project
make -s -j2
./program > ../out/program.txt
node total.js > ../out/node.txt
python3 total.py > ../out/python.txt
./report.sh > ../out/report.txt
sed -i 's/unit 3/unit three/' unit3.c
make -s -j2
./program > ../out/program2.txt
git -c user.name=T -c user.email=t@example.com commit -qam edited
git ls-files -s > ../out/index.txt
git diff HEAD~1 > ../out/diff.txt
"""
TOTAL_JS = """const fs = require("node:fs"), crypto = require("node:crypto");
const hash = crypto.createHash("sha256");
for (const name of fs.readdirSync(".").sort()) if (name.endsWith(".c")) hash.update(fs.readFileSync(name));
fs.mkdirSync("made", {recursive: true});
for (let i = 0; i < 50; ++i) fs.writeFileSync(`made/${i}.json`, JSON.stringify({i, of: hash.copy().digest("hex")}));
console.log(hash.digest("hex"));
"""
TOTAL_PY = """import hashlib, json, pathlib, subprocess
values = [json.loads(path.read_text())["i"] for path in sorted(pathlib.Path("made").glob("*.json"))]
print(sum(values), hashlib.sha256(pathlib.Path("program").read_bytes()).hexdigest())
print(subprocess.run(["/usr/bin/wc", "-l", "unit1.c"], capture_output=True, text=True, check=True).stdout.split()[0])
"""


def project():
    files = {"main.c": "".join(f"int unit{i}(void);\n" for i in range(UNITS)) +
             "#include <stdio.h>\nint main(void) { int sum = 0;\n" + "".join(f"sum += unit{i}();\n" for i in range(UNITS)) +
             'printf("%d\\n", sum); return 0; }\n',
             "Makefile": f"OBJECTS = main.o {' '.join(f'unit{i}.o' for i in range(UNITS))}\nprogram: $(OBJECTS)\n\t$(CC) -o $@ $^\n"
                         "%.o: %.c shared.h\n\t$(CC) -O1 -c -o $@ $<\n",
             "shared.h": "#define SHARED 7\n", "total.js": TOTAL_JS, "total.py": TOTAL_PY,
             "report.sh": "#!/bin/sh\nls -1 *.c | sort\nexec cat shared.h\n"}
    for i in range(UNITS):
        files[f"unit{i}.c"] = f'#include "shared.h"\n/* unit {i} */\nint unit{i}(void) {{ return SHARED * {i}; }}\n'
    return files


def is_same_anyway(path):
    """What holds times or inode numbers."""
    return "/.git/logs/" in path or path.endswith(".git/index")


def contents(root):
    """Path -> type, mode and hash of the bytes."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        kind = path.lstat().st_mode
        if path.is_symlink():
            found[name] = (kind, os.readlink(path))
        elif path.is_file() and not is_same_anyway("/" + name):
            found[name] = (kind, hashlib.sha256(path.read_bytes()).hexdigest())
        else:
            found[name] = (kind, "")
    return found


class RealWork(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reeve = throwaway.Reeve(BUILD).__enter__()
        cls.addClassCleanup(cls.reeve.__exit__, None, None, None)
        cls.workspace = cls.reeve.workspace()
        cls.before = cls.reeve.root / "before"
        cls.make_origin()
        cls.inside = cls.work_inside()
        cls.outside, cls.trace = cls.work_outside()

    @classmethod
    def as_person(cls, *command, **options):
        return subprocess.run(command, env=cls.reeve.environment(), check=True, **cls.reeve.as_person(), **options)

    @classmethod
    def make_origin(cls):
        origin = cls.reeve.workspace("workspace/origin")
        cls.reeve.workspace("workspace/out")
        for name, text in project().items():
            cls.reeve.person.write(origin / name, text, 0o755 if name.endswith(".sh") else 0o644)
        cls.reeve.person.write(cls.workspace / "work.sh", WORK)
        git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-C", str(origin)]
        cls.as_person(*git, "init", "-q", "-b", "main")
        cls.as_person(*git, "add", ".")
        cls.as_person(*git, "commit", "-qm", "first")
        shutil.copytree(cls.workspace, cls.before, symlinks=True)

    @classmethod
    def start_again(cls):
        """The workspace as it was, at the same path: paths are in what compilers write."""
        found = contents(cls.workspace)
        shutil.rmtree(cls.workspace)
        cls.as_person("mkdir", str(cls.workspace))
        subprocess.run(["cp", "-a", f"{cls.before}/.", str(cls.workspace)], check=True)
        subprocess.run(["chown", "-R", f"{cls.reeve.uid}:{cls.reeve.uid}", str(cls.workspace)], check=True)
        return found

    @classmethod
    def work_inside(cls):
        done = cls.reeve.run("sh", "work.sh")
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.records = cls.reeve.records()
        return cls.start_again()

    @classmethod
    def work_outside(cls):
        trace = cls.reeve.root / "trace"
        trace.touch()
        os.chown(trace, cls.reeve.uid, cls.reeve.uid)
        cls.as_person("strace", "-f", "-y", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,creat,execve,execveat",
                      "-o", str(trace), "sh", "work.sh", cwd=cls.workspace, stdin=subprocess.DEVNULL)
        return cls.start_again(), trace.read_text(errors="replace").splitlines()

    def in_workspace(self, path):
        return path == str(self.workspace) or path.startswith(f"{self.workspace}/")

    def test_gives_the_same_bytes_as_outside(self):
        self.assertGreater(len(self.outside), 80)
        self.assertEqual(self.inside, self.outside)

    def test_every_file_that_strace_sees_opened_is_in_the_log(self):
        opened = set()
        for line in self.trace:
            if (found := re.search(r" (?:open|openat|openat2|creat)\(.* = \d+<(/.*)>$", line)) and self.in_workspace(found.group(1)):
                opened.add(settled(found.group(1).removesuffix(" (deleted)")))
        logged = {settled(record["resource"]) for record in self.records if record["action"].startswith("file.")}
        print(f"\n{len(opened)} files and folders opened by strace's account, {len(logged)} in the log, missing: {len(opened - logged)}")
        self.assertGreater(len(opened), 100)
        self.assertEqual(opened - logged, set())

    def test_every_program_that_strace_sees_run_is_in_the_log(self):
        ran = set()
        for line in self.trace:
            if found := re.search(r' execve\("([^"]+)", .* = 0$', line):
                path = found.group(1)
                ran.add(os.path.realpath(path if path.startswith("/") else self.workspace / "project" / path))
        logged = {record["resource"] for record in self.records if record["action"] == "process.exec"}
        print(f"\n{len(ran)} programs run by strace's account, {len(logged)} in the log, missing: {len(ran - logged)}")
        self.assertGreater(len(ran), 10)
        self.assertEqual(ran - logged, set())

    def test_the_accounts_of_the_session_are_exact(self):
        end = [record for record in self.records if record["action"] == "session.end"][-1]["details"]
        self.assertEqual(end["seen"], end["recorded"] + end["coalesced"] + end["left_out"], json.dumps(end))
        counted = sum(record.get("count", 1) for record in self.records
                      if record["action"].startswith(("file.", "network.")) or record["action"] == "process.exec")
        self.assertEqual(counted, end["recorded"] + end["coalesced"] - end["joined"], json.dumps(end))


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

#!/usr/bin/env python3
"""keeper: work that changes many files, in a session with the full log against none, on ext4 and on tmpfs; and what
each call costs. The launch of the session is in each figure of a work, and stands by itself, too."""
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile

import runner
import throwaway

ROUNDS = int(os.environ.get("REEVE_BENCH_ROUNDS", "9"))
LOOPS, CALLS = 20_000, 2_000
TAR_FILES, GIT_FILES, NODE_FILES, SOURCES, GREP_FILES = 20_000, 5_000, 5_000, 100, 50_000
PACKAGES, PACKAGE_FILES = 30, 40

NODE = f"""const fs = require("node:fs");
for (let i = 0; i < {NODE_FILES}; ++i) {{
  if (i % 500 === 0) fs.mkdirSync(`made/${{i / 500}}`, {{recursive: true}});
  fs.writeFileSync(`made/${{Math.floor(i / 500)}}/${{i}}.json`, JSON.stringify({{i, text: "x".repeat(200)}}));
}}
"""
# What each leaves behind is in made/, which is empty before each round.
WORKS = {
    "launch of true": ["true"],
    f"create, write, rename, unlink, x {LOOPS:,}": ["./calls", "made", str(LOOPS), "loop"],
    f"tar x, {TAR_FILES:,} files": ["tar", "-xf", "tree.tar", "-C", "made"],
    f"git clone and commit, {GIT_FILES:,} files": ["sh", "-c", "git clone -q --no-hardlinks origin made/clone && cd made/clone && "
                                                   "for f in dir1/*; do echo more >> $f; done && git commit -qam more"],
    f"node, {NODE_FILES:,} writes": ["node", "write.js"],
    f"gcc of {SOURCES} files, make -j2": ["make", "-s", "-j2", "-C", "sources", f"OUT=../made"],
    f"npm install, {PACKAGES} packages": ["sh", "-c", "cp -R packages made/packages && cd made/packages/application && "
                                         "npm install --install-links --offline --no-audit --no-fund --loglevel=error > /dev/null"],
    f"grep -r, {GREP_FILES:,} files": ["grep", "-rc", "needle 7$", "small", "--no-messages"],
}


def make_sources(folder):
    folder.mkdir()
    names = [f"part{at}" for at in range(SOURCES)]
    for name in names:
        (folder / f"{name}.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n" + "".join(
            f"int {name}_{f}(int x) {{ char b[64]; snprintf(b, sizeof b, \"%d\", x); return atoi(b) + x * {f}; }}\n" for f in range(10)))
    objects = " ".join(f"$(OUT)/{name}.o" for name in names)
    (folder / "Makefile").write_text(f"all: {objects}\n$(OUT)/%.o: %.c\n\tgcc -O1 -c -o $@ $<\n")


def make_packages(folder):
    names = [f"package-{at}" for at in range(PACKAGES)]
    (folder / "application").mkdir(parents=True)
    (folder / "application/package.json").write_text(json.dumps(
        {"name": "application", "version": "1.0.0", "dependencies": {name: f"file:../{name}" for name in names}}))
    for name in names:
        (folder / name / "lib").mkdir(parents=True)
        (folder / name / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0"}))
        for at in range(PACKAGE_FILES):
            (folder / name / f"lib/{at}.js").write_text(f"// {at}\n" * 40)


def make_workspace(reeve, workspace):
    """What the works work on, of the person."""
    with tarfile.open(workspace / "tree.tar", "w") as archive:
        for at in range(TAR_FILES):
            entry = tarfile.TarInfo(f"dir{at // 500}/file{at}")
            entry.size = 300
            archive.addfile(entry, io.BytesIO(b"x" * 300))
    origin = workspace / "origin"
    for at in range(GIT_FILES):
        folder = origin / f"dir{at // 250}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file{at}").write_text(f"line {at}\n" * 10)
    git = ["git", "-c", "user.name=Bench", "-c", "user.email=bench@reeve.invalid", "-C", origin]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    for at in range(GREP_FILES):
        folder = workspace / f"small/{at // 500:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{at % 500:03}.txt").write_text(f"line {at}\nneedle {at % 997}\n" * 8)
    (workspace / "write.js").write_text(NODE)
    make_sources(workspace / "sources")
    make_packages(workspace / "packages")
    shutil.copy(throwaway.find_program(reeve.build, "bench_tool_calls"), workspace / "calls")
    subprocess.run(["chown", "-Rh", f"{reeve.uid}:{reeve.uid}", workspace], check=True)


def empty(reeve, workspace):
    """made/ as it is before each round."""
    made = workspace / "made"
    if made.exists():
        shutil.rmtree(made)
    made.mkdir()
    os.chown(made, reeve.uid, reeve.uid)


def environment(reeve, workspace):
    return {**reeve.environment(), "GIT_AUTHOR_NAME": "B", "GIT_AUTHOR_EMAIL": "b@example.com", "GIT_COMMITTER_NAME": "B",
            "GIT_COMMITTER_EMAIL": "b@example.com", "npm_config_cache": str(workspace / "npm-cache")}


def peers(reeve, workspace, argv):
    """Outside, and in a session; what git is told by its environment is passed on by env, which a session would not."""
    alike = {"cwd": workspace, "env": environment(reeve, workspace), **reeve.as_person()}
    told = [f"{key}={value}" for key, value in environment(reeve, workspace).items() if key.startswith(("GIT_", "npm_"))]
    return {"native": runner.command(["env", *told, *argv], **alike),
            "reeve run": runner.command([reeve.client, "run", "--", "env", *told, *argv], **alike)}


def calls(reeve, workspace):
    """Microseconds of each call, outside and inside: medians of rounds in turn."""
    found = {"native": {}, "reeve run": {}}
    for at in range(ROUNDS):
        for name in list(found) if at % 2 == 0 else list(found)[::-1]:
            empty(reeve, workspace)
            before = [reeve.client, "run", "--"] if name == "reeve run" else []
            done = subprocess.run([*before, "./calls", "made", str(CALLS)], cwd=workspace, env=environment(reeve, workspace), text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=True, **reeve.as_person())
            for line in done.stdout.splitlines():
                call, _, us = line.partition("\t")
                found[name].setdefault(call, []).append(float(us))
    return {call: {name: statistics.median(found[name][call]) for name in found} for call in found["native"]}


def measure(reeve, place, workspace, figures):
    make_workspace(reeve, workspace)
    for name, argv in WORKS.items():
        row = runner.compared(runner.interleaved(peers(reeve, workspace, argv), ROUNDS, warm=1,
                                                 prepare=lambda: empty(reeve, workspace)), "native")
        figures[f"{name}, {place}"] = row
        runner.show(f"{name}, on {place}", row, "native")
    figures[f"calls, {place}"] = costs = calls(reeve, workspace)
    print(f"\nmicroseconds of a call, on {place}\n  {'':<28} {'native':>10} {'reeve run':>10} {'more':>8}")
    for call, us in costs.items():
        print(f"  {call:<28} {us['native']:>10.2f} {us['reeve run']:>10.2f} {us['reeve run'] - us['native']:>8.2f}", flush=True)


def main():
    figures = {}
    with throwaway.Reeve(pathlib.Path(sys.argv[1])) as reeve:
        kind = subprocess.run(["stat", "-f", "-c", "%T", reeve.home], capture_output=True, text=True, check=True).stdout.strip()
        measure(reeve, kind, reeve.workspace("disk"), figures)
        memory = reeve.workspace("memory")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", memory], check=True)
        try:
            measure(reeve, "tmpfs", memory, figures)
        finally:
            subprocess.run(["umount", "-l", memory], check=True)
    runner.save(figures)


os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
throwaway.enter_namespace()
main()

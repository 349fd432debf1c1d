#!/usr/bin/env python3
"""work: git status, grep -r over 50,000 small files and a C build, in a session with the full log against none; and the
same outside of any session, alone and beside 20 idle sessions."""
import os
import pathlib
import subprocess
import sys
import time

import runner
import throwaway

ROUNDS, IDLE_SESSIONS = 15, 20
FILES, SOURCES = 50_000, 40


def make_tree(reeve):
    """A git checkout of 50,000 small files, and a C program of 40 sources."""
    tree = reeve.home / "tree"
    for at in range(FILES):
        folder = tree / "small" / f"{at // 500:03}"
        if at % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"{at % 500:03}.txt").write_text(f"line {at}\nneedle {at % 997}\n" * 8)
    build = tree / "program"
    build.mkdir()
    names = [f"part{at}" for at in range(SOURCES)]
    for name in names:
        (build / f"{name}.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
            f"int {name}_{f}(int x) {{ char b[64]; snprintf(b, sizeof b, \"%d\", x); return (int)strlen(b) + x * {f}; }}\n"
            for f in range(40)))
    (build / "main.c").write_text("int main(void) { return 0; }\n")
    objects = " ".join(f"{name}.o" for name in [*names, "main"])
    (build / "Makefile").write_text(f"program: {objects}\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -O1 -c -o $@ $<\n")
    git = ["git", "-c", "user.name=Bench", "-c", "user.email=bench@reeve.invalid", "-C", tree]
    subprocess.run(["git", "init", "-q", tree], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "all"], check=True)
    subprocess.run(["chown", "-R", f"{reeve.uid}:{reeve.uid}", tree], check=True)
    return tree


WORK = {"git status": ["git", "status", "--short"], "grep -r, 50,000 files": ["grep", "-rc", "needle 7$", "small", "--no-messages"],
        "C build, make -j2": ["make", "-s", "-B", "-j2", "-C", "program"]}


def in_session(reeve, argv, tree):
    return runner.command([throwaway.find_program(reeve.build, "reeve"), "run", "--", *argv], cwd=tree,
                          env=reeve.environment(), **reeve.as_person())


def outside(reeve, argv, tree):
    return runner.command(argv, cwd=tree, env=reeve.environment(), **reeve.as_person())


def idle_sessions(reeve, tree):
    sessions = [subprocess.Popen([throwaway.find_program(reeve.build, "reeve"), "run", "--", "sleep", "infinity"], cwd=tree,
                                 env=reeve.environment(), stdin=subprocess.DEVNULL, **reeve.as_person())
                for _ in range(IDLE_SESSIONS)]
    deadline = time.monotonic() + 60
    while len(reeve.reeve("ps", "--json").stdout.splitlines()) < IDLE_SESSIONS:
        if time.monotonic() > deadline:
            raise RuntimeError("the idle sessions did not start")
        time.sleep(0.05)
    return sessions


def beside_idle(reeve, argv, tree, rounds):
    """Seconds alone and beside 20 idle sessions, in turn, starting with either."""
    seconds, once = {"alone": [], "beside 20 idle sessions": []}, outside(reeve, argv, tree)
    once()
    for at in range(rounds):
        for name in list(seconds) if at % 2 == 0 else list(seconds)[::-1]:
            sessions = idle_sessions(reeve, tree) if name != "alone" else []
            began = time.perf_counter()
            once()
            seconds[name].append(time.perf_counter() - began)
            if sessions:
                reeve.reeve("stop", "--all")
            for session in sessions:
                session.wait(60)
    return seconds


def main():
    figures = {}
    with throwaway.Reeve(pathlib.Path(sys.argv[1])) as reeve:
        tree = make_tree(reeve)
        for name, argv in WORK.items():
            peers = {"native": outside(reeve, argv, tree), "reeve run": in_session(reeve, argv, tree)}
            figures[name] = runner.compared(runner.interleaved(peers, ROUNDS, warm=1), "native")
            runner.show(name, figures[name], "native")
        for name, argv in WORK.items():
            row = runner.compared(beside_idle(reeve, argv, tree, ROUNDS), "alone")
            figures[f"{name}, outside"] = row
            runner.show(f"{name}, outside of any session", row, "alone")
    runner.save(figures)


os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
throwaway.enter_namespace()
main()

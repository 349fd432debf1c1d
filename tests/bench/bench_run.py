#!/usr/bin/env python3
"""run: `true`, started by `reeve run`, bubblewrap with like mounts, firejail and npm sandbox-runtime; and by Reeve in
workspaces of 10 to a million files."""
import os
import pathlib
import sys

import runner
import throwaway

ROUNDS, SLOW_ROUNDS = 60, 15
SIZES = (10, 1_000, 100_000, 1_000_000)


def bubblewrap(workspace):
    """The namespaces and zones of a session of Reeve's under the default policy."""
    return ["bwrap", "--unshare-all", "--new-session", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc",
            "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", str(workspace), str(workspace),
            "--chdir", str(workspace), "true"]


def in_workspace(reeve, workspace):
    return runner.command([throwaway.find_program(reeve.build, "reeve"), "run", "--", "true"], cwd=workspace,
                          env=reeve.environment(), **reeve.as_person())


def make_workspace(reeve, count):
    """A workspace with that many files, a thousand a folder, of the person."""
    workspace = reeve.home / f"files-{count}"
    workspace.mkdir()
    for at in range(count):
        if at % 1000 == 0:
            folder = workspace / f"{at // 1000:04}"
            folder.mkdir()
            os.chown(folder, reeve.uid, reeve.uid)
        (folder / f"{at % 1000:03}").touch()
    os.chown(workspace, reeve.uid, reeve.uid)
    return workspace


def main():
    build = pathlib.Path(sys.argv[1])
    with throwaway.Reeve(build) as reeve:
        workspaces = {count: make_workspace(reeve, count) for count in SIZES}
        small = workspaces[SIZES[0]]
        # All as the same person in the same folder, with the same environment.
        alike = {"cwd": small, "env": reeve.environment(), **reeve.as_person()}
        peers = {"no sandbox": runner.command(["true"], **alike), "reeve run": in_workspace(reeve, small),
                 "bubblewrap": runner.command(bubblewrap(small), **alike),
                 "firejail": runner.command(["firejail", "--quiet", "--noprofile", "--net=none", "--private-dev", "true"], **alike)}
        peers = {name: peer for name, peer in peers.items() if runner.works(peer)}
        fast = runner.compared(runner.interleaved(peers, ROUNDS), "bubblewrap")
        runner.show("launch of true", fast, "bubblewrap")

        srt, slow = runner.sandbox_runtime(build), {}
        if srt:
            pair = {"reeve run": in_workspace(reeve, small), "sandbox-runtime": runner.command([srt, "true"], **alike)}
            if runner.works(pair["sandbox-runtime"]):
                slow = runner.compared(runner.interleaved(pair, SLOW_ROUNDS), "reeve run")
                runner.show("beside npm sandbox-runtime", slow, "reeve run")

        flat = runner.interleaved({f"{count} files": in_workspace(reeve, folder) for count, folder in workspaces.items()}, ROUNDS)
        flat = runner.compared(flat, f"{SIZES[0]} files")
        runner.show("reeve run by size of the workspace", flat, f"{SIZES[0]} files")
        steps = reeve.run("true", cwd=small, options=["-v"])
        print(f"\nsteps of one launch\n{steps.stderr}")
        runner.save({"launch": fast, "sandbox_runtime": slow, "by_files": flat, "steps": steps.stderr})


throwaway.enter_namespace()
main()

#!/usr/bin/env python3
"""rest: reeved and its helpers with one idle session, for 60 s: memory, processor time, wake-ups."""
import os
import pathlib
import re
import subprocess
import sys
import time

import runner
import throwaway

SECONDS = 60


def counters(pid):
    """Clock ticks used and times that a thread woke, of all threads."""
    ticks = wakes = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        wakes += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (thread / "status").read_text(), re.M).group(1))
    return ticks, wakes


def main():
    with throwaway.Reeve(pathlib.Path(sys.argv[1])) as reeve:
        workspace = reeve.home / "workspace"
        workspace.mkdir()
        os.chown(workspace, reeve.uid, reeve.uid)
        session = subprocess.Popen([throwaway.find_program(reeve.build, "reeve"), "run", "--", "sleep", "infinity"], cwd=workspace,
                                   env=reeve.environment(), stdin=subprocess.DEVNULL, **reeve.as_person())
        while not reeve.reeve("ps", "--json").stdout.strip():
            time.sleep(0.05)
        time.sleep(3)  # what the start set off has to settle: at rest is what is measured
        pids = [pid for pid in runner.family(reeve.daemon.pid) if pathlib.Path(f"/proc/{pid}/smaps_rollup").exists()]
        before = {pid: counters(pid) for pid in pids}
        time.sleep(SECONDS)
        rows = {}
        print(f"  {'':<24} {'RSS MiB':>8} {'PSS MiB':>8} {'CPU ms':>8} {'wake-ups':>9}   in {SECONDS} s")
        for pid in pids:
            ticks, wakes = (after - was for after, was in zip(counters(pid), before[pid]))
            name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            row = {**runner.memory(pid), "cpu_ms": 1000 * ticks / os.sysconf("SC_CLK_TCK"), "wake_ups": wakes}
            rows[f"{name} {pid}"] = row
            print(f"  {name:<24} {row['rss']:>8.1f} {row['pss']:>8.1f} {row['cpu_ms']:>8.0f} {row['wake_ups']:>9}")
        reeve.reeve("stop", "--all")
        session.wait(60)
    runner.save(rows)


throwaway.enter_namespace()
main()

#!/usr/bin/env python3
"""veil: looking for what is hidden in the home, from a session: lookups a second, microseconds of each, what is in the
log of them, and the memory of reeve-veil and reeved before and after a million."""
import pathlib
import shutil
import subprocess
import sys

import runner
import throwaway

ROUNDS, NAMES, MANY = 7, 20_000, 1_000_000


def looked(reeve, where, names, each, folder):
    """Microseconds of a lookup from inside."""
    done = reeve.run("./lookups", where, names, each, cwd=folder, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"lookups: {done.stderr}")
    seconds, found = done.stdout.split()
    if found != "0":
        raise RuntimeError(f"{found} names were found that are not to be seen")
    return 1e6 * float(seconds) / (names * each)


def outside(reeve, folder):
    done = subprocess.run(["./lookups", str(reeve.home), str(NAMES), "1"], cwd=folder, capture_output=True, text=True, check=True,
                          **reeve.as_person())
    return 1e6 * float(done.stdout.split()[0]) / NAMES


def processes(reeve):
    """Name -> process id, of the daemon and what serves the session."""
    found = {}
    for pid in runner.family(reeve.daemon.pid):
        comm = pathlib.Path(f"/proc/{pid}/comm")
        if comm.exists():
            found.setdefault(comm.read_text().strip(), pid)
    return found


def counted(reeve, under, since):
    """How many accesses, and in how many records, the log has of names there."""
    records = [record for record in reeve.records("--path", f"{under}/none-*") if record["seq"] > since]
    return sum(record.get("count", 1) for record in records), len(records)


def last(reeve):
    return max((record["seq"] for record in reeve.records()), default=0)


def memory_of_many(reeve, folder):
    """MiB before and after a million lookups in one session."""
    steps = reeve.spawn("sh", "-c", f"./lookups {reeve.home} 1000 1; echo; read x; ./lookups {reeve.home} {MANY} 1; echo; read x || true",
                        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    rows = {}
    for when in ("before", "after"):
        while steps.stdout.readline().strip():
            pass
        rows[when] = {name: runner.memory(pid)["rss"] for name, pid in processes(reeve).items() if name in ("reeve-veil", "reeved")}
        if when == "before":
            steps.stdin.write("\n")
            steps.stdin.flush()
    steps.stdin.close()
    if steps.wait(60) != 0:
        raise RuntimeError(f"the session ended with {steps.returncode}")
    return rows


def main():
    with throwaway.Reeve(pathlib.Path(sys.argv[1])) as reeve:
        folder = reeve.workspace()
        shutil.copy(throwaway.find_program(reeve.build, "bench_tool_lookups"), folder / "lookups")
        seconds = {"native": [], "distinct names": [], "one name": []}
        since = last(reeve)
        for _ in range(ROUNDS):
            seconds["native"].append(outside(reeve, folder))
            seconds["distinct names"].append(looked(reeve, reeve.home, NAMES, 1, folder))
            seconds["one name"].append(looked(reeve, reeve.home, 1, NAMES, folder))
        rows = {name: {"median_us": sorted(all_of)[len(all_of) // 2], "per_second": 1e6 / sorted(all_of)[len(all_of) // 2]}
                for name, all_of in seconds.items()}
        for name, row in rows.items():
            print(f"  lookups, {name:<20} {row['median_us']:>8.2f} us {row['per_second']:>12,.0f} a second", flush=True)
        accesses, records = counted(reeve, reeve.home, since)
        done = ROUNDS * NAMES * 2
        print(f"  in the log {accesses:,} of {done:,} lookups, in {records:,} records")
        rows["log"] = {"looked_up": done, "accesses": accesses, "records": records}
        rows["memory"] = memory_of_many(reeve, folder)
        for when, row in rows["memory"].items():
            print(f"  MiB {when} {MANY:,} lookups: " + ", ".join(f"{name} {mib:.1f}" for name, mib in row.items()), flush=True)
    runner.save(rows)


throwaway.enter_namespace()
main()

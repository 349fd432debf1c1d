"""Runs peers in turn, again and again, and compares them: figures from one machine at one time, as ratios.

In every round each peer runs once, in an order that changes from round to round; a ratio is the median of the ratios
within the rounds, so that a machine that slows down for a while slows all peers alike.
"""
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))


def command(argv, **options):
    """A peer that is one command; its output is thrown away, its failure ends the benchmark."""
    def once():
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, check=False, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr[-400:]}")
    return once


def works(peer):
    """Whether the peer runs here at all; says why not."""
    try:
        peer()
        return True
    except (RuntimeError, OSError) as error:
        print(f"left out: {error}")
        return False


def sandbox_runtime(build):
    """Installs the peer from the lock file, into the build directory; None where npm cannot."""
    folder = build.parent / "bench-peers"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "peers" / name, folder)
    if not (folder / "node_modules/.bin/srt").exists():
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"left out: sandbox-runtime: npm ci: {done.stderr[-300:]}")
            return None
    return str(folder / "node_modules/.bin/srt")


def interleaved(peers, rounds, warm=2, seed=1, prepare=lambda: None):
    """Seconds of each round, by peer. `peers` maps a name to a callable; `prepare` comes before each, and is not timed."""
    order, seconds = random.Random(seed), {name: [] for name in peers}
    for at in range(-warm, rounds):
        names = list(peers)
        order.shuffle(names)
        for name in names:
            prepare()
            began = time.perf_counter()
            peers[name]()
            if at >= 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def compared(seconds, base):
    """For each peer: median and 95th percentile in ms, and the paired ratio to `base`."""
    rows = {}
    for name, all_of in seconds.items():
        rows[name] = {"median_ms": 1000 * statistics.median(all_of),
                      "p95_ms": 1000 * sorted(all_of)[int(0.95 * (len(all_of) - 1))],
                      "ratio": statistics.median(own / of_base for own, of_base in zip(all_of, seconds[base])),
                      "rounds": len(all_of)}
    return rows


def show(title, rows, base):
    print(f"\n{title} (ratio to {base})")
    print(f"  {'':<28} {'median ms':>10} {'p95 ms':>10} {'ratio':>8}")
    for name, row in rows.items():
        print(f"  {name:<28} {row['median_ms']:>10.2f} {row['p95_ms']:>10.2f} {row['ratio']:>8.3f}", flush=True)


def family(pid):
    """The process and all below it: reeved, its spawner, what belongs to sessions, the agent."""
    children = []
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        children += (thread / "children").read_text().split()
    return [pid, *(grandchild for child in children for grandchild in family(int(child)))]


def memory(pid):
    """MiB of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name.lower(): int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1)) / 1024 for name in ("Rss", "Pss")}


def save(figures):
    where = os.environ.get("REEVE_BENCH_OUT")
    if where:
        pathlib.Path(where).write_text(json.dumps(figures, indent=1) + "\n")

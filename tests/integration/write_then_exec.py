#!/usr/bin/env python3
"""A program that was written and closed can be run at once: by several threads of several processes, without ETXTBSY.

usage: write_then_exec.py BUILD ROUNDS
"""
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD, ROUNDS = sys.argv[1], sys.argv[2]


class WriteThenExec(unittest.TestCase):
    def test_never_busy(self):
        with throwaway.Reeve(BUILD) as reeve:
            workspace = reeve.workspace()
            program = shutil.copy(throwaway.find_program(BUILD, "write_then_exec"), workspace)
            made = reeve.workspace("workspace/made")
            done = reeve.run(program, made, ROUNDS, "3", "4", timeout=1200)
            print(f"\n{done.stdout.strip()}")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"rounds {ROUNDS}, failed 0\n", ""))
            self.assertEqual(list(made.iterdir()), [])


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

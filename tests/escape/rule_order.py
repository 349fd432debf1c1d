#!/usr/bin/env python3
"""What a policy says does not hang on the order of its rules: a tree is allowed, a part of it denied, a part of that
excepted, in every order, in a workspace (the keeper) and in the home (the veil); a session shows it.

usage: rule_order.py BUILD
"""
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
SYSTEM = [{"allow": ["read", "execute"], "paths": ["/usr/**"]}, {"allow": ["read"], "paths": ["/etc/**"]}]
RULES = [
    {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]},
    {"deny": ["write"], "paths": ["**/denied/**"], "except": ["**/denied/open/**"]},
    {"allow": ["read"], "paths": ["${home}/notes/**"]},
    {"deny": ["read", "write"], "paths": ["${home}/notes/private/**"]},
]
# Of each pair in both orders, and the pairs as well; more orders there are none that could matter.
ORDERS = [(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (3, 2, 1, 0)]
# What is tried, and whether it goes.
TRIED = {"echo x > free": True, "echo x > denied/x": False, "echo x > denied/open/x": True, "mkdir denied/new": False,
         "cat ~/notes/plain": True, "cat ~/notes/private/diary": False,
         "echo x > ~/notes/plain": False}


class RuleOrder(unittest.TestCase):
    def in_order(self, rules):
        vendor = pathlib.Path("/var/tmp") / f"reeve-order-{os.getpid()}.json"
        vendor.write_text(json.dumps({"schema": "reeve.policy/1", "id": "vendor", "version": 1, "mode": "enforce",
                                      "files": [*rules, *SYSTEM]}))
        self.addCleanup(vendor.unlink, missing_ok=True)
        with throwaway.Reeve(BUILD, settings={"vendor_policy": str(vendor)}) as reeve:
            reeve.workspace("workspace/denied/open")
            for name in ("notes/plain", "notes/private/diary"):
                folder = reeve.workspace(str(pathlib.PurePath(name).parent))
                reeve.person.write(folder / pathlib.PurePath(name).name, "text\n")
            script = "".join(f"if {{ {what}; }} > /dev/null 2>&1; then echo yes; else echo no; fi\n" for what in TRIED)
            done = reeve.run("sh", "-c", script)
            self.assertEqual(done.returncode, 0, done.stderr)
            return dict(zip(TRIED, (line == "yes" for line in done.stdout.split())))

    def test_every_order(self):
        for order in ORDERS:
            with self.subTest(order):
                self.assertEqual(self.in_order([RULES[at] for at in order]), TRIED)


throwaway.enter_namespace()
unittest.main(argv=sys.argv[:1], verbosity=2)

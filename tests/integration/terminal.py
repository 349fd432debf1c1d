#!/usr/bin/env python3
"""A session on a terminal, and on half a one in a pipeline: size, Ctrl-C, Ctrl-Z and fg, and the terminal left as it was.

usage: terminal.py BUILD
"""
import fcntl
import os
import pathlib
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import throwaway  # noqa: E402

BUILD = sys.argv[1]
DEADLINE = 10


def setUpModule():
    global reeve
    reeve = throwaway.Reeve(BUILD)
    unittest.addModuleCleanup(reeve.__exit__, None, None, None)
    reeve.__enter__()


class Terminal:
    """A terminal with a program of the person's on it, in a session of its own."""

    def __init__(self, argv, rows=30, columns=100, cwd=None):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.seen = ""
        os.fchown(self.slave, reeve.uid, reeve.uid)
        slave = self.slave

        def take():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(word) for word in argv], stdin=slave, stdout=slave, stderr=slave, preexec_fn=take,
                                        cwd=cwd or reeve.workspace(), env=reeve.environment(PS1="$ "), **reeve.as_person())

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        """By the client: a shell's line editor leaves signals on."""
        return not self.modes()[3] & (termios.ICANON | termios.ISIG)

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, text):
        """Reads until `text` has been shown; what was before it is forgotten."""
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{text!r} was not shown, but {self.seen!r}")
            try:
                piece = os.read(self.master, 65536)
            except OSError as error:
                raise AssertionError(f"{text!r} was not shown before the end, but {self.seen!r}") from error
            self.seen += piece.decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def wait(self):
        """The exit code; what is shown meanwhile is read, so that nobody waits for a reader."""
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end; shown: {self.seen!r}")
            if select.select([self.master], [], [], 0.05)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)


class Case(unittest.TestCase):
    def terminal(self, *argv, **options):
        made = Terminal(argv, **options)
        self.addCleanup(made.close)
        return made

    def session(self, *command, **options):
        return self.terminal(reeve.client, "run", "--", *command, **options)

    def shell(self, line, **options):
        return self.terminal("sh", "-c", line, **options)


def run():
    return f"{shlex.quote(reeve.client)} run --"


def run():
    return f"{shlex.quote(reeve.client)} run --"


class Whole(Case):
    def test_it_is_a_terminal_of_the_same_size_and_another_one(self):
        terminal = self.session("sh", "-c", "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all three", rows=41, columns=123)
        self.assertEqual(terminal.wait(), 0)
        self.assertIn("/dev/pts/", terminal.seen)
        self.assertIn("41 123", terminal.seen)
        self.assertIn("all three", terminal.seen)

    def test_a_new_size_is_seen_inside(self):
        terminal = self.session("sh", "-c", "trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.05; done")
        terminal.expect("ready")
        terminal.resize(50, 140)
        terminal.expect("50 140")
        self.assertEqual(terminal.wait(), 4)

    def test_the_exit_code_and_all_of_the_output(self):
        terminal = self.session("sh", "-c", "seq 1 20000; exit 6")
        self.assertEqual(terminal.wait(), 6)
        self.assertEqual(terminal.seen.split(), [str(number) for number in range(1, 20001)])

    def test_control_c_is_for_the_command(self):
        terminal = self.session("sh", "-c", "trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.05; done")
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.expect("interrupted")
        self.assertEqual(terminal.wait(), 8)

    def test_control_c_ends_what_does_not_catch_it(self):
        terminal = self.session("sh", "-c", "echo ready; exec cat")
        terminal.expect("ready")
        terminal.type("\x03")
        self.assertEqual(terminal.wait(), 128 + signal.SIGINT)

    def test_what_is_typed_is_echoed_once_and_read(self):
        terminal = self.session("sh", "-c", "echo ready; read line; echo got:$line")
        terminal.expect("ready")
        terminal.type("hello\r")
        self.assertEqual(terminal.expect("got:hello").count("hello"), 1)
        self.assertEqual(terminal.wait(), 0)

    def test_end_of_data_by_control_d(self):
        terminal = self.session("sh", "-c", "echo ready; cat; echo ended")
        terminal.expect("ready")
        terminal.type("\x04")
        terminal.expect("ended")
        self.assertEqual(terminal.wait(), 0)

    def test_the_terminal_is_raw_meanwhile_and_then_as_it_was(self):
        terminal = self.session("sh", "-c", "echo ready; read line")
        before = terminal.modes()
        terminal.expect("ready")
        throwaway.wait_until(terminal.is_raw, "the terminal is raw")
        terminal.type("\r")
        terminal.wait()
        self.assertEqual(terminal.modes(), before)

    def test_it_is_as_it_was_when_the_session_is_stopped_or_its_client_signalled(self):
        for end in (lambda terminal: reeve.reeve("stop", "--all"),
                    lambda terminal: terminal.process.send_signal(signal.SIGSEGV)):
            terminal = self.session("sh", "-c", "echo ready; exec sleep 1000")
            before = terminal.modes()
            terminal.expect("ready")
            throwaway.wait_until(terminal.is_raw, "the terminal is raw")
            end(terminal)
            terminal.wait()
            self.assertEqual(terminal.modes(), before)

    def test_a_terminal_that_hangs_up_ends_the_session(self):
        terminal = self.session("sh", "-c", "echo ready; exec sleep 1000")
        terminal.expect("ready")
        os.close(terminal.slave)
        os.close(terminal.master)
        terminal.master, terminal.slave = os.openpty()  # for close()
        terminal.process.wait(DEADLINE)
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")


class JobControl(Case):
    """With a real shell: it sees the client stop, and gets its terminal back."""

    def setUp(self):
        self.bash = self.terminal("bash", "--norc", "--noprofile", "-i")
        self.bash.type("bind 'set enable-bracketed-paste off'; echo shell-$((20+2))\n")
        self.bash.expect("shell-22")
        self.cooked = self.bash.modes()[:4]

    def test_control_z_stops_it_and_fg_goes_on(self):
        bash = self.bash
        bash.type(f"{run()} sh -c 'echo re''ady; read line; echo got:$line'; echo code-$?\n")
        bash.expect("ready")
        throwaway.wait_until(bash.is_raw, "the terminal is raw")
        bash.type("\x1a")
        bash.expect("Stopped")
        self.assertIn("stopped", reeve.reeve("ps").stdout)
        bash.type("echo shell-$((30+3))\n")
        bash.expect("shell-33")
        bash.type("fg\n")
        throwaway.wait_until(lambda: "running" in reeve.reeve("ps").stdout, "it runs again")
        bash.type("hello\r")
        bash.expect("got:hello")
        bash.expect("$ ")
        bash.type("echo back-$((40+4)); exit\n")
        bash.expect("back-44")
        bash.wait()

    def test_a_pipeline_stops_as_a_whole(self):
        bash = self.bash
        # exec: a shell that waits for its vfork(2) cannot be stopped, there as little as here.
        bash.type(f"{run()} sh -c 'echo re''ady >&2; exec sleep 1000' | cat\n")
        bash.expect("ready")
        bash.type("\x1a")
        bash.expect("Stopped")
        bash.type("kill %1; wait; echo shell-$((50+5))\n")
        bash.expect("shell-55")
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")

    def test_in_the_background_it_leaves_the_terminal_alone(self):
        bash = self.bash
        bash.type(f"{run()} sh -c 'echo re''ady; exec sleep 1000' &\n")
        bash.expect("ready")
        bash.type("echo shell-$((60+6))\n")
        bash.expect("shell-66")
        bash.type("fg\n")
        throwaway.wait_until(bash.is_raw, "the terminal is raw")
        bash.type("\x03")
        bash.expect("$ ")
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")


class Half(Case):
    """Some streams are the terminal, others are not: the terminal is then shared with the rest of the pipeline."""

    def test_output_into_a_pipe(self):
        terminal = self.shell(f"{run()} sh -c 'test -t 0 && test -t 2 && ! test -t 1 && echo half' | cat; echo ended")
        terminal.expect("half")
        terminal.expect("ended")

    def test_input_from_a_pipe(self):
        terminal = self.shell(f"echo x | {run()} sh -c 'cat; ! test -t 0 && test -t 1 && echo half'; echo ended")
        terminal.expect("x\r\n")
        terminal.expect("half")
        terminal.expect("ended")

    def test_the_terminal_stays_in_line_mode_in_a_pipeline(self):
        # The keys are those of the pager at its end.
        terminal = self.shell(f"{run()} sh -c 'echo ready >&2; exec sleep 1000' | cat")
        before = terminal.modes()
        terminal.expect("ready")
        self.assertEqual(terminal.modes(), before)
        terminal.type("\x03")
        terminal.wait()
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")

    def test_keys_that_another_program_of_the_pipeline_takes_are_its_own(self):
        terminal = self.shell(f"{run()} sh -c 'echo ready; cat >&2' | sh -c 'read line; stty -icanon -echo </dev/tty; echo pager; "
                              "for i in 1 2 3 4 5 6 7 8; do k=$(dd bs=1 count=1 2>/dev/null </dev/tty); echo key:$k; done'")
        terminal.expect("pager")
        for key in "abcdefgh":
            terminal.type(key)
            terminal.expect(f"key:{key}")

    def test_lines_and_their_end_reach_the_command(self):
        terminal = self.shell(f"{run()} sh -c 'echo ready >&2; cat' | sed s/^/got:/; echo ended")
        terminal.expect("ready")
        terminal.type("hello\n")
        terminal.type("\x04")
        shown = terminal.expect("got:hello")
        self.assertEqual(shown.count("hello"), 1, shown)
        terminal.expect("ended")

    def test_keys_reach_a_command_that_takes_the_terminal_though_its_input_is_a_pipe(self):
        # As `git log | reeve run less` does.
        terminal = self.shell(f"echo x | {run()} sh -c 'stty -icanon -echo </dev/tty; echo ready; "
                              "k=$(dd bs=1 count=1 2>/dev/null </dev/tty); echo key:$k'; echo ended")
        terminal.expect("ready")
        terminal.type("q")
        terminal.expect("key:q")
        terminal.expect("ended")
        self.assertFalse(terminal.is_raw())

    def test_control_c_in_a_pipeline_ends_it(self):
        terminal = self.shell(f"{run()} sh -c 'echo ready >&2; exec sleep 1000' | cat; echo ended", rows=20)
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.wait()
        throwaway.wait_until(lambda: reeve.reeve("ps", "--json").stdout == "", "the session is gone")


if __name__ == "__main__":
    throwaway.enter_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])

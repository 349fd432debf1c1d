#include "tests/integration/posture_programs.hpp"

#ifdef REEVE_TEST_PROBE
namespace reeve::platform::posture {
std::span<const Program> programs() {
    return test::test_programs();
}
}  // namespace reeve::platform::posture
#endif

namespace reeve::platform::posture::test {
namespace {

constexpr unsigned kLong = 20'000;
constexpr std::size_t kMuch = 64 * 1024;

Program python(std::string_view id, const char* script, unsigned limit_ms = kLong,
               std::size_t max_output = kMuch) {
    return {.id = id,
            .argv = {"/usr/bin/python3", "-I", "-c", script},
            .why = "a test",
            .limit_ms = limit_ms,
            .max_output = max_output};
}

}  // namespace

std::span<const Program> test_programs() {
    static const Program kPrograms[] = {
        {.id = "status",
         .argv = {"/bin/cat", "/proc/self/status"},
         .why = "a test",
         .limit_ms = kLong,
         .max_output = kMuch},
        {.id = "environment",
         .argv = {"/usr/bin/env"},
         .why = "a test",
         .limit_ms = kLong,
         .max_output = kMuch},
        {.id = "input", .argv = {"/bin/cat"}, .why = "a test", .limit_ms = kLong, .max_output = kMuch},
        {.id = "exit-3",
         .argv = {"/bin/sh", "-c", "echo said; exit 3"},
         .why = "a test",
         .limit_ms = kLong,
         .max_output = kMuch},
        {.id = "missing",
         .argv = {"/nonexistent/program"},
         .why = "a test",
         .limit_ms = kLong,
         .max_output = kMuch},
        {.id = "directory", .argv = {"/"}, .why = "a test", .limit_ms = kLong, .max_output = kMuch},
        python(
            "crash",
            "import ctypes; ctypes.string_at(0)"),  // a fault: the first process of a namespace ignores kill()
        python("fds", "import os; print(*sorted(int(f) for f in os.listdir('/proc/self/fd')))"),
        python("processes", "import os; print(*sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))"),
        python("place", "import os; print(os.getcwd()); print(oct(os.umask(0)))"),
        python("network", R"(
import socket
print(*[name for _, name in socket.if_nameindex()])
for address in (('127.0.0.1', 9), ('192.0.2.1', 9)):
    try: socket.create_connection(address, 5); print('through')
    except OSError as error: print(error.strerror)
)"),
        python("write", R"(
import os
for path in ('/', '/var/tmp', '/dev/shm', '/run', '/etc', '/usr', '/proc/self'):
    try: open(os.path.join(path, 'reeve-posture-test'), 'w'); print(path, 'written')
    except OSError: print(path, 'refused')
open('/tmp/own', 'w').write('x'); print('/tmp', os.listdir('/tmp'))
open('/dev/null', 'w').write('x'); print('/dev/null written')
)"),
        python("privilege", R"(
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for name, call in (('setuid', lambda: libc.setuid(0)), ('mount', lambda: libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)),
                   ('chroot', lambda: libc.chroot(b'/')), ('sethostname', lambda: libc.sethostname(b'x', 1))):
    print(name, 'done' if call() == 0 else 'refused')
child = os.fork()
if child == 0:
    os.dup2(os.open('/dev/null', os.O_RDWR), 1)
    os.execv('/usr/bin/su', ['su', '--version'])
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print([line for line in open(f'/proc/{child}/status') if line.startswith('Uid')][0].split())
)"),
        python("limits", R"(
import resource as r
print(*[r.getrlimit(kind)[1] for kind in (r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_AS)])
)"),
        // Children that leave the group and the session, and keep the pipe: they must be gone too. They say so when they are up.
        python("hang", R"(
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1000)
print('up', flush=True)
while True: time.sleep(1000)
)",
               1'500),
        python("daemon", R"(
import os, time
if os.fork() == 0:
    os.setsid()
    while True: time.sleep(1000)
print('left one behind')
)"),
        python("flood", "while True: print('x' * 10000)", kLong, 20'000),
        python("exactly", "print('x' * 99)", kLong, 100),
        python("one-more", "print('x' * 100)", kLong, 100),
    };
    return kPrograms;
}

}  // namespace reeve::platform::posture::test

// What the parts of reeve-self-test share: how a wall is tried, and what is written down of it.
//
// The program is for inside: started as the only command of a session of its own, with the person's ids. Run outside, as
// root too, it does no harm: what gets through is undone, or is about itself or nothing.
#pragma once

#include <sys/types.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::platform::posture {

struct Targets {
    const char* absent_path;  // exists outside, and is not granted
    const char*
        read_only_dir;  // a directory of a read-only zone; best one that the person may change outside
    // A process that exists outside. Empty where the number names ourselves here: then numbers do not mean outside what they
    // mean here, which is what the wall is about.
    std::optional<pid_t> outside;
};

// The ways that were tried to get through one wall.
class Tries {
  public:
    void way(std::string_view name, bool through, int error = errno);
    // A call that is stopped if it fails at all.
    void call(std::string_view name, long result) { way(name, result >= 0, errno); }
    // A call with arguments that do no harm on purpose: stopped only by one of a wall's answers. Any other error comes from
    // behind the wall.
    void past(std::string_view name, long result);
    void untried(std::string_view why) { why_untried_ = why; }

    std::optional<bool> held() const;  // empty: nothing could be tried
    std::string detail() const;  // one line, printable ASCII without quotes and backslashes, below 200 bytes

  private:
    bool tried_ = false;
    std::string through_, stopped_, why_untried_;
};

// A process of our own to try things on; ended and reaped with the object.
class Victim {
  public:
    Victim();
    ~Victim();
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_;
};

// Does it in a child process, whose end undoes it. The errno that it returns, 0 for success; EINTR where a signal ended it.
int in_child(int (*action)());

// What `reeve-self-test --ran` exits with: shows that it was executed.
inline constexpr int kRan = 42;

using Try = void (*)(Tries&, const Targets&);
void try_host_secrets(Tries& tries, const Targets& targets);
void try_absent_path(Tries& tries, const Targets& targets);
void try_read_only_zone(Tries& tries, const Targets& targets);
void try_nested_namespace(Tries& tries, const Targets& targets);
void try_mount(Tries& tries, const Targets& targets);
void try_ptrace(Tries& tries, const Targets& targets);
void try_process_memory(Tries& tries, const Targets& targets);
void try_proc_root(Tries& tries, const Targets& targets);
void try_network_out(Tries& tries, const Targets& targets);
void try_unix_datagram(Tries& tries, const Targets& targets);
void try_odd_sockets(Tries& tries, const Targets& targets);
void try_io_uring(Tries& tries, const Targets& targets);
void try_bpf(Tries& tries, const Targets& targets);
void try_perf(Tries& tries, const Targets& targets);
void try_keyring(Tries& tries, const Targets& targets);
void try_userfaultfd(Tries& tries, const Targets& targets);
void try_setuid(Tries& tries, const Targets& targets);
void try_chroot(Tries& tries, const Targets& targets);
void try_tty_injection(Tries& tries, const Targets& targets);
void try_memfd_exec(Tries& tries, const Targets& targets);
void try_file_handles(Tries& tries, const Targets& targets);
void try_signals(Tries& tries, const Targets& targets);
void try_capabilities(Tries& tries, const Targets& targets);
void try_no_new_privileges(Tries& tries, const Targets& targets);
void try_seccomp_filter(Tries& tries, const Targets& targets);

}  // namespace reeve::platform::posture

// One call of a session's thread while the keeper works on it: its arguments, its thread, and what it gets.
//
// Arguments are copied once. What was copied counts only after confirm(), which asks the kernel whether the caller
// still waits; everything that resolves paths calls it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/keeper/umasks.hpp"
#include "platform/linux/notify/listener.hpp"

namespace reeve::keeper {

// What the caller gets.
struct Answer {
    enum class Kind : std::uint8_t { value, error, proceed };
    Kind kind = Kind::value;
    std::int64_t value = 0;
    int code = 0;

    static Answer done(std::int64_t value = 0) { return {Kind::value, value, 0}; }
    static Answer fail(int code) { return {Kind::error, 0, code}; }
    // 0 or an errno.
    static Answer of(int code) { return code == 0 ? done() : fail(code); }
    // The kernel does it, with the caller's rights, under the session's Landlock domain.
    static Answer proceed() { return {Kind::proceed, 0, 0}; }
};

class Request {
  public:
    Request(const platform::notify::Listener& listener, Callers& callers, const platform::notify::Call& call,
            const char* operation)
        : listener_(listener), callers_(callers), call_(call), operation_(operation) {}

    const platform::notify::Call& call() const { return call_; }
    const platform::notify::Listener& listener() const { return listener_; }
    const char* operation() const { return operation_; }  // the call's name without "at" and digits

    std::uint64_t word(int i) const { return call_.arguments[i]; }
    int number(int i) const {
        return static_cast<int>(call_.arguments[i]);
    }  // the kernel takes the lower half
    unsigned bits(int i) const { return static_cast<unsigned>(call_.arguments[i]); }

    // 0, or the errno that the call gives for such memory.
    int path(int i, std::string& out) const;  // ENAMETOOLONG beyond PATH_MAX; may be empty
    int text(std::uint64_t address, std::size_t most, int too_long, std::string& out) const;
    int memory(std::uint64_t address, void* to, std::size_t size) const;

    // Whether the caller still waits, so that what was read is its own. Asks once.
    bool confirm();

    // A file of /proc/TID of the caller: "cwd", "fd/7". O_PATH, and what the link leads to.
    Or<platform::Fd> open(const char* relative, std::uint64_t flags = 0);
    // The descriptor of the caller's, O_PATH. EBADF where it has none of that number.
    Or<platform::Fd> descriptor(int number);
    // The same, but EBADF for one that was opened with O_PATH, as the calls that work on descriptors have it.
    Or<platform::Fd> open_descriptor(int number);

    // Whether the caller can have no more descriptors (RLIMIT_NOFILE). Where it said no a moment ago and the table was
    // far from full, it is not asked again: false may be wrong then.
    bool table_is_full();

    // Asked for once, and the first of the two: a remembered caller that is no more is found out by it, before what
    // is remembered of it (its umask) is used.
    Or<std::string> executable();
    Or<mode_t> umask(Umasks& umasks);
    Or<std::shared_ptr<const Caller>> caller();

  private:
    // Runs `ask` on the remembered caller, and again on a fresh one where that turned out to be another's.
    template <class Ask>
    auto ask(Ask ask) -> decltype(ask(std::declval<const Caller&>()));

    const platform::notify::Listener& listener_;
    Callers& callers_;
    const platform::notify::Call& call_;
    const char* operation_;
    std::shared_ptr<const Caller> caller_;
    std::optional<std::string> executable_;
    bool fresh_ = false, confirmed_ = false;
};

}  // namespace reeve::keeper

#include "daemon/keeper/dispatch.hpp"

#include <errno.h>
#include <linux/audit.h>

#include <algorithm>
#include <array>

#include "platform/linux/notify/calls.hpp"

namespace reeve::keeper {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name this architecture for seccomp"
#endif

constexpr auto kHandlers = std::to_array<Handler>({
#ifdef SYS_open
    {SYS_open, "open", do_open},
    {SYS_creat, "creat", do_creat},
    {SYS_mkdir, "mkdir", do_mkdir},
    {SYS_mknod, "mknod", do_mknod},
    {SYS_rename, "rename", do_rename},
    {SYS_link, "link", do_link},
    {SYS_symlink, "symlink", do_symlink},
    {SYS_unlink, "unlink", do_unlink},
    {SYS_rmdir, "rmdir", do_rmdir},
    {SYS_chmod, "chmod", do_chmod},
    {SYS_chown, "chown", do_chown},
    {SYS_lchown, "lchown", do_lchown},
    {SYS_utime, "utime", do_utime},
    {SYS_utimes, "utimes", do_utimes},
    {SYS_futimesat, "utimes", do_futimesat},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "rename", do_renameat},
#endif
    {SYS_openat, "open", do_openat},
    {SYS_mkdirat, "mkdir", do_mkdirat},
    {SYS_mknodat, "mknod", do_mknodat},
    {SYS_renameat2, "rename", do_renameat2},
    {SYS_linkat, "link", do_linkat},
    {SYS_symlinkat, "symlink", do_symlinkat},
    {SYS_unlinkat, "unlink", do_unlinkat},
    {SYS_truncate, "truncate", do_truncate},
    {SYS_fchmod, "fchmod", do_fchmod},
    {SYS_fchmodat, "chmod", do_fchmodat},
    {platform::notify::kFchmodat2, "chmod", do_fchmodat2},
    {SYS_fchown, "fchown", do_fchown},
    {SYS_fchownat, "chown", do_fchownat},
    {SYS_utimensat, "utimens", do_utimensat},
    {SYS_setxattr, "setxattr", do_setxattr},
    {SYS_lsetxattr, "lsetxattr", do_lsetxattr},
    {SYS_fsetxattr, "fsetxattr", do_fsetxattr},
    {SYS_removexattr, "removexattr", do_removexattr},
    {SYS_lremovexattr, "lremovexattr", do_lremovexattr},
    {SYS_fremovexattr, "fremovexattr", do_fremovexattr},
    {SYS_bind, "bind", do_bind},
    {SYS_connect, "connect", do_connect},
    {SYS_umask, "umask", do_umask},
});

// By number: a call is looked up a hundred thousand times a second.
constexpr std::size_t kNumbers = 512;
constexpr auto kByNumber = [] {
    std::array<const Handler*, kNumbers> table{};
    for (const Handler& handler : kHandlers) table[static_cast<std::size_t>(handler.number)] = &handler;
    return table;
}();

}  // namespace

Answer do_umask(Work& work) {
    work.engine.umasks.begin(work.request.call().tid);
    return Answer::proceed();
}

const Handler* handler_of(int number) {
    const auto index = static_cast<std::size_t>(number);
    return index < kNumbers ? kByNumber[index] : nullptr;
}

void work_on(Engine& engine, const platform::notify::Call& call) {
    const Handler* handler = call.architecture == kArchitecture ? handler_of(call.number) : nullptr;
    if (handler == nullptr) return engine.listener.fail(call.id, ENOSYS);
    engine.umasks.settle(call.tid);
    Request request(engine.listener, engine.callers, call, handler->operation);
    Work work(engine, request);
    const Answer answer = handler->run(work);
    switch (answer.kind) {
        case Answer::Kind::value:
            return engine.listener.give(call.id, answer.value);
        case Answer::Kind::error:
            return engine.listener.fail(call.id, answer.code);
        case Answer::Kind::proceed:
            return engine.listener.proceed(call.id);
    }
}

}  // namespace reeve::keeper

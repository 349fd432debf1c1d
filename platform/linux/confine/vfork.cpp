#include "platform/linux/confine/vfork.hpp"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace reeve::platform::confine {
namespace {

// clone3(2), and in the child, which has a new and empty stack, child(argument): all in one piece of assembly, since
// nothing that the compiler keeps on the old stack may be relied on there. A negative errno where it fails.
[[maybe_unused]] long clone_onto_stack(const clone_args& arguments, void (*child)(void*), void* argument) {
#if defined(__x86_64__)
    long result = SYS_clone3;
    asm volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "mov %[argument], %%rdi\n\t"
        "call *%[child]\n\t"
        "hlt\n"
        "1:"
        : "+a"(result)
        : "D"(&arguments), "S"(sizeof arguments), [child] "r"(child), [argument] "r"(argument)
        : "rcx", "r11", "cc", "memory");
    return result;
#elif defined(__aarch64__)
    register long result asm("x0") = reinterpret_cast<long>(&arguments);
    register long size asm("x1") = sizeof arguments;
    register long number asm("x8") = SYS_clone3;
    asm volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x0, %[argument]\n\t"
        "blr %[child]\n\t"
        "brk #0\n"
        "1:"
        : "+r"(result)
        : "r"(size), "r"(number), [child] "r"(child), [argument] "r"(argument)
        : "x30", "cc", "memory");
    return result;
#endif
}

}  // namespace

long vfork_child(clone_args arguments, void (*child)(void*), void* argument) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) child(argument);
    return pid;
#else
    alignas(16) static char stack[64 * 1024];
    arguments.flags |= CLONE_VM | CLONE_VFORK;
    arguments.stack = reinterpret_cast<std::uintptr_t>(stack);
    arguments.stack_size = sizeof stack;
    const long pid = clone_onto_stack(arguments, child, argument);
    if (pid >= 0) return pid;
    errno = static_cast<int>(-pid);
    return -1;
#endif
}

}  // namespace reeve::platform::confine

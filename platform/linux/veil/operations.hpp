// Requests of libfuse as calls of the veil. Internal to session.cpp and the operations' own files.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "platform/linux/veil/veil.hpp"

namespace reeve::platform::veil {

fuse_lowlevel_ops operations();
void add_file_operations(fuse_lowlevel_ops& ops);

inline Veil& veil_of(fuse_req_t request) {
    return *static_cast<Veil*>(fuse_req_userdata(request));
}
inline pid_t who(fuse_req_t request) {
    return fuse_req_ctx(request)->pid;
}
// What was put into fuse_file_info::fh, which is an integer.
template <class T>
T* in_handle(std::uint64_t handle) {
    return reinterpret_cast<T*>(handle);  // NOLINT(performance-no-int-to-ptr)
}
// What the kernel may keep: ways for good, everything else for no time at all, since a look from a cache is a look
// that nobody counts.
fuse_entry_param entry_param(const Veil::Entry& entry);
void answer(fuse_req_t request, const OrErrno<Veil::Entry>& entry);
void answer_attributes(fuse_req_t request, const OrErrno<Veil::Entry>& entry);

}  // namespace reeve::platform::veil

// Plans and the messages of the link as bytes (platform/linux/wire.hpp).
#pragma once

#include "platform/confine.hpp"
#include "platform/linux/wire.hpp"

namespace reeve::platform::confine {

// One list of fields a type, for both directions.
template <class V>
void fields(V& v, Zone& z) {
    v(z.path, z.device, z.inode, z.directory, z.writable, z.executable, z.log);
}
template <class V>
void fields(V& v, PrivateDirectory& d) {
    v(d.path, d.size, d.of_person, d.executable, d.mode, d.log, d.kept);
}
template <class V>
void fields(V& v, Person& p) {
    v(p.uid, p.gid, p.groups, p.name);
}
template <class V>
void fields(V& v, Symlink& l) {
    v(l.path, l.target);
}
template <class V>
void fields(V& v, Limits& l) {
    v(l.memory, l.processes);
}
template <class V>
void fields(V& v, Terminal& t) {
    v(t.standard_input, t.standard_output, t.standard_error, t.rows, t.columns);
}
template <class V>
void fields(V& v, Plan& p) {
    v(p.session, p.person, p.zones, p.private_directories, p.veiled, p.masks, p.links, p.working_directory,
      p.command, p.environment, p.terminal, p.limits, p.trap_reads, p.required_landlock, p.report_steps,
      p.without);
}

namespace wire {

using platform::wire::bytes_of;
using platform::wire::decoded;
using platform::wire::encoded;
using platform::wire::Reader;
using platform::wire::Writer;

// The first byte of a packet on the link.
enum class Kind : unsigned char {
    kStepDone = 1,
    kStepFailed,
    kMounted,
    kStarted,
    kStopped,
    kExited,  // up
    kSignal = 64,
    kEnd  // down
};

template <class... T>
std::string packet(Kind kind, const T&... values) {
    Writer writer;
    writer(static_cast<unsigned char>(kind), values...);
    return std::move(writer.bytes);
}

}  // namespace wire
}  // namespace reeve::platform::confine

// setxattr, removexattr and their forms.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

using policy::FileAction;

struct Attribute {
    std::string name, value;
    int flags = 0;
    bool removed = false;
};

// The name, with the errors of the kernel's import_xattr_name().
int read_name(Work& work, Attribute& attribute) {
    constexpr std::size_t kMost = XATTR_NAME_MAX + 1;
    const int code = work.request.text(work.request.word(1), kMost, ERANGE, attribute.name);
    return code == 0 && attribute.name.empty() ? ERANGE : code;
}

int read_set(Work& work, Attribute& attribute) {
    const std::uint64_t size = work.request.word(3);
    attribute.flags = work.request.number(4);
    if ((attribute.flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return EINVAL;
    if (const int code = read_name(work, attribute); code != 0) return code;
    if (size > XATTR_SIZE_MAX) return E2BIG;
    attribute.value.resize(size);
    return work.request.memory(work.request.word(2), attribute.value.data(), size);
}

int read_remove(Work& work, Attribute& attribute) {
    attribute.removed = true;
    return read_name(work, attribute);
}

int change_attribute(int object, const Attribute& attribute) {
    const std::string link = std::string("/proc/self/fd/") + Tree::link_of(object).text;
    if (attribute.removed) return code_of(::removexattr(link.c_str(), attribute.name.c_str()));
    return code_of(::setxattr(link.c_str(), attribute.name.c_str(), attribute.value.data(),
                              attribute.value.size(), attribute.flags));
}

using Read = int (*)(Work&, Attribute&);

Answer attribute_at(Work& work, Read read, bool follow) {
    Attribute attribute;
    std::string path;
    if (const int code = read(work, attribute); code != 0) return Answer::fail(code);
    if (const int code = work.request.path(0, path); code != 0) return Answer::fail(code);
    return change_at(work, AT_FDCWD, path, follow, FileAction::attributes,
                     [&](int object) { return change_attribute(object, attribute); });
}

Answer attribute_of(Work& work, Read read) {
    Attribute attribute;
    if (const int code = read(work, attribute); code != 0) return Answer::fail(code);
    return change_descriptor(work, work.request.number(0), false, FileAction::attributes,
                             [&](int object) { return change_attribute(object, attribute); });
}

}  // namespace

Answer do_setxattr(Work& work) {
    return attribute_at(work, read_set, true);
}
Answer do_lsetxattr(Work& work) {
    return attribute_at(work, read_set, false);
}
Answer do_fsetxattr(Work& work) {
    return attribute_of(work, read_set);
}
Answer do_removexattr(Work& work) {
    return attribute_at(work, read_remove, true);
}
Answer do_lremovexattr(Work& work) {
    return attribute_at(work, read_remove, false);
}
Answer do_fremovexattr(Work& work) {
    return attribute_of(work, read_remove);
}

}  // namespace reeve::keeper

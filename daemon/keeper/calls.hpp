// The calls, one function each. Each copies its arguments, resolves, judges, does and reports, and gives what the
// caller gets. The table that names them is dispatch.cpp.
#pragma once

#include "daemon/keeper/work.hpp"

namespace reeve::keeper {

// open.cpp
Answer do_open(Work& work);
Answer do_creat(Work& work);
Answer do_openat(Work& work);

// create.cpp
Answer do_mkdir(Work& work);
Answer do_mkdirat(Work& work);
Answer do_mknod(Work& work);
Answer do_mknodat(Work& work);
Answer do_symlink(Work& work);
Answer do_symlinkat(Work& work);

// remove.cpp
Answer do_unlink(Work& work);
Answer do_rmdir(Work& work);
Answer do_unlinkat(Work& work);

// rename.cpp
Answer do_rename(Work& work);
Answer do_renameat(Work& work);
Answer do_renameat2(Work& work);

// link.cpp
Answer do_link(Work& work);
Answer do_linkat(Work& work);

// attributes.cpp
Answer do_truncate(Work& work);
Answer do_chmod(Work& work);
Answer do_fchmod(Work& work);
Answer do_fchmodat(Work& work);
Answer do_fchmodat2(Work& work);
Answer do_chown(Work& work);
Answer do_lchown(Work& work);
Answer do_fchown(Work& work);
Answer do_fchownat(Work& work);

// times.cpp
Answer do_utime(Work& work);
Answer do_utimes(Work& work);
Answer do_futimesat(Work& work);
Answer do_utimensat(Work& work);

// xattr.cpp
Answer do_setxattr(Work& work);
Answer do_lsetxattr(Work& work);
Answer do_fsetxattr(Work& work);
Answer do_removexattr(Work& work);
Answer do_lremovexattr(Work& work);
Answer do_fremovexattr(Work& work);

// dispatch.cpp
Answer do_umask(Work& work);

// bind.cpp
Answer do_bind(Work& work);

}  // namespace reeve::keeper

// The calls, one function each. Each copies its arguments, resolves, judges, does and reports, and gives what the
// caller gets. The table that names them is dispatch.cpp.
//
// What is allowed gives what it gives outside (tests/testcases/behaviour), but for:
// - names whose whole path has PATH_MAX bytes or more are ENAMETOOLONG: the kernel tells no such path to judge by;
// - RENAME_WHITEOUT is EINVAL, whiteouts and set-user-id files are EPERM, ids of other people EINVAL;
// - directories above a place of the session, and mounts, do not move (EBUSY), and what would gain rights by a move
//   does not (EXDEV, so that programs copy);
// - a socket's own name (getsockname) is its last component (bind.cpp);
// - a call that waits for a FIFO's other end ends up to 50 ms after its signal; of a process with several threads, a
//   signal to all of it ends it with EINTR even where SA_RESTART asks for more;
// - beyond 256 such waits at once, the next is ENFILE;
// - connect() that a signal reaches before the keeper has seen the call is EINTR, where SA_RESTART does not ask for more,
//   without having begun;
// - fs.protected_symlinks, fs.protected_regular and fs.protected_fifos are not asked: all of a session is one person's.
// Not defended: a second name that a file has had since before the session, and renames by programs outside of it.
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

// connect.cpp
Answer do_connect(Work& work);

}  // namespace reeve::keeper

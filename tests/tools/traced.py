"""The changes of files that `strace -f -y` saw, as the log would have them: what was asked, of which path, with what result.

    strace -f -y -qq -s 4096 -o trace -e trace=CALLS COMMAND
    changes(lines of trace, directory=where COMMAND began, below=workspace)      Change -> how often
"""
import collections
import errno
import os
import re

# What was asked: the call's name without "at" and digits, forms of one thing as one. `path` is resolved as far as there
# is something to resolve; `target`: a rename's and a link's second path, a symbolic link's text. `result`: 0 or errno.
Change = collections.namedtuple("Change", "what path target result")

# Call -> what it is, and which arguments are: the directory's descriptor and path; those of the second path.
_OPEN, _REMOVE = "open", "remove"
_FORMS = {
    "open": (_OPEN, None, 0), "openat": (_OPEN, 0, 1), "creat": (_OPEN, None, 0),
    "mkdir": ("mkdir", None, 0), "mkdirat": ("mkdir", 0, 1), "mknod": ("mknod", None, 0), "mknodat": ("mknod", 0, 1),
    "unlink": (_REMOVE, None, 0), "unlinkat": (_REMOVE, 0, 1), "rmdir": (_REMOVE, None, 0),
    "rename": ("rename", None, 0, None, 1), "renameat": ("rename", 0, 1, 2, 3), "renameat2": ("rename", 0, 1, 2, 3),
    "link": ("link", None, 0, None, 1), "linkat": ("link", 0, 1, 2, 3),
    "symlink": ("symlink", None, 1), "symlinkat": ("symlink", 1, 2), "truncate": ("truncate", None, 0),
    "chmod": ("chmod", None, 0), "fchmodat": ("chmod", 0, 1), "fchmodat2": ("chmod", 0, 1), "fchmod": ("chmod", 0, None),
    "chown": ("chown", None, 0), "lchown": ("chown", None, 0), "fchownat": ("chown", 0, 1), "fchown": ("chown", 0, None),
    "utimensat": ("times", 0, 1), "utime": ("times", None, 0), "utimes": ("times", None, 0), "futimesat": ("times", 0, 1),
    "setxattr": ("setxattr", None, 0), "lsetxattr": ("setxattr", None, 0), "fsetxattr": ("setxattr", 0, None),
    "removexattr": ("removexattr", None, 0), "lremovexattr": ("removexattr", None, 0), "fremovexattr": ("removexattr", 0, None),
}
# Who starts whom, and where each stands: paths are relative to that.
CALLS = ",".join([*(f"?{call}" for call in _FORMS), "chdir", "fchdir", "?clone", "?clone3", "?fork", "?vfork"])
# What records call it -> what it is here.
_RECORDED = {"creat": _OPEN, "unlink": _REMOVE, "rmdir": _REMOVE, "lchown": "chown", "fchown": "chown", "fchmod": "chmod",
             "utimens": "times", "utime": "times", "utimes": "times", "futimes": "times", "futimens": "times",
             "lsetxattr": "setxattr", "fsetxattr": "setxattr", "lremovexattr": "removexattr", "fremovexattr": "removexattr"}
_LINE = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|\?)(?:<([^>]*)>)?(?: (E[A-Z]+))?")
_ARGUMENT = re.compile(r'"((?:\\.|[^"\\])*)"(\.\.\.)?|([\w-]+)<((?:[^>\\]|\\.)*)>|\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*')


def settled(path):
    """Names that a program chooses at random, as one name."""
    path = re.sub(r"tmp_(obj|pack|idx|rev)_\w+", r"tmp_\1_X", path)
    path = re.sub(r"/\.tmp-\d+-pack", "/.tmp-N-pack", path)
    path = re.sub(r"/(refs|packs)_\w{6}$", r"/\1_X", path)
    path = re.sub(r"/st\w{6}$", "/stX", path)
    path = re.sub(r"/cc\w{6}\.", "/ccX.", path)
    path = re.sub(r"/sed\w{6}$", "/sedX", path)
    return re.sub(r"/t\w{6}$", "/tX", path)


def _text(quoted):
    return quoted.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")


def _arguments(text):
    """Each as (string or None, path of a descriptor or None, as written)."""
    return [(_text(one.group(1)) if one.group(1) is not None else None, one.group(4), one.group(0))
            for one in _ARGUMENT.finditer(text)]


def _resolved(path):
    """With links of its directory followed, where there is one now."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _path(arguments, cwd, directory, path):
    if path is None or arguments[path][0] is None:  # the descriptor's own file
        return arguments[directory][1] if directory is not None else None
    base = arguments[directory][1] if directory is not None else None
    return _resolved(os.path.normpath(os.path.join(base or cwd, arguments[path][0])))


def parse(line, cwd):
    """The change that a line of strace is about, without the process; None where it is about none."""
    found = _LINE.match(line)
    if not found or found.group(1) not in _FORMS or found.group(3) == "?":
        return None
    call, text, _, opened, error = found.groups()
    arguments = _arguments(text)
    what, directory, path, *second = _FORMS[call]
    if what is _OPEN and call != "creat":
        flags = arguments[path + 1][2]
        if not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)", flags) or "O_PATH" in flags:
            return None
    where = _path(arguments, cwd, directory, path)
    if opened is not None:
        where = opened.removesuffix(" (deleted)")
    target = _path(arguments, cwd, *second) if second else arguments[0][0] if what == "symlink" else ""
    return Change(what, where or "", target or "", getattr(errno, error) if error else 0)


def _whole(lines):
    """(process, call) of each line, those that were cut in two put together where they ended."""
    begun = {}
    for line in lines:
        process, _, text = line.partition(" ")
        text = text.lstrip()
        if text.endswith(" <unfinished ...>"):
            begun[process] = text.removesuffix(" <unfinished ...>")
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            yield process, begun.pop(process, "") + resumed.group(1)
        else:
            yield process, text


def _reached(change, text, there):
    """Whether the call came as far as a name. Where its directory is missing, or is no directory, there is nothing that
    could be decided, and so no record. `there`: directories in which something was done before."""
    if change.result == errno.ENOTDIR:
        return change.what == _REMOVE
    creates = "O_CREAT" in text or change.what in ("mkdir", "mknod", "symlink")
    return change.result != errno.ENOENT or (not creates and os.path.dirname(change.path) in there)


def changes(lines, directory, below):
    """Change -> how often, of those that are about something below that folder."""
    whole = list(_whole(lines))
    parents = {}
    for process, text in whole:
        if started := re.match(r"(?:clone|clone3|fork|vfork)\(.*\)\s+= (\d+)", text):
            parents[started.group(1)] = process
    standing, counted, there = {}, collections.Counter(), set()
    for process, text in whole:
        # A child's first call may come before its parent's call returns: it stands where that stands.
        cwd = standing.setdefault(process, standing.get(parents.get(process), directory))
        if moved := re.match(r'chdir\("((?:\\.|[^"\\])*)"\)\s+= 0|fchdir\(\d+<([^>]*)>\)\s+= 0', text):
            name = moved.group(2) if moved.group(1) is None else _text(moved.group(1))
            standing[process] = os.path.normpath(os.path.join(cwd, name))
            continue
        change = parse(text, cwd)
        if change is not None and change.result == 0:
            there |= {os.path.dirname(change.path), os.path.dirname(change.target), change.path if change.what == "mkdir" else ""}
        if change is not None and any(part == below or part.startswith(f"{below}/") for part in (change.path, change.target)) and \
                _reached(change, text, there):
            counted[change._replace(path=settled(change.path), target=settled(change.target))] += 1
    return counted


def recorded(record):
    """The change that a record of the log is about; None for records of other things."""
    details = record.get("details", {})
    # An open for writing of what is there is told by its end, which has the size.
    what = details.get("operation", _OPEN if details.get("event") == "close_write" else None)
    if not record["action"].startswith("file.") or what is None:
        return None
    return Change(_RECORDED.get(what, what), settled(record["resource"]), settled(details.get("target", "")),
                  0 if record["outcome"] == "allowed" else _number(details.get("errno", -1)))


def _number(error):
    return getattr(errno, error) if isinstance(error, str) else error

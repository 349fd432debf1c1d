# Python's own work: unpacking, an environment, compiled modules that are written to one side and moved.
set -e
unset PYTHONDONTWRITEBYTECODE
python3 -m zipfile -e ../tree.zip unpacked
find unpacked -type f -exec touch -d 2026-01-02T03:04:05Z {} +
python3 -m venv --without-pip environment
environment/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)' > inside
python3 -m compileall -q --invalidation-mode checked-hash unpacked
PYTHONPATH=unpacked python3 -c 'import module0, module1; print(module0.value + module1.value)' > imported
python3 - <<'END'
import os, pathlib, shutil, sqlite3, tempfile
shutil.copytree("unpacked", "copied", symlinks=True)
shutil.make_archive("archive", "tar", "copied")
os.unlink("archive.tar")
with tempfile.TemporaryDirectory(dir=".") as folder:
    shutil.move("copied", folder)
    os.replace(pathlib.Path(folder, "copied"), "moved")
with sqlite3.connect("some.db") as base:
    base.execute("create table t(x)")
    base.executemany("insert into t values(?)", [(x,) for x in range(100)])
os.makedirs("a/b/c")
os.removedirs("a/b/c")
END

import hashlib
import pathlib
import platform

names = sorted(path.name for path in pathlib.Path(".").iterdir() if path.is_file())
print(f"python {platform.python_version()}: {len(names)} files, {hashlib.sha256(' '.join(names).encode()).hexdigest()[:12]}")

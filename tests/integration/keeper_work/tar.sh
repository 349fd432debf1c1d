# tar's own work: modes and times set at the end, hard links, links out of order, a fifo, over what is there.
set -e
mkdir plain over
tar -xpf ../tree.tar -C plain
tar -xpf ../tree.tar -C over --exclude='*7' --exclude=sub4/locked
tar -xpf ../tree.tar -C over --exclude=sub4/locked
tar -xpf ../tree.tar -C over --recursive-unlink --exclude=sub4/locked
mkdir keep
tar -xf ../tree.tar -C keep --exclude=sub4/locked
tar -xf ../tree.tar -C keep --exclude=sub4/locked --keep-newer-files 2> /dev/null
cd plain
tar --sort=name --mtime=2026-01-02 --owner=0 --group=0 --numeric-owner -cf ../again.tar -- *

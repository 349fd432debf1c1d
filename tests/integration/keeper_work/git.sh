# git's own work: renames of locks, hard links of clones, modes of objects, packs and their removal, worktrees.
set -e
export GIT_AUTHOR_DATE=2026-11-24T00:00:00Z GIT_COMMITTER_DATE=2026-11-24T00:00:00Z GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=T GIT_AUTHOR_EMAIL=t@example.com GIT_COMMITTER_NAME=T GIT_COMMITTER_EMAIL=t@example.com
git init -q -b main one
cd one
git config pack.threads 1
git config gc.auto 0
mkdir -p deep/er
for i in $(seq 60); do echo "line $i" > "deep/file$i"; done
echo program > deep/er/run && chmod 755 deep/er/run
ln -s file1 deep/link
git add .
git commit -qm first
git checkout -q -b side
for i in $(seq 20); do echo "side $i" >> "deep/file$i"; done
git commit -qam side
git checkout -q main
git mv deep/file60 moved
git rm -q deep/file59
git commit -qm main
git merge -q -m merged side
git tag -a -m tagged v1
echo more >> moved
git stash -q
git stash pop -q
git worktree add -q ../tree side
echo tree > ../tree/new
git -C ../tree add new
git -C ../tree commit -qm tree
git gc -q --prune=now
git repack -adfq --threads=1
git fsck --strict
cd ..
git clone -q one linked
git clone -q --no-hardlinks --bare one bare.git
git -C linked checkout -q -b more
git -C linked rm -qr deep
git -C linked commit -qm gone
git -C linked push -q ../bare.git more
git -C linked clean -qdfx
git -C one worktree remove --force ../tree
git -C one worktree prune
for repository in one linked; do
    git -C $repository ls-files -s > "index-$repository"
    git -C $repository status --porcelain > "status-$repository"
done
git -C bare.git log --all --format='%H %s' > log.txt

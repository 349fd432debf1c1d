# rsync's own work: temporary names, times, modes and links kept, deletion, in place and by way of another folder.
set -e
mkdir source
tar -xpf ../tree.tar -C source
rsync -aH source/ first/
rsync -aH source/ second/
touch -d 2026-01-02T03:04:05Z source/sub0/file0
chmod 600 source/sub0/file1
rm -rf source/sub1
echo changed > source/sub0/file2
touch -d 2026-01-02T03:04:06Z source/sub0/file2 source/sub0 source
rsync -aH --delete source/ first/
rsync -aH --inplace --delete-before source/ second/
rsync -aH --link-dest=../first source/ third/
rsync -aH --partial-dir=.parts --delay-updates --checksum source/ fourth/
rsync -aHn --itemize-changes source/ first/ > same

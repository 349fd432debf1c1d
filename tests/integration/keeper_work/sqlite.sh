# SQLite's own work: locks of bytes between processes, journals that come and go, shared memory that is mapped.
# 4 writers a database, in every mode of journal; a copy in order, since theirs is by chance.
set -e
for mode in wal delete truncate persist; do
    sqlite3 "$mode.db" "PRAGMA journal_mode=$mode; CREATE TABLE t(writer INT, at INT, text TEXT, PRIMARY KEY(writer, at));" > /dev/null
    writers=
    for writer in 1 2 3 4; do
        {
            echo ".timeout 120000"
            [ "$mode" = wal ] || echo "PRAGMA journal_mode=$mode;"
            for at in $(seq 10); do
                echo "BEGIN IMMEDIATE; INSERT INTO t VALUES($writer, $at, hex($at * $writer)); UPDATE t SET text = text || 'x' WHERE writer = $writer; COMMIT;"
            done
        } | sqlite3 -bail "$mode.db" > /dev/null &
        writers="$writers $!"
    done
    for one in $writers; do wait "$one"; done
    sqlite3 "$mode.db" "PRAGMA integrity_check; SELECT count(*), min(length(text)), max(length(text)) FROM t;" > "$mode.txt"
    sqlite3 "$mode.db" "SELECT * FROM t ORDER BY writer, at;" >> "$mode.txt"
    sqlite3 "$mode.db" "ATTACH '$mode-copy.db' AS copy; CREATE TABLE copy.t AS SELECT * FROM t ORDER BY writer, at;"
    sqlite3 "$mode.db" "PRAGMA wal_checkpoint(TRUNCATE);" > /dev/null
done

"""Reads paths of databases, one a line, and says of each whether it is whole: `ok`, or what is wrong."""

import sqlite3
import sys

for line in sys.stdin:
    try:
        database = sqlite3.connect(f"file:{line.strip()}?mode=ro", uri=True)
        found = [row[0] for row in database.execute("pragma integrity_check(5)")]
        found += [f"foreign key in {row[0]}" for row in database.execute("pragma foreign_key_check")]
        database.close()
        print("ok" if found == ["ok"] else "; ".join(found), flush=True)
    except sqlite3.Error as error:
        print(error, flush=True)

"""Commits numbers to a database and says each once it is committed: `writer.py DATABASE SYNCHRONOUS`.

With `count` in place of the second word it says how many there are."""

import itertools
import sqlite3
import sys

path, how = sys.argv[1:]
database = sqlite3.connect(path, isolation_level=None)
if how == "count":
    print(database.execute("select count(*) from number").fetchone()[0])
    sys.exit()
database.execute("pragma journal_mode = wal")
database.execute(f"pragma synchronous = {how}")
for number in itertools.count():
    database.execute("insert into number values (?)", (number,))
    print(number, flush=True)

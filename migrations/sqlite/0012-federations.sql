-- Programs since migration 0001 go on.
--
-- What federations last said of their members, verified: `document` is the part that was chosen, packed;
-- `source` the SHA-256 of where it came from and whose signature was believed; `at` when it was fetched.
create table federation (
    id       text    not null primary key,
    at       integer not null,
    document blob    not null,
    source   blob    not null check (length(source) = 32),
    until    integer not null
) strict, without rowid;

-- Programs since migration 0001 go on.
--
-- What federations last said of their members, verified: `document` is the part that was chosen, packed;
-- `source` the SHA-256 of where it came from and whose signature was believed; `at` when it was fetched.
create table federation (
    id       text   collate "C" not null primary key,
    at       bigint not null,
    document bytea  not null,
    source   bytea  not null check (octet_length(source) = 32),
    until    bigint not null
);

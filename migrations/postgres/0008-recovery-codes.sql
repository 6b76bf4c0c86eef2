-- Programs since migration 0001 go on.
--
-- The codes that somebody keeps for the day on which phone or token is lost: one set a person, under an id of
-- its own, so that a code of a set that was replaced is never taken for one of the next. `macs`: 32 bytes a
-- code, one after the other; `used`: a bit a code, set by the one statement that spends it.
create table recovery_set (
    person  bytea  not null primary key references person (id),
    id      bytea  not null check (octet_length(id) = 16),
    macs    bytea  not null check (octet_length(macs) between 32 and 512),
    made_at bigint not null,
    used    bigint not null default 0
);

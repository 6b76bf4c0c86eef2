-- Programs since migration 0001 go on.
--
-- The codes that somebody keeps for the day on which phone or token is lost: one set a person, under an id of
-- its own, so that a code of a set that was replaced is never taken for one of the next. `macs`: 32 bytes a
-- code, one after the other; `used`: a bit a code, set by the one statement that spends it.
create table recovery_set (
    person  blob    not null primary key references person (id),
    id      blob    not null check (length(id) = 16),
    macs    blob    not null check (length(macs) between 32 and 512),
    made_at integer not null,
    used    integer not null default 0
) strict, without rowid;

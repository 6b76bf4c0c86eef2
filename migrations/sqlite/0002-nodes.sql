-- Programs since migration 0001 go on.

-- The nodes that serve this database, as they tell it themselves every few seconds. Nothing here outlives
-- them: it is not copied, not backed up, and forgotten after a day.
create table node (
    id            blob    not null primary key check (length(id) = 16),
    address       text    not null,
    -- What must be the same on all nodes: names and beginnings of hashes.
    configuration text    not null,
    migration     text    not null,
    name          text    not null,
    -- The order in which they came.
    number        integer not null unique,
    seen          integer not null,
    since         integer not null,
    state         text    not null,
    version       text    not null
) strict, without rowid;

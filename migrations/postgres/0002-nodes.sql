-- Programs since migration 0001 go on.

-- The nodes that serve this database, as they tell it themselves every few seconds. Nothing here outlives
-- them: it is not copied, not backed up, and forgotten after a day.
create table node (
    id            bytea  not null primary key check (octet_length(id) = 16),
    address       text   not null,
    -- What must be the same on all nodes: names and beginnings of hashes.
    configuration text   not null,
    migration     text   not null,
    name          text   collate "C" not null,
    -- The order in which they came.
    number        bigint not null unique,
    seen          bigint not null,
    since         bigint not null,
    state         text   not null,
    version       text   not null
);

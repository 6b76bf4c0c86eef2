-- Programs since migration 0001 go on.
--
-- Families of refresh tokens, one row each, changed in place at every renewal. A family has the id of the
-- code with which it began. `number`: of the token that is due next; `renewed`, `again`: when the one
-- before was used, and whether it was asked for a second time because the answer was lost. An `offline`
-- family outlives its session's limits, and no sign-out.
create table refresh (
    family      bytea  not null primary key check (octet_length(family) = 16),
    again       bigint not null default 0,
    application text   not null,
    epoch       bigint not null,
    number      bigint not null default 0,
    offline     bigint not null,
    person      bytea  not null references person (id),
    renewed     bigint not null,
    session     bytea  not null check (octet_length(session) = 32),
    until       bigint not null
) with (fillfactor = 80);

create index refresh_of_person on refresh (person);
create index refresh_of_session on refresh (session);
create index refresh_by_end on refresh (until);

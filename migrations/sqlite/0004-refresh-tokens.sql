-- Programs since migration 0001 go on.
--
-- Families of refresh tokens, one row each, changed in place at every renewal. A family has the id of the
-- code with which it began. `number`: of the token that is due next; `renewed`, `again`: when the one
-- before was used, and whether it was asked for a second time because the answer was lost. An `offline`
-- family outlives its session's limits, and no sign-out.
create table refresh (
    family      blob    not null primary key check (length(family) = 16),
    again       integer not null default 0,
    application text    not null,
    epoch       integer not null,
    number      integer not null default 0,
    offline     integer not null,
    person      blob    not null references person (id),
    renewed     integer not null,
    session     blob    not null check (length(session) = 32),
    until       integer not null
) strict, without rowid;

create index refresh_of_person on refresh (person);
create index refresh_of_session on refresh (session);
create index refresh_by_end on refresh (until);

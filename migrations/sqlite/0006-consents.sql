-- Programs since migration 0001 go on.
--
-- What people let applications of others know about them: the scopes, as they are written, that they have
-- seen and said yes to.
create table consent (
    person      blob    not null references person (id),
    application text    not null,
    at          integer not null,
    scope       text    not null,
    primary key (person, application)
) strict, without rowid;

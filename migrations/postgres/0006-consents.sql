-- Programs since migration 0001 go on.
--
-- What people let applications of others know about them: the scopes, as they are written, that they have
-- seen and said yes to.
create table consent (
    person      bytea  not null references person (id),
    application text   collate "C" not null,
    at          bigint not null,
    scope       text   not null,
    primary key (person, application)
);

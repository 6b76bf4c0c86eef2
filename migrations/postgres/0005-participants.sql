-- Programs since migration 0001 go on.
--
-- Applications that somebody reached with a session, and that want to hear when it ends. Whoever ends it
-- takes them out and puts what they are told into the outbox, in the same transaction. `known`: the session
-- as the application knows it; `session`: the one that has taken its place since, when the person proved
-- again in the same browser.
create table participant (
    known       bytea  not null check (octet_length(known) = 32),
    application text   collate "C" not null,
    at          bigint not null,
    person      bytea  not null references person (id),
    session     bytea  not null check (octet_length(session) = 32),
    primary key (known, application)
);

create index participant_of_person on participant (person);
create index participant_of_session on participant (session);
create index participant_by_age on participant (at);

-- Programs since migration 0001 go on.
--
-- SAML messages that wait until the application fetches them, once. `key`: SHA-256 of the artifact that stands for
-- it and of the application that may fetch it; `sealed`: the message.
create table artifact (
    key    blob    not null primary key check (length(key) = 32),
    epoch  integer not null,
    sealed blob    not null,
    until  integer not null
) strict, without rowid;

create index artifact_by_end on artifact (until);

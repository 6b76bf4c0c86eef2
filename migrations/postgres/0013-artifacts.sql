-- Programs since migration 0001 go on.
--
-- SAML messages that wait until the application fetches them, once. `key`: SHA-256 of the artifact that stands for
-- it and of the application that may fetch it; `sealed`: the message.
create table artifact (
    key    bytea  not null primary key check (octet_length(key) = 32),
    epoch  bigint not null,
    sealed bytea  not null,
    until  bigint not null
);

create index artifact_by_end on artifact (until);

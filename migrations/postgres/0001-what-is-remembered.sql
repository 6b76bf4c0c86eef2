-- What is remembered. A migration that was published is never edited: a further one follows it.
--
-- Ids are 16 bytes, hashes and MACs 32; times are seconds since 1970; `sealed` columns hold what only
-- `store::seal` opens. Keys of what is written at every sign-in begin with the time (`store::key`), so
-- that what is written together lies together; what they would need an index for, upkeep walks through.
--
-- Tables and columns are those of SQLite, in the same order. What stands in an index is compared byte by
-- byte: the order of a language changes with the system's libraries, and an index would no longer fit.

create table meta (
    name   text collate "C" not null primary key,
    number bigint not null default 0,
    bytes  bytea
);

-- `epoch`: journeys and sessions of another epoch are void. `generation`: moves when a resource or
-- key changes. `probe`: sealed, tells whether the database belongs to the keys.
insert into meta (name, number) values ('epoch', 1), ('generation', 1), ('ready', 0);

create table person (
    id              bytea  not null primary key check (octet_length(id) = 16),
    disabled        bigint not null default 0,
    first_name      text   not null,
    language        text   not null,
    last_name       text   not null,
    mail            text   not null,
    method          text,
    password        bytea,
    phone           text,
    phone_confirmed bigint not null default 0,
    -- Who vouches for the number: `register` or `email_activation`.
    phone_from      text,
    role            text   not null,
    school          text collate "C",
    -- Unique as a name.
    username        text collate "C" not null
);

create index person_of_school on person (school) where school is not null;

-- Every name that leads to a person, folded: user names and aliases share one space.
create table name (
    name   text collate "C" not null primary key,
    alias  bigint not null,
    person bytea  not null references person (id)
);

-- A user name is found by folding it again.
create index name_of_person on name (person) where alias = 1;

create table password_past (
    person bytea  not null references person (id),
    number bigint not null,
    hash   bytea  not null,
    primary key (person, number)
);

create table activation (
    id      bytea  not null primary key check (octet_length(id) = 16),
    mac     bytea  not null check (octet_length(mac) = 32),
    made_at bigint not null,
    person  bytea  not null references person (id),
    until   bigint not null,
    used_at bigint
);

create index activation_of_person on activation (person);
create unique index activation_open on activation (person) where used_at is null;

-- Apps and hardware tokens. A token without a person lies in stock.
create table otp (
    id           bytea  not null primary key check (octet_length(id) = 16),
    bound_at     bigint,
    bound_place  text,
    carrier      text collate "C" not null check (carrier in ('app', 'token')),
    drift        bigint not null default 0,
    last_counter bigint,
    person       bytea references person (id),
    sealed       bytea  not null,
    serial       text collate "C" unique,
    check ((carrier = 'token') = (serial is not null)),
    check (carrier = 'token' or person is not null)
);

create unique index otp_of_person on otp (person, carrier) where person is not null;

create table journey (
    id           bytea  not null primary key check (octet_length(id) = 16),
    browser      bytea  not null check (octet_length(browser) = 32),
    epoch        bigint not null,
    person       bytea,
    resume       bytea,
    resume_until bigint,
    resume_used  bigint not null default 0,
    sealed       bytea  not null,
    support      text collate "C" not null,
    until        bigint not null,
    version      bigint not null
);

create index journey_of_person on journey (person) where person is not null;
create unique index journey_by_resume on journey (resume) where resume is not null;
create index journey_by_end on journey (until);

create table session (
    key     bytea  not null primary key check (octet_length(key) = 32),
    created bigint not null,
    epoch   bigint not null,
    person  bytea  not null references person (id),
    place   text   not null,
    proof   text   not null,
    seen    bigint not null
);

create index session_of_person on session (person);

-- Authorization codes that were redeemed. What one gave ends when it comes again.
create table code (
    id     bytea  not null primary key check (octet_length(id) = 16),
    reused bigint not null default 0,
    until  bigint not null
);

-- One-time things that are used up; the key is a hash of kind and thing.
create table used (
    hash  bytea  not null primary key check (octet_length(hash) = 32),
    until bigint not null
);

create index used_by_end on used (until);

-- Budgets of which something is spent; the key is a hash of kind and owner. `rests_at`: when all tries
-- are forgotten.
create table lane (
    hash     bytea  not null primary key check (octet_length(hash) = 32),
    at       bigint not null,
    rests_at bigint not null,
    tries    bigint not null
);

create table device (
    person bytea  not null references person (id),
    device bytea  not null check (octet_length(device) = 32),
    seen   bigint not null,
    primary key (person, device)
);

-- Messages. What was sent or failed keeps no contents.
create table outbox (
    id        bigint generated by default as identity primary key,
    attempts  bigint not null default 0,
    due_at    bigint not null,
    journey   bytea,
    note      text,
    person    bytea  not null references person (id),
    reference text collate "C" not null unique,
    sealed    bytea,
    state     text   not null check (state in ('waiting', 'trouble', 'sent', 'failed')),
    until     bigint not null
);

create index outbox_due on outbox (due_at) where sealed is not null;
create index outbox_over on outbox (until) where sealed is null;
create index outbox_of_journey on outbox (journey) where journey is not null;

create table signing_key (
    kid       text collate "C" not null primary key,
    algorithm text collate "C" not null,
    sealed    bytea not null,
    until     bigint
);

create unique index signing_key_current on signing_key (algorithm) where until is null;

create table resource (
    kind     text collate "C" not null primary key,
    contents text   not null,
    version  bigint not null
);

-- `number`: the strand of the chain in the upper bits, the place in it in the lower 48 (`store::audit`).
create table audit (
    number   bigint primary key,
    address  text,
    at       bigint not null,
    happened text   not null,
    hash     bytea  not null check (octet_length(hash) = 32),
    journey  bytea,
    person   bytea,
    place    text   not null,
    previous bytea  not null check (octet_length(previous) = 32),
    support  text collate "C" not null,
    through  text   not null
);

create index audit_by_support on audit (support) where support <> '';

-- Whoever appends to a strand holds its row until the commit. The entries tell where a strand ends.
create table audit_strand (
    strand bigint not null primary key
);

insert into audit_strand (strand)
values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- The audit is append-only, even for the owner of the table; the chain shows what a superuser did.
revoke update, delete, truncate on audit from current_user;

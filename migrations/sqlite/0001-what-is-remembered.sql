-- What is remembered. A migration that was published is never edited: a further one follows it.
--
-- Ids are 16 bytes, hashes and MACs 32; times are seconds since 1970; `sealed` columns hold what only
-- `store::seal` opens. Keys of what is written at every sign-in begin with the time (`store::key`), so
-- that what is written together lies together; what they would need an index for, upkeep walks through.

create table meta (
    name   text    not null primary key,
    number integer not null default 0,
    bytes  blob
) strict, without rowid;

-- `epoch`: journeys and sessions of another epoch are void. `generation`: moves when a resource or
-- key changes. `probe`: sealed, tells whether the database belongs to the keys.
insert into meta (name, number) values ('epoch', 1), ('generation', 1), ('ready', 0);

create table person (
    id              blob    not null primary key check (length(id) = 16),
    disabled        integer not null default 0,
    first_name      text    not null,
    language        text    not null,
    last_name       text    not null,
    mail            text    not null,
    method          text,
    password        blob,
    phone           text,
    phone_confirmed integer not null default 0,
    -- Who vouches for the number: `register` or `email_activation`.
    phone_from      text,
    role            text    not null,
    school          text,
    -- Unique as a name.
    username        text    not null
) strict;

create index person_of_school on person (school) where school is not null;

-- Every name that leads to a person, folded: user names and aliases share one space.
create table name (
    name   text    not null primary key,
    alias  integer not null,
    person blob    not null references person (id)
) strict, without rowid;

-- A user name is found by folding it again.
create index name_of_person on name (person) where alias = 1;

create table password_past (
    person blob    not null references person (id),
    number integer not null,
    hash   blob    not null,
    primary key (person, number)
) strict, without rowid;

create table activation (
    id      blob    not null primary key check (length(id) = 16),
    mac     blob    not null check (length(mac) = 32),
    made_at integer not null,
    person  blob    not null references person (id),
    until   integer not null,
    used_at integer
) strict;

create index activation_of_person on activation (person);
create unique index activation_open on activation (person) where used_at is null;

-- Apps and hardware tokens. A token without a person lies in stock.
create table otp (
    id           blob    not null primary key check (length(id) = 16),
    bound_at     integer,
    bound_place  text,
    carrier      text    not null check (carrier in ('app', 'token')),
    drift        integer not null default 0,
    last_counter integer,
    person       blob references person (id),
    sealed       blob    not null,
    serial       text unique,
    check ((carrier = 'token') = (serial is not null)),
    check (carrier = 'token' or person is not null)
) strict;

create unique index otp_of_person on otp (person, carrier) where person is not null;

create table journey (
    id           blob    not null primary key check (length(id) = 16),
    browser      blob    not null check (length(browser) = 32),
    epoch        integer not null,
    person       blob,
    resume       blob,
    resume_until integer,
    resume_used  integer not null default 0,
    sealed       blob    not null,
    support      text    not null,
    until        integer not null,
    version      integer not null
) strict;

create index journey_of_person on journey (person) where person is not null;
create unique index journey_by_resume on journey (resume) where resume is not null;
create index journey_by_end on journey (until);

create table session (
    key     blob    not null primary key check (length(key) = 32),
    created integer not null,
    epoch   integer not null,
    person  blob    not null references person (id),
    place   text    not null,
    proof   text    not null,
    seen    integer not null
) strict, without rowid;

create index session_of_person on session (person);

-- Authorization codes that were redeemed. What one gave ends when it comes again.
create table code (
    id     blob    not null primary key check (length(id) = 16),
    reused integer not null default 0,
    until  integer not null
) strict, without rowid;

-- One-time things that are used up; the key is a hash of kind and thing.
create table used (
    hash  blob    not null primary key check (length(hash) = 32),
    until integer not null
) strict, without rowid;

create index used_by_end on used (until);

-- Budgets of which something is spent; the key is a hash of kind and owner. `rests_at`: when all tries
-- are forgotten.
create table lane (
    hash     blob    not null primary key check (length(hash) = 32),
    at       integer not null,
    rests_at integer not null,
    tries    integer not null
) strict, without rowid;

create table device (
    person blob    not null references person (id),
    device blob    not null check (length(device) = 32),
    seen   integer not null,
    primary key (person, device)
) strict, without rowid;

-- Messages. What was sent or failed keeps no contents.
create table outbox (
    id        integer primary key autoincrement,
    attempts  integer not null default 0,
    due_at    integer not null,
    journey   blob,
    note      text,
    person    blob    not null references person (id),
    reference text    not null unique,
    sealed    blob,
    state     text    not null check (state in ('waiting', 'trouble', 'sent', 'failed')),
    until     integer not null
) strict;

create index outbox_due on outbox (due_at) where sealed is not null;
create index outbox_over on outbox (until) where sealed is null;
create index outbox_of_journey on outbox (journey) where journey is not null;

create table signing_key (
    kid       text not null primary key,
    algorithm text not null,
    sealed    blob not null,
    until     integer
) strict;

create unique index signing_key_current on signing_key (algorithm) where until is null;

create table resource (
    kind     text    not null primary key,
    contents text    not null,
    version  integer not null
) strict;

-- `number`: the strand of the chain in the upper bits, the place in it in the lower 48 (`store::audit`).
create table audit (
    number   integer primary key,
    address  text,
    at       integer not null,
    happened text    not null,
    hash     blob    not null check (length(hash) = 32),
    journey  blob,
    person   blob,
    place    text    not null,
    previous blob    not null check (length(previous) = 32),
    support  text    not null,
    through  text    not null
) strict;

create index audit_by_support on audit (support) where support <> '';

create trigger audit_is_not_changed before update on audit
begin
    select raise(abort, 'the audit is append-only');
end;

create trigger audit_is_not_deleted before delete on audit
begin
    select raise(abort, 'the audit is append-only');
end;

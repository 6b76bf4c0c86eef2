-- Programs since migration 0001 go on.
--
-- Devices that ask to be let in, one row each. `key`: of the code that only the device knows; `code`: the id
-- under which it is redeemed like an authorization code; `user_code`: what the device shows. `answer`: 0 none
-- yet, 1 yes, 2 no; `person` and `session`: of whoever said yes. `polled`: when the device last asked in time;
-- `pace`: so many seconds it waits in between; `early`: whether it did not, the last time.
create table device_code (
    key         blob    not null primary key check (length(key) = 32),
    address     text,
    answer      integer not null default 0,
    application text    not null,
    asked       integer not null,
    code        blob    not null check (length(code) = 16),
    early       integer not null default 0,
    epoch       integer not null,
    pace        integer not null,
    person      blob    references person (id),
    polled      integer not null default 0,
    scope       text    not null,
    session     blob    check (length(session) = 32),
    until       integer not null,
    user_code   text    not null
) strict, without rowid;

create unique index device_code_by_user_code on device_code (user_code);
create index device_code_of_person on device_code (person);
create index device_code_by_end on device_code (until);

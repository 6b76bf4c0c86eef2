-- Programs since migration 0001 go on.
--
-- Invitations that a technician made: with the token of one (`token`: its SHA-256) applications register by
-- themselves, so many (`uses`) until a time, within `bounds`, a JSON document. `spent`: how many did; it moves
-- by the one statement that lets an application in. An invitation stays as long as there are applications.
create table invitation (
    id     text    not null primary key,
    at     integer not null,
    bounds text    not null,
    spent  integer not null default 0 check (spent between 0 and uses),
    token  blob    not null check (length(token) = 32),
    until  integer not null,
    uses   integer not null check (uses > 0)
) strict, without rowid;

create unique index invitation_by_token on invitation (token);

-- Applications that registered themselves. `document`: what is registered, JSON; `token`: SHA-256 of the one
-- with which the application changes that, another one after each change.
create table registration (
    application text    not null primary key,
    at          integer not null,
    changed     integer not null,
    document    text    not null,
    invitation  text    not null references invitation (id),
    token       blob    not null check (length(token) = 32)
) strict, without rowid;

create index registration_of_invitation on registration (invitation);

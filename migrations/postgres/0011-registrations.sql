-- Programs since migration 0001 go on.
--
-- Invitations that a technician made: with the token of one (`token`: its SHA-256) applications register by
-- themselves, so many (`uses`) until a time, within `bounds`, a JSON document. `spent`: how many did; it moves
-- by the one statement that lets an application in. An invitation stays as long as there are applications.
create table invitation (
    id     text   collate "C" not null primary key,
    at     bigint not null,
    bounds text   not null,
    spent  bigint not null default 0 check (spent between 0 and uses),
    token  bytea  not null check (octet_length(token) = 32),
    until  bigint not null,
    uses   bigint not null check (uses > 0)
);

create unique index invitation_by_token on invitation (token);

-- Applications that registered themselves. `document`: what is registered, JSON; `token`: SHA-256 of the one
-- with which the application changes that, another one after each change.
create table registration (
    application text   collate "C" not null primary key,
    at          bigint not null,
    changed     bigint not null,
    document    text   not null,
    invitation  text   collate "C" not null references invitation (id),
    token       bytea  not null check (octet_length(token) = 32)
);

create index registration_of_invitation on registration (invitation);

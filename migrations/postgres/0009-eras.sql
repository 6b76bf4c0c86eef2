-- Programs since migration 0001 go on.
--
-- `era`: how often what somebody can prove was taken back: their password or factor was reset or changed.
-- What was proven in an era before opens nothing, wherever it was proven and however late it comes.
alter table person add column era bigint not null default 0;

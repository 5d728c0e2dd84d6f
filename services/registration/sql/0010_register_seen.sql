-- When a register was last read that said of an organisation what was known of it already: such a reading leaves no fact, and
-- without it an older reading would not be known by its age. It guards and decides nothing else; empty, it is filled again by
-- the next import.
create table register_seen (
    organisation_id uuid primary key,
    fetched_at timestamptz not null
) with (fillfactor = 80);

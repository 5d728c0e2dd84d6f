-- The trace in which a deadline was set: its command belongs to it, however much later.

alter table deadlines add column traceparent text;

-- Each schedule finds its own next deadline at once, however many the others have before it.

drop index deadlines_due;
create index deadlines_due on deadlines (consumer, due_at, id) where state = 'pending';

//! The access rules as data: complete, consistent, and shown as a page.

mod cells;
mod document;

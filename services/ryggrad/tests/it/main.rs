//! The program as a user meets it: started, talked to, stopped, killed.

mod beside;
mod fetch;
mod life;
mod program;
mod proof;
mod reader;
mod usage;

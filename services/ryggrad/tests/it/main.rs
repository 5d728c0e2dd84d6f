//! The program as a user meets it: started, talked to, stopped, killed.

mod life;
mod program;
mod proof;
mod usage;

//! The registration service.

pub mod form;
pub mod founding;
pub mod initiative;
mod input;
pub mod organisation;
mod origin;
pub mod register;
pub mod registration_case;
mod roles;
mod time;

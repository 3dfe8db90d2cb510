//! What an owner does with two-factor authentication.

pub mod confirm;
pub mod disable;
pub mod enroll;
pub mod enrollment;
pub mod recovery_codes;
pub mod remove;
pub mod rename;
pub mod status;
pub mod undo;
pub mod verify;

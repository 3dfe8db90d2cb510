//! What an owner sees and does about the account's security beside two-factor authentication.

pub mod devices;
pub mod events;
pub mod overview;
pub mod partners;
pub mod password;
pub mod sessions;

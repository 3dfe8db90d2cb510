//! The standard login process: password, second factor while it is on, refresh, logout.

pub mod logout;
pub mod password;
pub mod refresh;
pub mod second_factor;

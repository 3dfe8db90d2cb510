//! What support does for owners who cannot help themselves. Who may is decided in [`desk`], before anything is told
//! of the account that it is about.

pub mod bypass_code;
pub mod desk;
pub mod events;
pub mod look;
pub mod reset;
pub mod unlock;

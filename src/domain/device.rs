//! A device that is remembered: whoever signs in from it with the password is not asked for the second factor, and
//! has proved the password alone.

use super::{
    account::Account,
    id::{AccountId, DeviceId, SessionId},
};
use jiff::Timestamp;

/// A remembered device. It is as good as the set of second factors and the password that were in force when it was
/// remembered: it holds the account's epoch, and any change of them ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's epoch when it was remembered; another one kills it.
    pub epoch: i64,
    /// When the second factor was proved on it.
    pub created_at: Timestamp,
    /// When it last spared its owner the second factor; at first, when it was remembered.
    pub last_used_at: Timestamp,
    /// When it is forgotten, however often it is used until then.
    pub expires_at: Timestamp,
    /// The address that it was last used from.
    pub ip: String,
    /// The user agent that it was last used with.
    pub user_agent: String,
    /// The session that last began on it.
    pub session: SessionId,
}

impl Device {
    /// Whether it spares the owner of `account` the second factor at `now`.
    pub fn is_alive(&self, account: &Account, now: Timestamp) -> bool {
        self.account == account.id && self.epoch == account.epoch && now < self.expires_at
    }
}

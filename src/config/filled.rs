//! Settings that need not be there: one that is there and empty is as good as not there, since not every way of
//! deploying can leave a variable away.

/// Nothing was said; the setting is then looked for where it would have been without this.
#[derive(Debug, thiserror::Error)]
#[error("it is empty")]
pub struct Empty;

/// A setting of the environment that need not be there.
pub fn filled<T: From<String>>(text: &str) -> Result<T, Empty> {
    if text.is_empty() { Err(Empty) } else { Ok(text.to_owned().into()) }
}

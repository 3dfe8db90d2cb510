//! Values that must not leave by accident.

use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A value without a way out: it has no `Serialize` and no `Display`, `Debug` prints its type alone,
/// and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself: every caller of this is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{}>", std::any::type_name::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_does_not_contain_the_value() {
        let text = format!("{:?}", Secret::new("hunter2".to_owned()));
        assert_eq!(text, "Secret<alloc::string::String>");
    }
}

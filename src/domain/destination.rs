//! Where codes go.

use super::{account::Email, method::Kind, phone::PhoneNumber};

/// Where the codes of a method go. It is what was confirmed, whatever becomes of the account's address later: whoever
/// changes that has not taken over the factor (decision 0029).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A mailbox.
    Email(Email),
    /// A mobile telephone.
    Phone(PhoneNumber),
}

impl Destination {
    /// The kind of method whose codes go there.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Email(_) => Kind::Email,
            Self::Phone(_) => Kind::Sms,
        }
    }

    /// As whoever has it knows it again, and nobody else.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(number) => number.masked(),
        }
    }

    /// As it is kept, to be sealed.
    pub fn kept(&self) -> String {
        match self {
            Self::Email(email) => email.as_str().to_owned(),
            Self::Phone(number) => number.kept(),
        }
    }

    /// What was kept so, of a method of this kind; `None` where it is nothing of the kind.
    pub fn of_kept(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Email => Email::parse(text, "").ok().map(Self::Email),
            Kind::Sms => PhoneNumber::of_kept(text).map(Self::Phone),
            Kind::Passkey | Kind::Totp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_as_its_kind_alone() {
        let mailbox = Destination::Email(Email::parse("alice@example.test", "").unwrap());
        let telephone = Destination::Phone(PhoneNumber::parse("+60123456789", "").unwrap());
        for (there, other) in [(&mailbox, Kind::Sms), (&telephone, Kind::Email)] {
            assert_eq!(Destination::of_kept(there.kind(), &there.kept()).as_ref(), Some(there));
            assert_eq!(Destination::of_kept(other, &there.kept()), None);
            assert_eq!(Destination::of_kept(Kind::Totp, &there.kept()), None);
        }
    }
}

//! bcrypt, and the proof that a password was right.

use super::gate::{Class, Gate, Ticket};
use crate::{
    domain::{password::Password, refusal::Fault},
    spans,
};
use prometheus_client::registry::Registry;

/// Costs that are accepted in a stored hash; a higher one would hold a core for minutes.
pub const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// A salt and a digest that belong to no password, for the work on behalf of unknown addresses.
const NOBODY: &str = "nobodynobodynobodynobOnobodynobodynobodynobodynobody.";

/// Proof that a password matched a hash. Only [`Passwords::verify`] makes one.
#[derive(Clone, Debug)]
pub struct Reverified {
    hash: String,
}

impl Reverified {
    /// Whether this proof was made against `stored`: the password may have changed meanwhile.
    pub fn is_against(&self, stored: &str) -> bool {
        self.hash == stored
    }
}

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Proof, when the password was right.
    pub reverified: Option<Reverified>,
    /// The hash of the new password, where one was given.
    pub new_hash: Option<String>,
}

/// Password hashing at the configured cost, on the gate.
#[derive(Clone)]
pub struct Passwords {
    gate: Gate,
    cost: u32,
}

impl Passwords {
    /// Hashing of new passwords at `cost`, on `gate`.
    pub fn new(gate: Gate, cost: u32) -> Self {
        Self { gate, cost }
    }

    /// Hands out the metrics of the gate.
    pub fn register(&self, registry: &mut Registry) {
        self.gate.register(registry);
    }

    /// Reserves room for one computation before anything is paid for it.
    ///
    /// # Errors
    /// `overloaded` when the queue is full.
    pub fn reserve(&self, class: Class) -> Result<Ticket, Fault> {
        self.gate.reserve(class)
    }

    /// Compares `password` with `hash`, and hashes `new` in the same computation where it is given: always,
    /// so that the time taken does not tell whether the password was right.
    ///
    /// # Errors
    /// `overloaded` when the computation waited too long and was not begun; `unreadable` when `hash` is
    /// not one that [`is_acceptable`] admits; `unavailable` when hashing fails.
    pub async fn verify(
        &self,
        ticket: Ticket,
        password: Password,
        hash: String,
        new: Option<Password>,
    ) -> Result<Compared, Fault> {
        if !is_acceptable(&hash) {
            return Err(Fault::Unreadable("a stored password hash".to_owned()));
        }
        let cost = self.cost;
        let computing = ticket.run(move || {
            let is_right = bcrypt::non_truncating_verify(password.bytes(), &hash)
                .map_err(|_| Fault::Unreadable("a stored password hash".to_owned()))?;
            // A cheaper hash must not tell by its speed that it is there. Each step of cost doubles the
            // work, so its own once more and each up to the configured one add up to exactly that.
            for missing in cost_of(&hash).filter(|_| !is_right).map_or(cost..cost, |own| own..cost) {
                let _ = bcrypt::non_truncating_verify(password.bytes(), &nobody(missing));
            }
            let new_hash = new.map(|new| hash_now(&new, cost)).transpose()?;
            Ok(Compared { reverified: is_right.then_some(Reverified { hash }), new_hash })
        });
        spans::within("password", "verify", computing).await?
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `overloaded` when the computation waited too long; `unavailable` when it failed.
    pub async fn hash(&self, ticket: Ticket, password: Password) -> Result<String, Fault> {
        let cost = self.cost;
        spans::within("password", "hash", ticket.run(move || hash_now(&password, cost))).await?
    }

    /// A hash of the configured cost that no password matches.
    pub fn nobody(&self) -> String {
        nobody(self.cost)
    }

    /// Whether `hash` is to be made anew after the next success.
    pub fn is_outdated(&self, hash: &str) -> bool {
        cost_of(hash) != Some(self.cost)
    }
}

/// Hashes a password on the calling thread: for the command line.
///
/// # Errors
/// `unavailable` when the computation fails.
pub fn hash_now(password: &Password, cost: u32) -> Result<String, Fault> {
    bcrypt::non_truncating_hash(password.bytes(), cost).map_err(|error| Fault::Unavailable(format!("bcrypt: {error}")))
}

/// Whether a stored hash is one that we compute: `$2a$`, `$2b$` or `$2y$`, of cost 4 to 14. `$2x$` hashes
/// of passwords outside ASCII can never match, so they are refused rather than left to fail for ever.
pub fn is_acceptable(hash: &str) -> bool {
    let is_named = ["$2a$", "$2b$", "$2y$"].iter().any(|name| hash.starts_with(name));
    let is_formed = hash.len() == 60
        && hash.bytes().enumerate().skip(4).all(|(n, byte)| match n {
            4 | 5 => byte.is_ascii_digit(),
            6 => byte == b'$',
            // 128 bits of salt and 184 of digest leave bits over, which are zero; or it cannot be read at all.
            28 => b".Oeu".contains(&byte),
            59 => b".CGKOSWaeimquy26".contains(&byte),
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'),
        });
    is_named && is_formed && cost_of(hash).is_some_and(|cost| COSTS.contains(&cost))
}

/// Whether a stored hash is one that no password matches.
pub fn is_nobody(hash: &str) -> bool {
    is_acceptable(hash) && hash.ends_with(NOBODY)
}

fn nobody(cost: u32) -> String {
    format!("$2b${cost:02}${NOBODY}")
}

fn cost_of(hash: &str) -> Option<u32> {
    hash.get(4..6)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::offered(text.to_owned(), "/password").unwrap()
    }

    #[test]
    fn hashes_of_other_makers_are_read_and_dangerous_ones_refused() {
        let made = hash_now(&password("correct horse"), 4).unwrap();
        for name in ["$2a$", "$2b$", "$2y$"] {
            let hash = made.replacen("$2b$", name, 1);
            assert!(is_acceptable(&hash));
            assert!(bcrypt::non_truncating_verify("correct horse", &hash).unwrap(), "{name}");
        }
        let strange = [
            made.replacen("$2b$", "$2x$", 1),
            made.replacen("$04$", "$31$", 1),
            made.replacen("$04$", "$15$", 1),
            made.replacen("$04$", "$+4$", 1),
            format!("{}=", &made[..59]),
            made[..59].to_owned(),
            format!("{}é", &made[..58]),
            format!("{}v{}", &made[..28], &made[29..]),
            format!("{}b", &made[..59]),
            "plain".to_owned(),
            String::new(),
        ];
        for hash in strange {
            assert!(!is_acceptable(&hash), "{hash}");
        }
    }

    #[test]
    fn nobody_has_a_hash_of_the_right_cost_and_no_password() {
        let passwords = Passwords::new(Gate::start(1, 4, std::time::Duration::from_secs(5)).unwrap(), 4);
        let nobody = passwords.nobody();
        assert!(is_acceptable(&nobody) && is_nobody(&nobody));
        assert!(!passwords.is_outdated(&nobody));
        assert!(!bcrypt::non_truncating_verify("anything", &nobody).unwrap());
    }
}

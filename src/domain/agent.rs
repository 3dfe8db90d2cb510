//! Support: who acts for others, on whom, and why. The first two are proofs that only their checks make.

use super::{
    account::{Account, Remark, line},
    assurance::Assurance,
    id::AccountId,
    refusal::{Refusal, Rule},
};
use jiff::Timestamp;

/// The scope of an account that belongs to support.
const SCOPE: &str = "support";
const TICKET_MAX_CHARS: usize = 64;

/// Somebody of support, who has proved a second factor a moment ago.
#[derive(Debug)]
pub struct Agent(AccountId);

/// An account that support may change: nobody's who has a scope.
#[derive(Debug)]
pub struct Customer(AccountId);

/// Why support acts, for the record and for the owner to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Why, in the agent's words.
    pub reason: Remark,
    /// The ticket that it was asked for in.
    pub ticket: Ticket,
}

/// The name of a ticket at the support desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(String);

impl Agent {
    /// Recognises an agent by the account as it is now, whatever scope the token was issued with, and by what
    /// the token vouches for. `max_age` is in seconds.
    ///
    /// # Errors
    /// `not-permitted` without the scope; `insufficient-user-authentication` when no second factor was proved
    /// within `max_age`.
    pub fn recognise(account: &Account, assurance: &Assurance, now: Timestamp, max_age: u32) -> Result<Self, Refusal> {
        if !account.has_scope(SCOPE) {
            return Err(Refusal::NotPermitted);
        }
        let is_fresh = assurance.is_fresh(now, max_age);
        is_fresh.then_some(Self(account.id)).ok_or(Refusal::InsufficientUserAuthentication { max_age })
    }

    /// The agent's own account.
    pub fn account(&self) -> AccountId {
        self.0
    }

    /// Whether it is the agent's own account.
    pub fn is(&self, account: &Account) -> bool {
        self.0 == account.id
    }

    /// The account as one that the agent may change. Accounts with a scope are the command line's, the agent's
    /// own among them.
    ///
    /// # Errors
    /// `not-permitted`.
    pub fn customer(&self, account: &Account) -> Result<Customer, Refusal> {
        let is_customer = account.scope.trim().is_empty() && !self.is(account);
        is_customer.then_some(Customer(account.id)).ok_or(Refusal::NotPermitted)
    }
}

impl Customer {
    /// The account.
    pub fn account(&self) -> AccountId {
        self.0
    }
}

impl Ticket {
    /// Reads a ticket's name of 1 to 64 characters, trimmed, without control characters.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` otherwise.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        line(text, TICKET_MAX_CHARS).map(Self).ok_or_else(|| Rule::Ticket.at(pointer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{account::tests::account, assurance::Factor};
    use uuid::Uuid;

    #[test]
    fn an_agent_has_the_scope_and_a_proof_that_is_fresh() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (fresh, aal1) = (Assurance::second_factor(Factor::Totp, at(1000)), Assurance::password(at(1000)));
        let judge = |scope, assurance: &Assurance, now| {
            Agent::recognise(&account(1, scope), assurance, at(now), 900).map(|agent| agent.account())
        };
        let stale = Err(Refusal::InsufficientUserAuthentication { max_age: 900 });
        assert_eq!(judge("support", &fresh, 1900), Ok(AccountId(Uuid::from_u128(1))));
        assert!(judge("reports support", &fresh, 1000).is_ok());
        assert_eq!(judge("support", &fresh, 1901), stale);
        assert_eq!(judge("support", &aal1, 1000), stale);
        for scope in ["", "supporter", "un support-er"] {
            assert_eq!(judge(scope, &fresh, 1000), Err(Refusal::NotPermitted), "{scope}");
        }
    }

    #[test]
    fn whoever_has_a_scope_is_nobodys_customer() {
        let agent = Agent(AccountId(Uuid::from_u128(1)));
        assert!(agent.customer(&account(2, "")).is_ok());
        for (id, scope) in [(1, "support"), (1, ""), (2, "support"), (2, "whatever")] {
            assert_eq!(agent.customer(&account(id, scope)).err(), Some(Refusal::NotPermitted), "{id} {scope}");
        }
    }

    #[test]
    fn reason_and_ticket_are_lines_of_text() {
        assert_eq!(Remark::parse(" the phone is lost ", "").unwrap().as_str(), "the phone is lost");
        assert!(Remark::parse(&"é".repeat(500), "").is_ok() && Ticket::parse(&"é".repeat(64), "").is_ok());
        for text in ["", " ", "a\nb", "a\u{7f}", &"x".repeat(501)] {
            assert!(Remark::parse(text, "").is_err() && Ticket::parse(text, "").is_err(), "{text}");
        }
        assert!(Ticket::parse(&"x".repeat(65), "").is_err());
    }
}

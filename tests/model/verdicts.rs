//! The checker is checked: it accepts what is legal, and finds what is not.

use super::{
    checker::{Call, explain},
    machine::{Answer, Code, Factor, Id, Op, Proofs, State, Token, What, refused},
    moves::Move,
};
use std::collections::BTreeSet;

const NOW: i64 = 2_000_000_000_000;

/// A history in the making: what came before it, its operations, and where the machine stands when they are
/// carried out one after another as they are written.
struct History {
    start: State,
    state: State,
    calls: Vec<Call>,
}

impl History {
    /// Of an account whose two-factor authentication is on, with some methods, numbered from 1.
    fn of_account_with(methods: u32) -> Self {
        let state = State::new(1, NOW);
        let mut history = Self { start: state.clone(), state, calls: Vec::new() };
        for id in 1..=methods {
            history.start(id);
            history.does(confirm(id));
        }
        history.start = history.state.clone();
        history.calls.clear();
        history
    }

    /// One after the other: an operation with the newest token, and its right answer.
    fn does(&mut self, what: What) -> &mut Call {
        let token = self.state.token();
        self.does_with(token, None, what, &refused("nothing"))
    }

    fn start(&mut self, id: u32) -> &mut Call {
        let what = What::Start { label: String::new(), replaces: None, proofs: password() };
        let made = Answer::Started { version: 0, id: Id(id), label: String::new(), expires_at: 0 };
        self.does_with(self.state.token(), None, what, &made)
    }

    fn does_with(&mut self, token: Token, if_match: Option<i64>, what: What, made: &Answer) -> &mut Call {
        let n = u32::try_from(self.calls.len()).unwrap() + 1;
        let op = Op { serial: 100 * self.state.version as u32 + n, token, if_match, what };
        let told = loop {
            match self.state.next(&op, made) {
                Move::Pays(next) => self.state = next,
                Move::Answers(answer, next) => {
                    self.state = next;
                    break answer;
                }
            }
        };
        let (begin, end) = (u64::from(10 * n), u64::from(10 * n + 5));
        self.calls.push(Call { client: 0, begin, end, op, told });
        self.calls.last_mut().unwrap()
    }

    /// As if all of them had been in flight together.
    fn together(mut self) -> Self {
        let calls = &mut self.calls;
        calls.iter_mut().enumerate().for_each(|(n, call)| (call.begin, call.end) = (n as u64, 1000 + n as u64));
        self
    }

    fn ends(&self) -> Option<BTreeSet<State>> {
        explain(&BTreeSet::from([self.start.clone()]), &self.calls).ok()
    }

    #[track_caller]
    fn is_legal(&self) {
        assert!(self.ends().is_some());
    }

    #[track_caller]
    fn is_found_out(&self) {
        assert!(self.ends().is_none());
    }
}

fn password() -> Proofs {
    Proofs { password_is_right: true, factor: None }
}

fn code(id: u32, step: i64) -> Code {
    Code { digits: String::new(), fits: vec![(Id(id), step)] }
}

fn confirm(id: u32) -> What {
    What::Confirm(Id(id), code(id, -1))
}

fn verify(id: u32, step: i64) -> What {
    What::Verify(Factor::Code(code(id, step)))
}

#[test]
fn a_legal_history_is_explained_whatever_the_order_of_its_lines() {
    let mut history = History::of_account_with(2);
    let token = history.state.token();
    history.does(verify(1, 0));
    history.does(What::Rename(Id(2), "tablet".to_owned()));
    history.does(What::Remove(Id(1), password()));
    history.does_with(token, None, What::Disable(password()), &refused("nothing"));
    history.does(What::Status);
    history.is_legal();
    let ends = history.ends();
    let mut together = history.together();
    together.calls.reverse();
    assert_eq!(together.ends(), ends);
}

#[test]
fn a_serial_order_keeps_to_the_order_in_time() {
    let mut history = History::of_account_with(1);
    let (token, before) = (history.state.token(), Answer::Status(history.state.status()));
    history.does(What::Disable(password()));
    history.does_with(token, None, What::Status, &refused("nothing"));
    history.is_legal();
    history.calls[1].told = before;
    history.is_found_out();
    history.together().is_legal();
}

#[test]
fn a_code_accepted_twice_is_found_out() {
    let mut history = History::of_account_with(1);
    history.does(verify(1, 0));
    let accepted = history.calls[0].told.clone();
    let again = history.does(verify(1, 0));
    assert_eq!(again.told, Answer::Refused("invalid-credential".to_owned(), Some(4)));
    history = history.together();
    history.is_legal();
    history.calls[1].told = accepted;
    history.is_found_out();
}

#[test]
fn a_recovery_code_accepted_twice_is_found_out() {
    let mut history = History::of_account_with(1);
    let set = history.state.codes.as_ref().unwrap().set;
    history.does(What::Verify(Factor::RecoveryCode(set, 7)));
    let accepted = history.calls[0].told.clone();
    history.does(What::Verify(Factor::RecoveryCode(set, 7))).told = accepted;
    history.together().is_found_out();
}

#[test]
fn a_lost_update_is_found_out() {
    let mut history = History::of_account_with(3);
    history.does(What::Remove(Id(1), password()));
    let mut one_back = history.state.status();
    history.does(What::Remove(Id(2), password()));
    history.does(What::Status);
    history.is_legal();
    one_back.version = history.state.version;
    history.calls[2].told = Answer::Status(one_back);
    history.is_found_out();
}

#[test]
fn two_removals_with_one_token_are_found_out() {
    let mut history = History::of_account_with(3);
    let token = history.state.token();
    history.does(What::Remove(Id(1), password()));
    history.does(What::Remove(Id(2), password())).op.token = token;
    history.together().is_found_out();
}

#[test]
fn a_disable_that_leaves_it_on_is_found_out() {
    let mut history = History::of_account_with(1);
    let mut on = history.state.status();
    history.does(What::Disable(password()));
    history.does(What::Status);
    history.is_legal();
    on.version = history.state.version;
    history.calls[1].told = Answer::Status(on);
    history.is_found_out();
}

#[test]
fn an_accepted_stale_version_is_found_out() {
    let mut history = History::of_account_with(1);
    let (token, stale) = (history.state.token(), history.state.version);
    history.does(What::Rename(Id(1), "old phone".to_owned()));
    history.does(What::Rename(Id(1), "phone".to_owned())).op.if_match = Some(stale);
    history.is_found_out();
    // In flight together, the second may have come first; its answer says that it did not.
    history.together().is_found_out();

    let mut history = History::of_account_with(1);
    history.does(What::Rename(Id(1), "old phone".to_owned()));
    history.does_with(token, Some(stale), What::Cancel(Id(9)), &refused("nothing"));
    assert_eq!(history.calls[1].told, refused("version-mismatch"));
    history.is_legal();
}

#[test]
fn a_confirmed_superseded_enrolment_is_found_out() {
    let mut history = History::of_account_with(0);
    history.start(1);
    history.start(2);
    let mut other = History { start: history.start.clone(), state: history.start.clone(), calls: Vec::new() };
    other.start(1);
    let mut confirmed = other.does(confirm(1)).told.clone();
    if let Answer::Confirmed { status, .. } = &mut confirmed {
        status.version = 3;
    }
    history.does(confirm(1));
    assert_eq!(history.calls[2].told, refused("enrolment-expired"));
    history.is_legal();
    history.calls[2].told = confirmed;
    history.is_found_out();
}

#[test]
fn a_place_is_refused_only_while_the_others_are_in_flight() {
    let told_to_wait = Answer::Refused("too-many-attempts".to_owned(), Some(1));
    let mut history = History::of_account_with(1);
    for _ in 0..6 {
        history.does(What::Regenerate(password()));
    }
    history.calls[5].told = told_to_wait;
    history.is_found_out();
    history.together().is_legal();
}

#[test]
fn a_wrong_password_whose_token_died_meanwhile_is_counted_or_came_too_late() {
    let wrong = Proofs { password_is_right: false, factor: None };
    let mut history = History::of_account_with(2);
    let token = history.state.token();
    history.does(What::Remove(Id(1), password()));
    history.does_with(token, None, What::Disable(wrong), &refused("nothing"));
    assert_eq!(history.ends().unwrap().len(), 1, "it came too late");
    assert_eq!(history.together().ends().unwrap().len(), 2);
}

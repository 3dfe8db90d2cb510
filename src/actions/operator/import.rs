//! Importing accounts: a batch of rows is one transaction, which adds all of them or none.
//!
//! The first batch with a bad row, and whatever follows it, is only checked, so that one run names every bad
//! row. Once they are mended, a run that resumes passes over what is there already.

use crate::{
    actions::{Cx, presence::Presence},
    crypto::password,
    domain::{
        event::{Event, EventKind},
        refusal::{Fault, Stop},
        secret::Secret,
        transfer::{Bad, Entry, Place, Row},
    },
    store::{
        Tx,
        accounts::NewAccount,
        arrivals::{self, Arrival, Known},
    },
};
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Where the rows come from, for the record.
    pub source: &'static str,
    /// Rows in one transaction.
    pub batch: usize,
    /// Whether to check alone.
    pub dry_run: bool,
    /// Whether to pass over rows whose account is there already.
    pub resume: bool,
    /// Whether to take accounts without a password that we can check: nobody signs in to them until it is set.
    pub without_password: bool,
    /// Whether to take secrets that are shorter than they must be (RFC 4226 §4 R6).
    pub short_secrets: bool,
    /// Whether to take accounts whose only second factor cannot be taken.
    pub lose_factors: bool,
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rows that were read.
    pub read: usize,
    /// Accounts that were added; in a dry run, that could be.
    pub imported: usize,
    /// Of these, those with an authenticator.
    pub with_two_factor: usize,
    /// Of these, those that nobody can sign in to until their password is set.
    pub without_password: usize,
    /// Accounts that were there already.
    pub skipped: usize,
    /// Rows that cannot be imported.
    pub bad: usize,
    /// Rows that are good, and were not imported because of a bad one in their batch or before.
    pub held_back: usize,
}

/// Why a row that was read is not imported.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It cannot be read.
    #[error(transparent)]
    Bad(#[from] Bad),
    /// Its password cannot be checked here.
    #[error(
        "its password hash{0} cannot be taken: bcrypt hashes $2a$, $2b$ and $2y$ of cost 4 to 14 can; \
         --without-password takes it without"
    )]
    Hash(String),
    /// It has no password.
    #[error("it has no password hash; --without-password takes it all the same")]
    NoHash,
    /// Its secret is too short.
    #[error("its TOTP secret is shorter than 128 bits (RFC 4226, section 4, R6); --short-secrets takes it")]
    ShortSecret,
    /// Its second factor would be lost.
    #[error("its only second factor cannot be taken: {0}; --lose-factors takes it without")]
    LostFactor(&'static str),
    /// It stands twice.
    #[error("its {0} stands in an earlier row, too")]
    Repeated(&'static str),
    /// It is another account's.
    #[error("its {0} belongs to an account already")]
    Taken(&'static str),
    /// It is there, and is another.
    #[error("an account with its address is there already, with another {0}")]
    Differs(&'static str),
}

/// One import, as far as it has come.
struct Run<F> {
    manner: Manner,
    tell: F,
    summary: Summary,
    emails: HashSet<String>,
    subjects: HashSet<String>,
    /// Whether nothing is written: it was asked for, or a row was bad.
    is_held: bool,
}

/// What is to be done with a good row.
enum Verdict {
    Add,
    Skip,
    Refuse(Unfit),
}

/// Imports accounts, and hands each bad row to `tell`.
///
/// # Errors
/// `unavailable`; the batches before are imported.
pub async fn import(
    cx: &Cx,
    rows: impl Iterator<Item = Row>,
    manner: Manner,
    tell: impl FnMut(Place, &Unfit),
) -> Result<Summary, Stop> {
    let (emails, subjects) = (HashSet::new(), HashSet::new());
    let is_held = manner.dry_run;
    let mut run = Run { manner, tell, summary: Summary::default(), emails, subjects, is_held };
    let mut rows = rows.peekable();
    // It seals with the keys that it began with, so whoever exchanges keys waits for it.
    let presence = Presence::begin("an import that runs".to_owned())?;
    while rows.peek().is_some() {
        if !run.is_held {
            presence.report(cx).await?;
        }
        // A row becomes visible soon after the moment that it bears: so each batch has its own.
        let now = Cx::new(cx.rooms.clone(), cx.origin.clone())?;
        let batch: Vec<Row> = rows.by_ref().take(manner.batch).collect();
        run.batch(&now, batch).await?;
    }
    if !run.manner.dry_run {
        presence.leave(cx).await?;
    }
    Ok(run.summary)
}

impl<F: FnMut(Place, &Unfit)> Run<F> {
    async fn batch(&mut self, cx: &Cx, rows: Vec<Row>) -> Result<(), Stop> {
        let (mut places, mut fit) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for Row { place, entry } in rows {
            self.summary.read += 1;
            match entry.map_err(Unfit::from).and_then(|entry| self.judge(&entry)) {
                Ok(new) => {
                    places.push(place);
                    fit.push(new.arrive(cx, &self.manner)?);
                }
                Err(unfit) => self.refuse(place, &unfit),
            }
        }
        let (arrivals, resume) = (Arc::new(fit), self.manner.resume);
        let verdicts = if self.is_held {
            let arrivals = arrivals.clone();
            let look =
                cx.store.read("import", move |db| Ok(verdicts(&arrivals, arrivals::known(db, &arrivals)?, resume)));
            look.await?
        } else {
            let (arrivals, setting) = (arrivals.clone(), cx.clone());
            cx.store.write("import", move |tx| add(tx, &setting, &arrivals, resume)).await?
        };
        self.count(&places, &arrivals, verdicts);
        Ok(())
    }

    /// What is wrong with a row by itself, or beside those before it.
    fn judge(&mut self, entry: &Entry) -> Result<Newcomer, Unfit> {
        let manner = &self.manner;
        let hash = entry.password_hash.as_ref().map(Secret::expose);
        let hash = match hash {
            Some(hash) if password::is_acceptable(hash) => (!password::is_nobody(hash)).then(|| hash.clone()),
            _ if manner.without_password => None,
            Some(hash) => return Err(Unfit::Hash(kind_of(hash))),
            None => None,
        };
        if hash.is_none() && !manner.without_password {
            return Err(Unfit::NoHash);
        }
        if entry.totp_secret.as_ref().is_some_and(|secret| secret.is_short()) && !manner.short_secrets {
            return Err(Unfit::ShortSecret);
        }
        if let (Some(what), false) = (entry.lost_factor, manner.lose_factors) {
            return Err(Unfit::LostFactor(what));
        }
        if !self.emails.insert(entry.email.as_str().to_owned()) {
            return Err(Unfit::Repeated("address"));
        }
        if let Some(subject) = &entry.subject
            && !self.subjects.insert(subject.as_str().to_owned())
        {
            return Err(Unfit::Repeated("subject"));
        }
        Ok(Newcomer { entry: entry.clone(), hash })
    }

    fn refuse(&mut self, place: Place, unfit: &Unfit) {
        self.summary.bad += 1;
        self.is_held = true;
        (self.tell)(place, unfit);
    }

    fn count(&mut self, places: &[Place], arrivals: &[Arrival], verdicts: Vec<Verdict>) {
        let was_held = self.is_held;
        let is_refused = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refuse(_)));
        for ((place, arrival), verdict) in places.iter().zip(arrivals).zip(verdicts) {
            match verdict {
                Verdict::Skip => self.summary.skipped += 1,
                Verdict::Refuse(unfit) => self.refuse(*place, &unfit),
                Verdict::Add if !self.manner.dry_run && (was_held || is_refused) => self.summary.held_back += 1,
                Verdict::Add => {
                    self.summary.imported += 1;
                    self.summary.with_two_factor += usize::from(arrival.authenticator.is_some());
                    self.summary.without_password += usize::from(password::is_nobody(&arrival.new.password_hash));
                }
            }
        }
    }
}

/// A row that is good by itself.
struct Newcomer {
    entry: Entry,
    /// A hash that we can check.
    hash: Option<String>,
}

impl Newcomer {
    fn arrive(self, cx: &Cx, manner: &Manner) -> Result<Arrival, Fault> {
        let Entry { email, locale, subject, totp_secret, is_suspended, is_required, .. } = self.entry;
        let password_hash = self.hash.unwrap_or_else(|| cx.passwords.nobody());
        let secret = totp_secret.map(|secret| Ok::<_, Fault>((cx.random.id(cx.now)?, secret))).transpose()?;
        let event = Event::of_system(EventKind::AccountImported)
            .with("source", manner.source)
            .with("two_factor", secret.is_some());
        Ok(Arrival {
            id: cx.random.id(cx.now)?,
            new: NewAccount { email, password_hash, locale, scope: String::new(), subject },
            authenticator: secret,
            is_suspended,
            is_required,
            event,
        })
    }
}

/// Adds all that are to be added, unless one of the batch is refused.
fn add(tx: &mut Tx<'_>, cx: &Cx, arrivals: &[Arrival], resume: bool) -> Result<Vec<Verdict>, Stop> {
    let known = arrivals::known(tx, arrivals)?;
    let verdicts = verdicts(arrivals, known, resume);
    if !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refuse(_))) {
        let added = arrivals.iter().zip(&verdicts).filter(|(_, verdict)| matches!(verdict, Verdict::Add));
        let added: Vec<Arrival> = added.map(|(arrival, _)| arrival.clone()).collect();
        arrivals::insert(tx, &added, &cx.origin, cx.now)?;
    }
    Ok(verdicts)
}

/// What is to be done with each, beside what is there already.
fn verdicts(arrivals: &[Arrival], known: Vec<Known>, resume: bool) -> Vec<Verdict> {
    let subjects: HashSet<String> = known.iter().filter_map(|known| known.subject.clone()).collect();
    let by_email: HashMap<String, Known> = known.into_iter().map(|known| (known.email.clone(), known)).collect();
    let verdict = |Arrival { new, .. }: &Arrival| {
        let subject = new.subject.as_ref().map(|subject| subject.as_str());
        let Some(known) = by_email.get(new.email.as_str()) else {
            let is_taken = subject.is_some_and(|subject| subjects.contains(subject));
            return if is_taken { Verdict::Refuse(Unfit::Taken("subject")) } else { Verdict::Add };
        };
        let (old, new) = (&known.password_hash, &new.password_hash);
        if !resume {
            Verdict::Refuse(Unfit::Taken("address"))
        } else if known.subject.as_deref() != subject {
            Verdict::Refuse(Unfit::Differs("subject"))
        } else if old != new && !(password::is_nobody(old) && password::is_nobody(new)) {
            Verdict::Refuse(Unfit::Differs("password"))
        } else {
            Verdict::Skip
        }
    };
    arrivals.iter().map(verdict).collect()
}

/// The name of a hash's kind, where it begins with one; nothing else of it is told.
fn kind_of(hash: &str) -> String {
    let name = hash.split_once('$').map_or("", |(name, _)| name);
    let is_name =
        (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_name { format!(" of the kind {name}") } else { String::new() }
}

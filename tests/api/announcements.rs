//! What others are to be told: numbered as it is committed, and in one pair of hands at a time.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::{count, tamper},
        person::Person,
    },
};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use tokio::sync::Notify;
use twofold::{
    actions::{Rooms, outbox},
    domain::{
        delivery::{Attempt, LEASE_SECONDS, Parcel, Target},
        refusal::Stop,
    },
    worker::outbox::{Channel, deliver},
};

const DISABLE: &str = "/account/security/2fa/disable";

async fn number_all(rooms: &Rooms) {
    // Another replica may be faster.
    while outbox::number(rooms).await.unwrap_or(1) > 0 {}
}

on_both_engines!(what_is_committed_is_numbered_once_without_gaps_and_in_order);
async fn what_is_committed_is_numbered_once_without_gaps_and_in_order(app: &TestApp) {
    let mut people = Vec::new();
    for n in 0..12 {
        people.push(app.person(&format!("person{n}")).await.with_two_factor().await);
    }
    let is_over = Cell::new(false);
    let lives = async {
        join_all(people.iter().map(|person| async {
            person.post(DISABLE, &json!({"password": person.password})).await.is(200);
            person.sign_in().await;
        }))
        .await;
        is_over.set(true);
    };
    let numbering = join_all(app.all_rooms().map(|rooms| async {
        while !is_over.get() {
            let _ = outbox::number(rooms).await;
            // The embedded engine reads without waiting for anything.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        number_all(rooms).await;
    }));
    join(lives, numbering).await;

    assert_eq!(count(app, "announcement"), 24, "on and off, for everybody");
    assert_eq!(count(app, "announcement WHERE position BETWEEN 1 AND 24"), 24, "each number once, by its uniqueness");
    assert_eq!(count(app, "feed WHERE position = 24"), 1);
    let before = "announcement one JOIN announcement other ON one.account_id = other.account_id \
                  WHERE one.seq < other.seq AND one.position > other.position";
    assert_eq!(count(app, before), 0);
}

on_both_engines!(an_announcement_is_for_whom_the_account_belongs_to_and_tells_no_address);
async fn an_announcement_is_for_whom_the_account_belongs_to_and_tells_no_address(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(count(app, &format!("announcement WHERE recipient = '{}' AND locale = 'en'", alice.email)), 1);
    assert_eq!(count(app, "announcement WHERE facts LIKE '%127.0.0.0/24%' AND facts NOT LIKE '%127.0.0.1%'"), 1);
    assert_eq!(count(app, "announcement JOIN audit ON announcement.id = audit.id AND announcement.seq = ordinal"), 1);
}

/// Somebody of whom one thing is to be told by mail.
async fn with_one_mail(app: &TestApp) -> Person<'_> {
    let alice = app.person("alice").await.with_two_factor().await;
    mail_all(app).await;
    alice
}

/// Makes a mail of everything that was announced.
async fn mail_all(app: &TestApp) {
    number_all(app.rooms()).await;
    let columns = "target, position, account_id, kind, created_at, due_at, attempts, state";
    let now = app.now().as_millisecond();
    let values = format!("'mail', position, account_id, kind, {now}, {now}, 0, 'waiting'");
    tamper(app, &format!("INSERT INTO delivery ({columns}) SELECT {values} FROM announcement"));
}

async fn claim(rooms: &Rooms) -> Vec<Parcel> {
    outbox::exchange(rooms, &[], vec![(Target::Mail, 10)]).await.unwrap()
}

fn failed() -> Attempt {
    Attempt::Failed { status: Some(500), error: "x".repeat(1000) }
}

on_both_engines!(a_delivery_is_in_one_pair_of_hands_until_its_lease_ends);
async fn a_delivery_is_in_one_pair_of_hands_until_its_lease_ends(app: &TestApp) {
    let alice = with_one_mail(app).await;
    let rooms = app.all_rooms().cycle().take(8);
    let claimed: Vec<Parcel> = join_all(rooms.map(claim)).await.into_iter().flatten().collect();
    let [parcel] = claimed.as_slice() else { panic!("{claimed:?}") };
    assert_eq!(parcel.announcement.recipient.as_ref().unwrap().as_str(), alice.email);
    assert_eq!((parcel.position, parcel.attempts), (1, 1));

    app.pass(LEASE_SECONDS - 1);
    assert!(claim(app.rooms()).await.is_empty());
    app.pass(1);
    let [again] = claim(app.rooms()).await.try_into().unwrap();
    assert_eq!((again.announcement.id, again.attempts), (parcel.announcement.id, 2));
    // Whoever was too slow decides nothing any more.
    outbox::exchange(app.rooms(), &[(parcel.clone(), failed())], Vec::new()).await.unwrap();
    assert_eq!(count(app, "delivery WHERE status IS NULL"), 1);
    outbox::exchange(app.rooms(), &[(again, Attempt::Taken(None))], Vec::new()).await.unwrap();
    assert_eq!(count(app, "delivery WHERE state = 'delivered' AND ended_at IS NOT NULL"), 1);
    app.pass(30 * 24 * 3600);
    assert!(claim(app.rooms()).await.is_empty());
}

on_both_engines!(a_delivery_that_fails_is_made_ten_times_and_then_given_up);
async fn a_delivery_that_fails_is_made_ten_times_and_then_given_up(app: &TestApp) {
    with_one_mail(app).await;
    for attempt in 1..=10 {
        let [parcel] = claim(app.rooms()).await.try_into().unwrap();
        assert_eq!(parcel.attempts, attempt);
        outbox::exchange(app.rooms(), &[(parcel, failed())], Vec::new()).await.unwrap();
        assert!(claim(app.rooms()).await.is_empty(), "not at once");
        app.pass(30 * 3600);
    }
    assert!(claim(app.rooms()).await.is_empty());
    assert_eq!(count(app, "delivery WHERE state = 'dead' AND status = 500 AND length(error) = 200"), 1);
}

on_both_engines!(what_a_later_release_announced_holds_up_nobody);
async fn what_a_later_release_announced_holds_up_nobody(app: &TestApp) {
    app.person("alice").await.with_two_factor().await;
    mail_all(app).await;
    // An older release is put back. More than a round numbers, and the oldest of all.
    let columns = "id, account_id, kind, at, seq, locale, facts";
    let of_alice = |id: &str, kind: &str, at: u32| {
        let values = format!("'{id}', account_id, '{kind}', {at}, seq, locale, facts");
        tamper(
            app,
            &format!("INSERT INTO announcement ({columns}) SELECT {values} FROM announcement WHERE position = 1"),
        );
    };
    for n in 0..201 {
        of_alice(&format!("0000000{n:05}"), "two_factor.levitated", n);
    }
    of_alice("01a20c1b-7c00-7d52-9a1e-000000000001", "two_factor.disabled", 1000);
    number_all(app.rooms()).await;
    assert_eq!(count(app, "announcement WHERE kind = 'two_factor.disabled' AND position = 2"), 1);
    assert_eq!(count(app, "announcement WHERE kind = 'two_factor.levitated' AND position IS NULL"), 201);

    // What was numbered by the later release stands at the head of the queue.
    tamper(app, "UPDATE announcement SET position = 3 WHERE id = '000000000000'");
    let columns = "target, position, account_id, kind, created_at, due_at, attempts, state";
    let values = "'mail', position, account_id, kind, 0, 0, 0, 'waiting'";
    tamper(app, &format!("INSERT INTO delivery ({columns}) SELECT {values} FROM announcement WHERE position = 3"));
    let one = || async { outbox::exchange(app.rooms(), &[], vec![(Target::Mail, 1)]).await.unwrap() };
    assert!(one().await.is_empty(), "it cannot be read");
    let [parcel] = one().await.try_into().unwrap();
    assert_eq!(parcel.position, 1);
    app.pass(3600);
    one().await;
    assert_eq!(count(app, "delivery WHERE position = 3 AND state = 'waiting' AND attempts = 0 AND due_at > 0"), 1);
}

on_both_engines!(what_waits_is_measured);
async fn what_waits_is_measured(app: &TestApp) {
    with_one_mail(app).await;
    app.pass(90);
    outbox::measure(app.rooms()).await.unwrap();
    let metrics = app.metrics().await;
    assert!(metrics.contains("twofold_outbox_waiting 1\n") && metrics.contains("twofold_outbox_oldest_seconds 90.0\n"));
    let parcels = claim(app.rooms()).await;
    outbox::exchange(app.rooms(), &[(parcels[0].clone(), Attempt::Taken(None))], Vec::new()).await.unwrap();
    outbox::measure(app.rooms()).await.unwrap();
    let metrics = app.metrics().await;
    assert!(metrics.contains("twofold_outbox_waiting 0\n") && metrics.contains("twofold_outbox_oldest_seconds 0.0\n"));
    assert!(metrics.contains("twofold_deliveries_total{channel=\"mail\",result=\"taken\"} 1\n"));
}

/// A channel whose first attempt panics.
#[derive(Default)]
struct Clumsy(Cell<bool>);

impl Channel for Clumsy {
    const AT_ONCE: usize = 1;

    async fn targets(&self, _: &Rooms) -> Result<Vec<Target>, Stop> {
        Ok(vec![Target::Mail])
    }

    async fn deliver(&self, _: &Rooms, _: &Parcel) -> Attempt {
        assert!(self.0.replace(true), "the first attempt panics, as the test wants");
        Attempt::Taken(None)
    }
}

on_both_engines!(an_attempt_that_panics_holds_up_no_other);
async fn an_attempt_that_panics_holds_up_no_other(app: &TestApp) {
    app.person("alice").await.with_two_factor().await;
    app.person("bob").await.with_two_factor().await;
    mail_all(app).await;
    let channel = deliver(app.shared_rooms().next().unwrap(), Rc::new(Clumsy::default()), Arc::new(Notify::new()));
    let is_settled = async {
        while count(app, "delivery WHERE state = 'delivered'") < 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = channel => unreachable!("it delivers for ever"),
        settled = tokio::time::timeout(Duration::from_secs(20), is_settled) => settled.unwrap(),
    }
    assert_eq!(count(app, "delivery WHERE state = 'waiting' AND attempts = 1 AND error LIKE '%reasons of ours'"), 1);
}

//! An account whose old events were dropped.

use super::*;
use crate::{
    on_both_engines,
    support::{behind::count, person::EVENTS},
};
use futures_util::future::join_all;
use serde_json::json;
use twofold::store::cuts::{self, PAGE};

on_both_engines!(an_event_is_dropped_when_it_is_due_and_not_a_moment_earlier, a_month);
async fn an_event_is_dropped_when_it_is_due_and_not_a_moment_earlier(app: &TestApp) {
    let id = account(app, "alice").await;
    note_many(app, id, 3).await;
    app.pass(1);
    note_many(app, id, 2).await;
    app.pass(31 * DAY - 1);
    drop_old_events(app).await;
    assert_eq!(verify(app).await, Ok(5), "they are exactly as old as events may be");
    app.pass(1);
    drop_old_events(app).await;
    assert_eq!((verify(app).await, count(app, "audit")), (Ok(2), 2));
    // The newest stays however old it is.
    app.pass(1000 * DAY);
    drop_old_events(app).await;
    drop_old_events(app).await;
    assert_eq!((verify(app).await, count(app, "audit")), (Ok(1), 1));
    note_many(app, id, 1).await;
    drop_old_events(app).await;
    assert_eq!((verify(app).await, count(app, "audit_cut WHERE seq = 5")), (Ok(1), 1));
}

on_both_engines!(an_account_whose_old_events_were_dropped_lives_on, a_month);
async fn an_account_whose_old_events_were_dropped_lives_on(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let disabled = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&disabled, "/tokens");
    let mut exported = app.anchor().await;
    let old = alice.get(&format!("{EVENTS}?limit=1")).await.is(200);
    app.pass(20 * DAY);
    alice.sign_in().await.set_up().await;
    exported.extend(app.anchor().await);
    let both = alice.get(&format!("{EVENTS}?limit=1")).await.is(200).body["next_cursor"].clone();
    app.pass(15 * DAY);
    let before = count(app, "audit");
    drop_old_events(app).await;
    let after = count(app, "audit");
    assert!(after < before && count(app, "audit_cut") == 2, "{before} and {after} rows");

    let disabled = alice.sign_in().await.disable(json!({})).await.is(200);
    alice.take_tokens(&disabled, "/tokens");
    assert_eq!(verify(app).await, Ok(u64::try_from(count(app, "audit")).unwrap()));
    let anchors = audit::verify_anchors(&app.cx(), exported.clone()).await.unwrap();
    assert_eq!(anchors.map(|anchors| anchors.checked), Ok(4), "anchors from before the cut hold");

    let list = async |query: &str| alice.get(&format!("{EVENTS}{query}")).await.is(200).body;
    let events = list("?limit=100").await["events"].as_array().unwrap().clone();
    assert_eq!(i64::try_from(events.len()).unwrap(), count(app, "audit"));
    let cursor = old.text("/next_cursor");
    assert_eq!(list(&format!("?cursor={cursor}")).await["events"], json!([]), "a cursor from before the cut");
    let rest = list(&format!("?cursor={}", both.as_str().unwrap())).await;
    assert_eq!(rest["events"].as_array().unwrap().last(), events.last());
    assert_eq!(rest["next_cursor"], json!(null));

    app.pass(100 * DAY);
    drop_old_events(app).await;
    assert_eq!((verify(app).await, count(app, "audit")), (Ok(2), 2));
    assert_eq!(audit::verify_anchors(&app.cx(), exported).await.unwrap().map(|anchors| anchors.checked), Ok(4));
}

on_both_engines!(a_walk_takes_many_small_steps_past_accounts_that_are_quiet, a_month);
async fn a_walk_takes_many_small_steps_past_accounts_that_are_quiet(app: &TestApp) {
    let ids = app.cx();
    let ids: Vec<AccountId> = (0..PAGE + 50).map(|_| ids.random.id(ids.now).unwrap()).collect();
    let (at, all) = ((app.cx().origin, app.now()), ids.clone());
    app.store()
        .write("test", move |tx| {
            for id in &all {
                let email = twofold::domain::account::Email::parse(&format!("{id}@example.test"), "")?;
                accounts::insert(tx, *id, &accounts::NewAccount::of(email, String::new()), at.1)?;
                note(tx, &at, *id)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    app.pass(DAY);
    // One chain that takes several batches, and lies behind all the others.
    note_many(app, ids[7], 2 * PAGE + 100).await;
    app.pass(40 * DAY);
    assert!(drop_old_events(app).await > 4);
    assert_eq!(count(app, "audit"), i64::try_from(ids.len()).unwrap());
    assert_eq!(drop_old_events(app).await, 2, "all of them are seen, {PAGE} a step");
    assert_eq!(verify(app).await, Ok(ids.len() as u64));
}

on_both_engines!(a_step_drops_no_more_than_a_batch, a_month);
async fn a_step_drops_no_more_than_a_batch(app: &TestApp) {
    let ids = [account(app, "alice").await, account(app, "bob").await];
    for id in ids {
        note_many(app, id, 150).await;
        app.pass(1);
    }
    note_many(app, ids[0], 150).await;
    app.pass(40 * DAY);
    let (mut place, mut left) = (None, vec![count(app, "audit")]);
    loop {
        place = audit::drop_old(app.rooms(), place).await.unwrap();
        left.push(count(app, "audit"));
        assert!(verify(app).await.is_ok());
        if place.is_none() {
            break;
        }
    }
    assert!(left.windows(2).all(|pair| pair[0] - pair[1] <= 100), "{left:?}");
    assert_eq!(left.last(), Some(&2));
}

on_both_engines!(replicas_that_drop_events_at_once_do_no_harm, a_month);
async fn replicas_that_drop_events_at_once_do_no_harm(app: &TestApp) {
    let ids = [account(app, "alice").await, account(app, "bob").await];
    for round in 0..6 {
        for id in ids {
            note_many(app, id, 40).await;
        }
        app.pass(40 * DAY);
        if round % 2 == 0 {
            // Both have seen the same before either drops.
            let horizon = app.rooms().policy.events_horizon(app.now()).unwrap();
            let steps = app
                .all_rooms()
                .cycle()
                .take(2)
                .map(|rooms| rooms.store.read("test", move |db| Ok(cuts::walk(db, None, horizon)?)));
            let mut dropped = vec![];
            for step in join_all(steps).await {
                let found = step.unwrap().cuts;
                dropped.push(app.store().write("test", move |tx| Ok(cuts::make(tx, &found)?)).await.unwrap());
            }
            assert!(dropped[0] > 0 && dropped[1] == 0, "{dropped:?}");
        } else {
            let writes = ids.map(|id| note_many(app, id, 5));
            let (steps, _) = futures_util::future::join(
                join_all(app.all_rooms().cycle().take(4).map(|rooms| audit::drop_old(rooms, None))),
                join_all(writes),
            )
            .await;
            assert!(steps.iter().all(Result::is_ok), "{steps:?}");
        }
        assert!(verify(app).await.is_ok());
    }
}

on_both_engines!(what_is_old_is_not_told_by_a_clock_that_is_wrong, a_month);
async fn what_is_old_is_not_told_by_a_clock_that_is_wrong(app: &TestApp) {
    let id = account(app, "alice").await;
    note_many(app, id, 3).await;
    let clock = &app.rooms().clock;
    clock.compare(async |_| Ok(Some(0))).await.unwrap();
    app.pass(40 * DAY);
    audit::drop_old(app.rooms(), None).await.unwrap_err();
    clock.compare(async |_| Ok(Some(0))).await.unwrap();
    assert_eq!(verify(app).await, Ok(3));
    audit::drop_old(app.rooms(), None).await.unwrap();
    assert_eq!(verify(app).await, Ok(1));
}

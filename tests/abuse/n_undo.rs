//! N: the link that takes a disable back, pressed by many and beside everything else.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        desk::account_of,
        links::{NEW_PASSWORD, undo, undo_link},
        person::Person,
        race::race,
        reply::Reply,
    },
};
use futures_util::future::{join, join_all};
use serde_json::json;

/// Somebody who has switched it off, and the token of the link in the mail about it.
async fn switched_off<'a>(app: &'a TestApp, name: &str) -> (Person<'a>, String) {
    let person = app.person(name).await.with_two_factor().await;
    let account = account_of(&person);
    let off = person.disable(json!({})).await.is(200);
    person.take_tokens(&off, "/tokens");
    (person, undo_link(app, &account, &off))
}

fn succeeded(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status == 200).count()
}

/// How many of the account's events say that it was taken back, for whoever signs in with either password.
async fn restored(person: &Person<'_>) -> usize {
    person.event_kinds().await.iter().filter(|kind| *kind == "two_factor.restored").count()
}

on_both_engines!(of_fifty_presses_of_a_link_at_once_one_counts);
/// N01: a link that works twice sets another password for whoever comes second.
async fn of_fifty_presses_of_a_link_at_once_one_counts(app: &TestApp) {
    race(app, async |n| {
        let (person, link) = switched_off(app, &format!("person{n}")).await;
        let presses = join_all((0..50).map(|_| undo(app, &link))).await;
        assert_eq!(succeeded(&presses), 1);
        for press in presses.into_iter().filter(|press| press.status != 200) {
            press.is(410).refuses("link-expired");
        }
        let owner = person.with_password(NEW_PASSWORD);
        app.pass(30);
        owner.sign_in().await;
        assert_eq!(restored(&owner).await, 1);
        assert_eq!(owner.status().await["methods"].as_array().unwrap().len(), 1);
    })
    .await;
}

on_both_engines!(a_link_and_the_confirm_of_a_new_phone_never_both_count);
/// N02: the confirm makes the link void, and the undo the enrolment; both together would leave the stolen phone beside
/// the new one.
async fn a_link_and_the_confirm_of_a_new_phone_never_both_count(app: &TestApp) {
    race(app, async |n| {
        let (person, link) = switched_off(app, &format!("person{n}")).await;
        let old = person.method.borrow().clone();
        let old_secret = person.secret.borrow().clone();
        let id = person.start_enrolment(json!({})).await;
        let code = person.code();
        let confirms = join_all((0..3).map(|_| person.confirm(&id, &code)));
        let presses = join_all((0..3).map(|_| undo(app, &link)));
        let (confirms, presses) = join(confirms, presses).await;
        let (confirmed, undone) = (succeeded(&confirms), succeeded(&presses));
        assert_eq!(confirmed + undone, 1, "{n}");
        let owner = if undone == 1 { person.with_password(NEW_PASSWORD) } else { person.elsewhere() };
        if undone == 1 {
            *owner.secret.borrow_mut() = old_secret;
        }
        app.pass(60);
        owner.sign_in().await;
        let status = owner.status().await;
        let methods = status["methods"].as_array().unwrap();
        assert_eq!((methods.len(), methods[0]["id"] == old), (1, undone == 1));
        assert_eq!((&status["pending"], restored(&owner).await), (&json!([]), undone));
        undo(app, &link).await.is(410);
    })
    .await;
}

on_both_engines!(no_disable_slips_in_beside_a_link);
/// N03: whoever holds the old session must not switch it off again in the moment in which it comes back.
async fn no_disable_slips_in_beside_a_link(app: &TestApp) {
    race(app, async |n| {
        let (thief, link) = switched_off(app, &format!("person{n}")).await;
        let disables = join_all((0..6).map(|_| thief.disable(json!({}))));
        let presses = join_all((0..3).map(|_| undo(app, &link)));
        let (disables, presses) = join(disables, presses).await;
        assert_eq!((succeeded(&presses), succeeded(&disables)), (1, 0));
        for disable in disables {
            assert!([401, 409, 429].contains(&disable.status), "{}", disable.body);
        }
        let owner = thief.with_password(NEW_PASSWORD);
        app.pass(30);
        owner.sign_in().await;
        assert_eq!(owner.status().await["enabled"], true);
    })
    .await;
}

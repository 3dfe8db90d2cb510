//! W07: at no instant of a switch is an account without a second factor. Somebody signs in all the time, on both sides
//! of every commit, and is asked for one each time.

use crate::{
    on_both_engines,
    support::{TestApp, codes, passkeys, person::Person, race::rounds},
};
use serde_json::{Value, json};
use std::cell::Cell;
use twofold::{config::Config, domain::method::Kind};

fn all_kinds(config: &mut Config) {
    passkeys::passkeys(config);
    codes::by_both(config);
    for budget in [&mut config.limits.enroll_start, &mut config.limits.code_send, &mut config.limits.code_send_address]
    {
        budget.free = 10_000;
    }
    for budget in [&mut config.limits.sms, &mut config.limits.sms_range, &mut config.limits.sms_installation] {
        budget.free = 10_000;
    }
}

/// Puts a method of this kind in the place of the one that there is.
async fn switch(person: &Person<'_>, kind: Kind) {
    let methods = person.status().await["methods"].clone();
    let [old] = methods.as_array().unwrap().as_slice() else { panic!("{methods}") };
    let more = json!({"replaces": old["id"]});
    match kind {
        Kind::Passkey => drop(passkeys::set_up(person, &passkeys::key(), more).await),
        Kind::Sms | Kind::Email => drop(codes::set_up(person, kind, more).await),
        Kind::Totp => {
            let id = person.start_enrolment(more).await;
            let confirmed = person.confirm(&id, &person.fresh_code()).await.is(200);
            person.take_tokens(&confirmed, "/tokens");
        }
    }
}

on_both_engines!(whoever_signs_in_during_a_switch_is_always_asked_for_a_second_factor, all_kinds);
async fn whoever_signs_in_during_a_switch_is_always_asked_for_a_second_factor(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (signed_in, beside) = (Cell::new(0_u32), Cell::new(0_u32));
    let is_over = Cell::new(false);
    let switches = async {
        for round in 0..rounds() {
            let kinds = [Kind::Passkey, Kind::Email, Kind::Totp, Kind::Sms];
            let before = signed_in.get();
            switch(&alice, kinds[round as usize % kinds.len()]).await;
            beside.set(beside.get() + u32::from(signed_in.get() > before));
        }
        is_over.set(true);
    };
    let somebody = async || {
        while !is_over.get() {
            let answer = alice.login().await.is(200);
            assert_eq!(answer.body["result"], "second_factor_required", "{}", answer.body);
            assert!(answer.body["tokens"] == Value::Null);
            signed_in.set(signed_in.get() + 1);
            // Reads of SQLite do not wait, so this one has to.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    futures_util::future::join3(switches, somebody(), somebody()).await;
    println!("{} switches, {} sign-ins, {} switches with one beside", rounds(), signed_in.get(), beside.get());
    assert!(beside.get() * 2 >= rounds(), "{} of {} switches had a sign-in beside them", beside.get(), rounds());
}

//! Receivers of bad manners: each costs at most its ten seconds, and nobody else's.

use crate::{
    on_both_engines,
    receiver::{Manner, Manner::*, Receiver},
    stand::{acme, add, multiply, number, tell, until},
    support::{TestApp, behind::count},
};
use std::time::{Duration, Instant};

/// One delivery to a receiver of this manner: what is noted of it, and after how long.
async fn meet(app: &TestApp, manner: Manner, noted: &str) -> (Receiver, Duration) {
    let (receiver, acme) = (Receiver::start(move |_| manner), acme(app).await);
    add(&acme, &receiver.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    receiver.expect(1).await;
    let began = Instant::now();
    until(app, &format!("delivery WHERE attempts = 1 AND {noted}"), 1).await;
    (receiver, began.elapsed())
}

const TIMED_OUT: &str = "state = 'waiting' AND error LIKE 'no answer within 10 s'";
const NOT_FINISHED: &str = "state = 'waiting' AND error = 'the answer was not finished'";

on_both_engines!(who_hangs_is_waited_for_ten_seconds, |config| config.webhooks.private = true);
async fn who_hangs_is_waited_for_ten_seconds(app: &TestApp) {
    let (_, took) = meet(app, Hangs, TIMED_OUT).await;
    assert!((8..13).contains(&took.as_secs()), "{took:?}");
}

on_both_engines!(who_drips_is_waited_for_ten_seconds, |config| config.webhooks.private = true);
async fn who_drips_is_waited_for_ten_seconds(app: &TestApp) {
    let (_, took) = meet(app, Drips, NOT_FINISHED).await;
    assert!((8..13).contains(&took.as_secs()), "{took:?}");
}

on_both_engines!(who_answers_without_end_is_not_listened_to, |config| config.webhooks.private = true);
async fn who_answers_without_end_is_not_listened_to(app: &TestApp) {
    let (receiver, took) = meet(app, Floods, "state = 'delivered'").await;
    // What was on its way when we stopped reading lies in the buffers of the system.
    assert!(took < Duration::from_secs(5) && receiver.poured() < 50_000_000, "{took:?} {}", receiver.poured());
}

on_both_engines!(who_breaks_off_has_not_taken_it, |config| config.webhooks.private = true);
async fn who_breaks_off_has_not_taken_it(app: &TestApp) {
    let (_, took) = meet(app, Breaks, "state = 'waiting' AND error IS NOT NULL AND status IS NULL").await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

on_both_engines!(redirects_are_not_followed, |config| config.webhooks.private = true);
async fn redirects_are_not_followed(app: &TestApp) {
    // Whoever follows comes back to the same receiver.
    let (receiver, _) = meet(app, Answers(307, "Location: /elsewhere"), "status = 307 AND state = 'waiting'").await;
    assert_eq!(receiver.seen().len(), 1);
}

on_both_engines!(a_receiver_that_hangs_holds_up_nobody_else, |config| config.webhooks.private = true);
async fn a_receiver_that_hangs_holds_up_nobody_else(app: &TestApp) {
    let (stuck, well) = (Receiver::start(|_| Hangs), Receiver::start(|_| Answers(200, "")));
    let acme = acme(app).await;
    add(&acme, &stuck.url()).await;
    add(&acme, &well.url()).await;
    app.person("alice").await.with_two_factor().await;
    number(app).await;
    multiply(app, 150);
    let began = Instant::now();
    tell(app);
    well.expect(151).await;
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "before the first of the others was given up: {:?}",
        began.elapsed()
    );
    until(app, "delivery WHERE state = 'delivered'", 151).await;
    assert!(stuck.seen().len() <= 8 * app.replicas(), "{} at once", stuck.seen().len());
    assert_eq!(count(app, "delivery WHERE state = 'waiting'"), 151);
}

//! Reminding owners, where they are told by mail. Every replica may do it at any time.

use super::PAUSE;
use crate::{
    actions::{Cx, Rooms, reminders},
    domain::{event::Origin, refusal::Stop},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

const REMIND_EVERY: Duration = Duration::from_secs(60);

/// Reminds for ever; after a fault the next round tries again.
pub async fn remind(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(REMIND_EVERY).await;
        if rooms.outbox.mails
            && let Err(stop) = remind_all(&rooms).await
        {
            log::warn!("reminders: {stop:?}");
        }
    }
}

/// Reminds all whose turn it is.
///
/// # Errors
/// `unavailable`; whoever was not reminded has their turn the next time.
pub async fn remind_all(rooms: &Arc<Rooms>) -> Result<(), Stop> {
    while reminders::remind(&Cx::new(rooms.clone(), of_ours())?).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Nobody asked for it.
fn of_ours() -> Origin {
    Origin {
        request_id: "reminder".to_owned(),
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: concat!("twofold/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

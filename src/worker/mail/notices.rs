//! Telling clients' contacts that a webhook of theirs is disabled. Every replica may do it at any time.

use super::{Mail, PATIENCE, letters::Occasion, relay::Refused};
use crate::{
    actions::{Rooms, notices},
    domain::{account::Locale, refusal::Stop, webhook::Notice},
};
use std::{rc::Rc, sync::Arc, time::Duration};

const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Tells them for ever; after a fault the next round tries again.
pub async fn tell(rooms: Arc<Rooms>, mail: Rc<Mail>) {
    loop {
        if let Err(stop) = tell_all(&rooms, &mail).await {
            log::warn!("telling clients: {stop:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn tell_all(rooms: &Rooms, mail: &Mail) -> Result<(), Stop> {
    while let Some(notice) = notices::claim(rooms).await? {
        let sent =
            tokio::time::timeout(PATIENCE, mail.notify(&notice)).await.unwrap_or_else(|_| Err(Refused::silent()));
        if let Err(refused) = &sent {
            log::warn!(webhook:% = notice.webhook; "its client was not told that it is disabled: {refused}");
        }
        let is_done = !matches!(sent, Err(Refused::Now { .. }));
        notices::settle(rooms, notice, is_done).await?;
    }
    Ok(())
}

impl Mail {
    /// Clients have no language of their own.
    async fn notify(&self, notice: &Notice) -> Result<u16, Refused> {
        let (webhook, kind) = (notice.webhook.to_string(), format!("webhook.{}", notice.because.as_str()));
        let letter = self.letters.write(&Occasion::of_webhook(&webhook, &kind, notice.at), Locale::En);
        let letter = letter.map_err(|error| Refused::Now { status: None, error })?;
        // The same in every attempt.
        let id = format!("{webhook}.{}", notice.at.as_millisecond());
        self.hand_over(letter, &notice.contact, &id, notice.at).await
    }
}

//! Fetching the keys of the portal's own issuer: from the one address that the operator named, or from a file.

use crate::crypto::issuer::Issuer;
use reqwest::{Client, Response, redirect};
use std::{path::PathBuf, sync::Arc, time::Duration};

const SET_MAX_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks at the keys, so that one that is withdrawn stops to count.
const REFRESH_EVERY: Duration = Duration::from_secs(600);

/// Where the keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `https://…`; where what is fit for tests alone is allowed, `http://…` too.
    Address(String),
    /// A file of this machine.
    File(PathBuf),
}

impl Source {
    /// Reads a setting: an address by its scheme, else a file.
    pub fn parse(text: &str) -> Self {
        let is_address = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
        if is_address { Self::Address(text.to_owned()) } else { Self::File(text.into()) }
    }
}

/// Keeps the keys of an issuer up to date for ever. While it does not answer, those that came last stay.
pub async fn follow(issuer: Arc<Issuer>, source: Source) {
    let mut was_well = None;
    loop {
        let fetched = fetch(&source).await;
        let learned = match &fetched {
            Ok(set) => issuer.learn(Some(set)).map_err(str::to_owned),
            Err(why) => {
                let _ = issuer.learn(None);
                Err(why.clone())
            }
        };
        match (&learned, was_well) {
            (Ok(0), _) => log::error!(issuer = issuer.name(); "the issuer publishes no key that fits"),
            (Ok(count), before) if before != Some(true) => {
                log::info!(issuer = issuer.name(), keys = *count; "the issuer's keys are known");
            }
            (Err(why), _) => log::error!(issuer = issuer.name(); "the issuer's keys stay as they were: {why}"),
            _ => {}
        }
        was_well = Some(learned.is_ok());
        let _ = tokio::time::timeout(REFRESH_EVERY, issuer.wanted()).await;
    }
}

async fn fetch(source: &Source) -> Result<Vec<u8>, String> {
    match source {
        Source::File(path) => std::fs::read(path).map_err(|error| error.to_string()),
        Source::Address(address) => {
            let client = Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT).build();
            let answer = client.map_err(|error| error.to_string())?.get(address).send().await;
            let answer =
                answer.and_then(Response::error_for_status).map_err(|error| format!("{:?}", error.without_url()))?;
            bounded(answer).await
        }
    }
}

/// The body, as far as it may go.
async fn bounded(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| error.to_string())? {
        body.extend_from_slice(&part);
        if body.len() > SET_MAX_BYTES {
            return Err(format!("the answer is longer than {SET_MAX_BYTES} bytes"));
        }
    }
    Ok(body)
}

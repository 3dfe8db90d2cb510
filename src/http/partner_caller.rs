//! Which partner calls: the extractor of operations that take a client's token. Whether the client may, and sees the
//! account, its row tells in the transaction of each operation.

use super::{
    caller::{Answer, AnyCall, bearer, headers, json},
    problem::{Code, NO_VERSION, Problem},
};
use crate::{
    actions::{
        Precondition,
        partner::{PartnerCall, entrance},
    },
    domain::{
        client::ClientScope,
        id::AccountId,
        refusal::{Refusal, Stop},
    },
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin};

/// A request of a partner's program.
pub struct Partner {
    /// The request, for the action.
    pub call: PartnerCall,
    any: AnyCall,
}

impl FromRequest for Partner {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let any = AnyCall::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let any = any.await?;
            let token = bearer(&request).ok_or(Refusal::InvalidClientToken)?;
            let holder = any.cx.keys.signer.check_client(&any.cx.realm, token, any.cx.now)?;
            Ok(Self { call: PartnerCall { cx: any.cx.clone(), holder, claim: None }, any })
        })
    }
}

impl Partner {
    /// Carries out a change of an account once: an earlier answer to the same idempotency key, of the same client, is
    /// given again instead.
    ///
    /// # Errors
    /// What the body or the action refuses.
    pub async fn change<B, C, T, R>(
        mut self,
        (scope, id): (ClientScope, AccountId),
        parse: impl FnOnce(B) -> Result<C, Problem>,
        act: impl AsyncFnOnce(&PartnerCall, C) -> Result<T, Stop>,
    ) -> Answer
    where
        B: DeserializeOwned,
        T: DeserializeOwned + Into<R>,
        R: Serialize,
    {
        let headers = headers(&self.any, Some(self.call.holder.client));
        self.call.claim = headers.as_ref().map(|(_, claim)| claim.clone()).unwrap_or_default();
        let replay = entrance::admit(&self.call, scope, id).await?;
        headers?;
        if let Some(outcome) = replay {
            // An outcome of another release: it was done, and cannot be shown.
            let outcome: T = serde_json::from_value(outcome).map_err(|_| Refusal::AlreadyCompleted)?;
            let mut response = json(StatusCode::OK, &outcome.into());
            let replayed = header::HeaderName::from_static("idempotent-replayed");
            response.headers_mut().insert(replayed, header::HeaderValue::from_static("true"));
            return Ok(response);
        }
        let command = parse(self.body()?)?;
        Ok(json(StatusCode::OK, &act(&self.call, command).await?.into()))
    }

    /// What a client asks for that is about no account; read once its client may.
    ///
    /// # Errors
    /// What the client lacks, and what the body refuses.
    pub async fn command<B: DeserializeOwned, C>(
        &self,
        scope: ClientScope,
        parse: impl FnOnce(B) -> Result<C, Problem>,
    ) -> Result<C, Problem> {
        entrance::may(&self.call, scope).await?;
        parse(self.body()?)
    }

    /// That there is no body, where a client asks for something that is about no account.
    ///
    /// # Errors
    /// What the client lacks; `payload-too-large`, `unsupported-media-type`, `malformed-request`, `version-mismatch`.
    pub async fn no_body(&self, scope: ClientScope) -> Result<(), Problem> {
        entrance::may(&self.call, scope).await?;
        self.any.no_body()?;
        self.unversioned(())
    }

    /// The body, for changes whose method is idempotent by itself.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`, `version-mismatch`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.unversioned(self.any.body()?)
    }

    fn unversioned<T>(&self, body: T) -> Result<T, Problem> {
        // Partners are told no version, so none that they ask for is the right one.
        match headers(&self.any, None)?.0 {
            Precondition::None => Ok(body),
            Precondition::OneOf(_) => Err(Problem::Worded(Code::VersionMismatch, NO_VERSION)),
        }
    }
}

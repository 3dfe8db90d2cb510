//! Which problems an operation meets: one group for all that are alike.

use super::{super::problem::Code, responses};
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

/// Declares groups of problems that operations meet.
macro_rules! problem_groups {
    ($($(#[$doc:meta])* $name:ident: $($code:ident),+;)+) => {$(
        $(#[$doc])*
        pub struct $name;
        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$(Code::$code),+])
            }
        }
    )+};
}

problem_groups! {
    /// Whoever reads as the owner.
    Reading: InvalidToken, TwoFactorSetupRequired, NotAcceptable, Overloaded, Unavailable;
    /// Whoever reads a list as the owner.
    Listing: MalformedRequest, InvalidToken, TwoFactorSetupRequired, NotAcceptable, Overloaded, Unavailable;
    /// Whoever changes something that needs no proof.
    Changing: MalformedRequest, InvalidToken, TwoFactorSetupRequired, NotFound, NotAcceptable, RequestInProgress, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever changes something and proves who they are.
    Proving: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, InvalidCredential,
        NotAcceptable, TwoFactorNotEnabled, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever switches it off.
    Disabling: MalformedRequest, InvalidToken, TwoFactorSetupRequired, ForbiddenByPolicy, InsufficientUserAuthentication, InvalidCredential,
        NotAcceptable, TwoFactorNotEnabled, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever starts an enrolment.
    Enrolling: MalformedRequest, InvalidToken, InsufficientUserAuthentication, InvalidCredential, MethodNotOffered, NotFound,
        NotAcceptable, TwoFactorNotEnabled, TooManyMethods, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever removes a method.
    Removing: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, InvalidCredential, NotFound,
        NotAcceptable, TwoFactorNotEnabled, LastMethod, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever looks at an enrolment.
    Looking: InvalidToken, NotFound, NotAcceptable, EnrolmentExpired, Overloaded, Unavailable;
    /// Whoever gives an enrolment up.
    Cancelling: MalformedRequest, InvalidToken, NotFound, NotAcceptable, AlreadyConfirmed, EnrolmentExpired,
        VersionMismatch, PayloadTooLarge, UnsupportedMediaType, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever wants another code for an enrolment.
    Resending: MalformedRequest, InvalidToken, NotFound, NotAcceptable, AlreadyConfirmed, AlreadyCompleted,
        RequestInProgress, EnrolmentExpired, MethodNotAvailable, VersionMismatch, PayloadTooLarge, UnsupportedMediaType,
        IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever asks what a disable would do.
    Previewing: InvalidToken, TwoFactorSetupRequired, ForbiddenByPolicy, NotAcceptable, TwoFactorNotEnabled, Overloaded, Unavailable;
    /// Whoever asks what the link of a mail would undo.
    PreviewingUndo: MalformedRequest, NotAcceptable, LinkExpired, PayloadTooLarge, UnsupportedMediaType,
        TooManyAttempts, Overloaded, Unavailable;
    /// Whoever takes a disable back.
    Undoing: MalformedRequest, NotAcceptable, LinkExpired, PayloadTooLarge, UnsupportedMediaType, ValidationFailed,
        TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever ends reminders.
    Stopping: MalformedRequest, NotAcceptable, LinkExpired, PayloadTooLarge, UnsupportedMediaType, TooManyAttempts,
        Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever signs out.
    Leaving: MalformedRequest, InvalidToken, NotAcceptable, VersionMismatch, PayloadTooLarge, UnsupportedMediaType,
        TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever proves the second factor inside a session.
    Stepping: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InvalidCredential, NotAcceptable, TwoFactorNotEnabled,
        AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge, UnsupportedMediaType,
        ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever asks for a proof.
    Asking: MalformedRequest, InvalidToken, TwoFactorSetupRequired, NotAcceptable, TwoFactorNotEnabled, MethodNotAvailable, AlreadyCompleted,
        RequestInProgress, VersionMismatch, PayloadTooLarge, UnsupportedMediaType, ValidationFailed,
        IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever asks for a proof to answer a challenge with.
    AskingAtSignIn: MalformedRequest, NotAcceptable, MethodNotAvailable, ChallengeExpired, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever confirms an enrolment.
    Confirming: MalformedRequest, InvalidToken, InvalidCredential, NotFound, NotAcceptable,
        AlreadyConfirmed, AlreadyCompleted, RequestInProgress, EnrolmentExpired, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, CodeOutOfWindow, TooManyAttempts, Overloaded,
        Unavailable, OutcomeUnknown;
    /// Whoever signs in with a password.
    SigningIn: MalformedRequest, InvalidCredential, NotAcceptable, PayloadTooLarge, UnsupportedMediaType,
        ValidationFailed, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever answers a challenge.
    Answering: MalformedRequest, InvalidCredential, NotAcceptable, ChallengeExpired, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever refreshes tokens.
    Refreshing: MalformedRequest, InvalidToken, NotAcceptable, PayloadTooLarge, UnsupportedMediaType,
        TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever looks for an account, for support.
    Finding: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, NotPermitted, NotFound, NotAcceptable,
        ValidationFailed, Overloaded, Unavailable;
    /// Whoever looks at an account, for support.
    Overseeing: InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, NotPermitted, NotFound, NotAcceptable, Overloaded,
        Unavailable;
    /// Whoever reads an account's log, for support.
    OverseeingList: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, NotPermitted, NotFound,
        NotAcceptable, Overloaded, Unavailable;
    /// Whoever helps the owner of an account who has lost a factor.
    Helping: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, NotPermitted, NotFound, NotAcceptable,
        TwoFactorNotEnabled, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever opens the budgets of an account.
    Unlocking: MalformedRequest, InvalidToken, TwoFactorSetupRequired, InsufficientUserAuthentication, NotPermitted, NotFound, NotAcceptable,
        AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge, UnsupportedMediaType, ValidationFailed,
        IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever lets a partner see the account.
    Consenting: MalformedRequest, InvalidToken, TwoFactorSetupRequired, NotFound, NotAcceptable, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever lets a partner see the account no more.
    Withdrawing: MalformedRequest, InvalidToken, TwoFactorSetupRequired, NotPermitted, NotFound, NotAcceptable, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever looks at an account, as a partner.
    Peering: InvalidToken, NotPermitted, NotFound, NotAcceptable, Overloaded, Unavailable;
    /// Whoever has a code judged, as a partner.
    Vouching: MalformedRequest, InvalidToken, InvalidCredential, NotPermitted, NotFound, NotAcceptable,
        TwoFactorNotEnabled, AlreadyCompleted, RequestInProgress, VersionMismatch, PayloadTooLarge,
        UnsupportedMediaType, ValidationFailed, IdempotencyKeyReused, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever keeps an account of the portal's user base.
    Provisioning: MalformedRequest, InvalidToken, NotPermitted, NotFound, NotAcceptable, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, ValidationFailed, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever follows what happens, as a partner.
    Following: MalformedRequest, InvalidToken, NotPermitted, NotAcceptable, CursorExpired, Overloaded, Unavailable;
    /// Whoever adds a webhook.
    Hooking: MalformedRequest, InvalidToken, NotPermitted, NotAcceptable, TooManyWebhooks, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, ValidationFailed, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever lists webhooks.
    HookListing: InvalidToken, NotPermitted, NotAcceptable, Overloaded, Unavailable;
    /// Whoever changes a webhook.
    Rehooking: MalformedRequest, InvalidToken, NotPermitted, NotFound, NotAcceptable, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, ValidationFailed, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever deletes a webhook, or rotates its secret.
    Unhooking: MalformedRequest, InvalidToken, NotPermitted, NotFound, NotAcceptable, VersionMismatch,
        PayloadTooLarge, UnsupportedMediaType, Overloaded, Unavailable, OutcomeUnknown;
    /// Whoever reads what a webhook was sent.
    HookLog: MalformedRequest, InvalidToken, NotPermitted, NotFound, NotAcceptable, Overloaded, Unavailable;
    /// Whoever has a delivery made again.
    Replaying: MalformedRequest, InvalidToken, NotPermitted, NotFound, NotAcceptable, WebhookDisabled,
        VersionMismatch, PayloadTooLarge, UnsupportedMediaType, TooManyAttempts, Overloaded, Unavailable,
        OutcomeUnknown;
    /// Whoever reads what is published.
    Published: NotAcceptable, Unavailable;
    /// Whoever reads which pages and apps belong to this domain.
    Associated: NotFound, NotAcceptable, Unavailable;
    /// Whoever reads about problems.
    Explained: NotFound, NotAcceptable;
}

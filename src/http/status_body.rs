//! The status as JSON: what a front-end draws its page from.

use super::{
    caller::OwnerCall,
    shapes::{MethodType, ProofName},
};
use crate::{
    actions::two_factor::status::{ActiveMethod, PendingMethod, Requirement, Status},
    domain::policy::Support,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How two-factor authentication stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub struct StatusBody {
    /// Whether it is on.
    enabled: bool,
    /// Since when.
    #[schema(required)]
    since: Option<Timestamp>,
    /// When it was switched off, if it was on before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_at: Option<Timestamp>,
    /// When its owner is reminded that it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reminder_at: Option<Timestamp>,
    /// Until when partners are asked to hold back what cannot be undone, such as a payout, since the account's protection
    /// was lowered; null when nothing is held.
    #[schema(required)]
    restricted_until: Option<Timestamp>,
    /// That the policy requires it of the account; null where it does not.
    #[schema(required)]
    required: Option<RequirementBody>,
    /// When to ask the owner whether a method still works, and how many recovery codes are left; null while it is off, and
    /// where nobody is asked. A proof by a method in a session, before it or after, puts it off.
    #[schema(required)]
    checkup_due_at: Option<Timestamp>,
    /// The active methods, oldest first.
    methods: Vec<MethodBody>,
    /// The recovery codes; null while it is off.
    #[schema(required)]
    recovery_codes: Option<RecoveryCodesBody>,
    /// Enrolments that wait for their confirm.
    pending: Vec<PendingBody>,
    /// The kinds of method that can be set up, the strongest first.
    #[schema(value_type = Vec<MethodType>)]
    kinds: Vec<&'static str>,
    /// What the owner may do now, and what it takes.
    actions: ActionsBody,
    /// Whom a locked-out owner turns to.
    support: SupportBody,
}

/// How the two-factor authentication of an account stands, for support: a status without actions.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountStatus)]
pub struct AccountStatusBody {
    /// Whether it is on.
    enabled: bool,
    /// Since when.
    #[schema(required)]
    since: Option<Timestamp>,
    /// When it was switched off, if it was on before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_at: Option<Timestamp>,
    /// When its owner is reminded that it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reminder_at: Option<Timestamp>,
    /// Until when partners are asked to hold back what cannot be undone, such as a payout, since the account's protection
    /// was lowered; null when nothing is held.
    #[schema(required)]
    restricted_until: Option<Timestamp>,
    /// Since when the account waits for somebody of support, since its owner took a disable back; null when it does not.
    /// What support does next for it, for a ticket, ends that.
    #[schema(required)]
    flagged_at: Option<Timestamp>,
    /// That the policy requires it of the account; null where it does not.
    #[schema(required)]
    required: Option<RequirementBody>,
    /// The active methods, oldest first.
    methods: Vec<MethodBody>,
    /// The recovery codes; null while it is off.
    #[schema(required)]
    recovery_codes: Option<RecoveryCodesBody>,
    /// Enrolments that wait for their confirm.
    pending: Vec<PendingBody>,
    /// Whom a locked-out owner turns to.
    support: SupportBody,
}

/// That two-factor authentication is required of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Requirement)]
pub struct RequirementBody {
    /// Since when; null before the first sign-in since then.
    #[schema(required)]
    since: Option<Timestamp>,
    /// Until when the account may do without; from then on, nothing but setting it up is possible where it is off.
    #[schema(required)]
    until: Option<Timestamp>,
}

impl From<Requirement> for RequirementBody {
    fn from(Requirement { since, until }: Requirement) -> Self {
        Self { since, until }
    }
}

/// A method that protects the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Method)]
pub struct MethodBody {
    /// Its id.
    id: Uuid,
    /// Its kind.
    #[schema(value_type = MethodType)]
    r#type: String,
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// When it was confirmed.
    created_at: Timestamp,
    /// When it last proved the second factor.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
}

/// A method that waits for its confirm.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingMethod)]
pub struct PendingBody {
    /// Its id.
    id: Uuid,
    /// Its kind.
    #[schema(value_type = MethodType)]
    r#type: String,
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// When its enrolment ends.
    expires_at: Timestamp,
}

/// How many recovery codes there are.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodeCount)]
pub struct RecoveryCodesBody {
    /// In the set when it was made.
    total: usize,
    /// Unused.
    remaining: usize,
    /// When the set was made; where there is none yet, since when two-factor authentication is on.
    generated_at: Timestamp,
}

/// What the owner may do now.
#[derive(Serialize, ToSchema)]
#[schema(as = Actions)]
pub struct ActionsBody {
    /// Set two-factor authentication up.
    setup: ActionBody,
    /// Open *Manage two-factor authentication*.
    manage: ActionBody,
    /// Switch it off.
    disable: ActionBody,
    /// Add another method.
    add: ActionBody,
    /// Put one method in the place of another, of whatever kind.
    replace: ActionBody,
    /// Make a new set of recovery codes.
    regenerate_recovery_codes: ActionBody,
}

/// Whether something is allowed, and what it takes.
#[derive(Serialize, ToSchema)]
#[schema(as = Action)]
pub struct ActionBody {
    /// Whether it is allowed.
    allowed: bool,
    /// Why not: the code of the problem that it would meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-z-]+$", example = "two-factor-not-enabled")]
    reason: Option<&'static str>,
    /// What the body must hold, for the token that asked; `a|b` means one of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<ProofName>>)]
    proofs: Option<Vec<&'static str>>,
    /// Until when the token vouches for the second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fresh_until: Option<Timestamp>,
}

/// Whom a locked-out owner turns to.
#[derive(Serialize, ToSchema)]
#[schema(as = Support)]
pub struct SupportBody {
    /// An e-mail address.
    #[schema(required)]
    email: Option<String>,
    /// A telephone number.
    #[schema(required)]
    phone: Option<String>,
    /// A page.
    #[schema(required)]
    url: Option<String>,
}

impl StatusBody {
    /// The status, as the caller sees it.
    pub fn new(status: &Status, call: &OwnerCall) -> Self {
        let Status { since, disabled_at, reminder_at, restricted_until, .. } = status;
        let codes = status.recovery_codes.as_ref().filter(|_| status.is_enabled());
        Self {
            enabled: status.is_enabled(),
            since: *since,
            disabled_at: *disabled_at,
            reminder_at: *reminder_at,
            restricted_until: *restricted_until,
            required: status.requirement.map(RequirementBody::from),
            checkup_due_at: status.checkup_due_at,
            methods: status.methods.iter().map(MethodBody::from).collect(),
            recovery_codes: codes.map(|codes| RecoveryCodesBody {
                total: codes.total,
                remaining: codes.remaining,
                generated_at: codes.generated_at,
            }),
            pending: status.pending.iter().map(PendingBody::from).collect(),
            kinds: call.call.cx.policy.kinds.iter().map(|kind| kind.as_str()).collect(),
            actions: actions(status),
            support: SupportBody::from(&call.call.cx.policy.support),
        }
    }
}

impl AccountStatusBody {
    /// The status, as the owner sees it.
    pub fn new(status: &Status, call: &OwnerCall) -> Self {
        let StatusBody {
            enabled,
            since,
            disabled_at,
            reminder_at,
            restricted_until,
            required,
            methods,
            recovery_codes,
            pending,
            support,
            ..
        } = StatusBody::new(status, call);
        let flagged_at = status.flagged_at;
        Self {
            enabled,
            since,
            disabled_at,
            reminder_at,
            restricted_until,
            flagged_at,
            required,
            methods,
            recovery_codes,
            pending,
            support,
        }
    }
}

/// What the body of a change must hold while two-factor authentication is on. Who has no authenticator app proves the
/// method first, by `verify`, or sends a recovery code.
pub fn proofs(fresh_until: Option<Timestamp>, has_app: bool) -> Vec<&'static str> {
    match (fresh_until, has_app) {
        (Some(_), _) => vec!["password"],
        (None, true) => vec!["password", "code|recovery_code"],
        (None, false) => vec!["password", "recovery_code"],
    }
}

fn actions(status: &Status) -> ActionsBody {
    const OFF: &str = "two-factor-not-enabled";
    if !status.is_enabled() {
        let setup = ActionBody { proofs: Some(vec!["password"]), ..ActionBody::allowed() };
        let off = || ActionBody::forbidden(OFF);
        return ActionsBody {
            setup,
            manage: off(),
            disable: off(),
            add: off(),
            replace: off(),
            regenerate_recovery_codes: off(),
        };
    }
    let change = || ActionBody {
        proofs: Some(proofs(status.fresh_until, status.has_app())),
        fresh_until: status.fresh_until,
        ..ActionBody::allowed()
    };
    ActionsBody {
        setup: ActionBody::forbidden("two-factor-already-enabled"),
        manage: ActionBody::allowed(),
        disable: if status.forbids_disable { ActionBody::forbidden("forbidden-by-policy") } else { change() },
        add: if status.has_room { change() } else { ActionBody::forbidden("too-many-methods") },
        replace: change(),
        regenerate_recovery_codes: change(),
    }
}

impl ActionBody {
    fn allowed() -> Self {
        Self { allowed: true, reason: None, proofs: None, fresh_until: None }
    }

    fn forbidden(reason: &'static str) -> Self {
        Self { allowed: false, reason: Some(reason), proofs: None, fresh_until: None }
    }
}

impl From<&ActiveMethod> for MethodBody {
    fn from(method: &ActiveMethod) -> Self {
        Self {
            id: method.id.0,
            r#type: method.kind.to_string(),
            label: method.label.as_str().to_owned(),
            created_at: method.created_at,
            last_used_at: method.last_used_at,
        }
    }
}

impl From<&PendingMethod> for PendingBody {
    fn from(method: &PendingMethod) -> Self {
        Self {
            id: method.id.0,
            r#type: method.kind.to_string(),
            label: method.label.as_str().to_owned(),
            expires_at: method.expires_at,
        }
    }
}

impl From<&Support> for SupportBody {
    fn from(support: &Support) -> Self {
        let Support { email, phone, url } = support.clone();
        Self { email, phone, url }
    }
}

//! The tables, as diesel sees them; `migrations/` makes them.

mod kinds;

use diesel::{allow_tables_to_appear_in_same_query, table};
pub use kinds::*;

table! {
    account (id) {
        id -> Text,
        email -> Text,
        password_hash -> Text,
        password_changed_at -> BigInt,
        locale -> Text,
        scope -> Text,
        created_at -> BigInt,
        version -> BigInt,
        activity -> BigInt,
        epoch -> BigInt,
        enabled_at -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        reminder_at -> Nullable<BigInt>,
        subject -> Nullable<Text>,
        tokens_valid_after -> BigInt,
        suspended_at -> Nullable<BigInt>,
        restricted_until -> Nullable<BigInt>,
        flagged_at -> Nullable<BigInt>,
        reminded_at -> Nullable<BigInt>,
        listed_at -> Nullable<BigInt>,
        required_since -> Nullable<BigInt>,
        checked_at -> Nullable<BigInt>,
        subject_unproven_since -> Nullable<BigInt>,
    }
}

table! {
    method (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        state -> Text,
        label -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        expires_at -> BigInt,
        replaces -> Nullable<Text>,
        session_id -> Text,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    totp (method_id) {
        method_id -> Text,
        sealed -> Binary,
        last_step -> BigInt,
    }
}

table! {
    tombstone (account_id) {
        account_id -> Text,
        disabled_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    tombstone_totp (method_id) {
        method_id -> Text,
        account_id -> Text,
        sealed -> Binary,
        last_step -> BigInt,
    }
}

table! {
    recovery_code (account_id, hashed) {
        account_id -> Text,
        hashed -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

table! {
    bypass_code (account_id) {
        account_id -> Text,
        id -> Text,
        hashed -> Text,
        expires_at -> BigInt,
    }
}

table! {
    bucket (scope, key) {
        scope -> Text,
        key -> Text,
        state -> Text,
        updated_at -> BigInt,
    }
}

table! {
    known_address (account_id, address) {
        account_id -> Text,
        address -> Text,
        seen_at -> BigInt,
    }
}

table! {
    session (id) {
        id -> Text,
        account_id -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        idle_until -> BigInt,
        expires_at -> BigInt,
        ip -> Text,
        user_agent -> Text,
        acr -> Text,
        amr -> Text,
        auth_time -> BigInt,
        refresh -> Text,
        previous -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        is_portals -> BigInt,
    }
}

table! {
    challenge (id) {
        id -> Text,
        account_id -> Text,
        hashed -> Text,
        epoch -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    device (id) {
        id -> Text,
        account_id -> Text,
        hashed -> Text,
        previous -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        epoch -> BigInt,
        created_at -> BigInt,
        last_used_at -> BigInt,
        expires_at -> BigInt,
        ip -> Text,
        user_agent -> Text,
        session_id -> Text,
    }
}

table! {
    audit (account_id, stream, seq) {
        account_id -> Text,
        stream -> Text,
        seq -> BigInt,
        ordinal -> BigInt,
        id -> Text,
        kind -> Text,
        at -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        ip -> Text,
        user_agent -> Text,
        request_id -> Text,
        details -> Text,
        key_id -> Text,
        hash -> Binary,
    }
}

table! {
    audit_cut (account_id, stream) {
        account_id -> Text,
        stream -> Text,
        seq -> BigInt,
        hash -> Binary,
        key_id -> Text,
        seal -> Binary,
    }
}

table! {
    audit_end (account_id) {
        account_id -> Text,
        at -> BigInt,
        state_seq -> BigInt,
        state_hash -> Binary,
        activity_seq -> BigInt,
        activity_hash -> Binary,
        key_id -> Text,
        seal -> Binary,
    }
}

table! {
    audit_anchor (n) {
        n -> BigInt,
        at -> BigInt,
        before -> Text,
        heads -> Text,
        key_id -> Text,
        hash -> Text,
    }
}

table! {
    announcement (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        at -> BigInt,
        seq -> BigInt,
        recipient -> Nullable<Text>,
        locale -> Text,
        facts -> Text,
        position -> Nullable<BigInt>,
    }
}

table! {
    feed (n) {
        n -> BigInt,
        position -> BigInt,
    }
}

table! {
    delivery (target, position) {
        target -> Text,
        position -> BigInt,
        account_id -> Text,
        kind -> Text,
        created_at -> BigInt,
        due_at -> BigInt,
        attempts -> BigInt,
        state -> Text,
        ended_at -> Nullable<BigInt>,
        status -> Nullable<BigInt>,
        error -> Nullable<Text>,
        times -> BigInt,
    }
}

table! {
    webhook (id) {
        id -> Text,
        client_id -> Text,
        url -> Text,
        kinds -> Nullable<Text>,
        description -> Nullable<Text>,
        secret -> Binary,
        previous -> Nullable<Binary>,
        previous_until -> Nullable<BigInt>,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        disabled_because -> Nullable<Text>,
        failing_since -> Nullable<BigInt>,
        notice_due_at -> Nullable<BigInt>,
    }
}

table! {
    idempotency (account_id, key) {
        account_id -> Text,
        key -> Binary,
        fingerprint -> Binary,
        is_done -> BigInt,
        outcome -> Nullable<Text>,
        created_at -> BigInt,
        lease_until -> BigInt,
    }
}

table! {
    client (id) {
        id -> Text,
        name -> Text,
        secret -> Text,
        previous -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        scope -> Text,
        sees_all -> BigInt,
        contact -> Nullable<Text>,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        epoch -> BigInt,
    }
}

table! {
    consent (account_id, client_id) {
        account_id -> Text,
        client_id -> Text,
        granted_at -> BigInt,
        granted_by -> Text,
    }
}

table! {
    provisioned (account_id) {
        account_id -> Text,
        password -> Binary,
    }
}

table! {
    replica (id) {
        id -> Text,
        name -> Text,
        keys -> Text,
        seen_at -> BigInt,
    }
}

table! {
    restoration (n) {
        n -> BigInt,
        at -> BigInt,
        anchor -> BigInt,
        anchor_hash -> Text,
        key_id -> Text,
        seal -> Binary,
    }
}

diesel::joinable!(session -> account (account_id));
diesel::joinable!(consent -> client (client_id));
diesel::joinable!(webhook -> client (client_id));
diesel::joinable!(totp -> method (method_id));
diesel::joinable!(tombstone_totp -> method (method_id));
diesel::joinable!(passkey -> method (method_id));
diesel::joinable!(tombstone_passkey -> method (method_id));
diesel::joinable!(destination -> method (method_id));
diesel::joinable!(sent_code -> method (method_id));
diesel::joinable!(tombstone_destination -> method (method_id));
allow_tables_to_appear_in_same_query!(account, session, challenge);
allow_tables_to_appear_in_same_query!(method, totp, tombstone_totp, passkey, tombstone_passkey);
allow_tables_to_appear_in_same_query!(method, destination, tombstone_destination);
allow_tables_to_appear_in_same_query!(method, sent_code);
allow_tables_to_appear_in_same_query!(account, audit_end);
allow_tables_to_appear_in_same_query!(announcement, audit, delivery);
allow_tables_to_appear_in_same_query!(announcement, consent);
allow_tables_to_appear_in_same_query!(client, consent, webhook);
allow_tables_to_appear_in_same_query!(account, destination, sent_code);

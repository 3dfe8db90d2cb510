//! The tables of the kinds of method that are asked for.

use diesel::table;

table! {
    passkey (method_id) {
        method_id -> Text,
        name -> Text,
        sealed -> Binary,
        counter -> BigInt,
    }
}

table! {
    ceremony (binding) {
        binding -> Text,
        account_id -> Text,
        state -> Binary,
        expires_at -> BigInt,
    }
}

table! {
    tombstone_passkey (method_id) {
        method_id -> Text,
        account_id -> Text,
        name -> Text,
        sealed -> Binary,
        counter -> BigInt,
    }
}

table! {
    destination (method_id) {
        method_id -> Text,
        sealed -> Binary,
    }
}

table! {
    sent_code (method_id) {
        method_id -> Text,
        account_id -> Text,
        kind -> Text,
        binding -> Text,
        hashed -> Text,
        sealed -> Nullable<Binary>,
        due_at -> BigInt,
        attempts -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    tombstone_destination (method_id) {
        method_id -> Text,
        account_id -> Text,
        sealed -> Binary,
    }
}

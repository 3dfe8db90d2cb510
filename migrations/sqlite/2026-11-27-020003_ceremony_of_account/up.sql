-- Finds what an account was asked for, to end it with the account's factors.
CREATE INDEX ceremony_of_account ON ceremony (account_id);

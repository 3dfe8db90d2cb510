-- Since when nobody with the account's present subject has proved a factor of ours; NULL when that is not asked for.
ALTER TABLE account ADD COLUMN subject_unproven_since INTEGER;

-- What it was for is found by delivery_last.
DROP INDEX delivery_of_account;

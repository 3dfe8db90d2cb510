-- Finds the webhooks of one client.
CREATE INDEX webhook_of_client ON webhook (client_id);

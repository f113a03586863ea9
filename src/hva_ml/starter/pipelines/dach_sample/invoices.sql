-- Invoices and credit notes from the ERP, which issues them itself: known the moment they are issued.
-- The ERP counts in cents, the contract reads currency units.
SELECT
    invoice_no AS invoice_id,
    company_id AS account_id,
    issued_at AS event_time,
    issued_at AS known_at,
    CAST(amount_cents AS DECIMAL(18, 2)) / 100 AS amount,
    currency
FROM invoices

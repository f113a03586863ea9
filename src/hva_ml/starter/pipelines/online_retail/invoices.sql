-- One row per invoice. An invoice that begins with C cancels goods: a credit note with a negative amount.
SELECT
    invoice_id,
    account_id,
    min(event_time) AS event_time,
    sum(amount) AS amount,
    'GBP' AS currency,
    CAST(sum(greatest(quantity, 0)) AS DOUBLE) AS items,
    CAST(count(DISTINCT product) AS DOUBLE) AS products
FROM goods
GROUP BY invoice_id, account_id

-- One row per order. Amounts are dollars throughout: the same product costs the same under every currency key.
SELECT
    o."SalesOrderNumber" AS invoice_id,
    r."ResellerAlternateKey" AS account_id,
    min(o."OrderDate") AS event_time,
    sum(o."SalesAmount") AS amount,
    'USD' AS currency,
    CAST(count(DISTINCT o."ProductKey") AS DOUBLE) AS products
FROM orders AS o
JOIN resellers AS r USING ("ResellerKey")
GROUP BY o."SalesOrderNumber", r."ResellerAlternateKey"

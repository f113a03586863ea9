-- An account is a customer, from its first invoice on. Eleven customers moved: the first country stands.
SELECT
    account_id,
    min(event_time) AS event_time,
    min_by(country, (event_time, invoice_id, country)) AS country
FROM goods
GROUP BY account_id

-- Engagement. Lists of attendants and notes on calls are imported days later: known_at says when.
SELECT
    CAST(event_id AS STRING) AS event_id,
    company_id AS account_id,
    occurred_at AS event_time,
    imported_at AS known_at,
    event_type,
    contact_id
FROM engagement

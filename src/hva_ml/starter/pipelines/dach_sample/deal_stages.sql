-- Stage history of deals. 'won' and 'lost' are words of the contract; the open stages may be called anything.
SELECT
    deal_id,
    company_id AS account_id,
    entered_at AS event_time,
    recorded_at AS known_at,
    CASE stage
        WHEN 'Anfrage' THEN 'lead'
        WHEN 'Qualifiziert' THEN 'qualified'
        WHEN 'Angebot' THEN 'proposal'
        WHEN 'Verhandlung' THEN 'negotiation'
        WHEN 'Gewonnen' THEN 'won'
        WHEN 'Verloren' THEN 'lost'
        ELSE stage
    END AS stage,
    CAST(amount_cents AS DECIMAL(18, 2)) / 100 AS amount,
    currency
FROM deals

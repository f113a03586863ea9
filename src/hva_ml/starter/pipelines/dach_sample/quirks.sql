-- What is odd about the raw data, counted; hva check shows it.
SELECT 'credit_notes' AS quirk, count(*) AS rows, 'Credit notes; they count as negative revenue.' AS what
FROM invoices
WHERE amount_cents < 0
UNION ALL
SELECT 'late_imports', count(*), 'Engagement imported a day or more after the fact.'
FROM engagement
WHERE imported_at >= occurred_at + INTERVAL 1 DAY
UNION ALL
SELECT 'anonymous', count(*), 'Engagement without a known contact.'
FROM engagement
WHERE contact_id IS NULL
UNION ALL
SELECT 'late_stages', count(*), 'Deal stages written down a day or more after they were entered.'
FROM deals
WHERE recorded_at >= entered_at + INTERVAL 1 DAY
ORDER BY quirk

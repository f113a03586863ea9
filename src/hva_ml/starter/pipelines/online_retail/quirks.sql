-- What goods.sql leaves out or sets right, in the order in which a line is judged. hva check shows it.
WITH judged AS (
    SELECT
        CASE
            WHEN sheet = '2009-2010' AND "InvoiceDate" >= TIMESTAMP '2010-12-01' THEN 1
            WHEN "Customer ID" IS NULL THEN 2
            WHEN "Price" <= 0 THEN 3
            WHEN upper("StockCode") IN (
                'POST', 'DOT', 'C2', 'C3', 'S', 'B', 'BANK CHARGES', 'AMAZONFEE', 'ADJUST', 'ADJUST2', 'CRUK',
                'TEST001', 'TEST002'
            ) THEN 4
            WHEN upper("StockCode") IN ('M', 'D') THEN 5
            WHEN "Invoice" LIKE 'C%' THEN 6
            ELSE 7
        END AS step
    FROM lines
)
SELECT quirk, count(judged.step) AS rows, what
FROM (
    VALUES
        (1, 'overlapping sheets', 'lines of 1 to 9 December 2010 that stand in both sheets, left out once'),
        (2, 'guest sales', 'lines without a customer, left out'),
        (3, 'zero or negative prices', 'samples, stock corrections and bad debt, left out'),
        (4, 'not goods', 'postage, samples, fees, adjustments and tests, left out'),
        (5, 'manual entries and discounts', 'corrections of what was paid for goods, kept'),
        (6, 'cancellations', 'lines of credit notes, kept as negative amounts'),
        (7, 'sales', 'lines of goods sold, kept')
) AS told (step, quirk, what)
LEFT JOIN judged ON judged.step = told.step
GROUP BY told.step, quirk, what
ORDER BY told.step

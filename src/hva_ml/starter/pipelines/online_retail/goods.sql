-- Invoice lines of goods to known customers. What is left out, and why, is counted in quirks.sql.
SELECT
    "Invoice" AS invoice_id,
    CAST("Customer ID" AS STRING) AS account_id,
    "InvoiceDate" AS event_time,
    "Country" AS country,
    "StockCode" AS product,
    "Quantity" AS quantity,
    "Quantity" * CAST(round("Price", 3) AS DECIMAL(12, 3)) AS amount
FROM lines
WHERE
    -- The two yearly sheets overlap: 1 to 9 December 2010 is in both. The later sheet has it.
    NOT (sheet = '2009-2010' AND "InvoiceDate" >= TIMESTAMP '2010-12-01')
    -- Guest sales have no customer.
    AND "Customer ID" IS NOT NULL
    -- Zero prices are samples and corrections of stock, negative ones adjustments of bad debt.
    AND "Price" > 0
    -- Postage, carriage, samples, fees, bank charges, adjustments and tests are not goods. Manual entries (M)
    -- and discounts (D) stay: they correct what was paid for goods, such as the credit C556445 of £38,970.
    AND upper("StockCode") NOT IN (
        'POST', 'DOT', 'C2', 'C3', 'S', 'B', 'BANK CHARGES', 'AMAZONFEE', 'ADJUST', 'ADJUST2', 'CRUK',
        'TEST001', 'TEST002'
    )

-- What the queries leave out. hva check shows it.
SELECT 'resellers without an order' AS quirk, count(*) AS rows, 'never bought in these years, no account here' AS what
FROM resellers
WHERE "ResellerKey" NOT IN (SELECT "ResellerKey" FROM orders)
UNION ALL
SELECT 'orders under a foreign currency key', count(DISTINCT "SalesOrderNumber"),
    'amounts are dollars all the same: unit prices equal those of dollar orders'
FROM orders
WHERE "CurrencyKey" <> 100

-- A reseller is an account from its first order on; the warehouse does not say when it was first approached.
SELECT
    r."ResellerAlternateKey" AS account_id,
    min(o."OrderDate") AS event_time,
    any_value(r."ResellerName") AS name,
    any_value(g."CountryRegionCode") AS country,
    any_value(g."PostalCode") AS postcode,
    any_value(r."NumberEmployees") AS employees,
    any_value(r."AnnualRevenue") AS annual_revenue,
    any_value(r."YearOpened") AS founded_year,
    any_value(r."BusinessType") AS business_type
FROM orders AS o
JOIN resellers AS r USING ("ResellerKey")
JOIN geography AS g USING ("GeographyKey")
GROUP BY r."ResellerAlternateKey"

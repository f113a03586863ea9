-- Companies from the CRM: one row per version of the master data, the first one when the account came to be.
-- Country codes are those of number plates (D, A, CH), as in many German ERP systems.
SELECT
    company_id AS account_id,
    valid_from AS event_time,
    recorded_at AS known_at,  -- a change counts only once somebody has entered it
    name,
    CASE country WHEN 'D' THEN 'DE' WHEN 'A' THEN 'AT' ELSE country END AS country,
    postcode,
    wz_code AS industry_code,
    legal_form,
    employees,
    annual_revenue_eur AS annual_revenue,
    founded_year,
    parent_id,
    strategic_weight
FROM companies

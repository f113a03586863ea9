-- One row per lead, with the day of its win if there is one.
SELECT l.mql_id, l.first_contact_date, d.won_date, l.origin, l.landing_page_id
FROM leads AS l
LEFT JOIN deals AS d ON d.mql_id = l.mql_id

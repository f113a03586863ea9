-- Contacts under pseudonymous keys; names and addresses stay in the CRM.
SELECT
    contact_id,
    company_id AS account_id,
    created_at AS event_time,
    created_at AS known_at,
    job_function,
    seniority
FROM contacts

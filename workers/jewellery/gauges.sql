-- name: payments_in_review
-- Payments that wait for a person's decision
SELECT count(*) AS value FROM payment p
WHERE p.status = 'REVIEW' AND p.id IN (SELECT payment_id FROM payment_transition WHERE new_status = 'REVIEW');

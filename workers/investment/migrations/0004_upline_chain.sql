-- The five people above a user side by side, so that a payout reads a user once; null where nobody is. Nobody is met
-- twice: a chain ends where it would come round again.
CREATE VIEW investment.upline_chain (
    user_id, status, first_id, first_active, second_id, second_active, third_id, third_active, fourth_id, fourth_active,
    fifth_id, fifth_active
) AS
SELECT u.id, u.status, a.id, a.status = 'ACTIVE', b.id, b.status = 'ACTIVE', c.id, c.status = 'ACTIVE',
    d.id, d.status = 'ACTIVE', e.id, e.status = 'ACTIVE'
FROM investment.app_user u
LEFT JOIN investment.app_user a ON a.id = u.referrer_id AND a.id <> u.id
LEFT JOIN investment.app_user b ON b.id = a.referrer_id AND b.id NOT IN (u.id, a.id)
LEFT JOIN investment.app_user c ON c.id = b.referrer_id AND c.id NOT IN (u.id, a.id, b.id)
LEFT JOIN investment.app_user d ON d.id = c.referrer_id AND d.id NOT IN (u.id, a.id, b.id, c.id)
LEFT JOIN investment.app_user e ON e.id = d.referrer_id AND e.id NOT IN (u.id, a.id, b.id, c.id, d.id);

-- The same one below the other.
CREATE OR REPLACE VIEW investment.upline (user_id, level, beneficiary_id, active) AS
SELECT c.user_id, v.level::smallint, v.beneficiary_id, v.active
FROM investment.upline_chain c
CROSS JOIN LATERAL (VALUES (1, c.first_id, c.first_active), (2, c.second_id, c.second_active),
    (3, c.third_id, c.third_active), (4, c.fourth_id, c.fourth_active), (5, c.fifth_id, c.fifth_active)
) AS v (level, beneficiary_id, active)
WHERE v.beneficiary_id IS NOT NULL;

-- Each gives a sentence for what is wrong. See docs/suite-author.md.

-- name: levels_pay_out_more_than_the_return
-- The table's own constraint refuses it; a restored or disabled one may not have.
SELECT format('commission_level: the levels pay out %s %% from %s on, more than the return itself; lower the rates, or end '
    'the validity of a level', round(sum(l.rate) * 100, 4), d.day)
FROM (SELECT DISTINCT lower(valid) AS day FROM commission_level) d
JOIN commission_level l ON l.valid @> d.day
GROUP BY d.day HAVING sum(l.rate) > 1
ORDER BY d.day;

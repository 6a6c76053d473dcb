-- Between what bounds an unusual figure would have been usual: the score grows in proportion to the distance from the
-- baseline, and 3.5 is where it begins to stand out. Without a score nothing ever varied: see judged().
CREATE VIEW productivity.unusual_figure AS
SELECT a.metric, a.at, a.dims, a.value, a.baseline, a.score, a.direction, a.baseline - w.half AS low,
    a.baseline + w.half AS high
FROM productivity.anomaly a
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.score <> 0 THEN 3.5 * abs(a.value - a.baseline) / abs(a.score)
                ELSE greatest(0.2 * abs(a.baseline), 5) END AS half) w;

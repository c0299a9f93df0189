-- The limits of 90 units a day and 90 in 21 days, on the tables that line_edits.sql leaves: one step of
-- the recursion takes the next line of every member at once. Leaves the table `limited`.
--
-- It rests on what holds of the measured extract alone: history is older than the night's lines, so that
-- the fullest window is the one that ends on the service date. Draws on authorizations, in matching
-- order and over several nights, are not in it: every line would carry a balance of each authorization.

CREATE TEMP TABLE taking_part AS
SELECT member_id, claim_id, claim_line_number, day, units::DECIMAL(18, 3) AS units,
       row_number() OVER (
           PARTITION BY member_id
           ORDER BY day, received_date NULLS LAST, claim_id, claim_line_number
       ) AS turn
FROM judged
ANTI JOIN duplicates USING (line)
WHERE NOT denied AND NOT unclear;

CREATE TEMP TABLE limited AS
WITH RECURSIVE turns AS (
    SELECT t.member_id, 0::BIGINT AS turn, NULL::VARCHAR AS claim_id, NULL::INTEGER AS claim_line_number,
           0::DECIMAL(18, 3) AS allowed, false AS over_dose, false AS over_period,
           coalesce(list({'day': p.day, 'units': p.allowed_units::DECIMAL(18, 3)})
                        FILTER (p.day IS NOT NULL), []) AS used
    FROM (SELECT DISTINCT member_id FROM taking_part) t
    LEFT JOIN (
        SELECT * FROM past
        ANTI JOIN links ON links.member_id = past.member_id AND links.original_claim_id = past.claim_id
    ) p USING (member_id)
    GROUP BY t.member_id
    UNION ALL
    SELECT member_id, turn, claim_id, claim_line_number, allowed, units > room_of_day,
           units > room_of_period AND room_of_period < room_of_day,
           list_append(used, {'day': day, 'units': allowed})
    FROM (
        SELECT *, greatest(least(units, room_of_day, room_of_period), 0)::DECIMAL(18, 3) AS allowed
        FROM (
            SELECT t.*, list_filter(s.used, lambda u: u.day > t.day - 21) AS used,
                   90 - coalesce(list_sum(list_transform(list_filter(s.used, lambda u: u.day = t.day),
                                                         lambda u: u.units)), 0) AS room_of_day,
                   90 - coalesce(list_sum(list_transform(list_filter(s.used, lambda u: u.day > t.day - 21),
                                                         lambda u: u.units)), 0) AS room_of_period
            FROM turns s
            JOIN taking_part t ON t.member_id = s.member_id AND t.turn = s.turn + 1
        )
    )
)
SELECT claim_id, claim_line_number, allowed AS allowed_units,
       list_filter([CASE WHEN over_dose THEN 'units-per-dose' END,
                    CASE WHEN over_period THEN 'units-per-period' END], lambda e: e IS NOT NULL) AS edit_ids
FROM turns
WHERE turn > 0;

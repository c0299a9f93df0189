-- The line edits of prime-ic-0072 that need no clinical facts, and duplicates, as DuckDB SQL.
-- Variables: claims, authorizations, history, reference, as_of. Leaves the table `edited`.

CREATE MACRO code(t) AS nullif(upper(trim(t)), '');
CREATE MACRO icd10(t) AS nullif(replace(upper(trim(t)), '.', ''), '');
-- As one text, padded: ' JW JZ '.
CREATE MACRO modifier_set(a, b, c, d) AS
    CASE WHEN coalesce(code(b), code(c), code(d)) IS NOT NULL THEN
             ' ' || array_to_string(list_sort(list_distinct([code(a), code(b), code(c), code(d)])), ' ') || ' '
         ELSE coalesce(' ' || code(a) || ' ', '') END;
CREATE MACRO in_force(day, first, last) AS
    (first IS NULL OR day >= first) AND (last IS NULL OR day <= last);

-- ---- reference data ------------------------------------------------------------------------

CREATE TEMP TABLE products AS
SELECT replace(product, '-', '') AS product, hcpcs_code,
       units_per_package::DECIMAL(9, 3) AS units_per_package,
       start_date::DATE AS start_date, end_date::DATE AS end_date
FROM read_csv(getvariable('reference') || '/codes/ndc_products.csv', all_varchar = true);

SET VARIABLE products = (SELECT list(product) FROM products);

CREATE TEMP TABLE procedures AS
SELECT code AS hcpcs_code, start_date::DATE AS start_date, end_date::DATE AS end_date
FROM read_csv(getvariable('reference') || '/codes/hcpcs.csv', all_varchar = true);

CREATE TEMP TABLE valid_codes AS
SELECT icd10(code) AS code, sex, start_date::DATE AS start_date, end_date::DATE AS end_date
FROM read_csv(getvariable('reference') || '/codes/icd10cm.csv', all_varchar = true);

CREATE TEMP TABLE covered_codes AS
SELECT icd10(code) AS code, start_date::DATE AS start_date, end_date::DATE AS end_date
FROM read_csv(getvariable('reference') || '/policies/prime-ic-0072/covered_diagnoses.csv',
              all_varchar = true);

-- ---- NDCs: each text is looked at once ---------------------------------------------------------

CREATE TEMP TABLE ndcs AS
WITH texts AS (
    SELECT DISTINCT code(ndc_code) AS ndc_text
    FROM read_parquet(getvariable('claims'), union_by_name = true)
    WHERE code(ndc_code) IS NOT NULL
    UNION
    SELECT DISTINCT code(ndc_code) FROM read_parquet(getvariable('history'))
    WHERE code(ndc_code) IS NOT NULL
), bare AS (
    SELECT ndc_text,
           CASE WHEN starts_with(ndc_text, 'N4') THEN substr(ndc_text, 3) ELSE ndc_text END AS t,
           split_part(t, '-', 1) AS labeler, split_part(t, '-', 2) AS item,
           split_part(t, '-', 3) AS package
    FROM texts
), ways AS (
    SELECT ndc_text,
           CASE
               WHEN regexp_full_match(
                   t, '[0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-[0-9]{3}-[0-9]{2}|[0-9]{5}-[0-9]{4}-[0-9]{1,2}')
                   THEN [lpad(labeler, 5, '0') || lpad(item, 4, '0') || lpad(package, 2, '0')]
               WHEN regexp_full_match(t, '[0-9]{11}') THEN [t]
               WHEN regexp_full_match(t, '[0-9]{10}') THEN list_filter(
                   ['0' || t, t[:5] || '0' || t[6:], t[:9] || '0' || t[10:]],
                   lambda way: list_contains(getvariable('products'), way[:9]))
               ELSE []
           END AS found
    FROM bare
)
SELECT ndc_text, CASE WHEN len(found) = 1 THEN found[1] END AS ndc_11 FROM ways;

-- ---- lines in scope, normalised ------------------------------------------------------------

CREATE TEMP TABLE lines AS
SELECT trim(c.claim_id) AS claim_id, c.claim_line_number, trim(c.member_id) AS member_id,
       coalesce(nullif(lower(trim(c.claim_type)), ''), 'professional') = 'professional' AS professional,
       c.birth_date, lower(trim(c.gender)) AS gender, lower(trim(c.line_of_business)) AS business,
       coalesce(c.claim_line_start_date, c.claim_start_date) AS day,
       CASE WHEN c.claim_line_start_date IS NULL THEN c.claim_end_date
            ELSE c.claim_line_end_date END AS last_day,
       c.claim_line_start_date IS NULL AND c.claim_end_date > c.claim_start_date AS unclear,
       c.received_date, code(c.hcpcs_code) AS hcpcs_code,
       modifier_set(c.hcpcs_modifier_1, c.hcpcs_modifier_2, c.hcpcs_modifier_3, c.hcpcs_modifier_4)
           AS modifiers,
       c.service_unit_quantity AS units, code(c.ndc_code) AS ndc_text, n.ndc_11,
       c.ndc_quantity, code(c.ndc_unit) AS ndc_unit,
       list_filter(c.diagnoses, lambda d: d IS NOT NULL) AS codes,
       list_filter([c.diagnosis_pointer_1, c.diagnosis_pointer_2, c.diagnosis_pointer_3,
                    c.diagnosis_pointer_4], lambda p: p IS NOT NULL) AS pointers,
       list_transform(pointers, lambda p: c.diagnoses[p]) AS pointed,
       code(c.authorization_number) AS authorization_number,
       nullif(trim(c.rendering_npi), '') AS rendering_npi,
       nullif(trim(c.billing_npi), '') AS billing_npi,
       CASE WHEN coalesce(nullif(trim(c.claim_frequency_code), ''),
                          CASE WHEN lower(trim(c.claim_type)) = 'institutional'
                               THEN right(trim(c.bill_type_code), 1) END) IN ('7', '8')
            THEN coalesce(nullif(trim(c.claim_frequency_code), ''), right(trim(c.bill_type_code), 1))
            ELSE '1' END AS frequency,
       nullif(trim(c.original_claim_id), '') AS original_claim_id
FROM (
    SELECT *, [*COLUMNS('diagnosis_code_[0-9]+')] AS diagnoses
    FROM read_parquet(getvariable('claims'), union_by_name = true)
) c
LEFT JOIN ndcs n ON n.ndc_text = code(c.ndc_code)
WHERE code(c.hcpcs_code) = 'J9207'
   OR n.ndc_11[:9] IN (SELECT product FROM products WHERE hcpcs_code = 'J9207');

-- ---- versions of a claim: what replaces or voids what ------------------------------------------

CREATE TEMP TABLE links AS
SELECT DISTINCT member_id, claim_id, frequency, original_claim_id
FROM lines
WHERE frequency <> '1' AND original_claim_id IS NOT NULL AND original_claim_id <> claim_id;

CREATE TEMP TABLE fates AS
WITH RECURSIVE upwards AS (
    SELECT member_id, claim_id, original_claim_id AS root, 1 AS steps FROM links
    UNION ALL
    SELECT u.member_id, u.claim_id, l.original_claim_id, u.steps + 1
    FROM upwards u
    JOIN links l ON l.member_id = u.member_id AND l.claim_id = u.root
), roots AS (
    SELECT member_id, claim_id, arg_max(root, steps) AS root
    FROM upwards
    GROUP BY ALL
), members_of AS (
    SELECT * FROM roots
    UNION
    SELECT DISTINCT member_id, root, root FROM roots
), versions AS (
    SELECT v.member_id, v.claim_id, v.root, max(l.received_date) AS received,
           max(l.frequency) AS frequency,
           (v.member_id, v.claim_id) IN (SELECT (member_id, original_claim_id) FROM links) AS named
    FROM members_of v
    JOIN lines l ON l.member_id = v.member_id AND l.claim_id = v.claim_id
    GROUP BY ALL
), that_count AS (
    SELECT member_id, root, arg_max(claim_id, (coalesce(received, '0001-01-01'), claim_id)) AS claim_id,
           arg_max(frequency, (coalesce(received, '0001-01-01'), claim_id)) AS frequency
    FROM versions
    WHERE NOT named
    GROUP BY ALL
)
SELECT v.member_id, v.claim_id,
       CASE WHEN c.frequency = '8' THEN 'void' WHEN v.claim_id <> c.claim_id THEN 'superseded' END
           AS fate
FROM versions v
JOIN that_count c USING (member_id, root);

CREATE TEMP TABLE past AS
SELECT h.member_id, h.claim_id, h.claim_line_start_date AS day, code(h.hcpcs_code) AS hcpcs_code,
       modifier_set(h.hcpcs_modifier_1, h.hcpcs_modifier_2, h.hcpcs_modifier_3, h.hcpcs_modifier_4)
           AS modifiers,
       coalesce(n.ndc_11, n.ndc_text) AS ndc, h.billed_units AS units, h.rendering_npi,
       h.allowed_units
FROM read_parquet(getvariable('history')) h
LEFT JOIN ndcs n ON n.ndc_text = code(h.ndc_code);

-- ---- what every line is asked as ---------------------------------------------------------------

CREATE TEMP TABLE asked AS
SELECT l.rowid AS line, l.*, f.fate,
       CASE WHEN frequency = '8' THEN 'void'
            WHEN fate IS NOT NULL THEN NULL
            WHEN business = 'medicare' THEN 'medicare'
            WHEN day < DATE '2025-09-04' THEN 'no policy'
            WHEN l.hcpcs_code IS DISTINCT FROM 'J9207' THEN 'other code'
            ELSE 'drug' END AS asked_as,
       frequency = '1'
           OR (member_id, original_claim_id) IN (SELECT (member_id, claim_id) FROM past)
           OR (original_claim_id <> claim_id
               AND (member_id, original_claim_id) IN (
                   SELECT (l.member_id, l.claim_id) FROM lines l
                   JOIN links k ON k.member_id = l.member_id AND k.original_claim_id = l.claim_id))
           AS original_known,
       p.product, p.units_per_package,
       contains(modifiers, ' JW ') AS jw, contains(modifiers, ' JZ ') AS jz
FROM lines l
LEFT JOIN fates f USING (member_id, claim_id)
LEFT JOIN products p
    ON p.product = l.ndc_11[:9] AND p.hcpcs_code = l.hcpcs_code AND in_force(l.day, p.start_date, p.end_date);

CREATE TEMP VIEW drug AS SELECT * FROM asked WHERE asked_as = 'drug';

-- ---- facts of each family ----------------------------------------------------------------------

-- Each text is looked at once a date.
CREATE TEMP TABLE diagnoses AS
WITH each AS (
    SELECT line, day, unnest(codes) AS written,
           NOT professional OR len(pointers) = 0 OR list_contains(pointed, written) AS considered
    FROM drug
), classes AS (
    SELECT d.written, d.day, icd10(d.written) AS icd,
           bool_or(c.code IS NOT NULL AND in_force(d.day, c.start_date, c.end_date)) AS covered,
           bool_or(v.code IS NOT NULL AND in_force(d.day, v.start_date, v.end_date)) AS valid,
           covered AND bool_or(v.sex IS NOT DISTINCT FROM 'female'
                               AND in_force(d.day, v.start_date, v.end_date)) AS female,
           covered AND bool_or(v.sex IS NOT DISTINCT FROM 'male'
                               AND in_force(d.day, v.start_date, v.end_date)) AS male,
           starts_with(icd, 'C50') AS family,
           left(icd, 3) IN ('C50', 'C77', 'C78', 'C79') AS active
    FROM (SELECT DISTINCT written, day FROM each) d
    LEFT JOIN covered_codes c ON c.code = icd10(d.written)
    LEFT JOIN valid_codes v ON v.code = icd10(d.written)
    GROUP BY d.written, d.day
)
SELECT line,
       bool_or(covered) AS row_covered,
       bool_or(considered AND covered) AS covered,
       bool_or(considered AND family AND valid) AS unlisted,
       bool_or(considered AND family AND NOT valid) AS invalid,
       bool_or(considered AND covered AND icd <> 'Z853') AS covered_disease,
       bool_or(active) AS active,
       bool_or(considered AND female) AS female,
       bool_or(considered AND male) AS male
FROM each
JOIN classes USING (written, day)
WHERE icd IS NOT NULL
GROUP BY line;

CREATE TEMP TABLE of_product AS
SELECT claim_id, day, product,
       bool_or(ndc_unit <> 'UN') IS TRUE AS other_unit,
       bool_or(NOT jw AND (ndc_quantity IS NULL OR ndc_unit IS NULL)) AS no_quantity,
       coalesce(sum(ndc_quantity * units_per_package), 0) <> sum(units) AS differs
FROM drug
WHERE product IS NOT NULL
GROUP BY ALL;

-- Whole vials of 15 and 45 units are the multiples of the smaller one.
CREATE TEMP TABLE of_claim AS
SELECT claim_id, day, bool_or(jw) AS some_wasted, bool_and(jw) AS all_wasted, bool_or(jz) AS none_wasted,
       sum(units) % (SELECT min(units_per_package) FROM products WHERE hcpcs_code = 'J9207') = 0
           AS whole_vials
FROM drug
GROUP BY ALL;

CREATE TEMP TABLE granted AS
SELECT code(authorization_number) AS number, trim(member_id) AS member_id, code(hcpcs_code) AS hcpcs_code,
       lower(trim(status)) AS status, effective_date AS first_day, expiration_date AS last_day,
       nullif(trim(servicing_npi), '') AS servicing_npi,
       first_day IS NOT NULL AND coalesce(last_day >= first_day, true) AS readable
FROM read_parquet(getvariable('authorizations'));

CREATE TEMP TABLE authorized AS
SELECT d.line,
       min({'other': coalesce(d.authorization_number <> g.number, true),
            'ends': coalesce(g.last_day, DATE '9999-12-31'), 'number': g.number,
            'first_day': g.first_day, 'last_day': g.last_day, 'servicing_npi': g.servicing_npi})
           FILTER (status = 'approved' AND in_force(d.day, first_day, g.last_day)) AS matched,
       bool_or(status = 'pending' AND in_force(d.day, first_day, g.last_day)) AS pending,
       bool_or(status = 'denied' AND in_force(d.day, first_day, g.last_day)) AS denied,
       bool_or(status = 'approved' AND g.last_day < d.day) AS expired,
       bool_or(status = 'approved' AND g.first_day > d.day) AS not_started
FROM drug d
JOIN granted g ON g.member_id = d.member_id AND g.hcpcs_code = d.hcpcs_code
WHERE g.readable AND g.status <> 'cancelled'
GROUP BY d.line;

-- ---- the edits ---------------------------------------------------------------------------------

CREATE TEMP VIEW facts AS
SELECT d.*,
       x.line IS NOT NULL AS diagnosed,
       professional AND len(list_filter(pointed, lambda d: icd10(d) IS NULL)) > 0 AS pointer_invalid,
       coalesce(x.row_covered, false) AS row_covered, coalesce(x.covered, false) AS covered,
       coalesce(x.unlisted, false) AS unlisted, coalesce(x.invalid, false) AS invalid,
       coalesce(x.covered_disease, false) AS covered_disease, coalesce(x.active, false) AS active,
       coalesce(x.female, false) AS female, coalesce(x.male, false) AS male,
       p.other_unit, p.no_quantity, p.differs,
       w.some_wasted, w.all_wasted, w.none_wasted, w.whole_vials,
       a.matched,
       CASE WHEN a.matched IS NOT NULL THEN 'approved' WHEN a.pending THEN 'pending'
            WHEN a.denied THEN 'denied' WHEN a.expired THEN 'expired'
            WHEN a.not_started THEN 'not started' ELSE 'absent' END AS standing,
       (d.member_id, d.hcpcs_code) IN (SELECT (member_id, hcpcs_code) FROM granted WHERE NOT readable
                                       AND member_id IS NOT NULL AND hcpcs_code IS NOT NULL) AS unreadable,
       h.hcpcs_code IS NOT NULL AS effective
FROM drug d
LEFT JOIN diagnoses x USING (line)
LEFT JOIN of_product p ON p.claim_id = d.claim_id AND p.day = d.day AND p.product = d.product
LEFT JOIN of_claim w ON w.claim_id = d.claim_id AND w.day = d.day
LEFT JOIN authorized a USING (line)
LEFT JOIN procedures h ON h.hcpcs_code = d.hcpcs_code AND in_force(d.day, h.start_date, h.end_date);

-- True fails, false passes, null cannot tell.
CREATE TEMP TABLE judged AS
SELECT line, member_id, claim_id, claim_line_number, day, received_date, hcpcs_code, modifiers,
       coalesce(ndc_11, ndc_text) AS ndc, units, rendering_npi, unclear, matched.number AS matched,
       NOT original_known AS original_claim_unknown,
       NOT effective AS procedure_not_effective,
       coalesce(day > received_date, false) OR day > getvariable('as_of')::DATE AS service_date_future,
       last_day > day AS service_date_span,
       unclear AS service_date_unclear,
       units % 1 <> 0 AS units_not_whole,
       birth_date + INTERVAL 18 YEAR > day
           OR (birth_date + INTERVAL 18 YEAR = day AND month(birth_date) = 2 AND day(birth_date) = 29
               AND month(day) = 2 AND day(day) = 28) AS member_under_age,
       NOT diagnosed AS diagnosis_missing,
       pointer_invalid AS diagnosis_pointer_invalid,
       NOT covered AND row_covered AS diagnosis_not_pointed,
       NOT row_covered AND unlisted AS diagnosis_unlisted,
       NOT row_covered AND NOT unlisted AND invalid AS diagnosis_invalid,
       diagnosed AND NOT row_covered AND NOT unlisted AND NOT invalid AS diagnosis_not_covered,
       covered AND NOT covered_disease AND NOT active AS diagnosis_history_only,
       coalesce((gender = 'male' AND female) OR (gender = 'female' AND male), false)
           AS diagnosis_sex_conflict,
       ndc_text IS NULL AS ndc_missing,
       ndc_text IS NOT NULL AND ndc_11 IS NULL AS ndc_invalid,
       ndc_11 IS NOT NULL AND product IS NULL AS ndc_mismatch,
       CASE WHEN product IS NULL THEN false WHEN other_unit THEN true WHEN NOT no_quantity THEN differs END
           AS ndc_units_conflict,
       (some_wasted AND none_wasted) OR (none_wasted AND NOT whole_vials) OR all_wasted
           AS wastage_contradiction,
       CASE WHEN standing = 'absent' AND unreadable THEN NULL ELSE standing = 'absent' END
           AS authorization_absent,
       standing = 'pending' AS authorization_pending,
       standing = 'denied' AS authorization_denied,
       CASE WHEN standing = 'expired' AND unreadable THEN NULL ELSE standing = 'expired' END
           AS authorization_expired,
       CASE WHEN standing = 'not started' AND unreadable THEN NULL ELSE standing = 'not started' END
           AS authorization_not_started,
       coalesce(authorization_number <> matched.number, false) AS authorization_number_mismatch,
       matched.servicing_npi IS NOT NULL
           AND (rendering_npi IS NOT NULL OR billing_npi IS NOT NULL)
           AND coalesce(rendering_npi <> matched.servicing_npi, true)
           AND coalesce(billing_npi <> matched.servicing_npi, true) AS authorization_provider_mismatch,
       matched IS NOT NULL
           AND coalesce(matched.last_day > matched.first_day + INTERVAL 6 MONTH, true)
           AS authorization_span_exceeds_policy,
       procedure_not_effective OR service_date_future OR units_not_whole
           OR coalesce(member_under_age, false) OR diagnosis_missing OR diagnosis_invalid
           OR diagnosis_not_covered OR ndc_missing OR ndc_invalid OR ndc_mismatch
           OR coalesce(authorization_absent, false) OR authorization_denied
           OR coalesce(authorization_expired, false) OR coalesce(authorization_not_started, false)
           AS denied
FROM facts;

-- ---- duplicates --------------------------------------------------------------------------------

CREATE TEMP TABLE duplicates AS
WITH served AS (
    SELECT line, claim_id, claim_line_number, received_date, denied,
           member_id, day, hcpcs_code, modifiers, ndc, units, rendering_npi
    FROM judged
    WHERE NOT unclear
), repeated AS (
    SELECT member_id, day, hcpcs_code, modifiers, ndc, units, rendering_npi, min(line) AS service
    FROM served
    GROUP BY ALL
    HAVING min(claim_id) <> max(claim_id)
), alike AS (
    SELECT s.line, s.claim_id, s.denied, r.service,
           (coalesce(s.received_date, DATE '9999-12-31'), s.claim_id, s.claim_line_number) AS place
    FROM served s
    JOIN repeated r ON r.member_id = s.member_id AND r.day = s.day AND r.hcpcs_code = s.hcpcs_code
        AND r.modifiers = s.modifiers AND r.ndc IS NOT DISTINCT FROM s.ndc AND r.units = s.units
        AND r.rendering_npi IS NOT DISTINCT FROM s.rendering_npi
)
SELECT s.line
FROM alike s
SEMI JOIN alike earlier ON earlier.service = s.service AND earlier.claim_id <> s.claim_id
    AND NOT earlier.denied AND earlier.place < s.place
UNION
SELECT s.line
FROM served s
JOIN past p ON p.member_id = s.member_id AND p.day = s.day AND p.hcpcs_code = s.hcpcs_code
    AND p.modifiers = s.modifiers AND p.ndc IS NOT DISTINCT FROM s.ndc AND p.units = s.units
    AND p.rendering_npi IS NOT DISTINCT FROM s.rendering_npi
WHERE p.allowed_units > 0
  AND (p.member_id, p.claim_id) NOT IN (SELECT (member_id, original_claim_id) FROM links)
  AND (p.member_id, p.claim_id) NOT IN (SELECT (member_id, claim_id) FROM lines WHERE claim_id IS NOT NULL AND member_id IS NOT NULL);

-- ---- one table of all lines --------------------------------------------------------------------

CREATE TEMP TABLE edited AS
WITH told AS (
    SELECT j.*, d.line IS NOT NULL AS duplicate_line,
           original_claim_unknown OR procedure_not_effective OR service_date_future
               OR service_date_span OR service_date_unclear OR units_not_whole OR duplicate_line
               OR member_under_age OR diagnosis_missing OR diagnosis_pointer_invalid
               OR diagnosis_not_pointed OR diagnosis_unlisted OR diagnosis_invalid
               OR diagnosis_not_covered OR diagnosis_history_only OR diagnosis_sex_conflict
               OR ndc_missing OR ndc_invalid OR ndc_mismatch OR ndc_units_conflict
               OR wastage_contradiction OR authorization_absent OR authorization_pending
               OR authorization_denied OR authorization_expired OR authorization_not_started
               OR authorization_number_mismatch OR authorization_provider_mismatch
               OR authorization_span_exceeds_policy AS failed,
           member_under_age IS NULL OR ndc_units_conflict IS NULL OR authorization_absent IS NULL
               OR authorization_expired IS NULL OR authorization_not_started IS NULL AS untold
    FROM judged j
    LEFT JOIN duplicates d USING (line)
), listed AS (
    SELECT claim_id, claim_line_number, denied OR duplicate_line AS denied, matched,
           CASE WHEN failed THEN list_filter([
               CASE WHEN original_claim_unknown THEN 'original-claim-unknown' END,
               CASE WHEN procedure_not_effective THEN 'procedure-not-effective' END,
               CASE WHEN service_date_future THEN 'service-date-future' END,
               CASE WHEN service_date_span THEN 'service-date-span' END,
               CASE WHEN service_date_unclear THEN 'service-date-unclear' END,
               CASE WHEN units_not_whole THEN 'units-not-whole' END,
               CASE WHEN duplicate_line THEN 'duplicate-line' END,
               CASE WHEN member_under_age THEN 'member-under-age' END,
               CASE WHEN diagnosis_missing THEN 'diagnosis-missing' END,
               CASE WHEN diagnosis_pointer_invalid THEN 'diagnosis-pointer-invalid' END,
               CASE WHEN diagnosis_not_pointed THEN 'diagnosis-not-pointed' END,
               CASE WHEN diagnosis_unlisted THEN 'diagnosis-unlisted' END,
               CASE WHEN diagnosis_invalid THEN 'diagnosis-invalid' END,
               CASE WHEN diagnosis_not_covered THEN 'diagnosis-not-covered' END,
               CASE WHEN diagnosis_history_only THEN 'diagnosis-history-only' END,
               CASE WHEN diagnosis_sex_conflict THEN 'diagnosis-sex-conflict' END,
               CASE WHEN ndc_missing THEN 'ndc-missing' END,
               CASE WHEN ndc_invalid THEN 'ndc-invalid' END,
               CASE WHEN ndc_mismatch THEN 'ndc-mismatch' END,
               CASE WHEN ndc_units_conflict THEN 'ndc-units-conflict' END,
               CASE WHEN wastage_contradiction THEN 'wastage-contradiction' END,
               CASE WHEN authorization_absent THEN 'authorization-absent' END,
               CASE WHEN authorization_pending THEN 'authorization-pending' END,
               CASE WHEN authorization_denied THEN 'authorization-denied' END,
               CASE WHEN authorization_expired THEN 'authorization-expired' END,
               CASE WHEN authorization_not_started THEN 'authorization-not-started' END,
               CASE WHEN authorization_number_mismatch THEN 'authorization-number-mismatch' END,
               CASE WHEN authorization_provider_mismatch THEN 'authorization-provider-mismatch' END,
               CASE WHEN authorization_span_exceeds_policy THEN 'authorization-span-exceeds-policy' END
           ], lambda e: e IS NOT NULL) ELSE [] END AS edit_ids,
           CASE WHEN untold THEN list_filter([
               CASE WHEN member_under_age IS NULL THEN 'member-under-age' END,
               CASE WHEN ndc_units_conflict IS NULL THEN 'ndc-units-conflict' END,
               CASE WHEN authorization_absent IS NULL THEN 'authorization-absent' END,
               CASE WHEN authorization_expired IS NULL THEN 'authorization-expired' END,
               CASE WHEN authorization_not_started IS NULL THEN 'authorization-not-started' END
           ], lambda e: e IS NOT NULL) ELSE [] END AS unknown_edit_ids
    FROM told
)
SELECT claim_id, claim_line_number,
       CASE WHEN denied THEN 'deny' WHEN len(edit_ids) + len(unknown_edit_ids) > 0 THEN 'flag'
            ELSE 'pay' END AS disposition,
       edit_ids, unknown_edit_ids, matched AS matched_authorization_number
FROM listed
UNION ALL
SELECT claim_id, claim_line_number,
       CASE WHEN len(fails) > 0 THEN 'flag' WHEN asked_as = 'void' THEN 'void' ELSE fate END,
       fails, [], NULL
FROM (
    SELECT *,
           CASE asked_as
               WHEN 'void' THEN CASE WHEN original_known THEN [] ELSE ['original-claim-unknown'] END
               WHEN 'medicare' THEN ['medicare-not-governed']
               WHEN 'no policy' THEN ['no-policy-in-force']
               WHEN 'other code' THEN CASE WHEN original_known THEN ['ndc-billed-under-other-code']
                   ELSE ['original-claim-unknown', 'ndc-billed-under-other-code'] END
               ELSE [] END AS fails
    FROM asked
    WHERE asked_as IS DISTINCT FROM 'drug'
);

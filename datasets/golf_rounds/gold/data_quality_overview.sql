-- about: What the fixes of each course and day are worth.
-- partition: course_id, event_date
-- course_id: The course.
-- event_date: The day (UTC).
-- rounds: Rounds that have slots of this day.
-- ingests: Files that rows of this day came with.
-- slots: Slots, empty ones included.
-- padding: Slots with neither time nor position.
-- fixes: All others.
-- problem: Fixes of the tier problem: reported by the device, or without a position.
-- projected: Fixes of the tier projected: the position was worked out.
-- cached: Fixes of the tier cached: kept by the device and sent later.
-- good: Fixes of the tier good.
-- good_share: good by fixes, 0 to 1; empty where there are none.
-- without_time: Fixes without a time.
-- without_position: Fixes without a position.
-- without_hole: Fixes of which it is not known which hole they are on.
-- first_fix: Time of the first fix.
-- last_fix: Time of the last.
SELECT
  course_id,
  event_date,
  count(DISTINCT round_id) AS rounds,
  count(DISTINCT ingest) AS ingests,
  count(*) AS slots,
  count_if(is_location_padding) AS padding,
  count_if(NOT is_location_padding) AS fixes,
  count_if(data_quality_tier = 'problem') AS problem,
  count_if(data_quality_tier = 'projected') AS projected,
  count_if(data_quality_tier = 'cached') AS cached,
  count_if(data_quality_tier = 'good') AS good,
  CAST(count_if(data_quality_tier = 'good') AS double) / NULLIF(count_if(NOT is_location_padding), 0) AS good_share,
  count_if(NOT is_location_padding AND is_timestamp_missing) AS without_time,
  count_if(NOT is_location_padding AND (longitude IS NULL OR latitude IS NULL)) AS without_position,
  count_if(NOT is_location_padding AND hole_number IS NULL) AS without_hole,
  min(fix_timestamp) AS first_fix,
  max(fix_timestamp) AS last_fix
FROM fact_telemetry_event
GROUP BY course_id, event_date

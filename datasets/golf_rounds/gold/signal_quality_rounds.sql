-- about: How well each round was tracked: what its slots hold, how long its device was silent, and its battery.
-- partition: course_id
-- course_id: The course.
-- round_id: The round.
-- first_day: Day (UTC) of its first slot.
-- slots: Slots that its file has, empty ones included.
-- padding: Slots with neither time nor position.
-- fixes: All others.
-- without_time: Fixes without a time.
-- without_position: Fixes without a position.
-- good: Fixes that are measured, sent at once, and of which no problem is reported.
-- cached: Fixes that the device kept and sent later.
-- projected: Fixes whose position was worked out.
-- problems: Fixes that the device reported a problem with.
-- good_share: good by fixes, 0 to 1; empty where there are none.
-- longest_silence_seconds: Longest time between two fixes that follow each other.
-- silences: How often it was longer than five minutes.
-- greatest_positional_gap: Greatest positional_gap, as in the file.
-- least_battery: Least charge of the device's battery, in percent.
-- greatest_battery: Greatest charge, in percent.
WITH followed AS (
  SELECT
    f.*,
    date_diff(
      'second', lag(fix_timestamp) OVER (PARTITION BY course_id, round_id ORDER BY fix_timestamp, fix_key), fix_timestamp
    ) AS silence
  FROM fact_telemetry_event AS f
)
SELECT
  course_id,
  round_id,
  min(event_date) AS first_day,
  count(*) AS slots,
  count_if(is_location_padding) AS padding,
  count_if(NOT is_location_padding) AS fixes,
  count_if(NOT is_location_padding AND is_timestamp_missing) AS without_time,
  count_if(NOT is_location_padding AND (longitude IS NULL OR latitude IS NULL)) AS without_position,
  count_if(data_quality_tier = 'good') AS good,
  count_if(is_cache) AS cached,
  count_if(is_projected) AS projected,
  count_if(is_problem) AS problems,
  CAST(count_if(data_quality_tier = 'good') AS double) / NULLIF(count_if(NOT is_location_padding), 0) AS good_share,
  max(silence) AS longest_silence_seconds,
  count_if(silence > 300) AS silences,
  max(positional_gap) AS greatest_positional_gap,
  min(battery_percentage) AS least_battery,
  max(battery_percentage) AS greatest_battery
FROM followed
GROUP BY course_id, round_id

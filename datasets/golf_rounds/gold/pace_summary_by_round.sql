-- about: How each round went: when, how far, and the pace that its device reported.
-- partition: course_id
-- course_id: The course.
-- round_id: The round.
-- first_day: Day (UTC) of its first fix; a round that is played past midnight has fixes of two days.
-- round_start_time: When the round began, as the file says.
-- round_end_time: When it ended, as the file says.
-- start_hole: Hole that it began on.
-- goal_name: Name of the time that it was meant to take, as in the file.
-- goal_time: That time, as in the file.
-- is_complete: Whether it was played to its end.
-- fixes: Fixes that have a time.
-- first_fix: Time of the first of them.
-- last_fix: Time of the last.
-- tracked_minutes: Whole minutes between the two.
-- holes: Holes that it has fixes on.
-- mean_pace: Mean of pace over the fixes, to six digits behind the point; like the next ones in the file's own unit.
-- least_pace: Least pace.
-- greatest_pace: Greatest pace.
-- last_pace: Pace at the last fix that has one.
-- mean_pace_gap: Mean of pace_gap, as mean_pace.
-- greatest_pace_gap: Greatest pace_gap.
--
-- Means are sums of decimals: those of doubles would depend on the order of the rows in their last digits.
SELECT
  course_id,
  round_id,
  min(event_date) AS first_day,
  max(round_start_time) AS round_start_time,
  max(round_end_time) AS round_end_time,
  max(start_hole) AS start_hole,
  max(goal_name) AS goal_name,
  max(goal_time) AS goal_time,
  bool_or(is_complete) AS is_complete,
  count(fix_timestamp) AS fixes,
  min(fix_timestamp) AS first_fix,
  max(fix_timestamp) AS last_fix,
  date_diff('minute', min(fix_timestamp), max(fix_timestamp)) AS tracked_minutes,
  count(DISTINCT hole_number) AS holes,
  CAST(sum(TRY_CAST(pace AS decimal(18, 6))) AS double) / count(TRY_CAST(pace AS decimal(18, 6))) AS mean_pace,
  min(pace) AS least_pace,
  max(pace) AS greatest_pace,
  max_by(pace, fix_key) FILTER (WHERE pace IS NOT NULL) AS last_pace,
  CAST(sum(TRY_CAST(pace_gap AS decimal(18, 6))) AS double) / count(TRY_CAST(pace_gap AS decimal(18, 6)))
    AS mean_pace_gap,
  max(pace_gap) AS greatest_pace_gap
FROM fact_telemetry_event
WHERE NOT is_location_padding
GROUP BY course_id, round_id

-- about: What devices complained of: one row a round, level and message, of all that is worse than information.
-- partition: course_id
-- course_id: The course.
-- round_id: The round.
-- level: How grave it is, in lower case, as the device says.
-- message: What the device says.
-- entries: How often it says so in this round.
-- first_day: Day (UTC) of the first time.
-- first_time: The first time, where the device says when.
-- last_time: The last time.
-- first_log_index: Number of the first such entry in the round's log.
SELECT
  course_id,
  round_id,
  level,
  message,
  count(*) AS entries,
  min(event_date) AS first_day,
  min(log_time) AS first_time,
  max(log_time) AS last_time,
  min(log_index) AS first_log_index
FROM fact_device_health
WHERE level NOT IN ('trace', 'debug', 'info', 'notice')
GROUP BY course_id, round_id, level, message

-- partition: day
-- about: the warmest reading of each day
SELECT day, max(temperature) AS temperature, count(*) AS readings
FROM readings
GROUP BY day

-- name: progress
SELECT 10 - count(*) AS done, 10 AS total FROM house.todo;

-- name: done
SELECT 'items' AS what, 10 - count(*) AS done FROM house.todo;

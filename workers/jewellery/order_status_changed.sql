-- name: change
SELECT order_id, status, changed_at FROM order_status_queue WHERE change_no = $1;

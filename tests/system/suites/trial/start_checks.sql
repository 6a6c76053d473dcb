-- name: are_of_no_item
SELECT format('key %s of trial.done is of no item: delete it', key) FROM done WHERE key < 0

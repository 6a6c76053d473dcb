-- The trigger's plan lasts as long as its connection. Made while the history was empty, it read through all of the
-- history for every order later on: 5 ms an order at a few thousand rows. By key it is microseconds, however many there
-- are. A shop's view without an index is still read through: the setting only makes that the last resort.
CREATE OR REPLACE FUNCTION jewellery.note_order_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO jewellery.order_status_queue (order_id, status)
    SELECT o.id, o.status FROM jewellery.orders o
    WHERE o.id = to_jsonb(NEW) ->> TG_ARGV[0]
        AND NOT EXISTS (SELECT FROM jewellery.order_status_history h WHERE h.order_id = o.id AND h.status = o.status);
    RETURN NULL;
END $$;

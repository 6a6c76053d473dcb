-- What a shop has (customer, product, inventory_lock, orders, order_item, payment, notification, password_reset) and
-- what this suite keeps beside it (all the rest). A shop that has such tables already puts updatable views of its own
-- under the first names: so their keys are text, nothing of ours refers to them by a foreign key, and what only we
-- need to know of a payment is in payment_check. Amounts are numeric with three places, as some currencies have.

CREATE DOMAIN jewellery.currency AS text CHECK (VALUE ~ '^[A-Z]{3}$');
COMMENT ON DOMAIN jewellery.currency IS 'ISO 4217';

CREATE TABLE jewellery.customer (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    name        text,
    email       text CHECK (email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$'),
    phone       text,
    is_verified boolean NOT NULL DEFAULT false,
    status      text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETED')),
    tz          text NOT NULL DEFAULT 'Asia/Kolkata' CHECK (timestamptz '2000-01-01 00:00Z' AT TIME ZONE tz IS NOT NULL),
    prefs       jsonb NOT NULL DEFAULT '{}' CHECK (
        jsonb_typeof(prefs) = 'object'
        AND coalesce(prefs ->> 'quiet_start' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', true)
        AND coalesce(prefs ->> 'quiet_end' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', true)
        AND coalesce(jsonb_typeof(prefs -> 'opted_out') = 'array', true)),
    created_at  timestamptz NOT NULL DEFAULT sexton.clock()
);
CREATE UNIQUE INDEX customer_email ON jewellery.customer (lower(email));
CREATE INDEX customer_unverified ON jewellery.customer (created_at) WHERE NOT is_verified;
COMMENT ON COLUMN jewellery.customer.prefs IS
    'quiet_start and quiet_end (HH:MM in tz), opted_out (channels or kinds of message that are refused)';

CREATE TABLE jewellery.product (
    id                  text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    sku                 text NOT NULL UNIQUE CHECK (sku <> ''),
    name                text NOT NULL,
    stock               int NOT NULL DEFAULT 0 CHECK (stock >= 0),
    low_stock_threshold int CHECK (low_stock_threshold >= 0)
);
COMMENT ON COLUMN jewellery.product.stock IS 'pieces that are not sold; those in unexpired locks are among them';
COMMENT ON COLUMN jewellery.product.low_stock_threshold IS 'null: the suite''s low_stock_threshold';

CREATE TABLE jewellery.orders (
    id              text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    order_number    text NOT NULL UNIQUE CHECK (order_number <> ''),
    customer_id     text NOT NULL REFERENCES jewellery.customer,
    status          text NOT NULL DEFAULT 'PLACED' CHECK (
        status IN ('PLACED', 'CONFIRMED', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURN_APPROVED')),
    total_amount    numeric(15,3) NOT NULL CHECK (total_amount >= 0),
    currency        jewellery.currency NOT NULL DEFAULT 'INR',
    tracking_number text,
    created_at      timestamptz NOT NULL DEFAULT sexton.clock()
);
CREATE INDEX orders_created ON jewellery.orders (created_at, status);
CREATE INDEX orders_customer ON jewellery.orders (customer_id);

CREATE TABLE jewellery.order_item (
    id         text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    order_id   text NOT NULL REFERENCES jewellery.orders ON DELETE CASCADE,
    product_id text REFERENCES jewellery.product ON DELETE SET NULL,
    name       text NOT NULL,
    quantity   int NOT NULL CHECK (quantity > 0),
    unit_price numeric(15,3) NOT NULL CHECK (unit_price >= 0)
);
CREATE INDEX order_item_order ON jewellery.order_item (order_id);
CREATE INDEX order_item_product ON jewellery.order_item (product_id);
COMMENT ON COLUMN jewellery.order_item.name IS 'as it was sold: the product may be renamed or deleted';

CREATE TABLE jewellery.inventory_lock (
    id         text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    product_id text NOT NULL REFERENCES jewellery.product ON DELETE CASCADE,
    order_id   text REFERENCES jewellery.orders ON DELETE CASCADE,
    quantity   int NOT NULL CHECK (quantity > 0),
    expires_at timestamptz NOT NULL
);
CREATE INDEX inventory_lock_expires ON jewellery.inventory_lock (expires_at);
CREATE INDEX inventory_lock_product ON jewellery.inventory_lock (product_id);
CREATE INDEX inventory_lock_order ON jewellery.inventory_lock (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE jewellery.payment (
    id                  text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    order_id            text NOT NULL REFERENCES jewellery.orders,
    provider            text NOT NULL DEFAULT 'razorpay',
    provider_order_id   text,
    provider_payment_id text UNIQUE,
    amount              numeric(15,3) NOT NULL CHECK (amount > 0),
    currency            jewellery.currency NOT NULL DEFAULT 'INR',
    status              text NOT NULL DEFAULT 'PENDING' CHECK (
        status IN ('PENDING', 'AUTHORIZED', 'CAPTURED', 'FAILED', 'REFUNDED', 'REVIEW', 'EXPIRED')),
    failure_reason      text,
    created_at          timestamptz NOT NULL DEFAULT sexton.clock()
);
CREATE INDEX payment_open ON jewellery.payment (created_at) WHERE status IN ('PENDING', 'AUTHORIZED');
CREATE INDEX payment_order ON jewellery.payment (order_id);
CREATE INDEX payment_provider_order ON jewellery.payment (provider_order_id);
COMMENT ON COLUMN jewellery.payment.provider_order_id IS 'order_…: what the customer was asked to pay, in any number of attempts';
COMMENT ON COLUMN jewellery.payment.provider_payment_id IS 'pay_…: the attempt that decided; null until there is one';
COMMENT ON COLUMN jewellery.payment.status IS 'REVIEW: money that a person has to look at; nothing is shipped or refunded for it';

CREATE TABLE jewellery.notification (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    customer_id text NOT NULL REFERENCES jewellery.customer ON DELETE CASCADE,
    type        text NOT NULL,
    title       text NOT NULL,
    message     text NOT NULL,
    metadata    jsonb NOT NULL DEFAULT '{}',
    is_read     boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT sexton.clock()
);
CREATE INDEX notification_customer ON jewellery.notification (customer_id, created_at);
CREATE INDEX notification_read ON jewellery.notification (created_at) WHERE is_read;

CREATE TABLE jewellery.password_reset (
    token_hash  text PRIMARY KEY,
    customer_id text NOT NULL REFERENCES jewellery.customer ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX password_reset_expires ON jewellery.password_reset (expires_at);
CREATE INDEX password_reset_customer ON jewellery.password_reset (customer_id);

-- From here on: what the suite keeps for itself.

CREATE TABLE jewellery.payment_check (
    payment_id      text PRIMARY KEY,
    checks          int NOT NULL DEFAULT 0 CHECK (checks >= 0),
    last_checked_at timestamptz,
    next_check_at   timestamptz NOT NULL,
    amount_refunded numeric(15,3) NOT NULL DEFAULT 0 CHECK (amount_refunded >= 0)
);
COMMENT ON TABLE jewellery.payment_check IS 'what we asked the provider about a payment and when we ask again';
COMMENT ON COLUMN jewellery.payment_check.checks IS 'answers so far that left it open; each doubles the wait for the next';

CREATE TABLE jewellery.payment_transition (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id          text NOT NULL,
    provider_payment_id text,
    old_status          text NOT NULL,
    new_status          text NOT NULL,
    reason              text,
    source              text NOT NULL CHECK (source IN ('webhook', 'reconciler')),
    run_id              bigint NOT NULL,
    at                  timestamptz NOT NULL
);
CREATE INDEX payment_transition_payment ON jewellery.payment_transition (payment_id);
COMMENT ON TABLE jewellery.payment_transition IS 'every change of a payment by this suite: added to, never edited';

CREATE TABLE jewellery.provider_pause (
    provider     text PRIMARY KEY,
    refusals     int NOT NULL CHECK (refusals > 0),
    paused_until timestamptz NOT NULL
);
COMMENT ON TABLE jewellery.provider_pause IS 'a provider that answered 429 is not asked before this instant';

-- Events as they came, by whatever way and however often; what is not worked yet has a row in webhook_queue.
CREATE TABLE jewellery.webhook_event (
    event_no     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    event_id     text PRIMARY KEY,
    type         text NOT NULL,
    body         bytea NOT NULL,
    secret_no    smallint NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT sexton.clock(),
    processed_at timestamptz,
    error        text
);
CREATE INDEX webhook_event_received ON jewellery.webhook_event (received_at);
COMMENT ON COLUMN jewellery.webhook_event.event_id IS 'x-razorpay-event-id: the same for every delivery of one event';
COMMENT ON COLUMN jewellery.webhook_event.secret_no IS
    'which of webhook_secrets it was signed with, from 0: one that is not seen any more can go';
COMMENT ON COLUMN jewellery.webhook_event.error IS 'why nothing came of it, where nothing did';

CREATE TABLE jewellery.webhook_queue (
    event_no        bigint PRIMARY KEY REFERENCES jewellery.webhook_event (event_no) ON DELETE CASCADE,
    state           text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'RUNNING', 'DEAD')),
    priority        smallint NOT NULL DEFAULT 0,
    enqueued_at     timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
    attempts        int NOT NULL DEFAULT 0,
    failures        int NOT NULL DEFAULT 0,
    rescues         int NOT NULL DEFAULT 0,
    token           bigint,
    lease_owner     uuid,
    last_error      text
);
CREATE INDEX webhook_queue_ready ON jewellery.webhook_queue (priority, next_attempt_at, event_no) WHERE state = 'READY';
CREATE TRIGGER wake AFTER INSERT ON jewellery.webhook_queue
    FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();

CREATE TABLE jewellery.order_status_history (
    order_id text NOT NULL,
    status   text NOT NULL,
    at       timestamptz NOT NULL,
    source   text NOT NULL CHECK (source IN ('webhook', 'reconciler', 'shop')),
    PRIMARY KEY (order_id, status)
);
COMMENT ON TABLE jewellery.order_status_history IS
    'the first time an order reached a state; its customer was told in the transaction that added the row';

CREATE TABLE jewellery.order_status_queue (
    change_no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        text NOT NULL,
    status          text NOT NULL,
    changed_at      timestamptz NOT NULL DEFAULT sexton.clock(),
    state           text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'RUNNING', 'DEAD')),
    priority        smallint NOT NULL DEFAULT 0,
    enqueued_at     timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
    attempts        int NOT NULL DEFAULT 0,
    failures        int NOT NULL DEFAULT 0,
    rescues         int NOT NULL DEFAULT 0,
    token           bigint,
    lease_owner     uuid,
    last_error      text
);
CREATE INDEX order_status_queue_ready ON jewellery.order_status_queue (priority, next_attempt_at, change_no)
    WHERE state = 'READY';
CREATE TRIGGER wake AFTER INSERT ON jewellery.order_status_queue
    FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();

-- Every change of an order's state leaves its row in the shop's own transaction, whoever makes it. On a shop's own
-- table the argument is the name of its key: EXECUTE FUNCTION jewellery.note_order_status('id'). The state is read
-- through jewellery.orders, so that a view may translate it. With the rights of the schema's owner: a shop's role
-- needs none here.
CREATE FUNCTION jewellery.note_order_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO jewellery.order_status_queue (order_id, status)
    SELECT o.id, o.status FROM jewellery.orders o
    WHERE o.id = to_jsonb(NEW) ->> TG_ARGV[0]
        AND NOT EXISTS (SELECT FROM jewellery.order_status_history h WHERE h.order_id = o.id AND h.status = o.status);
    RETURN NULL;
END $$;
CREATE TRIGGER note_order_placed AFTER INSERT ON jewellery.orders
    FOR EACH ROW EXECUTE FUNCTION jewellery.note_order_status('id');
CREATE TRIGGER note_order_status AFTER UPDATE OF status ON jewellery.orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION jewellery.note_order_status('id');

CREATE TABLE jewellery.stock_alert (
    product_id text PRIMARY KEY,
    state      text NOT NULL CHECK (state IN ('OK', 'LOW', 'OUT')),
    alerted_at timestamptz NOT NULL
);

CREATE TABLE jewellery.daily_sales (
    day            date NOT NULL,
    currency       jewellery.currency NOT NULL,
    partial_total  numeric(18,3) NOT NULL DEFAULT 0,
    partial_count  int NOT NULL DEFAULT 0,
    partial_cutoff timestamptz,
    final_total    numeric(18,3),
    final_count    int,
    finalised_at   timestamptz,
    PRIMARY KEY (day, currency),
    CHECK (num_nulls(final_total, final_count, finalised_at) IN (0, 3))
);
COMMENT ON COLUMN jewellery.daily_sales.partial_cutoff IS 'the instant up to which the partial figures count';

-- What the outbox reads of a person. See the engine's outbox.
CREATE VIEW jewellery.sexton_recipient AS
SELECT id, email, phone, tz AS timezone, NULL::text AS locale,
    (prefs ->> 'quiet_start')::time AS quiet_start, (prefs ->> 'quiet_end')::time AS quiet_end,
    ARRAY(SELECT jsonb_array_elements_text(coalesce(prefs -> 'opted_out', '[]'))) AS opted_out,
    status = 'DELETED' AS deleted
FROM jewellery.customer;

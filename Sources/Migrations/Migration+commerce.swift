extension Migration {
  static let commerce = Migration(
    number: 4, name: "commerce",
    sql: """
      CREATE TABLE businesses (
        id uuid PRIMARY KEY,
        -- Null once the owner's account is erased; the row stays for past orders.
        owner_id uuid REFERENCES users ON DELETE SET NULL,
        name text NOT NULL,
        category text NOT NULL,
        description text,
        latitude double precision,
        longitude double precision,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        deleted_at timestamptz,
        search tsvector NOT NULL GENERATED ALWAYS AS (
          setweight(to_tsvector('simple', name), 'A') ||
          setweight(to_tsvector('simple', category), 'B') ||
          setweight(to_tsvector('simple', coalesce(description, '')), 'C')) STORED
      );
      CREATE INDEX businesses_listed ON businesses (id DESC) WHERE deleted_at IS NULL;
      CREATE INDEX businesses_by_category ON businesses (category, id DESC) WHERE deleted_at IS NULL;
      CREATE INDEX businesses_by_owner ON businesses (owner_id);
      CREATE INDEX businesses_search ON businesses USING gin (search) WHERE deleted_at IS NULL;

      CREATE TABLE products (
        id uuid PRIMARY KEY,
        business_id uuid NOT NULL REFERENCES businesses ON DELETE CASCADE,
        name text NOT NULL,
        price_amount bigint NOT NULL CHECK (price_amount >= 0),
        currency text NOT NULL,
        unit text NOT NULL,
        -- Null: unlimited. The check is what makes overselling impossible, whatever the code does.
        stock bigint CHECK (stock >= 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        deleted_at timestamptz
      );
      CREATE INDEX products_by_business ON products (business_id, id DESC) WHERE deleted_at IS NULL;

      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        -- Null once the buyer's account is erased.
        buyer_id uuid REFERENCES users ON DELETE SET NULL,
        business_id uuid NOT NULL REFERENCES businesses,
        status text NOT NULL CHECK (
          status IN ('pending', 'paid', 'preparing', 'shipped', 'delivered', 'cancelled', 'refunded')),
        currency text NOT NULL,
        total bigint NOT NULL CHECK (total >= 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        paid_at timestamptz,
        refunded_at timestamptz
      );
      CREATE INDEX orders_by_buyer ON orders (buyer_id, id DESC);
      CREATE INDEX orders_by_business ON orders (business_id, id DESC);
      CREATE INDEX orders_paid ON orders (business_id, paid_at) WHERE paid_at IS NOT NULL;
      CREATE INDEX orders_refunded ON orders (business_id, refunded_at) WHERE refunded_at IS NOT NULL;

      -- Lines keep name, unit and price as sold, whatever becomes of the product.
      CREATE TABLE order_lines (
        order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
        position integer NOT NULL,
        product_id uuid NOT NULL,
        name text NOT NULL,
        unit text NOT NULL,
        quantity bigint NOT NULL CHECK (quantity > 0),
        unit_price bigint NOT NULL CHECK (unit_price >= 0),
        total bigint NOT NULL CHECK (total >= 0),
        PRIMARY KEY (order_id, position)
      );

      CREATE TABLE idempotency_keys (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        key text NOT NULL,
        -- SHA-256 of the request's body, byte for byte.
        body_hash bytea NOT NULL,
        status smallint NOT NULL,
        location text NOT NULL,
        body bytea NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, key)
      );
      CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
      """)
}

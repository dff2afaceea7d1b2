extension Migration {
  static let shops = Migration(
    number: 18, name: "shops",
    sql: """
      ALTER TABLE businesses
        ADD COLUMN pickup boolean NOT NULL DEFAULT true,
        ADD COLUMN delivery boolean NOT NULL DEFAULT false,
        -- How long an order may stay unpaid, in hours.
        ADD COLUMN payment_within bigint NOT NULL DEFAULT 48;

      ALTER TABLE orders
        ADD COLUMN note text,
        -- Who is to be reached how, and how the goods change hands: JSON as it is shown.
        ADD COLUMN contact text,
        ADD COLUMN fulfilment text,
        -- When it ends unless it is paid; null for what was ordered when nothing ended.
        ADD COLUMN expires_at timestamptz;

      -- A text as it is searched: without case and accents.
      CREATE FUNCTION search_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
        $$ SELECT regexp_replace(lower(normalize($1, NFKD)), U&'[\\0300-\\036f]', '', 'g') $$;

      -- What a business is found by: its own words, and those of what it sells.
      CREATE TABLE business_words (
        business_id uuid PRIMARY KEY REFERENCES businesses ON DELETE CASCADE,
        words tsvector NOT NULL
      );
      CREATE INDEX business_words_find ON business_words USING gin (words);

      CREATE FUNCTION business_words_renew(business uuid) RETURNS void LANGUAGE sql AS $$
        INSERT INTO business_words (business_id, words)
        SELECT id,
          setweight(to_tsvector('simple', search_text(name)), 'A') ||
          setweight(to_tsvector('simple', search_text(category || ' ' || coalesce((
            SELECT string_agg(p.name, ' ' ORDER BY p.id) FROM products p
            WHERE p.business_id = business AND p.deleted_at IS NULL), ''))), 'B') ||
          setweight(to_tsvector('simple', search_text(coalesce(description, ''))), 'C')
        FROM businesses WHERE id = business
        ON CONFLICT (business_id) DO UPDATE SET words = excluded.words
      $$;
      CREATE FUNCTION business_words_of_business() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM business_words_renew(NEW.id);
        RETURN NULL;
      END $$;
      CREATE FUNCTION business_words_of_product() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM business_words_renew(coalesce(NEW.business_id, OLD.business_id));
        RETURN NULL;
      END $$;
      CREATE TRIGGER business_words AFTER INSERT OR UPDATE OF name, category, description ON businesses
        FOR EACH ROW EXECUTE FUNCTION business_words_of_business();
      CREATE TRIGGER business_words AFTER INSERT OR UPDATE OF name, deleted_at OR DELETE ON products
        FOR EACH ROW EXECUTE FUNCTION business_words_of_product();
      """)

  /// Also makes the words of the businesses from before: apart from what locks their whole table.
  static let places = Migration(
    number: 19, name: "places",
    sql: """
      SELECT business_words_renew(b.id) FROM businesses b
      WHERE b.deleted_at IS NULL AND NOT EXISTS (SELECT FROM business_words w WHERE w.business_id = b.id);
      """,
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS businesses_by_place",
      """
      CREATE INDEX CONCURRENTLY businesses_by_place ON businesses USING gist (point(longitude, latitude))
      WHERE deleted_at IS NULL
      """,
      "DROP INDEX CONCURRENTLY IF EXISTS gardens_by_place",
      "CREATE INDEX CONCURRENTLY gardens_by_place ON gardens USING gist (point(longitude, latitude)) WHERE public",
      "DROP INDEX CONCURRENTLY IF EXISTS orders_unpaid",
      """
      CREATE INDEX CONCURRENTLY orders_unpaid ON orders (expires_at)
      WHERE status = 'pending' AND expires_at IS NOT NULL
      """,
    ])
}

extension Migration {
  static let wordsTogether = Migration(
    number: 34, name: "words together",
    sql: """
      -- What an open business is found by: null for a closed one. Of what it sells, as much as fits into a tsvector
      -- (1 MB), however the text grows when it is taken apart.
      CREATE FUNCTION business_words_of(business uuid) RETURNS tsvector LANGUAGE sql STABLE AS $$
        SELECT
          setweight(to_tsvector('simple', search_text(name)), 'A') ||
          setweight(to_tsvector('simple', left(search_text(category || ' ' || left(coalesce((
            SELECT string_agg(p.name, ' ' ORDER BY p.id) FROM products p
            WHERE p.business_id = business AND p.deleted_at IS NULL), ''), 100000)), 100000)), 'B') ||
          setweight(to_tsvector('simple', search_text(coalesce(description, ''))), 'C')
        FROM businesses WHERE id = business AND deleted_at IS NULL
      $$;

      -- Who changes what a business is found by waits for whoever does so too, and then counts that in. The words are
      -- held by a change that is never made; the statement behind it sees what was committed while it waited.
      CREATE FUNCTION business_words_renew(touched uuid[]) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        IF touched = '{}' THEN
          RETURN;
        END IF;
        DELETE FROM business_words USING businesses
        WHERE business_id = ANY (touched) AND id = business_id AND deleted_at IS NOT NULL;

        INSERT INTO business_words AS held (business_id, words)
        SELECT id, '' FROM businesses WHERE id = ANY (touched) AND deleted_at IS NULL ORDER BY id
        ON CONFLICT (business_id) DO UPDATE SET words = held.words WHERE false;

        UPDATE business_words SET words = fresh.words
        FROM (SELECT id, business_words_of(id) AS words FROM unnest(touched) AS id) fresh
        WHERE business_id = fresh.id AND fresh.words IS NOT NULL AND business_words.words <> fresh.words;
      END $$;

      -- Once for a statement, however many rows it writes. What it leaves as it was is told by comparing: a trigger with
      -- the rows of a statement takes no list of columns.
      CREATE FUNCTION business_words_follow_businesses() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          PERFORM business_words_renew(ARRAY(SELECT id FROM after));
        ELSE
          PERFORM business_words_renew(ARRAY(
            SELECT id FROM (
              SELECT id, name, category, description, deleted_at FROM after EXCEPT
              SELECT id, name, category, description, deleted_at FROM before) changed));
        END IF;
        RETURN NULL;
      END $$;
      CREATE FUNCTION business_words_follow_products() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          PERFORM business_words_renew(ARRAY(SELECT DISTINCT business_id FROM after));
        ELSIF TG_OP = 'DELETE' THEN
          PERFORM business_words_renew(ARRAY(SELECT DISTINCT business_id FROM before WHERE deleted_at IS NULL));
        ELSE
          PERFORM business_words_renew(ARRAY(
            SELECT DISTINCT business_id FROM (
              SELECT id, business_id, name, deleted_at FROM after EXCEPT
              SELECT id, business_id, name, deleted_at FROM before) changed));
        END IF;
        RETURN NULL;
      END $$;

      DROP TRIGGER business_words ON businesses;
      DROP TRIGGER business_words ON products;
      DROP FUNCTION business_words_of_business(), business_words_of_product(), business_words_renew(uuid);
      CREATE TRIGGER business_words_made AFTER INSERT ON businesses REFERENCING NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION business_words_follow_businesses();
      CREATE TRIGGER business_words_changed AFTER UPDATE ON businesses
        REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION business_words_follow_businesses();
      CREATE TRIGGER business_words_made AFTER INSERT ON products REFERENCING NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION business_words_follow_products();
      CREATE TRIGGER business_words_changed AFTER UPDATE ON products REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION business_words_follow_products();
      CREATE TRIGGER business_words_ended AFTER DELETE ON products REFERENCING OLD TABLE AS before
        FOR EACH STATEMENT EXECUTE FUNCTION business_words_follow_products();
      """)

  /// Renews words that were lost while they were not renewed together, and those that closed businesses left: apart
  /// from what locks their whole table. Words that are right are not locked.
  static let wordsRenewed = Migration(
    number: 35, name: "words renewed",
    sql: """
      SELECT business_words_renew(ARRAY(
        SELECT b.id FROM businesses b LEFT JOIN business_words w ON w.business_id = b.id
        WHERE w.words IS DISTINCT FROM business_words_of(b.id)));
      """)
}

extension Migration {
  static let searchText = Migration(
    number: 40, name: "search text",
    sql: #"""
      -- A text as it is searched: without case and accents, also of letters that Unicode takes for one piece (ł, ø), without
      -- vowel signs and hamzas of Arabic, and without the signs that have the parser of words take several for one: a path
      -- (Eggs/Milk), a host (St.Gallen), an address, a tag or an entity. Signs of other scripts stay: vowels of Hindi are some.
      CREATE OR REPLACE FUNCTION search_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT replace(replace(replace(replace(
          translate(
            regexp_replace(lower(normalize($1, NFKD)), U&'[\0300-\036f\064b-\0655]', '', 'g'),
            'łøđðħı/.@:_~<>&', 'loddhi' || repeat(' ', 9)),
          'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
      $$;
      """#)

  /// Renews the words of all businesses by the new function: apart from it, so that what is written meanwhile goes by
  /// it too. Words that stay the same are not locked.
  static let wordsBySearchText = Migration(
    number: 41, name: "words by search text",
    sql: """
      SELECT business_words_renew(ARRAY(
        SELECT b.id FROM businesses b LEFT JOIN business_words w ON w.business_id = b.id
        WHERE w.words IS DISTINCT FROM business_words_of(b.id)));
      """)
}

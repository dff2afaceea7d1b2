extension Migration {
  static let searchMarks = Migration(
    number: 45, name: "search marks",
    sql: #"""
      -- As before, and without what is not seen or only stretches a word: the tatweel of Arabic, hyphens and joiners that
      -- show only where a line ends or letters meet, marks of direction. A space without width stays: it parts words. A
      -- sigma at a word's end is one: of a capital, lower() makes no other.
      CREATE OR REPLACE FUNCTION search_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT replace(replace(replace(replace(
          translate(
            regexp_replace(lower(normalize($1, NFKD)),
              U&'[\0300-\036f\064b-\0655\00ad\0640\200c-\200f\202a-\202e\2060-\2069\feff]', '', 'g'),
            'łøđðħıς/.@:_~<>&', 'loddhiσ' || repeat(' ', 9)),
          'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
      $$;
      """#)

  /// Renews the words of all businesses by the new function: apart from it, so that what is written meanwhile goes by
  /// it too.
  static let wordsBySearchMarks = Migration(number: 46, name: "words by search marks", sql: wordsBySearchText.sql)
}

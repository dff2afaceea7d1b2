extension Migration {
  static let stockTaken = Migration(
    number: 7, name: "stock taken",
    sql: """
      -- Whether the line's quantity was taken from stock, so that no more is given back than was taken. The default is
      -- for the release before, which gives back whatever has stock when it does.
      ALTER TABLE order_lines ADD COLUMN stock_taken boolean NOT NULL DEFAULT true;

      -- What was taken before nobody noted: most likely from what has stock now, and from nothing else.
      UPDATE order_lines SET stock_taken = false FROM products WHERE products.id = product_id AND stock IS NULL;
      """)
}

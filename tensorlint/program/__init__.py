"""Which files belong together, and what each of them defines: known from names and spans, without a syntax tree."""

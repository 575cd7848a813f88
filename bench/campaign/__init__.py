"""A prepared run on a machine that is lent for minutes: what is worth most first, in a time that is kept."""

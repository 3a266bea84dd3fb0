"""How fast websites are crawled, held against reading the same files."""

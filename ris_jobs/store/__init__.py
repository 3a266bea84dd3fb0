"""Where results live: PostgreSQL (the record), Milvus (derived vectors), previews (pictures)."""

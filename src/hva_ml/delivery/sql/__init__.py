"""The door to SQLAlchemy and psycopg: databases that take what was published, or say why not."""

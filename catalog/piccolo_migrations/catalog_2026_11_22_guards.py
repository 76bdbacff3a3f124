"""What Piccolo's own operations can't say: composite and partial indexes, and the search over programmes.

``catalogue_query`` turns what somebody typed into a query over both languages: each word by its English and Dutch
stem, as a prefix; a word that the catalogue does not have is replaced by the words of titles that it looks like.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T06:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes; search over programmes in two languages"

_INDEXES = (
    "CREATE INDEX session_programme ON session (programme_id, starts_at)",
    "CREATE INDEX session_open ON session (starts_at, id) WHERE published AND state IN ('planned', 'confirmed')",
    "CREATE INDEX session_by_start ON session (starts_at, id)",
    "CREATE INDEX session_unfinished ON session (ends_at) WHERE state IN ('planned', 'confirmed')",
    "ALTER TABLE session SET (fillfactor = 70)",
    "CREATE INDEX seat_session ON seat (session_id)",
    "CREATE UNIQUE INDEX seat_one_live ON seat (session_id, person_id) WHERE state IN ('held', 'taken')",
    "CREATE INDEX seat_held ON seat (session_id, held_until) WHERE state = 'held'",
    "CREATE INDEX programme_popular ON programme (popularity DESC, id DESC) WHERE state = 'published'",
    "CREATE INDEX programme_cheap ON programme (price_cents, id) WHERE state = 'published'",
    "CREATE INDEX programme_changed ON programme (updated_at, id)",
    "CREATE INDEX partner_by_name ON partner (name, id)",
)

_SEARCH = (
    "CREATE EXTENSION IF NOT EXISTS unaccent",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE TEXT SEARCH CONFIGURATION catalogue_en (COPY = english)",
    "ALTER TEXT SEARCH CONFIGURATION catalogue_en ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem",
    "CREATE TEXT SEARCH CONFIGURATION catalogue_nl (COPY = dutch)",
    "ALTER TEXT SEARCH CONFIGURATION catalogue_nl ALTER MAPPING FOR hword, hword_part, word WITH unaccent, dutch_stem",
    """
    ALTER TABLE programme ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
        strip(to_tsvector('catalogue_en', title_en || ' ' || code || ' ' || summary_en || ' ' || keywords || ' ' || description_en))
        || strip(to_tsvector('catalogue_nl', title_nl || ' ' || summary_nl || ' ' || keywords || ' ' || description_nl))
    ) STORED
    """,
    """
    ALTER TABLE programme ADD COLUMN search_title tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('catalogue_en', title_en || ' ' || code) || to_tsvector('catalogue_nl', title_nl)
    ) STORED
    """,
    "CREATE INDEX programme_search ON programme USING gin (search) WITH (fastupdate = off)",
    "CREATE TABLE search_word (word text PRIMARY KEY)",
    "CREATE INDEX search_word_begins ON search_word (word text_pattern_ops)",
    "CREATE INDEX search_word_looks ON search_word USING gin (word gin_trgm_ops)",
    r"""
    CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_word (word)
        SELECT DISTINCT word
        FROM fresh, regexp_split_to_table(
            lower(unaccent(concat_ws(' ', title_en, title_nl, code, keywords))),
            '[^[:alnum:]]+') AS word
        WHERE length(word) BETWEEN 2 AND 40
        ORDER BY word
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER programme_words_new AFTER INSERT ON programme REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION learn_words()",
    r"""
    CREATE FUNCTION programme_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_word (word)
        SELECT DISTINCT word
        FROM regexp_split_to_table(
            lower(unaccent(concat_ws(' ', NEW.title_en, NEW.title_nl, NEW.code, NEW.keywords))),
            '[^[:alnum:]]+') AS word
        WHERE length(word) BETWEEN 2 AND 40
        ORDER BY word
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER programme_words_changed
        AFTER UPDATE OF title_en, title_nl, code, keywords ON programme
        FOR EACH ROW EXECUTE FUNCTION programme_words_changed()
    """,
    r"""
    CREATE FUNCTION catalogue_stems(word text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
        -- A small word of either language ("for", "voor") was left out of that language's text: asking for it finds nothing.
        SELECT CASE WHEN length(en) > 0 AND length(nl) > 0 THEN (
            SELECT array_agg(DISTINCT regexp_replace(stem, '([b-df-hj-np-tv-z])\1$', '\1'))
            FROM unnest(tsvector_to_array(en) || tsvector_to_array(nl)) AS stem
        ) END
        FROM (SELECT to_tsvector('catalogue_en', word) AS en, to_tsvector('catalogue_nl', word) AS nl) AS both_languages
    $$
    """,
    r"""
    CREATE FUNCTION catalogue_query(typed text) RETURNS tsquery LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
    DECLARE
        one text;
        stems text[];
        near text[];
        part text;
        whole text := '';
    BEGIN
        FOR one IN
            SELECT word FROM regexp_split_to_table(lower(unaccent(left(typed, 200))), '[^[:alnum:]]+') AS word WHERE word <> '' LIMIT 8
        LOOP
            stems := catalogue_stems(one);
            CONTINUE WHEN stems IS NULL;
            IF length(one) > 3 AND NOT EXISTS (
                SELECT FROM unnest(stems) AS stem JOIN search_word ON word ~>=~ stem AND word ~<~ (stem || chr(1114111))
            ) AND NOT EXISTS (
                SELECT FROM programme WHERE search @@ (SELECT string_agg(quote_literal(stem) || ':*', ' | ')::tsquery FROM unnest(stems) AS stem)
            ) THEN
                SELECT array_agg(word) INTO near FROM (
                    SELECT word FROM search_word WHERE word % one AND length(word) > 2 ORDER BY similarity(word, one) DESC, word LIMIT 3
                ) AS closest;
                IF near IS NOT NULL THEN
                    SELECT array_agg(DISTINCT stem) INTO stems FROM unnest(near) AS word, unnest(catalogue_stems(word)) AS stem;
                    CONTINUE WHEN stems IS NULL;
                END IF;
            END IF;
            SELECT string_agg(quote_literal(stem) || CASE WHEN length(stem) > 2 THEN ':*' ELSE '' END, ' | ')
            INTO part FROM unnest(stems) AS stem;
            whole := whole || CASE WHEN whole = '' THEN '' ELSE ' & ' END || '(' || part || ')';
        END LOOP;
        RETURN whole::tsquery;
    END $$
    """,
)


async def forwards() -> MigrationManager:
    """Add them."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)
    manager.add_raw(statements(*_INDEXES, *_SEARCH))
    return manager

"""PostgreSQL, the real server: least rights, broken connections, outages, refused logins, killed writers."""

import logging
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from hva_ml.config import Sink as Settings
from hva_ml.connectors.addresses import address
from hva_ml.delivery import Parcel
from hva_ml.delivery.sql.layout import Layout, dialect
from hva_ml.delivery.sql.postgres import PostgresSink
from hva_ml.errors import DeliveryError

WHERE = "[sinks.warehouse] of toy"
SCHEMA = "sales"
SECRET = "c4n4ry-in-the-url"


def sink(url: str, **changes: object) -> PostgresSink:
    settings = Settings(kind="postgres", url_env="X", tables=("scores", "reasons"), **changes)
    return PostgresSink(address(url, WHERE, DeliveryError, only="postgresql"), settings, WHERE)


@pytest.fixture
def url(postgres):
    return postgres.database("warehouse")


@pytest.fixture
def roles(postgres, url):
    """A database that its owner has set up with the printed SQL; the nightly job only writes rows."""
    for role in ("hva_writer", "hva_reader"):
        postgres.sql(f"DROP ROLE IF EXISTS {role}")
        postgres.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{postgres.password}'")
    setup = Layout(SCHEMA, "hva_", ("scores", "reasons")).setup(dialect("postgresql", WHERE))
    postgres.sql(f"CREATE SCHEMA {SCHEMA};" + setup, "warehouse")
    yield postgres.url("warehouse", "hva_writer")
    postgres.sql("DROP DATABASE warehouse WITH (FORCE)")
    postgres.sql("DROP ROLE hva_writer, hva_reader")


def refused(postgres, statement: str, user: str) -> bool:
    import psycopg

    try:
        postgres.sql(statement, "warehouse", user)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_the_printed_grants_are_enough_to_write_and_no_more(postgres, roles, nights):
    writer = sink(roles, schema=SCHEMA)
    for number in (1, 2, 3):
        writer.deliver(nights.parcel(number))
    shown = postgres.sql("SELECT run_id FROM sales.hva_current", "warehouse", "hva_reader")
    assert shown == [(writer.current().run_id,)]
    count = "SELECT count(DISTINCT run_id) FROM sales.hva_scores_runs"
    assert postgres.sql(count, "warehouse") == [(2,)]
    assert postgres.sql("SELECT count(*) FROM sales.hva_scores", "warehouse", "hva_reader") == [(60,)]
    for statement in (
        "CREATE TABLE sales.mine (a int)", "DROP TABLE sales.hva_scores_runs",
        "TRUNCATE sales.hva_scores_runs",
        "ALTER TABLE sales.hva_current ADD x int", "UPDATE sales.hva_scores_runs SET tier = 'A'",
        "DELETE FROM sales.hva_current", "SELECT * FROM sales.hva_scores",
    ):  # fmt: skip
        assert refused(postgres, statement, "hva_writer"), statement
    for statement in (
        "SELECT * FROM sales.hva_scores_runs", "DELETE FROM sales.hva_scores_runs",
        "UPDATE sales.hva_current SET run_id = 'x'", "INSERT INTO sales.hva_scores (account_id) VALUES ('x')",
        "CREATE TABLE sales.mine (a int)",
    ):  # fmt: skip
        assert refused(postgres, statement, "hva_reader"), statement


def test_a_missing_right_is_told_and_nothing_changes(postgres, roles, nights):
    before = sink(roles, schema=SCHEMA).deliver(nights.parcel(1))
    postgres.sql("REVOKE INSERT ON sales.hva_reasons_runs FROM hva_writer", "warehouse")
    with pytest.raises(DeliveryError, match="lacks a privilege") as caught:
        sink(roles, schema=SCHEMA).deliver(nights.parcel(2))
    assert "--setup-sql" in caught.value.fix
    assert sink(roles, schema=SCHEMA).current() == before
    assert postgres.sql("SELECT count(*) FROM sales.hva_scores_runs", "warehouse") == [(60,)]


class Disturbed(Parcel):
    """A parcel during whose way something happens to the server, once."""

    def happens(self, what):
        object.__setattr__(self, "_what", what)
        return self

    def pieces(self, table):
        # Once for the hash, then once more while the rows are copied.
        object.__setattr__(self, "_asked", getattr(self, "_asked", 0) + 1)
        for k, piece in enumerate(super().pieces(table)):
            yield piece
            if self._asked == 2 and k == 1 and self._what is not None:
                what, _ = self._what, object.__setattr__(self, "_what", None)
                what()


CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hva-ml'"


def test_a_connection_that_breaks_is_made_again(postgres, url, nights, caplog):
    sink(url).deliver(nights.parcel(1))
    parcel = nights.parcel(2)
    cut = []
    disturbed = Disturbed(**vars(parcel)).happens(lambda: cut.extend(postgres.sql(CUT)))
    assert sink(url).deliver(disturbed).run_id == parcel.run.run_id
    assert cut == [(True,)]
    assert "Trying again" in caplog.text
    assert postgres.sql("SELECT count(*) FROM hva_scores", "warehouse") == [(60,)]


def test_an_outage_is_told_and_made_up_for_later(postgres, url, nights):
    before = sink(url).deliver(nights.parcel(1))
    parcel = nights.parcel(2)
    with pytest.raises(DeliveryError, match="could not be reached, or the connection broke"):
        sink(url).deliver(Disturbed(**vars(parcel)).happens(postgres.stop))
    with pytest.raises(DeliveryError, match="could not be reached"):
        sink(url).current()
    postgres.start()
    assert sink(url).current() == before
    assert sink(url).deliver(parcel).run_id == parcel.run.run_id


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (f"postgresql://owner:{SECRET}@/warehouse?host=FOLDER", "login was refused"),
        (f"postgresql://owner:{SECRET}@/nowhere?host=FOLDER", "login was refused"),
        ("postgresql://owner:PASSWORD@/nowhere?host=FOLDER", "does not exist"),
        (f"postgresql://owner:PASSWORD@/warehouse?host=/{SECRET}", "could not be reached"),
        (f"postgresql://owner:{SECRET}@127.0.0.1:1/x", "could not be reached"),
        (f"postgresql://owner:{SECRET}@host:{SECRET}/x", "no URL of postgresql"),
        (f"mysql://owner:{SECRET}@host/x", "no URL of postgresql"),
        (SECRET, "no URL of postgresql"),
        (f"postgresql://owner:PASSWORD@/warehouse?host=FOLDER&{SECRET}={SECRET}", "refused, with"),
    ],
)
def test_what_is_wrong_with_a_url_is_told_without_it(postgres, url, nights, caplog, form, says):
    caplog.set_level(logging.DEBUG)
    wrong = form.replace("PASSWORD", postgres.password).replace("FOLDER", str(postgres.folder))
    with pytest.raises(DeliveryError, match=says) as caught:
        sink(wrong).deliver(nights.parcel(1))
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error.record()) + caplog.text
    assert SECRET not in told
    assert postgres.password not in told


def test_rows_are_never_told(postgres, url, nights, caplog):
    caplog.set_level(logging.DEBUG)
    sink(url).deliver(nights.parcel(1))
    postgres.sql(
        "ALTER TABLE hva_scores_runs ADD CHECK (account_id NOT LIKE '%DROP%') NOT VALID", "warehouse"
    )
    with pytest.raises(DeliveryError, match="check that somebody has added") as caught:
        sink(url).deliver(nights.parcel(2))
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "DROP" not in told


def test_a_table_that_changes_what_it_is_given_is_found_out(postgres, url, nights):
    before = sink(url).deliver(nights.parcel(1))
    postgres.sql(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.factor := round(NEW.factor::numeric, 3); RETURN NEW; END $$;"
        "CREATE TRIGGER cut BEFORE INSERT ON hva_reasons_runs FOR EACH ROW EXECUTE FUNCTION cut()",
        "warehouse",
    )
    with pytest.raises(DeliveryError, match=r"gave back other rows of 'hva_reasons_runs'"):
        sink(url).deliver(nights.parcel(2))
    assert sink(url).current() == before


def test_rows_that_are_gone_are_delivered_again(postgres, url, nights):
    parcel = nights.parcel(1)
    told = sink(url).deliver(parcel)
    postgres.sql("DELETE FROM hva_scores_runs WHERE account_id LIKE '00%'", "warehouse")
    assert not sink(url).holds(parcel, told)
    assert sink(url).deliver(parcel) == told
    assert sink(url).holds(parcel, told)


def test_tables_of_another_form_are_refused(postgres, url, nights):
    postgres.sql("CREATE TABLE hva_scores_runs (run_id text, account_id text)", "warehouse")
    with pytest.raises(DeliveryError, match="other columns than this version writes"):
        sink(url).deliver(nights.parcel(1))
    assert postgres.sql("SELECT to_regclass('hva_current')", "warehouse") == [(None,)]


def test_a_schema_that_is_missing_is_told(url, nights):
    with pytest.raises(DeliveryError, match="schema does not exist"):
        sink(url, schema="nowhere").deliver(nights.parcel(1))


def test_a_character_that_no_column_holds_is_told(url, nights):
    parcel = nights.parcel(1)

    class Nul(Parcel):
        def pieces(self, table):
            for piece in super().pieces(table):
                broken = piece.to_pylist()
                broken[0]["account_id"] = "a\x00b"
                yield piece.from_pylist(broken, schema=piece.schema)

    with pytest.raises(DeliveryError, match="cannot store"):
        sink(url).deliver(Nul(**vars(parcel)))


def test_two_writers_at_once_leave_one_whole_night(postgres, url, nights):
    parcels = [nights.parcel(k) for k in (1, 2, 3)]
    for parcel in parcels:
        sink(url).deliver(parcel)

    def write(number):
        for k in range(4):
            sink(url).deliver(parcels[(number + k) % 3])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 1)))
    shown = sink(url).current()
    (parcel,) = [p for p in parcels if p.run.run_id == shown.run_id]
    assert sink(url).holds(parcel, shown)
    rows = postgres.sql("SELECT account_id FROM hva_scores", "warehouse")
    assert sorted(r[0] for r in rows) == sorted(
        i for t in parcel.pieces("scores") for i in t["account_id"].to_pylist()
    )
    assert postgres.sql("SELECT count(DISTINCT run_id) FROM hva_scores_runs", "warehouse") == [(2,)]


def test_a_key_that_is_too_long_for_a_column_is_told(postgres, url, nights):
    sink(url).deliver(nights.parcel(1))
    postgres.sql(
        "DROP VIEW hva_scores; ALTER TABLE hva_scores_runs ALTER account_id TYPE varchar(255) "
        "USING left(account_id, 255)",
        "warehouse",
    )
    with pytest.raises(DeliveryError, match="longer than its column"):
        sink(url).deliver(nights.parcel(2))


WRITER = """
import sys
from pathlib import Path
from hva_ml.config import Sink as Settings
from hva_ml.delivery import Parcel
from hva_ml.connectors.addresses import address
from hva_ml.errors import HvaError
from hva_ml.delivery.sql.postgres import PostgresSink
from hva_ml.publication import reading
url, folder = sys.argv[1], Path(sys.argv[2])
settings = Settings(kind="postgres", url_env="X", tables=("scores", "reasons"))
runs = [Parcel(folder, run, "toy", "EUR") for run in reading.runs(folder)]
while True:
    for parcel in runs:
        PostgresSink(address(url, "toy", HvaError, only="postgresql"), settings, "toy").deliver(parcel)
        print(parcel.run.run_id, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_a_whole_night(postgres, url, nights):
    parcels = [nights.parcel(k, n=400) for k in (1, 2, 3)]
    counts = {p.run.run_id: (400, sink(url).deliver(p).contents["reasons"].rows) for p in parcels}
    whole = (
        "SELECT run_id, (SELECT count(*) FROM hva_scores), (SELECT count(*) FROM hva_reasons), "
        "(SELECT count(DISTINCT as_of) FROM hva_scores) FROM hva_current"
    )
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(nights.folder)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        seen = writer.stdout.readline().strip()
        for _ in range(25):
            ((run_id, scores, reasons, days),) = postgres.sql(whole, "warehouse")
            assert ((scores, reasons), days) == (counts[run_id], 1)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert seen in counts
    ((run_id, scores, reasons, days),) = postgres.sql(whole, "warehouse")
    assert ((scores, reasons), days) == (counts[run_id], 1)


def test_the_printed_sql_of_other_dialects_names_the_same_tables():
    for name in ("postgresql", "mysql", "mssql", "oracle", "sqlite"):
        if name in ("mysql", "mssql", "oracle"):
            kind: sa.Dialect = sa.engine.url.URL.create(name).get_dialect()()
        else:
            kind = dialect(name, WHERE)
        text = Layout("", "hva_", ("scores", "explanations")).setup(kind)
        assert text.count("CREATE TABLE") == 3
        assert text.count("CREATE VIEW") == 2
        assert ("GRANT SELECT" in text) == (name != "sqlite")

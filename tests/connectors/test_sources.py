"""Sources of every kind arrive under their names, and are cut at an instant as if read then."""

# ruff: noqa: DTZ001 - naive local times are what these files hold.

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.config import PipelineConfig
from hva_ml.connectors import instants, sources
from hva_ml.engines.base import ParquetFiles
from hva_ml.engines.spool import Store
from hva_ml.errors import ConfigError, SourceError
from hva_ml.starter import simulator
from hva_ml.workspace import Workspace

Declare = Callable[..., PipelineConfig]
BERLIN = ZoneInfo("Europe/Berlin")
CUTOFF = datetime(2024, 6, 30, 22, tzinfo=UTC)  # midnight of 1 July in Berlin


def test_csv_and_parquet_arrive_under_their_names(ws: Workspace, declare: Declare) -> None:
    (ws.root / "data" / "raw" / "o.csv").write_bytes("Nr;Größe\n007;1,5\n".encode("cp1252"))
    pq.write_table(pa.table({"k": [1], "n": ["1.234,5"]}), ws.root / "data" / "raw" / "p.parquet")
    config = declare(
        'kind = "csv"', 'path = "data/raw/o.csv"', 'types = {"Größe" = "number"}',
        more='[sources.a]\nkind = "parquet"\npath = "data/raw/p.parquet"\n'
        'types = {k = "text", n = "number"}\n',
    )  # fmt: skip
    raw = sources.tables(sources.relations(ws, config, Store()))
    assert list(raw) == ["a", "x"]
    assert raw["x"].to_pylist() == [{"Nr": "007", "Größe": 1.5}]
    assert raw["a"].to_pylist() == [{"k": "1", "n": 1234.5}]


def test_parquet_stays_on_disk_unless_it_is_converted(ws: Workspace, declare: Declare) -> None:
    folder = ws.root / "data" / "raw" / "orders"
    folder.mkdir()
    for name, values in (("a", ["1"]), ("b", ["2"])):
        pq.write_table(pa.table({"v": values}), folder / f"{name}.parquet")
    other = '[sources.y]\nkind = "parquet"\npath = "data/raw/orders"\ntypes = { v = "number" }\n'
    config = declare('kind = "parquet"', 'path = "data/raw/orders"', more=other)
    found = sources.relations(ws, config, Store())
    assert found["x"] == ParquetFiles((folder / "a.parquet", folder / "b.parquet"))
    assert (
        found["y"]
        == sources.tables(sources.relations(ws, config, Store()))["y"]
        == pa.table({"v": [1.0, 2.0]})
    )
    read = sources.tables(found)
    assert read["x"].to_pylist() == [{"v": "1"}, {"v": "2"}]
    assert read["y"] is found["y"]


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (pa.array([1.0, None]), "text", ["1", None]),
        (pa.array([1.0, None]), "integer", [1, None]),
        (pa.array([1, 0]), "flag", [True, False]),
        (pa.array([1, 2]), "number", [1.0, 2.0]),
        (pa.array([date(2024, 1, 2)]), "time", [datetime(2024, 1, 2)]),
        (pa.array([datetime(2024, 1, 2)]), "date", [date(2024, 1, 2)]),
        (pa.array(["ja", None]).dictionary_encode(), "flag", [True, None]),
    ],
)
def test_typed_columns_convert_without_loss(
    ws: Workspace, declare: Declare, values: pa.Array, kind: str, read: list[object]
) -> None:
    pq.write_table(pa.table({"v": values}), ws.root / "x.parquet")
    config = declare('kind = "parquet"', 'path = "x.parquet"', f'types = {{v = "{kind}"}}')
    assert sources.tables(sources.relations(ws, config, Store()))["x"]["v"].to_pylist() == read


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([1.0, 1.5]), "integer"),
        (pa.array([1.0, 1.5]), "text"),
        (pa.array([1, 2]), "flag"),
        (pa.array([datetime(2024, 1, 1), datetime(2024, 1, 1, 5)]), "date"),
        (pa.array([b"a", b"\xff"]), "text"),
    ],
)
def test_typed_columns_that_would_lose_something_are_refused(
    ws: Workspace, declare: Declare, values: pa.Array, kind: str
) -> None:
    pq.write_table(pa.table({"v": values}), ws.root / "x.parquet")
    config = declare('kind = "parquet"', 'path = "x.parquet"', f'types = {{v = "{kind}"}}')
    with pytest.raises(SourceError, match="1 of 2 values") as caught:
        sources.tables(sources.relations(ws, config, Store()))
    assert caught.value.where.endswith("rows 2")


def test_the_simulator_runs_once_for_all_its_tables(
    ws: Workspace, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, object]] = []
    real = simulator.simulate

    def counted(**given: object) -> simulator.Simulated:
        calls.append(given)
        return real(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(simulator, "simulate", counted)
    config = declare(
        'kind = "simulated"', 'table = "companies"',
        more='[sources.y]\nkind = "simulated"\ntable = "invoices"\n'
        "[simulation]\naccounts = 60\nseed = 3\nevents_per_account = 2\n",
    )  # fmt: skip
    raw = sources.tables(sources.relations(ws, config, Store()))
    assert [c["accounts"] for c in calls] == [60]
    wanted = real(
        accounts=60, seed=3, first=date(2022, 1, 1), last=date(2025, 12, 31), events_per_account=2.0
    ).tables
    assert raw["x"].equals(wanted["companies"])
    assert raw["y"].equals(wanted["invoices"])


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (('kind = "csv"',), "The key 'path' is missing"),
        (('kind = "parquet"',), "The key 'path' is missing"),
        (('kind = "dataset"',), "The key 'dataset' is missing"),
        (('kind = "simulated"', 'table = "invoice"'), "no table 'invoice'. Did you mean 'invoices'"),
    ],
)
def test_a_source_that_lacks_something_says_what(
    ws: Workspace, declare: Declare, lines: tuple[str, ...], what: str
) -> None:
    config = declare(*lines, more="[simulation]\naccounts = 50\nevents_per_account = 1\n")
    with pytest.raises(ConfigError, match=what):
        sources.tables(sources.relations(ws, config, Store()))


def kept(values: object, cutoff: datetime = CUTOFF) -> list[int]:
    times = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    table = pa.table({"t": times, "i": list(range(len(times)))})
    cut: list[int] = instants.before(table, "t", cutoff, "Europe/Berlin", "[sources.x] time")["i"].to_pylist()
    return cut


BEFORE, AT, AFTER = datetime(2024, 6, 30, 23, 59, 59), datetime(2024, 7, 1), datetime(2024, 7, 1, 0, 0, 1)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_naive_values_are_local_aware_ones_are_instants(unit: str) -> None:
    assert kept(pa.array([AFTER, BEFORE, AT, None], pa.timestamp(unit))) == [1]
    aware = [t.replace(tzinfo=BERLIN).astimezone(UTC) for t in (AFTER, BEFORE, AT)]
    assert kept(pa.array(aware, pa.timestamp(unit, "UTC"))) == [1]
    assert kept(pa.array(aware, pa.timestamp(unit, "America/New_York"))) == [1]


def test_dates_are_local_midnights() -> None:
    assert kept(pa.array([date(2024, 7, 1), date(2024, 6, 30), None], pa.date32())) == [1]
    assert kept(pa.array([date(2024, 7, 1), date(2024, 6, 30)], pa.date64())) == [1]


def test_text_is_read_as_iso_or_german() -> None:
    text = ["01.07.2024", "30.06.2024 23:59", "2024-07-01T00:00:00", "2024-06-30", None, "1.6.2024"]
    assert kept(text) == [1, 3, 5]
    assert kept(pa.array(text).dictionary_encode()) == [1, 3, 5]
    assert kept(["2024-06-30T21:59:59Z", "2024-07-01T00:00:00+02:00", "2024-06-30T23:59+0200"]) == [0, 2]


def test_hours_that_come_twice_or_never() -> None:
    # 27 October 2024: 02:30 comes twice; read as the first one, 00:30 UTC.
    assert kept([datetime(2024, 10, 27, 2, 30)], datetime(2024, 10, 27, 0, 31, tzinfo=UTC)) == [0]
    # 31 March 2024: 02:30 never comes; read as 03:00, which is 01:00 UTC.
    assert kept([datetime(2024, 3, 31, 2, 30)], datetime(2024, 3, 31, 1, 0, tzinfo=UTC)) == []
    assert kept([datetime(2024, 3, 31, 2, 30)], datetime(2024, 3, 31, 1, 1, tzinfo=UTC)) == [0]


@given(st.lists(st.integers(-5000, 5000), max_size=20))
def test_exactly_the_rows_before_the_cutoff_stay_in_their_order(minutes: list[int]) -> None:
    times = [CUTOFF + timedelta(minutes=m) for m in minutes]
    wanted = [i for i, m in enumerate(minutes) if m < 0]
    assert kept(pa.array(times, pa.timestamp("us", "UTC"))) == wanted
    local = [t.astimezone(BERLIN).replace(tzinfo=None) for t in times]
    assert kept(pa.array(local, pa.timestamp("us"))) == wanted
    assert kept(pa.array([t.isoformat(" ") for t in local], pa.string())) == wanted


def test_only_sources_that_declare_a_time_are_cut(declare: Declare) -> None:
    config = declare(
        'kind = "csv"', 'path = "x"', 'time = "t"', more='[sources.y]\nkind = "csv"\npath = "y"\n'
    )
    table = pa.table({"t": pa.array([AT, BEFORE])})
    cut = sources.truncate({"x": table, "y": table}, config, CUTOFF)
    assert cut["x"]["t"].to_pylist() == [BEFORE]
    assert cut["y"] is table


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [
        ("tt", pa.array([AT]), "no column 't'"),
        ("t", pa.array([1]), "int64, not times"),
        ("t", pa.array(["gestern", "2024-01-01"]), "1 values of the time column"),
        ("t", pa.array(["2024-02-31"]), "1 values of the time column"),
        ("t", pa.array(["2024-01-01 10:00", "2024-01-01 10:00Z", "2024-01-01 10:00"]), "1 values"),
    ],
)
def test_a_time_column_that_is_none(declare: Declare, column: str, values: pa.Array, what: str) -> None:
    config = declare('kind = "csv"', 'path = "x"', 'time = "t"')
    with pytest.raises(SourceError, match=what):
        sources.truncate({"x": pa.table({column: values})}, config, CUTOFF)

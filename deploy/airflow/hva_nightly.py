"""Airflow 3: one night of a pipeline, every day at 02:15. Copy it into the dags folder.

hva-ml lives in an environment of its own, for the pins of both clash; the DAG only calls its command.
Set HVA (the command), HVA_HOME (the workspace) and HVA_PIPELINE in the environment of the workers.
"""

import os
import subprocess
from datetime import datetime, timedelta

import pendulum
from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

ZONE = "Europe/Berlin"
PIPELINE = os.environ.get("HVA_PIPELINE", "dach_sample")
# Refused by an audit, or wrong as written: trying again would not help.
FOR_GOOD = {2: "the command is wrong", 3: "refused: the scores before it stay, marked stale"}


@dag(
    dag_id=f"hva_nightly_{PIPELINE}",
    schedule="15 2 * * *",
    start_date=pendulum.datetime(2025, 1, 1, tz=ZONE),
    # With True, every day since start_date that is missing is made, one after the other.
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=15)},
    tags=["hva"],
)
def hva_nightly() -> None:
    """Make the night of the day for which the run was planned, however late it starts."""

    @task(execution_timeout=timedelta(hours=3))
    def nightly(logical_date: datetime | None = None, run_after: datetime | None = None) -> str:
        planned = logical_date or run_after or datetime.now(pendulum.timezone(ZONE))
        day = pendulum.instance(planned).in_timezone(ZONE).format("YYYY-MM-DD")
        command = [os.environ.get("HVA", "hva"), "nightly", PIPELINE, "--as-of", day, "--log", "json"]
        code = subprocess.run(command, check=False).returncode
        if code in FOR_GOOD:
            raise AirflowFailException(f"{PIPELINE} as of {day}: {FOR_GOOD[code]} (exit {code})")
        if code:
            raise RuntimeError(f"{PIPELINE} as of {day}: exit {code}")
        return day

    nightly()


hva_nightly()

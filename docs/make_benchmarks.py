"""Writes docs/benchmarks.md from the JSON of full runs in benchmarks/results/.

Run by `make docs`. tests/docs holds the committed page to what this file makes; no figure is written by hand.
"""

import json
from pathlib import Path
from typing import Any

_DIGITS = 7
DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results"
MADE = "<!-- Made by docs/make_benchmarks.py from benchmarks/results/. Do not edit; run make docs. -->"
# What each benchmark asks, in the order of the page.
QUESTIONS = {
    "features": (
        "Point-in-time features beside other tools",
        "One Parquet file to one Parquet file, each in a fresh process: 20 million events of 100,000 "
        "accounts, 12 monthly cutoffs, both clocks; count and sum for 10 types × 4 windows, different "
        "contacts for 4 windows, recency for 10 types. Seconds on the clock and of the processor, memory; "
        "ratios are of seconds, the peer over ours. The floor reads the same file, groups it by account, "
        "type and day and makes no feature. featuretools has a file of its own, of a size it can do. The "
        "last rows are ours alone: twice the events and twice the cutoffs, against half the file; the "
        "features of `online_retail` as its training makes them, from the raw file, contract and all; and "
        "ten times the events.",
    ),
    "incremental": (
        "Nights that read only what is new",
        "From the sources to the features of one night, each in a fresh process: 20 million events of "
        "100,000 accounts, exported as one file of the past and one more each day, all else written anew. "
        "The peer is ours reading everything, as it does for training. Medians of three nights; `equal` "
        "compares the bits of the features and all findings.",
    ),
    "nightly": (
        "The stages of a night",
        "`hva nightly` from the exports of a simulated vendor to published scores with reasons for every "
        "account, each night a process of its own, that in the middle of three shown (1 M accounts: one). "
        "Full nights begin without a ledger. The peak is what the process had until the end of the stage.",
    ),
    "trust": (
        "What was tried against the night shift",
        "Power lost: all that the recorded writes, syncs and renames of a publish may leave on a disk, "
        "what was not synced lost, torn or reordered; a reader opens every state, then the next night runs "
        "over it. Kills and double runs: `hva nightly` itself on a small pipeline, half of the kills while "
        "it publishes; then it runs again, and every file must be that of a night nobody disturbed. One "
        "bit, cut short: every table is read, or the release opened. `bad` counts all that was torn, read "
        "although damaged, published twice or not finished. Disk full: a disk of its own with room for so "
        "many more pages or names of files, one more each time until there is enough. Sources have a "
        "`.sha256` beside them. Changed values that can be read: one source of a night changed into others "
        "that are valid too; a warning or a note counts as told if the honest night has it not, and `bad` "
        "counts other scores without one. Other clocks: a machine's zone and clock must not change a bit, "
        "local times are held to `zoneinfo`. Hostile texts: formulas, markup, terminal sequences, marks of "
        "direction and forged lines as ids, names and categories; each output is held to that of the same "
        "sources with plain words. Hostile words and names: SQL, shells, templates, paths and control "
        "characters in every argument and option of every command, and as names of columns and files; `bad` "
        "counts what was run, read, written beside, or not told. "
        "Canaries: secrets and addresses of people in variables, pipeline files, "
        "queries and rows; commands end well or in an error, and all that they said and wrote is searched. "
        "`day` says when a row was measured.",
    ),
    "honest": (
        "Honest nights that audits hold",
        "A year of nights on which nothing was changed, all in one process, as in production: the night "
        "after a held one is held against the last published one. After three nights held in a row "
        "somebody has looked, and publishes the third with a reason (`forced`). A first alarm is a night "
        "held by an audit that had not held the night before, a follow-up any other held night. Each "
        "first alarm was looked at: right are those where the data did change (`adventureworks` won 160 "
        "resellers on two days), a false alarm is any other. `at most` is the upper bound of the rate "
        "(exact, Poisson), and stays above 0 where none came. Vendors are simulated; the release knows "
        "nothing of the year and, but for the vendor with a calendar, of the accounts. That one invoices "
        "on the first, sends one newsletter a month, has one fair a year, is closed for two weeks at "
        "Christmas, and has windows of the month, quarter and year to date. Its one false alarm: in March "
        "two newsletters lay within 30 days, as in no month before. The rules of HVS004, HVS005, HVS012 "
        "and HVS014 were mended after looks at this vendor and at `online_retail`, and bounds made to "
        "grow with the days between nights after a look at its weeks, so those rows are not blind. "
        "A first look found one false alarm in the nights of `online_retail` (its outlook came in one night, "
        "2 December 2010); that has been mended, so this row is not blind either. Real data sets are "
        "scored by the shipped pipelines, trained on a part of that year, too; that of `online_retail` ends "
        "in August 2011. Warnings about sources hold nothing and are counted once for each night and "
        "place.",
    ),
    "monitoring": (
        "Nights until an alarm, and false alarms",
        "Simulated years of 365 nights with three shifts of 45 nights each, one strong, one medium, one "
        "weak, and years without any; every kind of shift comes in every strength. Covariate: a feature "
        "moves by 1.0, 0.6 or 0.4 standard deviations. Prior: 0.4, 0.55 or 0.7 times as many conversions, "
        "told only by an alarm of fewer conversions. Concept: nothing, 0.35 or 0.55 is left of what the "
        "features say. False is an alarm under one code on one night that no shift explains. Conversions "
        "become known up to three days late and none comes on weekends, so that days pass before the first "
        "that tells anything. The last rows are what a year of 200 features in 6 segments costs.",
    ),
    "negative_control": (
        "What is let through",
        "Simulated vendors, each trained and put to the gates twice: as they are, and with the outcomes of "
        "each cutoff dealt out anew among its accounts, so that nothing can be learned.",
    ),
    "calibration": (
        "A base rate that drifts: the same trees, calibrated again",
        "Bank Marketing in time order without the length of the call: trees of the first part of the calls, "
        "measured on the last 20 %, where the rate rises from 9 % to over 50 %. One map for ever, from what "
        "was known when the test begins, beside one that is learned anew each month from the latest three "
        "months before it, or from the latest one alone. `directions` holds six features to the way "
        "they had gone; `drift` and `pooled` "
        "are the two rules of the base rate. Months within bounds: those whose rate lay between the "
        "published bounds at 80 %. The trees' settings were never tuned; the three shares were chosen after "
        "looks at these same months, so the share of 75 % is not blind, and all three are shown; neither is "
        "the number of months, which was tried from one to six. The monthly map learns from months "
        "inside the last 20 % once they are over.",
    ),
    "segments": (
        "Segments: shifts of the log-odds of their own",
        "Map and shifts learned and judged on the calibration rows (`gain_before` and its standard error "
        "decide what is kept), log loss on later rows by the shared map and by the same map with the "
        "shifts, kept or not; `lower_by` with 95 % of paired resamples of whole groups. `bank`: Bank "
        "Marketing in time order without the length of the call, trees of the first 70 %, calibrated on the "
        "next 10 %, the last 20 % judge and chose nothing; the share of 70 % was taken because with trees "
        "of the first half no map could be learned at all. Blind trees do not see the category. The others "
        'are pipelines as `hva train` judges them, but with `refit = "off"` and settings searched without '
        "segments: `olist` on its latest leads, `salvirt` in ten folds (`sd`, `gain_before` and `error` "
        "are means over them), accounts on the latest cutoffs.",
    ),
    "leads": (
        "Tables of leads, as they are shipped",
        "`hva train` on public tables of leads, settings searched on earlier leads only; beside it the plain "
        "rules, fitted on what was known at the same moments. `best_column` is the win rate of each value of "
        "the one column that tells most. Intervals at 95 %. "
        "Olist and Bank Marketing are tried with one model and with new ones, and shipped with one. "
        "`brier_uncorrected` is of the same model without following the base rate: of the pipeline's own "
        "by one map for all its cohorts, of trees (as in the section on a base rate that drifts, whose "
        "remark on what is not blind holds here too) by one map for ever. *No forecast*: learners that are "
        "told what became of nine tenths of the test leads themselves and score the last tenth, each at its "
        "best penalty. What they reach is about what these columns can tell.",
    ),
    "models": (
        "Models beside other people's",
        "Every past cutoff in turn: all learn from what was known that day, score its accounts, and are held "
        "to what came within the horizon. Means over the cutoffs. Ours with its 95 % interval; at the "
        "others, after the semicolon, how far ours is ahead (negative: behind), with the interval of the "
        "difference, from the same draws of accounts and of cutoffs. `ours` in words: tied where no other "
        "is better beyond its interval, but one cannot be told from ours. Ours and the plain rules as they "
        "ship (settings searched once, as of the first cutoff); learners of trees with their own settings; "
        "FLAML with as many seconds a day as ours took on the average; BG/NBD and Pareto/NBD by "
        "PyMC-Marketing, with gamma-gamma. MAE in the currency of the data; `value_coverage` is the share "
        "of conversions between bounds told for 80 %. `online_retail` ends in August 2011 at both horizons. "
        "Outlook, run rate and nowcast were designed with some or all of these cutoffs in view "
        "(docs/models.md), so levels and totals are not blind.",
    ),
    "lifetime": (
        "Lifetime value beside plain rules and BG/NBD",
        "Every cutoff of `online_retail` for which a horizon is over, and was over for an earlier cohort "
        "when it began: all learn from what was known that day, say what existing customers bring within the "
        "horizon, and are held to what came. Means over the cutoffs, differences as above. Ours are windows "
        "that go on from the pipeline's 90 days; the run rate is that of the last year times the horizon; "
        "`expected_value_prolonged` is our own expected value times horizon over 90 days; BG/NBD with "
        "gamma-gamma by PyMC-Marketing, from purchases alone. At 90 days ours is the expected value itself, "
        "from trees that leave a share of the accounts to calibration, as windows are learned. Data end in "
        "August 2011, as everywhere. A horizon without such a cutoff is refused.",
    ),
    "tuning": (
        "The search of settings beside a plain Optuna and LightGBM script",
        "Trials a minute on the same rows, folds and ranges, each in a fresh process with a store on disk. "
        "The script bins its rows in every trial, stops early, and gives no trial up. "
        "`learning_rate_factor` 1 searches at the rate of the model; 2 is what pipelines have unless they "
        "say otherwise. Losses are log losses: of the search, and of the model with the settings found on "
        "later cutoffs.",
    ),
    "scoring": (
        "Raw scores beside LightGBM and compilers of its trees",
        "One model of 500 trees on 150 features with missing values, the same rows, two threads; ratios are "
        "of rows a second, ours over the peer's, on the clock and per core. `equal` compares bits. Ready is "
        "how long each takes from the model file until it scores; lleaves compiles in that time, and keeps "
        "the result for the next start.",
    ),
    "explain": (
        "Exact SHAP values beside other implementations",
        "One model, the same rows; ratios are of rows a second, ours over the peer's. `equal` is the largest "
        "difference to the peer's values. shap hands path-dependent values of LightGBM models to LightGBM: "
        "those rows are one implementation. `hva_ml alone` has no peer: small and odd numbers of rows, and "
        "the seconds a machine waits once for the compilation.",
    ),
    "explain_composite": (
        "How near the reasons are to the truth",
        "Median distance, in percent, from the brute-force Shapley values of likelihood × value itself, over "
        "all coalitions of eight features of generated models; by conversion rate, because the link from "
        "margin to ln p bends the more the likelier a conversion is.",
    ),
    "explain_accounts": (
        "All reasons of a night",
        "Features as a file to published scores, contributions and words: 150 features, two models, "
        "composition, additivity held on every row, Parquet with checksums.",
    ),
    "serving": (
        "The champion behind MLflow's server",
        "Rows of features as JSON to `mlflow models serve` on the loopback, one request at a time, seconds "
        "from the request to the parsed answer. `differences` counts numbers and reasons that are not those "
        "of the published run, to the last bit.",
    ),
    "sinks": (
        "Delivery to databases beside pandas",
        "One published run to a real PostgreSQL, to SQLite, to DuckDB and to a folder, every row read back "
        "and compared before a reader sees it, in one transaction. The peer is `DataFrame.to_sql` of the "
        "same rows, which neither reads back nor changes nights by one step; ratios are of seconds, the peer "
        "over ours. Way back: the run before is shown again. Again: the same run, found to be there.",
    ),
    "advise": (
        "What would help, for one account",
        "Milliseconds an account, models and accounts loaded.",
    ),
}


def page() -> str:
    """Return the whole page."""
    parts = [
        "# Benchmarks",
        MADE,
        "What we claim, measured: ours and each peer run interleaved in one call, medians of repeats, peers "
        "whose pins clash in environments of their own. Ratios matter, not seconds: they depend on the "
        "machine. `make bench` runs all of them at a small size.",
    ]
    for name, (title, text) in QUESTIONS.items():
        file = RESULTS / f"{name}.json"
        if file.is_file():
            parts += [f"## {title}", text, *_table(name, json.loads(file.read_text(encoding="utf-8")))]
    return "\n\n".join(parts) + "\n"


def _table(name: str, record: dict[str, Any]) -> list[str]:
    rows = record["rows"]
    columns = list(dict.fromkeys(c for row in rows for c in row))
    lines = ["| " + " | ".join(columns) + " |", "| --- |" + " ---: |" * (len(columns) - 1)]
    lines += ["| " + " | ".join(_cell(row.get(c)) for c in columns) + " |" for row in rows]
    told = f"`python -m benchmarks.{name} --size {record['size']}` on {record['day']}: {record['machine']}."
    return ["\n".join(lines), told]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and abs(value) < 1000 and len(str(value)) > _DIGITS:
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    (DOCS / "benchmarks.md").write_text(page(), encoding="utf-8")

"""The words of monitoring: what each finding, each reason and the page say, German and English."""

MONITORING: dict[str, tuple[str, str]] = {
    "monitoring_report": ("Überwachung der Nächte", "The nights, monitored"),
    "nights_seen": ("{n} Nächte seit {day}", "{n} nights since {day}"),
    "judged_release": ("beurteilt: Modellversion {version}", "judged: model version {version}"),
    "alarms_open": ("Offene Alarme", "Open alarms"),
    "auc_estimated": ("ROC AUC, geschätzt", "ROC AUC, estimated"),
    "auc_realised": ("ROC AUC, eingetreten", "ROC AUC, realised"),
    "conversions_kept": ("Abschlüsse, eingetreten / versprochen", "Conversions, seen / promised"),
    "promise_was": ("versprochen {value}", "promised {value}"),
    "interval_is": ("95 %: {low} bis {high}", "95%: {low} to {high}"),
    "night_of": ("Nacht vom {day}", "night of {day}"),
    "not_told": ("–", "–"),
    "advice_head": ("Neu trainieren?", "Train again?"),
    "findings_head": ("Was geprüft wurde", "What was looked at"),
    "finding": ("Befund", "Finding"),
    "since": ("Seit", "Since"),
    "episodes_head": ("Die letzten Alarme ({n})", "The latest alarms ({n})"),
    "conversions_fewer": ("weniger Abschlüsse als versprochen", "fewer conversions than promised"),
    "conversions_more": ("mehr Abschlüsse als versprochen", "more conversions than promised"),
    "raised": ("Gemeldet", "Raised"),
    "over": ("Vorbei", "Over"),
    "still_open": ("offen", "open"),
    "and_more": (" und {n} weitere", " and {n} more"),
    "outcome_alarm": ("Alarm", "alarm"),
    "outcome_warning": ("Hinweis", "warning"),
    "outcome_passed": ("gut", "good"),
    "outcome_not_applicable": ("nicht anwendbar", "not applicable"),
    # Findings by code.
    "HVM001_alarm": (
        "{what} bringt {ratio}-mal so viele Zeilen je Account wie im Training (erlaubt: {bound}-mal so viele "
        "oder so wenige). Erst die Quelle prüfen.",
        "{what} brings {ratio} times as many rows per account as in training (allowed: {bound} times as many "
        "or as few). Look at the source first.",
    ),
    "HVM001_passed": (
        "Alle Quellen bringen etwa so viele Zeilen je Account wie im Training; am weitesten weg: {what}, das "
        "{ratio}-Fache.",
        "All sources bring about as many rows per account as in training; farthest off: {what}, {ratio} "
        "times as many.",
    ),
    "HVM002_alarm": (
        "{what}{segment} liegt anders als dort, wo das Modell gelernt hat: Stabilitätsindex {psi} (erlaubt "
        "{bound}).",
        "{what}{segment} lies otherwise than where the model has learned: stability index {psi} (allowed "
        "{bound}).",
    ),
    "HVM002_passed": (
        "Kein Merkmal liegt weiter weg als erlaubt; am nächsten an seiner Grenze: {what}{segment}, "
        "Stabilitätsindex {psi} (erlaubt {bound}).",
        "No feature lies farther off than allowed; nearest to its bound: {what}{segment}, stability index "
        "{psi} (allowed {bound}).",
    ),
    "HVM003_alarm": (
        "{what}{segment} ist anders verteilt als bei der Kalibrierung: Stabilitätsindex {psi} (erlaubt "
        "{bound}).",
        "{what}{segment} is distributed otherwise than at calibration: stability index {psi} (allowed "
        "{bound}).",
    ),
    "HVM003_passed": (
        "Die Bewertungen sind verteilt wie bei der Kalibrierung; am nächsten an der Grenze: {what}{segment}, "
        "Stabilitätsindex {psi} (erlaubt {bound}).",
        "The scores are distributed as at calibration; nearest to the bound: {what}{segment}, stability "
        "index {psi} (allowed {bound}).",
    ),
    "HVM004_alarm": (
        "Nach den eigenen Wahrscheinlichkeiten ordnet das Modell diese Accounts schlechter: {what} geschätzt "
        "{now} (95 %: {low} bis {high}), bei der Kalibrierung {before}.",
        "By its own probabilities the model ranks these accounts worse: {what} estimated {now} (95%: {low} "
        "to {high}), at calibration {before}.",
    ),
    "HVM004_passed": (
        "{what} wird auf {now} geschätzt (95 %: {low} bis {high}), bei der Kalibrierung {before}.",
        "{what} is estimated at {now} (95%: {low} to {high}), at calibration {before}.",
    ),
    "HVM005_alarm": (
        "Es kommen {direction}: in den letzten {days} Tagen {seen} statt {due}{part}. Das zeigt sich, bevor "
        "die Horizonte vorbei sind.",
        "There are {direction}: {seen} instead of {due} in the last {days} days{part}. This shows before the "
        "horizons are over.",
    ),
    "HVM005_passed": (
        "Abschlüsse kommen wie versprochen: {seen} in den letzten {days} Tagen, fällig waren {due}.",
        "Conversions come as promised: {seen} in the last {days} days, {due} were due.",
    ),
    "HVM006_alarm": (
        "Die Reihenfolge hält nicht, was versprochen war: {what} {now} (95 %: {low} bis {high}), versprochen "
        "{before}.",
        "The order does not keep its promise: {what} {now} (95%: {low} to {high}), promised {before}.",
    ),
    "HVM006_passed": (
        "Die Reihenfolge ist nicht schlechter, als erlaubt und Zufall ist: {what} {now} (95 %: {low} bis "
        "{high}), versprochen {before}.",
        "The order is not worse by more than is allowed and chance: {what} {now} (95%: {low} to {high}), "
        "promised {before}.",
    ),
    "HVM007_alarm": (
        "{what}: eingetreten ist das {now}-Fache des Versprochenen (95 %: {low} bis {high}).",
        "{what}: what came is {now} times what was promised (95%: {low} to {high}).",
    ),
    "HVM007_passed": (
        "Keine Summe liegt auf genügend Nächten weiter weg, als erlaubt und Zufall ist; am weitesten: "
        "{what}, das {now}-Fache (95 %: {low} bis {high}).",
        "No sum is off on enough nights by more than is allowed and chance; farthest: {what}, {now} times "
        "what was promised (95%: {low} to {high}).",
    ),
    "HVM008_worked": (
        "Accounts auf der Liste schließen {effect}-mal so oft ab, wie es ihnen und den knapp verfehlten "
        "gemeinsam versprochen war (95 %: {low} bis {high}): vermutlich, weil sie bearbeitet werden. Ein "
        "Modell, das daraus lernt, hält die eigene Wirkung für eine Eigenschaft der Accounts. Lassen Sie "
        "einige Accounts der Liste zufällig unbearbeitet und merken Sie sich, welche.",
        "Accounts on the list convert {effect} times as often as promised, against those who just missed it "
        "(95%: {low} to {high}): most likely because they are worked. A model that learns from that takes "
        "its own effect for a property of the accounts. Leave some accounts of the list unworked at random, "
        "and note which.",
    ),
    "HVM008_from_list": (
        "{share} aller Abschlüsse kommen von Accounts der Liste: Das nächste Modell lernt vor allem, was das "
        "jetzige ausgesucht hat. Lassen Sie einige Accounts zufällig unbearbeitet, und bearbeiten Sie einige "
        "außerhalb der Liste.",
        "{share} of all conversions come from accounts on the list: the next model learns mostly what this "
        "one has picked. Leave some accounts unworked at random, and work some that are not on the list.",
    ),
    "HVM008_passed": (
        "{share} aller Abschlüsse kommen von Accounts der Liste; ein Unterschied zu den knapp verfehlten "
        "Accounts ist nicht zu erkennen.",
        "{share} of all conversions come from accounts on the list; no difference to the accounts that just "
        "missed it can be told.",
    ),
    "HVM009_warning": (
        "Das Modell ist {age} Tage alt; neu zu trainieren ist nach {bound} Tagen.",
        "The model is {age} days old; it is to be trained again after {bound} days.",
    ),
    "HVM009_passed": (
        "Das Modell ist {age} Tage alt, neu zu trainieren nach {bound}.",
        "The model is {age} days old, to be trained again after {bound}.",
    ),
    "HVM010_damaged": (
        "{n} aufgehobene Nächte sind nicht, wie sie geschrieben wurden (zuerst {what}); sie fehlen hier.",
        "{n} kept nights are not as they were written (first {what}); they are missing here.",
    ),
    "HVM010_late": (
        "Die letzte Nacht ist {n} Tage alt; üblich war eine alle {usual} Tage.",
        "The last night is {n} days old; usually there was one every {usual} days.",
    ),
    "HVM010_silent": (
        "Ausgänge sind nur bis {day} da; verglichen wird bis dahin.",
        "Outcomes are there up to {day} only; nights are compared up to then.",
    ),
    "HVM010_passed": ("Keine Nacht fehlt oder ist beschädigt.", "No night is missing or damaged."),
    # Why something is not applicable.
    "why_no_reference": (
        "Das Modell wurde trainiert, bevor es ein Profil für die Überwachung gab; nach dem nächsten Training "
        "gibt es eines.",
        "The model was trained before there was a profile for monitoring; the next training makes one.",
    ),
    "why_no_habit": (
        "Das Training kennt dafür zu wenige Stichtage oder Zeilen.",
        "The training knows too few cutoffs or rows for that.",
    ),
    "why_not_counted": (
        "Die Zeilen der Quellen wurden in diesen Nächten noch nicht gezählt.",
        "The rows of the sources were not counted yet in these nights.",
    ),
    "why_too_few_accounts": ("Zu wenige Accounts.", "Too few accounts."),
    "why_no_estimate": (
        "Aus diesen Wahrscheinlichkeiten lässt sich nichts schätzen.",
        "Nothing can be estimated from these probabilities.",
    ),
    "why_no_pace": (
        "Das Training kennt zu wenige Abschlüsse, um zu wissen, wie schnell sie kommen.",
        "The training knows too few conversions to tell how soon they come.",
    ),
    "why_nothing_under_way": (
        "Noch ist kein Tag eines Horizonts vorbei.",
        "No day of a horizon is over yet.",
    ),
    "why_no_horizon": (
        "Noch ist kein Horizont vorbei, oder die Läufe sind nicht mehr da.",
        "No horizon is over yet, or the runs are gone.",
    ),
    "why_hindsight": (
        "Alle Nächte liegen vor dem Tag, an dem der jüngste Stichtag des Trainings reif war: Das Modell hat "
        "aus dem gelernt, was aus ihnen wurde.",
        "All nights lie before the day on which the newest cohort of the training was complete: the model "
        "has learned from what came of them.",
    ),
    "why_no_promise": (
        "Das Training hat dafür nichts versprochen.",
        "The training has promised nothing of that kind.",
    ),
    "why_no_limit": (
        "Das Modell ist {age} Tage alt; wann es zu alt ist, sagt hva backtest oder [monitoring] "
        "max_age_days.",
        "The model is {age} days old; when it is too old, hva backtest or [monitoring] max_age_days tells.",
    ),
    "in_segment": (" (nur {segment})", " ({segment} only)"),
    "part_low": (
        " (Accounts mit niedriger Wahrscheinlichkeit)",
        " (accounts of low probability)",
    ),
    "part_middle": (
        " (Accounts mit mittlerer Wahrscheinlichkeit)",
        " (accounts of middle probability)",
    ),
    "part_high": (
        " (Accounts mit hoher Wahrscheinlichkeit)",
        " (accounts of high probability)",
    ),
    "metric_roc_auc": ("ROC AUC", "ROC AUC"),
    "metric_captured_revenue_top_20": ("Umsatz in den besten 20 %", "revenue in the best 20%"),
    "metric_brier": ("Brier-Score", "Brier score"),
    "sum_conversions_all": ("Abschlüsse aller Accounts", "conversions of all accounts"),
    "sum_conversions_A": ("Abschlüsse in Stufe A", "conversions in tier A"),
    "sum_conversions_B": ("Abschlüsse in Stufe B", "conversions in tier B"),
    "sum_conversions_C": ("Abschlüsse in Stufe C", "conversions in tier C"),
    "sum_value_all": ("Umsatz aller Accounts", "revenue of all accounts"),
    "score_conversion_probability": ("Wahrscheinlichkeit eines Abschlusses", "conversion probability"),
    "score_value_if_converted": ("Wert bei Abschluss", "value if converted"),
    "score_expected_value": ("Erwarteter Wert", "expected value"),
    "source_named": ("Quelle {name}", "source {name}"),
    # Advice.
    "advice_retrain": ("Ja, neu trainieren: {why}.", "Yes, train again: {why}."),
    "advice_mend": (
        "Erst die Quellen in Ordnung bringen ({why}): Ein neues Modell würde den Fehler lernen.",
        "Mend the sources first ({why}): a new model would learn the mistake.",
    ),
    "advice_keep": (
        "Nein, nichts spricht dafür.",
        "No, nothing speaks for it.",
    ),
    "advice_unknown": (
        "Nicht anwendbar, denn nichts davon ließ sich prüfen.",
        "Not applicable, because nothing of it could be looked at.",
    ),
    "advice_age": (
        "Das Modell ist {age} Tage alt, gezählt von dem Tag, an dem sein jüngster Stichtag reif war.",
        "The model is {age} days old, counted from the day on which its newest cohort was complete.",
    ),
    "advice_limit": (
        "Nach {limit} Tagen ist neu zu trainieren ({source}).",
        "It is to be trained again after {limit} days ({source}).",
    ),
    "limit_declared": ("so steht es in [monitoring] max_age_days", "as [monitoring] max_age_days says"),
    "limit_backtest": ("so empfiehlt es der Backtest", "as the backtest recommends"),
    "advice_expected": (
        "Im Backtest war ein Modell dieses Alters gegenüber einem frischen: {told}.",
        "In the backtest a model of this age was, against a fresh one: {told}.",
    ),
    "worse_by": ("{metric} um {loss} schlechter", "{metric} worse by {loss}"),
    "better_by": ("{metric} um {loss} besser", "{metric} better by {loss}"),
    "advice_learnable": (
        "Was sich an den Ausgängen geändert hat, kann ein Modell erst lernen, wenn Horizonte danach vorbei "
        "sind: vom {day} an.",
        "What has changed in the outcomes can be learned only from horizons after it: from {day} on.",
    ),
    "reason_HVM001": (
        "Quellen bringen zu viele oder zu wenige Zeilen",
        "sources bring too many or too few rows",
    ),
    "reason_HVM002": ("Merkmale haben sich verschoben", "features have drifted"),
    "reason_HVM003": ("die Bewertungen sind anders verteilt", "the scores are distributed otherwise"),
    "reason_HVM004": ("geschätzt ordnet es schlechter", "it is estimated to rank worse"),
    "reason_HVM005": ("Abschlüsse kommen nicht wie versprochen", "conversions do not come as promised"),
    "reason_HVM006": (
        "die Reihenfolge hält nicht, was versprochen war",
        "the order does not keep its promise",
    ),
    "reason_HVM007": ("Summen halten nicht, was versprochen war", "sums do not keep their promise"),
    "reason_HVM009": ("es ist zu alt", "it is too old"),
    # Charts and tables.
    "performance_title": ("Wie gut die Reihenfolge ist", "How good the order is"),
    "performance_text": ("Zuletzt: {told}.", "At the end: {told}."),
    "performance_note": (
        "Geschätzt: aus den Wahrscheinlichkeiten der Nacht, bevor Ausgänge bekannt sind. Eingetreten: nach "
        "Ablauf des ganzen Horizonts. Flächen: 95 %. Gestrichelt: was auf unberührten Stichtagen gemessen "
        "und damit versprochen wurde. Die Schätzung sieht nicht, wenn sich der Zusammenhang zwischen Angaben "
        "und Kauf ändert.",
        "Estimated: from the probabilities of the night, before outcomes are known. Realised: when the whole "
        "horizon is over. Areas: 95%. Dashed: what was measured on untouched cutoffs, and so promised. The "
        "estimate cannot see a change in how facts and purchases go together.",
    ),
    "estimated": ("geschätzt", "estimated"),
    "realised": ("eingetreten", "realised"),
    "kept_title": ("Eingetreten gegen versprochen", "What came against what was promised"),
    "kept_note": (
        "1 heißt: genau wie versprochen. Nur Nächte, deren Horizont ganz vorbei ist; Bewertungen wie damals "
        "veröffentlicht, Ausgänge wie heute bekannt.",
        "1 means: just as promised. Only nights whose whole horizon is over; scores as published then, "
        "outcomes as known now.",
    ),
    "conversions": ("Abschlüsse", "Conversions"),
    "revenue": ("Umsatz", "Revenue"),
    "tiers_head": ("Nach Stufe", "By tier"),
    "all_tiers": ("alle", "all"),
    "under_way_title": ("Abschlüsse je Woche: gekommen und fällig", "Conversions a week: come and due"),
    "under_way_note": (
        "Noch vor Ablauf der Horizonte: was je Woche bekannt wurde (Balken) und was nach den Versprechen "
        "fällig war (Linie). Spricht genug dagegen, ist es ein Alarm: {total} von {threshold} Nächten, denn "
        "im Mittel frühestens nach so vielen Nächten gibt es einen falschen.",
        "Before the horizons are over: what became known in each week (bars) and what was due by the "
        "promises (line). When enough speaks against them it is an alarm: {total} of {threshold} nights, for "
        "a false one comes after that many nights on average, or later.",
    ),
    "under_way_text": ("Letzte volle Woche: {told}.", "Last whole week: {told}."),
    "come": ("gekommen", "come"),
    "due": ("fällig", "due"),
    "heat_title": ("Merkmale und Bewertungen über die Nächte", "Features and scores over the nights"),
    "heat_text": (
        "{n} Zeilen über {nights} Nächte; in der letzten Nacht Alarm bei: {told}.",
        "{n} rows over {nights} nights; in the last night alarm for: {told}.",
    ),
    "heat_none": ("keinem", "none"),
    "heat_note": (
        "Blass: wie im Training. Je kräftiger, desto näher an der Grenze; gelb: darüber, aber bei so "
        "wenigen Accounts noch Zufall; orangerot: darüber und kein Zufall. {columns} Senkrechte Linien: ein "
        "anderes Modell.",
        "Faint: as in training. The stronger, the nearer to the bound; yellow: beyond it, but still chance "
        "with so few accounts; orange-red: beyond it and no chance. {columns} Vertical lines: another model.",
    ),
    "heat_weeks": (
        "Jede Spalte ist eine Woche, gezeigt ist ihre schlimmste Nacht.",
        "Each column is a week, its worst night is shown.",
    ),
    "heat_nights": ("Jede Spalte ist eine Nacht.", "Each column is a night."),
    "heat_rest": ("Alle übrigen {n} Zeilen", "All other {n} rows"),
    "segments_heat_title": ("Segmente über die Nächte", "Segments over the nights"),
    "segments_heat_note": (
        "Je Segment das Merkmal oder die Bewertung, die ihrer Grenze am nächsten liegt.",
        "For each segment the feature or score that is nearest to its bound.",
    ),
    "movers_head": ("Was sich am weitesten bewegt hat", "What has moved farthest"),
    "movers_note": (
        "Letzte Nacht gegen das Training. Stabilitätsindex (PSI) und Jensen-Shannon-Abstand (0 bis 1) zählen "
        "alles, auch Unbekanntes; Wasserstein sagt, um wie viele Perzentile des Trainings sich Accounts im "
        "Mittel bewegt haben. Bereiche: 95 %, nach Zahl der Accounts.",
        "The last night against the training. Stability index (PSI) and Jensen-Shannon distance (0 to 1) "
        "count everything, the unknown too; Wasserstein says by how many percentiles of the training "
        "accounts have moved on average. Ranges: 95%, by the number of accounts.",
    ),
    "psi": ("PSI", "PSI"),
    "jensen_shannon": ("Jensen-Shannon", "Jensen-Shannon"),
    "wasserstein": ("Wasserstein", "Wasserstein"),
    "allowed": ("Erlaubt", "Allowed"),
    "feedback_head": ("Lernt das Modell von der eigenen Liste?", "Does the model learn from its own list?"),
    "feedback_text": (
        "In {nights} Nächten ohne Überschneidung kamen {from_list} von {all} Abschlüssen von Accounts der "
        "Liste. Die untere Hälfte der Liste: {seen} Abschlüsse, versprochen {promised}. Gleich viele "
        "Accounts, die sie knapp verfehlten: {seen_missed}, versprochen {promised_missed}.",
        "In {nights} nights that do not overlap, {from_list} of {all} conversions came from accounts on the "
        "list. The lower half of the list: {seen} conversions, {promised} promised. As many accounts that "
        "just missed it: {seen_missed}, {promised_missed} promised.",
    ),
    "monitoring_means": (
        "Ein Alarm heißt: weiter weg als erlaubt, und mehr als Zufall. Im Mittel sind höchstens {rate} "
        "Alarme im Jahr falsch, über alle Merkmale, Segmente und Nächte zusammen.",
        "An alarm means: farther off than allowed, and more than chance. On average at most {rate} alarms a "
        "year are false, over all features, segments and nights together.",
    ),
}

"""The words of pages and charts: key, German, English. German is what sellers in DACH would say."""

CHARTS: dict[str, tuple[str, str]] = {
    "thousands": ("Tsd. {currency}", "{currency} thousand"),
    "millions": ("Mio. {currency}", "{currency} million"),
    "this_account": ("Dieser Account", "This account"),
    "expected_value": ("Erwarteter Wert", "Expected value"),
    "waterfall_title_typical": ("Vom typischen Account zu diesem", "From the typical account to this one"),
    "waterfall_title_won": (
        "Vom durchschnittlichen gewonnenen Account zu diesem",
        "From the average won account to this one",
    ),
    "waterfall_title_threshold": (
        "Von der Grenze zwischen A und B zu diesem Account",
        "From the threshold between A and B to this account",
    ),
    "waterfall_title_earlier": ("Von damals zu heute", "From then to now"),
    "waterfall_text": (
        "Balken von {base} ({home}) über die Faktoren {steps} zu {total} (dieser Account).",
        "Bars from {base} ({home}) through the factors {steps} to {total} (this account).",
    ),
    "tier_reaches": (
        "{tiers}: {accounts} Accounts, {value} des Werts",
        "{tiers}: {accounts} accounts, {value} of value",
    ),
    "share_of_accounts": ("Anteil der Accounts, beste zuerst", "Share of accounts, best first"),
    "share_of_expected_value": ("Anteil am erwarteten Wert", "Share of expected value"),
    "pareto_title": (
        "Wie viel Wert in wie wenigen Accounts steckt",
        "How much value sits in how few accounts",
    ),
    "share_of_revenue": ("Anteil am Umsatz im Horizont", "Share of revenue within the horizon"),
    "captured_title": (
        "Wie viel Umsatz die besten Accounts bringen",
        "How much revenue the best accounts bring",
    ),
    "captured_text": (
        "Umsatzanteil der besten 20 % der Accounts: {told}.",
        "Share of revenue in the best 20% of accounts: {told}.",
    ),
    "promised_probability": ("Versprochene Wahrscheinlichkeit", "Promised probability"),
    "observed_rate": ("Eingetretene Quote", "Observed rate"),
    "calibration_title": (
        "Hält die Wahrscheinlichkeit, was sie verspricht?",
        "Does the probability keep its promise?",
    ),
    "calibration_text": ("Versprochen → eingetreten: {told}.", "Promised → observed: {told}."),
    "metrics_title": ("Modell und einfache Regeln im Vergleich", "The model beside plain rules"),
    "actual": ("Tatsächlich", "Actual"),
    "promised": ("Versprochen", "Promised"),
    "gains_title": (
        "Wie viele Abschlüsse in den besten Accounts liegen",
        "Conversions in the likeliest accounts",
    ),
    "gains_text": ("In den besten 20 % der Accounts: {told}.", "In the best 20% of accounts: {told}."),
    "share_of_conversions": ("Anteil der Abschlüsse", "Share of all conversions"),
    "precision_title": (
        "Abschlussquote bei K bearbeiteten Accounts",
        "Conversion rate of the best K accounts",
    ),
    "value_title": ("Umsatz bei K bearbeiteten Accounts", "Value in the best K accounts"),
    "capacity_text": ("Bei {k} Accounts je Stichtag: {told}.", "With {k} accounts at each cutoff: {told}."),
    "accounts_worked": ("Bearbeitete Accounts je Stichtag (K)", "Accounts worked at each cutoff (K)"),
    "value_of_worked": ("Tatsächlicher Umsatz je Stichtag", "Actual value per cutoff"),
    "residuals_title": (
        "Versprochener und tatsächlicher Wert, zehn Gruppen nach versprochenem Wert",
        "Promised and actual value, ten groups by promised value",
    ),
    "promised_value": ("Versprochener Wert je Account", "Promised value per account"),
    "actual_value": ("Tatsächlicher Wert je Account", "Actual value per account"),
    "totals_title": ("Versprochener und tatsächlicher Gesamtwert", "Promised and actual total value"),
    "totals_text": ("Versprochen / tatsächlich je Stichtag: {told}.", "Promised / actual by cutoff: {told}."),
    "total_value": ("Gesamtwert", "Total value"),
    "over_time_title": (
        "Modell und einfache Regeln im Lauf der Zeit",
        "The model beside plain rules over time",
    ),
    "over_time_text": ("Am letzten Stichtag: {told}.", "At the last cutoff: {told}."),
    "decay_title": ("Wie schnell ein Modell altert", "How fast a model ages"),
    "decay_text": (
        "Verlust gegenüber einem frischen Modell nach Alter in Tagen: {told}.",
        "Loss against a fresh model by age in days: {told}.",
    ),
    "age_days": ("Alter des Modells in Tagen", "Age of the model in days"),
    "parameters_title": ("Welche Einstellungen entschieden", "Which settings decided"),
    "importance_title": ("Worauf das Modell achtet", "What the model looks at"),
}

ACCOUNT: dict[str, tuple[str, str]] = {
    "account_report": ("Account-Bericht", "Account report"),
    "as_of": ("Stand {day}", "as of {day}"),
    "account": ("Account", "Account"),
    "rank": ("Rang {rank} von {accounts}", "Rank {rank} of {accounts}"),
    "percentile": ("Perzentil {percent}", "Percentile {percent}"),
    "simulated": ("Simulierte Daten.", "Simulated data."),
    "simulated_account": (
        "Dieses Unternehmen und alles, was es getan hat, ist erfunden.",
        "This company and everything it did is invented.",
    ),
    "tier": ("Stufe", "Tier"),
    "in_capacity": ("jetzt bearbeiten", "work now"),
    "not_in_capacity": ("nicht in der aktuellen Kapazität", "beyond current capacity"),
    "probability": ("Wahrscheinlichkeit eines Abschlusses", "Probability of conversion"),
    "within_days": ("innerhalb von {days} Tagen", "within {days} days"),
    "until_decided": ("bis zur Entscheidung", "until decided"),
    "no_values": (
        "Was ein Abschluss wert ist, ist nicht bekannt: Gezählt werden Abschlüsse. Der erwartete Wert ist "
        "hier die erwartete Zahl von Abschlüssen, also die Wahrscheinlichkeit.",
        "What a win is worth is not known: wins are counted. Expected value here is the expected number of "
        "wins, which is the probability.",
    ),
    "wins": ("Abschlüsse", "wins"),
    "value_if_converted": ("Wert bei Abschluss", "Value if converted"),
    "rounded": ("gezeigte Zahlen sind gerundet", "figures shown are rounded"),
    "strategic": (
        "Strategisches Gewicht {weight}: Ihre eigene Angabe. Sie kann die Stufe anheben, "
        "Wahrscheinlichkeit und Wert ändert sie nicht.",
        "Strategic weight {weight}: your own entry. It may raise the tier; it does not change "
        "probability or value.",
    ),
    "reasons_for": ("Was dafür spricht", "What speaks for it"),
    "reasons_against": ("Was dagegen spricht", "What speaks against it"),
    "no_reasons_for": (
        "Nichts hebt diesen Account merklich über den, mit dem er verglichen wird.",
        "Nothing lifts this account notably above the one it is compared with.",
    ),
    "no_reasons_against": (
        "Nichts drückt diesen Account merklich unter den, mit dem er verglichen wird.",
        "Nothing puts this account notably below the one it is compared with.",
    ),
    "arithmetic": ("Die Rechnung", "The arithmetic"),
    "arithmetic_text": (
        "Jede Ursache ist ein Faktor. Der Wert der ersten Zeile, mit allen Faktoren malgenommen, "
        "ergibt genau den erwarteten Wert dieses Accounts.",
        "Every cause is a factor. The value of the first line, multiplied by all factors, "
        "is exactly this account's expected value.",
    ),
    "cause": ("Ursache", "Cause"),
    "factor": ("Faktor", "Factor"),
    "in_money": ("In Geld", "In money"),
    "subtotal": ("Ergibt", "Gives"),
    "home_title": ("Womit verglichen wird", "What it is compared with"),
    "home_medoid": (
        "Der wirkliche Account, der der Mitte aller am nächsten ist, aus denen das Modell gelernt hat. "
        "Sein erwarteter Wert ist {base}.",
        "The real account that is nearest to the middle of all those the model has learned from. "
        "Its expected value is {base}.",
    ),
    "home_won": (
        "Ein gedachter Account zum Vergleich: Jede Zahl ist der mittlere Wert (Median), jede Kategorie die "
        "häufigste unter den Accounts, die gekauft haben. Sein erwarteter Wert ist {base}.",
        "An imagined account to compare with: every number is the middle value (median), every category the "
        "most frequent one among the accounts that bought. Its expected value is {base}.",
    ),
    "home_threshold": (
        "Ein gedachter Account zum Vergleich: Jede Zahl ist der mittlere Wert (Median), jede Kategorie die "
        "häufigste unter den Accounts, an denen Stufe A endet. Sein erwarteter Wert ist {base}.",
        "An imagined account to compare with: every number is the middle value (median), every category the "
        "most frequent one among the accounts at which tier A ends. Its expected value is {base}.",
    ),
    "home_earlier": (
        "Derselbe Account an einem früheren Tag, vom heutigen Modell bewertet: {base}.",
        "The same account on an earlier day, scored by today's model: {base}.",
    ),
    "home_typical": (
        "Ein gedachter Account zum Vergleich, kein wirkliches Unternehmen: Jede Zahl ist der mittlere "
        "Wert (Median), "
        "jede Kategorie die häufigste unter den Accounts, aus denen das Modell gelernt hat. "
        "Sein erwarteter Wert ist {base}.",
        "An imagined account to compare with, not a real company: every number is the middle value "
        "(median), "
        "every category the most frequent one among the accounts the model has learned from. "
        "Its expected value is {base}.",
    ),
    "meaning_title": ("Was die Zahl bedeutet", "What the number means"),
    "meaning_text": (
        "Der erwartete Wert ist die Wahrscheinlichkeit eines Abschlusses mal dem Wert bei Abschluss, "
        "beides für "
        "dieselben {days} Tage ab dem {day}. Von vielen Accounts mit {percent} Wahrscheinlichkeit "
        "schließt etwa "
        "dieser Anteil ab; der einzelne schließt ab oder nicht. Es zählt nur, was vor dem {day} bekannt "
        "war.",
        "The expected value is the probability of conversion times the value if converted, both for the "
        "same "
        "{days} days from {day}. Of many accounts with a probability of {percent}, about that share "
        "converts; "
        "a single one either does or does not. Only what was known before {day} counts.",
    ),
    "meaning_text_leads": (
        "Der erwartete Wert ist die Wahrscheinlichkeit eines Abschlusses {when} mal dem Wert bei Abschluss. "
        "Sie gilt für einen Lead, der am {day} noch offen war. Von vielen Leads mit {percent} "
        "Wahrscheinlichkeit schließt etwa dieser Anteil ab; der einzelne schließt ab oder nicht. Es zählt "
        "nur, was beim ersten Kontakt bekannt war, und wie lange der Lead schon offen ist.",
        "The expected value is the probability of a win {when} times the value of a win, for a lead that was "
        "still open on {day}. Of many leads with a probability of {percent}, about that share is won; a "
        "single one either is or is not. Only what was known at the first contact counts, and how long the "
        "lead has been open.",
    ),
    "of_contact": (
        "innerhalb von {days} Tagen nach dem ersten Kontakt",
        "within {days} days of the first contact",
    ),
    "neighbour_won": ("gewonnen, Kontakt am {day}", "won, contacted on {day}"),
    "neighbour_won_undated": ("gewonnen", "won"),
    "between": ("zwischen {low} und {high}", "between {low} and {high}"),
    "mostly_between": ("meist zwischen {low} und {high}", "mostly between {low} and {high}"),
    "high_value": (
        "Mit {percent} Wahrscheinlichkeit gehört dieser Account am Ende zu den {share} der Accounts, die am "
        "meisten bringen.",
        "With a probability of {percent} this account ends among the {share} of the accounts that bring "
        "most.",
    ),
    "value_bounds": (
        "Der Wert bei Abschluss ist ein Mittel: Von solchen Accounts, die abschließen, bringen {often} "
        "zwischen {low} und {high}.",
        "The value if converted is a mean: of such accounts that convert, {often} bring between {low} and "
        "{high}.",
    ),
    "probability_bounds": (
        "Wie groß er sein wird, ist selbst nicht sicher: Mit {often} Sicherheit schließen von vielen so "
        "bewerteten Accounts zwischen {low} und {high} ab. So weit schwanken Zeiträume, und so viel sagen "
        "die Fälle, an denen die Wahrscheinlichkeit geeicht ist.",
        "How large it will be is itself not certain: of many accounts scored like this, between {low} and "
        "{high} convert, with a confidence of {often}. So far do periods differ, and so much do the cases "
        "tell on which the probability was calibrated.",
    ),
    "not_meaning_title": ("Was sie nicht bedeutet", "What it does not mean"),
    "not_meaning_text": (
        "Sie ist keine Zusage und kein Planumsatz für diesen einen Account. Die Faktoren sagen, was das "
        "Modell aus "
        "der Vergangenheit gelernt hat. Sie sagen nicht, dass zum Beispiel mehr Anrufe den Wert erhöhen "
        "würden.",
        "It is no promise and no budgeted revenue for this one account. The factors say what the model "
        "has learned "
        "from the past. They do not say that, for example, more calls would raise the value.",
    ),
    "parts_title": ("Wahrscheinlichkeit und Wert getrennt", "Probability and value apart"),
    "parts_text": (
        "Was dieselben Angaben zur Wahrscheinlichkeit beitragen, und was zum Wert.",
        "What the same data do to the probability, and what to the value.",
    ),
    "families_title": ("Der Überblick", "The overview"),
    "families_text": (
        "Alle Ursachen einer Art zusammen, getrennt nach Wahrscheinlichkeit und Wert. Die Faktoren einer "
        "Zeile und alle Zeilen malgenommen führen vom Vergleich zu diesem Account.",
        "All causes of one kind together, for probability and value apart. The factors of a row and all rows "
        "multiplied lead from the comparison to this account.",
    ),
    "family": ("Art der Angaben", "Kind of data"),
    "on_probability": ("Wahrscheinlichkeit", "Probability"),
    "on_value": ("Wert", "Value"),
    "neighbours_title": ("Ähnliche Accounts, die gekauft haben", "Similar accounts that bought"),
    "neighbours_text": (
        "Aus denselben Gründen ähnlich bewertet, aus abgeschlossenen Zeiträumen, aus denen das Modell "
        "gelernt hat. Sie sind Beispiele: Andere, ähnlich bewertete haben nicht gekauft.",
        "Scored alike for the same reasons, from completed periods the model has learned from. They are "
        "examples: others that were scored alike did not buy.",
    ),
    "neighbour_value": (
        "kaufte in {days} Tagen ab {day} für {money}",
        "bought for {money} in {days} days from {day}",
    ),
    "neighbour_shared": ("Gemeinsam: {shared}", "In common: {shared}"),
    "advice_title": ("Was mit einem höheren Wert einhergeht", "What goes with a higher value"),
    "stale": ("Nicht der neueste Stand.", "Not the latest."),
    "stale_day": (
        "Zum {day} gibt es keine gültige Bewertung; dies ist die letzte, die vollständig und geprüft ist.",
        "There are no valid scores as of {day}; these are the last complete and audited ones.",
    ),
    "stale_text": (
        "Diese Bewertung gilt nicht mehr; eine neue ist noch nicht erschienen.",
        "These scores no longer hold; new ones have not come out yet.",
    ),
    "made_by": ("Modellversion {version} · Stand {day}", "Model version {version} · as of {day}"),
}

SCORES: dict[str, tuple[str, str]] = {
    "scores_report": ("Bewertete Accounts", "Scored accounts"),
    "ranked_accounts": (
        "Die besten {shown} von {accounts} Accounts",
        "The best {shown} of {accounts} accounts",
    ),
    "simulated_scores": (
        "Diese Unternehmen und alles, was sie getan haben, sind erfunden.",
        "These companies and everything they did are invented.",
    ),
    "accounts": ("Accounts", "Accounts"),
    "place": ("Rang", "Rank"),
    "likelihood": ("Wahrscheinlichkeit", "Probability"),
    "tiers_text": (
        "Die besten Accounts, die zusammen {a} des erwarteten Werts halten, sind A; bis {b} sind B, der "
        "Rest ist C.",
        "The best accounts that together hold {a} of the expected value are A; up to {b} are B, the "
        "rest is C.",
    ),
    "work_now": ("Jetzt bearbeiten", "Work now"),
    "run": ("Lauf {run}", "Run {run}"),
}

MODELS: dict[str, tuple[str, str]] = {
    "hva_ml": ("Modell (hva_ml)", "Model (hva_ml)"),
    "parent": ("Vor der Neueichung", "Before recalibration"),
    "perfect": ("Hellsehen (Obergrenze)", "Perfect foresight (limit)"),
    "prevalence": ("Durchschnitt für alle", "Average for all"),
    "recency_frequency_monetary": ("RFM-Regel", "RFM rule"),
    "best_column": ("Das eine beste Merkmal", "Best single column"),
    "logistic_regression": ("Logistische Regression", "Logistic regression"),
    "run_rate": ("Bisheriger Umsatz", "Past revenue rate"),
}

FAMILIES: dict[str, tuple[str, str]] = {
    "firmographic": ("Firmendaten", "Firmographics"),
    "engagement": ("Engagement", "Engagement"),
    "deal_history": ("Kaufhistorie", "Deal history"),
    "fit": ("Ähnlichkeit zu Kunden", "Fit"),
    "season": ("Saison", "Season"),
}

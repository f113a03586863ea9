"""The words of the page about a run as a whole: what moves the scores, by tier and segment, how firmly."""

OVERVIEW: dict[str, tuple[str, str]] = {
    "overview_report": ("Was die Bewertungen bewegt", "What moves the scores"),
    "overview_intro": (
        "Ein Faktor sagt, womit eine Angabe den erwarteten Wert eines Accounts malnimmt, verglichen mit dem "
        "Account, mit dem er verglichen wird. Diese Seite fasst die Faktoren aller Accounts zusammen.",
        "A factor says what a fact multiplies an account's expected value by, against the account it is "
        "compared with. This page sums up the factors of all accounts.",
    ),
    "model_version": ("Modellversion", "Model version"),
    "tiers_title": ("Die Stufen in je einem Satz", "The tiers in one sentence each"),
    "tiers_mean": (
        "Genannt wird der mittlere Faktor der Stufe, daneben der aller übrigen Accounts. Mittlere "
        "Wahrscheinlichkeit mal mittlerer Wert ist nicht der mittlere erwartete Wert, denn beide hängen"
        " zusammen.",
        "What is told is the tier's mean factor, beside that of all other accounts. Mean probability "
        "times mean value is not the mean expected value, because the two go together.",
    ),
    "tier_many": (
        "Stufe {tier}: {n} Accounts halten {share} des erwarteten Werts ({money}), bei im Mittel "
        "{probability} Wahrscheinlichkeit und {value} Wert bei Abschluss",
        "Tier {tier}: {n} accounts hold {share} of the expected value ({money}), at a mean probability of "
        "{probability} and a mean value if converted of {value}",
    ),
    "tier_one": (
        "Stufe {tier}: {n} Account hält {share} des erwarteten Werts ({money}), bei {probability} "
        "Wahrscheinlichkeit und {value} Wert bei Abschluss",
        "Tier {tier}: {n} account holds {share} of the expected value ({money}), at a probability of "
        "{probability} and a value if converted of {value}",
    ),
    "tier_none": ("Stufe {tier}: kein Account.", "Tier {tier}: no account."),
    "tier_apart": (
        "{head}; der größte Unterschied zu den übrigen: {topics}.",
        "{head}; biggest difference from the others: {topics}.",
    ),
    "tier_alike": ("{head}.", "{head}."),
    "instead_of": ("{label} ({here} statt {others})", "{label} ({here} instead of {others})"),
    "topics_text": (
        "Der Faktor, um den ein Thema den erwarteten Wert im Mittel nach oben oder unten bewegt, und der "
        "Anteil der Accounts, bei denen es als Grund genannt wird.",
        "The factor by which a topic moves an expected value up or down on average, and the share of "
        "accounts where it is told as a reason.",
    ),
    "topic": ("Thema", "Topic"),
    "told_for": ("Als Grund dafür", "Told for it"),
    "told_against": ("Als Grund dagegen", "Told against it"),
    "direction": ("Hohe Werte", "High values"),
    "raise": ("heben", "raise"),
    "lower": ("senken", "lower"),
    "mixed": ("mal so, mal so", "either way"),
    "swarm_title": ("Jeder Punkt ein Account", "Every dot an account"),
    "swarm_text": (
        "Faktoren von {accounts} Accounts je Thema, kleinster bis größter: {told}.",
        "Factors of {accounts} accounts by topic, least to greatest: {told}.",
    ),
    "swarm_note": (
        "Gezeigt sind {shown} von {accounts} Accounts. Rechts der Linie hebt das Thema den erwarteten Wert, "
        "links senkt es ihn. Die Farbe sagt, ob die wichtigste Angabe des Themas hoch oder niedrig ist; in "
        "welche Richtung hohe Werte wirken, steht in der Tabelle darüber. Wo mehr Accounts liegen, als Platz "
        "ist, verdecken sie einander.",
        "{shown} of {accounts} accounts are shown. Right of the line the topic raises the expected value, "
        "left of it it lowers it. The colour says whether the topic's heaviest fact is high or low; which "
        "way high values work stands in the table above. Where there are more accounts than space, they "
        "cover each other.",
    ),
    "level_low": ("niedriger Wert", "low value"),
    "level_middle": ("mittlerer Wert", "middle value"),
    "level_high": ("hoher Wert", "high value"),
    "level_none": ("ohne Zahl", "no number"),
    "factor_axis": ("Faktor des erwarteten Werts", "Factor of the expected value"),
    "dependence_head": ("Wie der Faktor vom Wert abhängt", "How the factor depends on the value"),
    "dependence_text": (
        "Jede Zeile ist eine Gruppe etwa gleich vieler Accounts, geordnet nach dem Wert, oder eine "
        "der zwölf häufigsten Kategorien. Punkt oder Balken: mittlerer Faktor (Median), rechts in Zahlen "
        "neben der Zahl der Accounts. Strich: der Bereich, in dem acht von zehn Accounts liegen; "
        "er ist breit, wo die Wirkung von anderen Angaben abhängt.",
        "Every row is a group of about equally many accounts, ordered by value, or one of the twelve "
        "most frequent categories. Dot or bar: middle factor (median), in numbers to the right beside the "
        "number of accounts. Line: the range of eight accounts in ten; it is wide where the "
        "effect depends on other facts.",
    ),
    "depends_told": ("{range}: {factor}", "{range}: {factor}"),
    "segments_title": ("Nach {by}", "By {by}"),
    "segments_text": (
        "Die drei Themen, die den erwarteten Wert in diesem Segment im Mittel am stärksten bewegen, "
        "nach oben oder unten.",
        "The three topics that move the expected value most in this segment on average, up or down.",
    ),
    "segment": ("Segment", "Segment"),
    "stability_title": ("Wie fest die Gründe sind", "How firm the reasons are"),
    "stability_measured": (
        "Dieselben {accounts} Accounts, erklärt von Modellversion {version}: Die Rangkorrelation der "
        "Themen ist {importance}; beim mittleren Account (Median) sind {overlap} der genannten Gründe "
        "dieselben, und der Kosinus der Beiträge ist {cosine}. 1 und 100 % heißen: gleich.",
        "The same {accounts} accounts, explained by model version {version}: the rank correlation of "
        "the topics is {importance}; for the median account, {overlap} of the reasons told are the "
        "same, and the cosine of the contributions is {cosine}. 1 and 100% mean: equal.",
    ),
    "stability_borrowed": (
        "{text} Angaben, die nur das andere Modell liest ({n}), sind die vom {day}.",
        "{text} Facts that only the other model reads ({n}) are those of {day}.",
    ),
    "not_ranked": ("–", "–"),
    "one_release": (
        "Nicht anwendbar, denn vor diesem Modell gibt es keine andere Version.",
        "Not applicable, because there is no release before this model.",
    ),
    "same_release": (
        "Nicht anwendbar, denn der andere Lauf ist vom selben Modell: Er nennt dieselben Gründe.",
        "Not applicable, because the other run is of the same model: it tells the same reasons.",
    ),
    "no_common_accounts": (
        "Nicht anwendbar, denn die beiden Läufe haben keinen Account gemeinsam.",
        "Not applicable, because the two runs have no account in common.",
    ),
    "reads_other_data": (
        "Nicht anwendbar, denn Modellversion {version} liest Angaben, die dieser Lauf nicht hat.",
        "Not applicable, because model version {version} reads facts that this run does not have.",
    ),
    "overview_means": (
        "Alles hier sagt, worauf das Modell achtet, nicht, was einen Kauf verursacht.",
        "All of this says what the model looks at, not what causes a purchase.",
    ),
}

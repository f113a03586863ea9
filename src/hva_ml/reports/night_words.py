"""The words of the pages about a whole run: what changed in the night."""

CHANGES: dict[str, tuple[str, str]] = {
    "changes_report": ("Was sich verändert hat", "What changed"),
    "from_to": ("{before} bis {after}", "{before} to {after}"),
    "in_both": ("Accounts in beiden Läufen", "Accounts in both runs"),
    "value_then_now": ("Erwarteter Wert zusammen", "Expected value together"),
    "before_was": ("zuvor {value}", "{value} before"),
    "new_accounts": ("Neue Accounts", "New accounts"),
    "vanished_accounts": ("Nicht mehr dabei", "No longer there"),
    "model_stayed": (
        "Das Modell ist dasselbe (Version {version}): Alle Unterschiede kommen von den Accounts.",
        "The model is the same (version {version}): all differences come from the accounts.",
    ),
    "model_changed": (
        "Das Modell ist neu (Version {before} → {after}). Was ein Account selbst geändert hat und was das "
        "neue Modell anders sieht, ist getrennt: Beide Faktoren multipliziert ergeben genau die Veränderung.",
        "The model is new (version {before} → {after}). What an account changed itself and what the new "
        "model sees otherwise are told apart: both factors multiplied are exactly the change.",
    ),
    "biggest_up": ("Die größten Aufsteiger", "Biggest gains"),
    "biggest_down": ("Die größten Absteiger", "Biggest losses"),
    "tier_moves": ("Wechsel der Stufe", "Tier changes"),
    "no_moves": ("Keine.", "None."),
    "first_shown": ("Gezeigt sind {shown} von {all}.", "{shown} of {all} are shown."),
    "account_part": ("Account", "Account"),
    "model_part": ("Modell", "Model"),
    "alerts_title": ("Ungewöhnlich aktiv", "Unusually active"),
    "alerts_text": (
        "Verglichen wird jeder Account mit sich selbst. Verliefe alle Aktivität rein zufällig um das eigene "
        "übliche Maß, wären im Mittel höchstens 5 % dieser Hinweise falsch; wo Aktivität in Schüben kommt, "
        "sind es mehr.",
        "Each account is compared with itself. If all activity were purely random around its own usual "
        "level, at most 5% of these alerts would be false on average; where activity comes in bursts, "
        "more are.",
    ),
    "change_text": (
        "„Zuvor“ meint den früheren der beiden Läufe. Die Gründe sagen, worauf das Modell reagiert hat, "
        "nicht, was die Veränderung verursacht hat.",
        "“Before” means the earlier of the two runs. The reasons say what the model has reacted to, not what "
        "has caused the change.",
    ),
    "two_runs": (
        "Lauf {before} (Modell {v0}) und Lauf {after} (Modell {v1})",
        "Run {before} (model {v0}) and run {after} (model {v1})",
    ),
}
